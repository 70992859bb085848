"""NEWS2, the early warning score of the Royal College of Physicians (December 2017).

For patients of 16 years and more who are not pregnant; who may be scored is the caller's
question (`triage/net.py` holds it for the emergency). Scale 2 of the saturation is used only when
it was prescribed. A missing parameter gives no points and is named: the total is then a lower
bound and is marked `partial`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.bands import Bands
from hospital_ops.clinical.sheet import Result, Sheet
from hospital_ops.clinical.tables import table

_TABLE: Final = table("news2")
_STEP: Final = _TABLE["resolution"]
SOURCE: Final = "RCP NEWS2 2017"

RR: Final = Bands(_TABLE["params"]["rr_bpm"], _STEP["rr_bpm"])
SPO2_SCALE_1: Final = Bands(_TABLE["params"]["spo2_scale1_pct"], _STEP["spo2_pct"])
SPO2_SCALE_2_AIR: Final = Bands(_TABLE["params"]["spo2_scale2_pct_on_air"], _STEP["spo2_pct"])
SPO2_SCALE_2_OXYGEN: Final = Bands(_TABLE["params"]["spo2_scale2_pct_on_oxygen"], _STEP["spo2_pct"])
SBP: Final = Bands(_TABLE["params"]["sbp_mmhg"], _STEP["sbp_mmhg"])
HR: Final = Bands(_TABLE["params"]["hr_bpm"], _STEP["hr_bpm"])
TEMPERATURE: Final = Bands(_TABLE["params"]["temp_c"], _STEP["temp_c"])
ACVPU: Final[dict[str, int]] = _TABLE["params"]["acvpu"]
OXYGEN: Final[dict[str, int]] = _TABLE["params"]["supplemental_oxygen"]
# The highest points a single parameter can have; "a single 3" in the table's words.
SINGLE: Final = max(RR.points)

PARTS: Final = ("rr", "spo2", "oxygen", "sbp", "hr", "acvpu", "temp")
KEYS: Final = ("rr_bpm", "spo2_pct", "on_oxygen", "sbp_mmhg", "hr_bpm", "acvpu", "temp_c")


def saturation_bands(scale: Any, on_oxygen: bool | None) -> Bands:
    """The saturation bands of the prescribed scale (1 unless 2 was prescribed)."""
    if scale == 2:
        return SPO2_SCALE_2_OXYGEN if on_oxygen else SPO2_SCALE_2_AIR
    return SPO2_SCALE_1


class Score(NamedTuple):
    """Points by part in the order of PARTS (None: missing), the sum, and whether a part is 3."""

    points: tuple[int | None, ...]
    total: int
    single: bool
    partial: bool


def score(
    rr: float | None,
    spo2: float | None,
    on_oxygen: bool | None,
    sbp: float | None,
    hr: float | None,
    acvpu: str | None,
    temp: float | None,
    scale: Any = 1,
) -> Score:
    """NEWS2 from values already checked; units per minute, %, mmHg and degrees Celsius.

    `on_oxygen` unknown counts no points. The two points of oxygen are not "a single 3".
    """
    measured = (
        None if rr is None else RR(rr),
        None if spo2 is None else saturation_bands(scale, on_oxygen)(spo2),
        None if on_oxygen is None else OXYGEN["oxygen" if on_oxygen else "air"],
        None if sbp is None else SBP(sbp),
        None if hr is None else HR(hr),
        ACVPU.get(acvpu) if acvpu is not None else None,
        None if temp is None else TEMPERATURE(temp),
    )
    total = 0
    for points in measured:
        if points:
            total += points
    return Score(measured, total, SINGLE in measured, None in measured)


def risk(total: int, single: bool) -> str:
    """The clinical risk of a total, chart 2 of the publication."""
    for row in _TABLE["risk"]:
        words_of = row["when"].removeprefix("total ").removesuffix("and no single parameter = 3")
        if row["when"].startswith("any single"):
            low, high = row["when"].rsplit(" ", 1)[-1].split("-")
            if single and int(low) <= total <= int(high):
                return str(row["risk"])
            continue
        if "no single" in row["when"] and single:
            continue
        if _covers(words_of.strip(), total):
            return str(row["risk"])
    raise AssertionError("the risk table has no row for this total")


def _covers(span: str, total: int) -> bool:
    if span.startswith(">="):
        return total >= int(span[2:])
    low, _, high = span.partition("-")
    return int(low) <= total <= int(high or low)


# 21 totals and two kinds of each: read the prose of the table once, not for each patient.
RISK: Final = {
    (total, single): risk(total, single)
    for total in range(_TABLE["aggregate_range"][1] + 1)
    for single in (False, True)
    if total or not single
}
LOWEST_RISK: Final = RISK[0, False]


def risk_of(found: Score) -> str | None:
    """The risk of a score; None where parts are missing and the rest alone says "low"."""
    known = RISK[found.total, found.single]
    return None if found.partial and known == LOWEST_RISK else known


def news2(inputs: Mapping[str, Any]) -> Result:
    """`score news2`: total, components, risk; a missing part is left out of `components`."""
    sheet = Sheet(inputs)
    scale = inputs.get("spo2_scale", 1)
    if scale not in (1, 2):
        sheet.warn("unknown_word", "spo2_scale")
        scale = 1
    oxygen = sheet.flag("on_oxygen")
    values: dict[str, Any] = {
        "rr_bpm": sheet.number("rr_bpm"),
        "spo2_pct": sheet.number("spo2_pct"),
        "on_oxygen": oxygen,
        "sbp_mmhg": sheet.number("sbp_mmhg"),
        "hr_bpm": sheet.number("hr_bpm"),
        "acvpu": sheet.choice("acvpu", ACVPU),
        "temp_c": sheet.number("temp_c"),
    }
    found = score(
        values["rr_bpm"],
        values["spo2_pct"],
        oxygen,
        values["sbp_mmhg"],
        values["hr_bpm"],
        values["acvpu"],
        values["temp_c"],
        scale,
    )
    bands = (RR, saturation_bands(scale, oxygen), None, SBP, HR, None, TEMPERATURE)
    for part, key, points, band in zip(PARTS, KEYS, found.points, bands, strict=True):
        if points:
            threshold = band.printed(values[key]) if band else values[key]
            sheet.because(f"news2_{part}", values[key], threshold, SOURCE, points)
    components = {
        part: points for part, points in zip(PARTS, found.points, strict=True) if points is not None
    }
    return sheet.answer(
        {
            "total": found.total,
            "components": components,
            "risk": risk_of(found),
            "partial": found.partial,
        }
    )
