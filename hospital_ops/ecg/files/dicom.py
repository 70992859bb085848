"""DICOM waveforms (12-lead ECG Waveform Storage 1.2.840.10008.5.1.4.1.1.9.1.1 and its kin)."""

from __future__ import annotations

import logging
import struct
import warnings
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any, Final

import numpy as np

from hospital_ops.ecg.files.leads import lead_of_number
from hospital_ops.ecg.files.recording import (
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
    lead_name,
    low_cut,
)

# What pydicom raises for bytes that are not what they say; nothing here is a fault of ours.
BROKEN: Final = (
    AttributeError, KeyError, IndexError, TypeError,
    ValueError, OverflowError, RuntimeError, EOFError, OSError, LookupError,
    struct.error, ZeroDivisionError,
)  # fmt: skip
_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_MV: Final = {"uV": 0.001, "mV": 1.0, "V": 1000.0}
_FORMS: Final = {
    (8, "SB"): "<i1", (8, "UB"): "<u1", (16, "SS"): "<i2", (16, "US"): "<u2", (32, "SL"): "<i4",
}  # fmt: skip


@cache
def _library() -> Any:
    """pydicom, set up; loaded with the first file, for it would be a tenth of the web's start."""
    import pydicom

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    # It repeats values of the file in its complaints, and these are a patient's.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    return pydicom


def read(data: bytes) -> EcgRecording:
    """The first group of simultaneous channels. Errors: `EcgFileError`."""
    if _DEFLATED in data[:4096]:
        raise EcgFileError("refused", "the DICOM file is deflated: export it uncompressed")
    library = _library()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(library.dcmread(BytesIO(data)))
    except (
        *BROKEN,
        library.errors.InvalidDicomError,
        library.errors.BytesLengthException,
    ) as problem:
        raise EcgFileError("damaged", "the DICOM file is cut or broken: send again") from problem


def _read(dataset: Any) -> EcgRecording:
    groups = dataset.get("WaveformSequence")
    if not groups:
        raise EcgFileError(
            "not_ecg", "the DICOM file holds no waveform: send the ECG, not a picture"
        )
    group = groups[0]
    channels, samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    count = check_count(channels * samples)
    form = _FORMS[int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation)]
    data = bytes(group.WaveformData)
    table = np.frombuffer(data, form, count).reshape(samples, channels)
    padding = group.get("WaveformPaddingValue")
    gap = np.frombuffer(padding[: np.dtype(form).itemsize], form)[0] if padding else None
    leads: dict[str, Samples] = {}
    steps: dict[str, float] = {}
    for number, about in zip(range(channels), group.ChannelDefinitionSequence, strict=True):
        values = table[:, number].astype(np.float64)
        if gap is not None:
            values[table[:, number] == gap] = np.nan
        name, step, zero = _channel(about)
        leads[name], steps[name] = values * step + zero, abs(step)
    return checked(
        EcgRecording(
            leads=leads,
            rate_hz=float(group.SamplingFrequency),
            started_at=_moment(str(dataset.get("AcquisitionDateTime") or "")),
            device=f"{dataset.get('Manufacturer', '')} {dataset.get('ManufacturerModelName', '')}"[
                :64
            ],
            ids={"patient": str(dataset.get("PatientID", ""))},
            source_format="DICOM",
            notes=("more than one group of channels: the first was taken",)
            if len(groups) > 1
            else (),
            step_mv=steps,
            low_cut_hz=low_cut(
                about.get("FilterLowFrequency") for about in group.ChannelDefinitionSequence
            ),
        )
    )


def _channel(about: Any) -> tuple[str, float, float]:
    """Name, millivolts per unit and millivolts at zero of a channel."""
    source = about.ChannelSourceSequence[0]
    last = str(source.get("CodeValue", "")).replace(":", "-").rsplit("-", 1)[-1]
    name = lead_of_number(int(last)) if last.isdecimal() else ""
    meaning = str(source.get("CodeMeaning", "")).split("(")[0]
    unit = str(about.ChannelSensitivityUnitsSequence[0].CodeValue)
    step = float(about.ChannelSensitivity) * _MV[unit]
    step *= float(about.get("ChannelSensitivityCorrectionFactor") or 1)
    return name or lead_name(meaning), step, float(about.get("ChannelBaseline") or 0) * _MV[unit]


def _moment(written: str) -> datetime | None:
    for form in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    return None
