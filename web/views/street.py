"""The lowest values from before the hospital, as they stay beside a bed and its trends. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import CaseCell, PatientCell
from hospital_ops.clock import from_datetime
from hospital_ops.wire import Lowest
from web.views.caseitems import said_words
from web.views.values import Frame, clock, decimals_of, name_words, unit_words

KEYS: Final = ("nibp_sys", "abp_sys", "spo2", "gcs", "rr", "hr", "temp")
SHOWN: Final = tuple(codes.by_key[key].code for key in KEYS)
WEIGHT: Final = codes.by_key["weight"].code
ON_TILE: Final = 4
Item = tuple[datetime, str, dict[str, Any]]  # when, treatment or limit, what was said


def kept(rows: Iterable[Any]) -> tuple[Lowest, ...]:
    """What goes with a case into its stay: of the rows of `case_record` those worth keeping."""
    found = {row["code"]: row for row in rows if row["lowest"] is not None}
    return tuple(
        Lowest(
            code,
            float(found[code]["lowest"]),
            found[code]["physical_unit"],
            from_datetime(found[code]["lowest_at"]),
        )
        for code in SHOWN
        if code in found
    )


def weight(cell: CaseCell) -> Lowest | None:
    """The weight that was told on the way, with its time; None: nobody did, or no number."""
    shown = cell.values.get(WEIGHT)
    if shown is None or isinstance(shown.value, str | None) or shown.validity == "Inv":
        return None
    return Lowest(WEIGHT, float(shown.value), shown.unit, shown.at)


def on_tile(patient: PatientCell | None, frame: Frame) -> tuple[tuple[str, str], ...]:
    """Name and value of the first few, for the large tile."""
    found = patient.lowest[:ON_TILE] if patient else ()
    return tuple(
        (name_words(one.code, frame.words), frame.words.number(one.value, decimals_of(one.code)))
        for one in found
    )


def done(items: Iterable[Item], frame: Frame) -> list[dict[str, str]]:
    """What the crew did and agreed on, as lines; limits of treatment come first."""
    return [
        {
            "at": clock(from_datetime(at), frame.zone),
            "kind": frame.words.t(f"case.item.{kind}"),
            "said": said_words(said | {"kind": kind}, frame),
        }
        for at, kind, said in sorted(items, key=lambda item: (item[1] != "limit", item[0]))
    ]


def lowest(rows: Iterable[Any], frame: Frame) -> list[dict[str, str]]:
    """The lowest value of each sign that is worth keeping in sight, with its time, in fixed order.

    The rows are those of `case_record`: one for each code and unit.
    """
    words = frame.words
    return [
        {
            "name": name_words(one.code, words),
            "value": words.number(one.value, decimals_of(one.code)),
            "unit": unit_words(one.unit, words),
            "at": clock(one.at, frame.zone),
        }
        for one in kept(rows)
    ]
