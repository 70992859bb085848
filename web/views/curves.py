"""The curves that the page of a bed and the tiles of a wall have a place for. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Final

from hospital_ops.clinical.tables import table
from web.words import Words

DENSITIES: Final = (4, 12, 24, 50)
LARGE: Final = DENSITIES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """A place for one curve: `codes` are the names under which a device may send it."""

    key: str
    tint: str
    label: str
    codes: tuple[str, ...]
    form: str  # ecg: fixed gain in mm/mV; free: the height follows the curve
    always: bool = False  # shown before the first sample too


@cache
def lead_codes(lead: str) -> tuple[str, ...]:
    """The names of an ECG lead: MDC number, reference id, and the lead itself."""
    row = next(row for row in table("codes")["ecg_leads"] if row["lead"] == lead)
    return (str(row["mdc"]), row["mdc_ref_id"], lead)


# Reference ids and numbers of ISO/IEEE 11073-10101.
FREE: Final = (
    ("art", "art", ("150036", "MDC_PRESS_BLD_ART_ABP", "150032", "MDC_PRESS_BLD_ART"), False),
    ("pleth", "spo2", ("150452", "MDC_PULS_OXIM_PLETH"), True),
    ("resp", "rr", ("151552", "MDC_RESP"), True),
    ("co2", "etco2", ("151684", "MDC_CONC_AWAY_CO2"), False),
)


def lanes(words: Words) -> tuple[LaneView, ...]:
    """Every curve that the page can show, in its order; most appear when they are first sent."""
    leads = [
        LaneView(
            key=f"ecg-{lead}", tint="ecg", label=lead, codes=lead_codes(lead), form="ecg",
            always=lead == "II",
        )
        for lead in ("II", "V5", "V1")
    ]  # fmt: skip
    free = [
        LaneView(
            key=key, tint=tint, label=words.t(f"wave.{key}"), codes=codes, form="free",
            always=always,
        )
        for key, tint, codes, always in FREE
    ]  # fmt: skip
    return (*leads, *free)


# From top to bottom of a large tile; the breath stands where no carbon dioxide is measured.
ON_LARGE_TILE: Final = (("ecg-II", 1), ("art", 2), ("pleth", 3), ("co2", 4), ("resp", 4))


def density(beds: int) -> int:
    """The layout for a number of beds: 4, 12, 24 or 50."""
    return next((n for n in DENSITIES if beds <= n), DENSITIES[-1])


def on_wall(words: Words, beds: int) -> str:
    """The traces of each tile of a board of so many beds, as JSON for its program.

    A row holds one trace at a time: of those that name it, the first that a device sends.
    """
    known = {lane.key: lane for lane in lanes(words)}
    wanted = ON_LARGE_TILE if density(beds) == LARGE else ON_LARGE_TILE[:1]
    told = [
        {
            "row": row,
            "tint": known[key].tint,
            "name": known[key].label,
            "form": known[key].form,
            "codes": known[key].codes,
        }
        for key, row in wanted
    ]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
