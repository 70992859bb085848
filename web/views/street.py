"""The lowest values from before the hospital, as they stay beside a bed and its trends. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.clock import from_datetime
from web.views.values import Frame, clock, decimals_of, name_words, unit_words

KEYS: Final = ("nibp_sys", "abp_sys", "spo2", "gcs", "rr", "hr", "temp")
SHOWN: Final = tuple(codes.by_key[key].code for key in KEYS)


def lowest(rows: Iterable[Any], frame: Frame) -> list[dict[str, str]]:
    """The lowest value of each sign that is worth keeping in sight, with its time, in fixed order.

    The rows are those of `case_record`: one for each code and unit.
    """
    found = {row["code"]: row for row in rows if row["lowest"] is not None}
    words = frame.words
    return [
        {
            "name": name_words(code, words),
            "value": words.number(float(found[code]["lowest"]), decimals_of(code)),
            "unit": unit_words(found[code]["physical_unit"], words),
            "at": clock(from_datetime(found[code]["lowest_at"]), frame.zone),
        }
        for code in SHOWN
        if code in found
    ]
