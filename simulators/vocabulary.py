"""What devices call the vital signs: the rows of `clinical/codes.json`, by their key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from hospital_ops import codes

# The table names no MDC unit beside each row; these are the units that its rows are sent in.
_MDC_UNIT = {"%": "MDC_DIM_PERCENT", "mm[Hg]": "MDC_DIM_MMHG", "Cel": "MDC_DIM_DEGC"}
_MDC_UNIT_OF_KEY = {
    "hr": "MDC_DIM_BEAT_PER_MIN",
    "pr": "MDC_DIM_BEAT_PER_MIN",
    "rr": "MDC_DIM_RESP_PER_MIN",
}


@dataclass(frozen=True, slots=True)
class VitalSign:
    """One row of the table, as a device needs it."""

    key: str
    code: str  # LOINC; the key where none is known
    ucum: str
    mdc: int | None
    mdc_name: str
    mdc_unit: str  # as OBX-6 wants it: number^name^MDC
    plausible: tuple[float, float] | None
    resolution: float


@cache
def table() -> dict[str, VitalSign]:
    """All vital signs of the table by key."""
    content = codes.table("codes")
    units = content["unit_codes_mdc"]
    return {row["key"]: _sign(row, units) for row in content["rows"]}


def sign(key: str) -> VitalSign:
    """The vital sign of a key; KeyError where the table has no such row."""
    return table()[key]


def _sign(row: dict[str, Any], units: dict[str, Any]) -> VitalSign:
    name = _MDC_UNIT_OF_KEY.get(row["key"]) or _MDC_UNIT.get(row["ucum"], "")
    plausible = row.get("plausible")
    return VitalSign(
        key=row["key"],
        code=row["loinc"] or row["key"],
        ucum="" if row["ucum"] == "code" else row["ucum"],
        mdc=row["mdc"],
        mdc_name=(row["mdc_ref_id"] or "").split(" ")[0],
        mdc_unit=f"{units[name]}^{name}^MDC" if name else "",
        plausible=(plausible[0], plausible[1]) if plausible else None,
        resolution=row.get("resolution") or 1,
    )
