"""Pages about people and devices that are no boards: search, one patient, the device list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hospital_ops import codes
from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import from_datetime
from hospital_ops.database import Record
from web.views.values import Frame, clock, name_words, unit_words

Row = Mapping[str, Any] | Record


def person(row: Row) -> dict[str, Any]:
    """A line about somebody; `bed` is empty once they have left."""
    left = row["trigger"] == "A03"
    return {
        "patient_id": str(row["patient_id"]),
        "name": f"{row['family']} {row['given']}".strip() or row["mrn"],
        "mrn": row["mrn"],
        "sex": row["sex"],
        "birth_date": row["birth_date"],
        "bed": "" if left else row["bed"],
        "unit": row["unit"],
        "simulated": row["mode"] != "Real",
    }


def values(rows: Sequence[Row], frame: Frame) -> list[dict[str, str]]:
    """The newest value of each code, known vital signs first."""
    ordered = sorted(rows, key=lambda row: (row["code"] not in codes.by_code, row["code"]))
    return [
        {
            "name": name_words(row["code"], frame.words),
            "value": _value(row, frame),
            "unit": unit_words(row["physical_unit"] or "", frame.words),
            "time": _time(row["determined_at"], frame),
            "place": row["place"],
        }
        for row in ordered
    ]


def way(rows: Sequence[Row], frame: Frame) -> list[dict[str, str]]:
    """Admissions, transfers and discharges in words."""
    known = {"A01": "admitted", "A02": "moved", "A03": "discharged"}
    return [
        {
            "time": _time(row["event_at"], frame),
            "what": frame.words.t(
                f"patients.{known.get(row['trigger'], 'noted')}",
                bed=row["bed"] or row["prior_bed"],
                trigger=row["trigger"],
            ),
        }
        for row in rows
    ]


def prehospital(record: tuple[Sequence[Row], str], frame: Frame) -> dict[str, Any]:
    """Everything that was known before the doors: facts and the extremes of each value."""
    rows, facts = record
    said: dict[str, Any] = json.loads(facts)
    words = frame.words
    listed = [
        (words.t(f"case.fact.{key}") if words.has(f"case.fact.{key}") else key, _said(value, frame))
        for key, value in said.items()
        if value not in (None, "", [])
    ]
    return {
        "facts": listed,
        "readings": [
            {
                "name": name_words(row["code"], frame.words),
                "lowest": _number(row["lowest"], frame),
                "highest": _number(row["highest"], frame),
                "last": row["last"] or "",
                "unit": unit_words(row["physical_unit"] or "", frame.words),
                "count": str(row["number"]),
            }
            for row in rows
        ],
    }


def _said(value: Any, frame: Frame) -> str:
    if isinstance(value, bool):
        return frame.words.t("case.yes" if value else "case.no")
    if isinstance(value, list):
        return ", ".join(clinical_words(str(item), frame.words.language) for item in value)
    return str(value)


def _value(row: Row, frame: Frame) -> str:
    if row["value"] is None:
        return str(row["value_text"] or "–")
    return frame.words.number(float(row["value"]))


def _number(value: float | None, frame: Frame) -> str:
    return "" if value is None else frame.words.number(float(value))


def _time(at: Any, frame: Frame) -> str:
    try:
        local = at.astimezone(frame.zone)
    except OverflowError:  # a device whose clock stands in the year 1 or 9999
        return f"{at:%Y}"
    return f"{local:%d.%m} {clock(from_datetime(at), frame.zone)}"
