"""Pages about people and devices that are no boards: search, one patient, the device list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hospital_ops import codes
from hospital_ops.clock import from_datetime
from hospital_ops.database import Record
from web.views.case import person_words
from web.views.casepage import told
from web.views.values import Frame, clock, name_words, unit_words

Row = Mapping[str, Any] | Record
Name = Callable[[str], str]


def person(row: Row, name_of: Name = str) -> dict[str, Any]:
    """A line about somebody; `bed` is empty once they have left. `name_of` names a place."""
    left = row["trigger"] == "A03"
    return {
        "patient_id": str(row["patient_id"]),
        "name": f"{row['family']} {row['given']}".strip() or row["mrn"],
        "mrn": row["mrn"],
        "sex": row["sex"],
        "birth_date": row["birth_date"],
        "bed": "" if left or not row["bed"] else name_of(row["bed"]),
        "unit": row["unit"],
        "simulated": row["mode"] != "Real",
    }


def values(rows: Sequence[Row], frame: Frame, name_of: Name) -> list[dict[str, str]]:
    """The newest value of each code, known vital signs first."""
    ordered = sorted(rows, key=lambda row: (row["code"] not in codes.by_code, row["code"]))
    return [
        {
            "name": name_words(row["code"], frame.words),
            "value": _value(row, frame),
            "unit": unit_words(row["physical_unit"] or "", frame.words),
            "time": _time(row["determined_at"], frame),
            "place": name_of(row["place"]),
        }
        for row in ordered
    ]


def way(rows: Sequence[Row], frame: Frame, name_of: Name) -> list[dict[str, str]]:
    """Admissions, transfers and discharges in words."""
    known = {"A01": "admitted", "A02": "moved", "A03": "discharged"}
    return [
        {
            "time": _time(row["event_at"], frame),
            "what": frame.words.t(
                f"patients.{known.get(row['trigger'], 'noted')}",
                bed=name_of(row["bed"] or row["prior_bed"]),
                trigger=row["trigger"],
            ),
        }
        for row in rows
    ]


def prehospital(record: tuple[Sequence[Row], str], frame: Frame) -> dict[str, Any]:
    """Everything that was known before the doors: facts and the extremes of each value."""
    rows, facts = record
    said: dict[str, Any] = json.loads(facts)
    who = person_words(said, frame)
    return {
        "facts": [*([(frame.words.t("patients.whom"), who)] if who else []), *told(said, frame)],
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
