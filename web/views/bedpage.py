"""The page of one bed: its tile written large, and the curves that it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from hospital_ops.board import BedCell, Head
from hospital_ops.clinical.tables import table
from web.render import Renderer
from web.views.alarmqueue import queue_view
from web.views.alarms import house_of
from web.views.bed import tile_view
from web.views.page import MODES, Page
from web.views.values import clock
from web.words import Words

SPEEDS: Final = ("12.5", "25", "50")  # mm/s


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


def render(
    renderer: Renderer,
    language: str,
    *,
    cell: BedCell,
    beds: Mapping[str, BedCell],
    head: Head | None,
    unit: str,
    rev: int,
    now_us: int,
    mode: str,
    theme: str,
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The page of `cell`'s bed with its values; the board's socket keeps it up to date."""
    frame = renderer.frame(language, now_us)
    words = frame.words
    page = Page(
        words=words,
        title=words.t("bed.title", bed=cell.label),
        mode=mode if mode in MODES else "desk",
        theme=theme,
        user=user,
        demo=demo,
        unit=unit,
        units=tuple(units),
        rev=rev,
        now_us=now_us,
        clock=clock(now_us, frame.zone, seconds=True),
        zone=str(frame.zone),
        socket=f"/ws/v1/boards/{unit}?format=html&lang={words.language}",
    )
    return renderer.fill(
        "bed.html",
        page=page,
        tile=tile_view(cell, frame),
        patient_id=cell.patient.patient_id if cell.patient else "",
        lanes=lanes(words),
        speeds=SPEEDS,
        queue=queue_view(beds, words),
        counts=(sum(1 for each in beds.values() if each.patient or each.values), len(beds)),
        probe=head.probe_at if head else 0,
        house=house_of(head),
        now_us=now_us,
    )
