"""HL7 annotated ECG (HL7 v3 aECG, 2004): the rhythm as it was recorded, in millivolts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from hospital_ops.ecg.files import xml
from hospital_ops.ecg.files.recording import (
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
    lead_name,
    low_cut,
)

_MV: Final = {"uV": 0.001, "mV": 1.0, "V": 1000.0, "nV": 1e-6}
_SECONDS: Final = {"s": 1.0, "ms": 0.001, "us": 1e-6}


def read(root: Element) -> EcgRecording:
    """The first recorded series; averaged beats (derivations) are left out.

    Errors: `EcgFileError`.
    """
    series = next(iter(xml.every(root, "series")), None)
    sequences = xml.child(series, "component", "sequenceSet")
    if series is None or sequences is None:
        raise EcgFileError("not_ecg", "the aECG holds no recorded series: export the rhythm")
    try:
        return _read(root, series, xml.every(sequences, "sequence"))
    except (ValueError, KeyError, OverflowError, ZeroDivisionError) as problem:
        raise EcgFileError("damaged", "the aECG has a broken sequence: export again") from problem


def _read(root: Element, series: Element, sequences: list[Element]) -> EcgRecording:
    leads: dict[str, Samples] = {}
    steps: dict[str, float] = {}
    rate_hz, started_at = 0.0, None
    total = 0
    for sequence in sequences:
        code, value = xml.attribute(xml.child(sequence, "code"), "code"), _value(sequence)
        if code.startswith("TIME_"):
            step = xml.child(value, "increment")
            unit = _SECONDS[xml.attribute(step, "unit")]
            rate_hz = round(1 / (float(xml.attribute(step, "value")) * unit), 6)
            started_at = moment(xml.attribute(xml.child(value, "head"), "value"))
        elif code.startswith("MDC_ECG_LEAD"):
            scale, origin = xml.child(value, "scale"), xml.child(value, "origin")
            step_mv = float(xml.attribute(scale, "value")) * _MV[xml.attribute(scale, "unit")]
            zero_mv = float(xml.attribute(origin, "value") or 0)
            zero_mv *= _MV[xml.attribute(origin, "unit") or "mV"]
            digits = xml.text(xml.child(value, "digits")).split()
            total = check_count(total + len(digits))
            name = lead_name(code)
            leads[name] = np.array(digits, dtype=np.float64) * step_mv + zero_mv
            steps[name] = abs(step_mv)
    device = xml.child(series, "author", "seriesAuthor")
    return checked(
        EcgRecording(
            leads=leads,
            rate_hz=rate_hz,
            started_at=started_at,
            device=_device(device),
            ids=_ids(root),
            source_format="HL7 aECG",
            step_mv=steps,
            low_cut_hz=low_cut(_high_pass(series)),
        )
    )


def _high_pass(series: Element) -> Iterator[str]:
    """The cut-off frequencies of the series' control variables that are high-pass filters, Hz."""
    for variable in xml.every(series, "controlVariable"):
        if xml.attribute(xml.child(variable, "code"), "code").endswith("_FILTER_HIGH_PASS"):
            for part in xml.every(variable, "value"):
                if xml.attribute(part, "unit") == "Hz":
                    yield xml.attribute(part, "value")


def _value(sequence: Element) -> Element:
    value = xml.child(sequence, "value")
    if value is None:
        raise ValueError("a sequence without a value")
    return value


def _device(author: Element | None) -> str:
    if author is None:
        return ""
    names = [xml.every(author, tag) for tag in ("manufacturerModelName", "name")]
    return " ".join(xml.text(found[0]) for found in reversed(names) if found)[:64]


def _ids(root: Element) -> dict[str, str]:
    subject = next(iter(xml.every(root, "trialSubject")), None)
    found = xml.attribute(xml.child(subject, "id"), "extension")
    return {"subject": found} if found else {}


def moment(written: str) -> datetime | None:
    """An HL7 v3 time stamp; naive without a zone, None where it is none."""
    for form in ("%Y%m%d%H%M%S.%f%z", "%Y%m%d%H%M%S%z", "%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    return None
