"""Is this figure a number a body can have? Asked of every input before anything is scored.

A reading that is no number, NaN, infinite or outside `reject_outside` of `codes.json` never
becomes part of a score: it counts as missing and says why. One that is outside `plausible` but
inside `reject_outside` is used, because it can only be an extreme, and is named to be confirmed.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from hospital_ops.clinical.tables import own, table

INFINITY: Final = float("inf")


class Bounds(NamedTuple):
    """The widest range that is scored, and the range that needs no second look."""

    low: float
    high: float
    plausible_low: float
    plausible_high: float
    resolution: float


def _read() -> dict[str, Bounds]:
    rows = {row["key"]: row for row in table("codes")["rows"]}
    spec = own("inputs")
    found: dict[str, Bounds] = {}
    for key, entry in spec["rows"].items():
        row, factor = rows[entry["row"]], entry.get("factor", 1)
        low, high = (edge / factor for edge in row["reject_outside"])
        plausible_low, plausible_high = (edge / factor for edge in row["plausible"])
        found[key] = Bounds(low, high, plausible_low, plausible_high, row["resolution"] / factor)
    for key, (low, high) in spec["own"].items():
        found[key] = Bounds(low, high, low, high, 1)
    return found


BOUNDS: Final[dict[str, Bounds]] = _read()
_ANY: Final = Bounds(-1e12, 1e12, -1e12, 1e12, 1)

NOT_A_NUMBER: Final = "not_a_number"
OUT_OF_RANGE: Final = "out_of_range"
IMPLAUSIBLE: Final = "implausible"


def checked(key: str, value: Any) -> tuple[float | None, str | None]:
    """The number to score, or None, and what is wrong with it (a code) or None.

    Booleans, text and NaN are no numbers. Units are those of the key's name.
    """
    kind = type(value)
    if kind is not float and kind is not int:
        return None, NOT_A_NUMBER
    bounds = BOUNDS.get(key, _ANY)
    if bounds.plausible_low <= value <= bounds.plausible_high:
        return value, None
    if bounds.low <= value <= bounds.high:
        return value, IMPLAUSIBLE
    return None, OUT_OF_RANGE if abs(value) < INFINITY else NOT_A_NUMBER
