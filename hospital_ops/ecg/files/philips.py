"""Philips PageWriter and HeartStart XML (SierraECG 1.03, PhilipsECG 1.04)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from hospital_ops.ecg.files import xli, xml
from hospital_ops.ecg.files.recording import (
    TWELVE_LEADS,
    EcgFileError,
    EcgRecording,
    check_count,
    checked,
    lead_name,
    low_cut,
)

_PLAIN: Final = ("", "NONE", "UNCOMPRESSED")
_PACKED: Final = "the curves are packed in a way not known here: export the ECG as HL7 aECG"


def read(root: Element) -> EcgRecording:
    """The parsed waveforms, channel after channel as 16-bit integers.

    Packed by XLI or plain. Errors: `EcgFileError`.
    """
    curves = next(iter(xml.every(root, "parsedwaveforms")), None)
    signal = next(iter(xml.every(root, "signalcharacteristics")), None)
    if curves is None:
        raise EcgFileError("not_ecg", "the Philips XML holds no waveforms: export it with curves")
    how = (xml.attribute(curves, "compression") or xml.attribute(curves, "compressmethod")).upper()
    if how not in (*_PLAIN, "XLI"):
        raise EcgFileError("refused", _PACKED)
    try:
        return _read(root, curves, signal, packed=how == "XLI")
    except (ValueError, KeyError, OverflowError, binascii.Error) as problem:
        raise EcgFileError("damaged", "the waveforms are cut: export the file again") from problem


def _read(root: Element, curves: Element, signal: Element | None, *, packed: bool) -> EcgRecording:
    rate_hz = float(
        xml.attribute(curves, "samplespersecond") or xml.text(xml.child(signal, "samplingrate"))
    )
    step_uv = xml.attribute(curves, "resolution") or xml.text(xml.child(signal, "resolution"))
    step_mv = float(step_uv or xml.text(xml.child(signal, "signalresolution"))) / 1000
    names = [lead_name(name) for name in xml.attribute(curves, "leadlabels").split()]
    names = names or list(TWELVE_LEADS)
    data = base64.b64decode(xml.text(curves), validate=False)
    numbers = _packed(data, names) if packed else _plain(data, names)
    return checked(
        EcgRecording(
            leads={n: values.astype(np.float64) * step_mv for n, values in numbers.items()},
            rate_hz=rate_hz,
            started_at=_started_at(root),
            device=xml.text(next(iter(xml.every(root, "machine")), None))[:64],
            ids={"patient": xml.text(next(iter(xml.every(root, "patientid")), None))},
            source_format="Philips XML",
            step_mv=dict.fromkeys(names, step_mv),
            low_cut_hz=low_cut(xml.text(at) for at in xml.every(root, "highpassfiltersetting")),
        )
    )


def _plain(data: bytes, names: list[str]) -> dict[str, NDArray[np.int64]]:
    check_count(len(data) // 2)
    if not data or len(data) % (2 * len(names)):
        raise ValueError("length")
    table = np.frombuffer(data, "<i2").astype(np.int64).reshape(len(names), -1)
    return dict(zip(names, table, strict=True))


def _packed(data: bytes, names: list[str]) -> dict[str, NDArray[np.int64]]:
    """The named leads; room for more is allocated behind them and empty."""
    found = xli.unpack(data)
    if len(found) < len(names):
        raise ValueError("fewer leads than named")
    leads = dict(zip(names, found, strict=False))
    xli.whole_limb_leads(leads)
    return leads


def _started_at(root: Element) -> datetime | None:
    taken = next(iter(xml.every(root, "dataacquisition")), None)
    try:
        return datetime.fromisoformat(
            f"{xml.attribute(taken, 'date')}T{xml.attribute(taken, 'time')}"
        )
    except ValueError:
        return None
