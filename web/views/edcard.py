"""What a card or row of the emergency board shows beside triage: place, clocks, readiness, ECG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hospital_ops.board import CaseCell
from triage.readiness import checklists
from triage.targets import is_seen, measure_by, see_by
from web.views.values import Frame, clock

WAITING: Final = "waiting"
THUMB_MM: Final = (62.5, 20.0)  # 2.5 s at 25 mm/s
GAIN_MM_PER_MV: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """The rest of a card; compared as a whole."""

    initials: str = ""
    notify: str = ""  # what the crew asks for: alert, advice, information
    notify_word: str = ""
    zone: str = WAITING
    place: str = ""  # the bay that is kept
    kept: tuple[str, ...] = ()  # `CT 14:32, entrance B`
    pips: tuple[bool, ...] = ()  # items of the open checklists, done or not
    ready: str = ""  # `STEMI 2/6`
    see_by: int = 0
    seen: bool = False
    measure_by: int = 0
    untaken: bool = False
    arrived: int = 0
    ecg: str = ""  # id of the newest whole ECG
    thumb: str = ""  # its first 2.5 s of lead II as a path
    walk_in: bool = False
    between: str = ""  # `14:20-14:35`: the interval of a time of arrival from positions


MORE: Final = More()


def more_of(cell: CaseCell, frame: Frame) -> More:
    """The rest of a card at a moment."""
    words, facts = frame.words, cell.facts
    notify = str(facts.get("notify") or "")
    lists = checklists(cell)
    ecg = next((e for e in reversed(cell.ecgs) if e.get("complete")), None)
    return More(
        initials=initials(facts),
        notify=notify,
        notify_word=words.t(f"ed.notify.{notify}") if words.has(f"ed.notify.{notify}") else "",
        zone=next((place.zone for place in cell.places if place.zone), WAITING),
        place=next((place.label for place in cell.places if place.kind == "bay"), ""),
        kept=tuple(_kept(place, frame) for place in cell.places),
        pips=tuple(bool(item["done_at"]) for row in lists for item in row["items"]),
        ready=", ".join(
            f"{row['name'][words.language]} {row['done']}/{len(row['items'])}" for row in lists
        ),
        see_by=see_by(cell),
        seen=is_seen(cell),
        measure_by=measure_by(cell),
        untaken=cell.untaken,
        arrived=cell.arrived_at,
        ecg=str(ecg["id"]) if ecg else "",
        thumb=path_of(tuple(ecg.get("preview", ()))) if ecg else "",
        walk_in=facts.get("origin") == "walk_in",
        between=_between(cell, frame),
    )


def _between(cell: CaseCell, frame: Frame) -> str:
    if cell.eta_range is None:
        return ""
    early, late = (clock(at, frame.zone) for at in cell.eta_range)
    return f"{early}-{late}"


def initials(facts: Mapping[str, Any]) -> str:
    """`T.D.` of a registered patient; a board shows no more of a name."""
    names = (facts.get("family"), facts.get("given"))
    return "".join(f"{name[0].upper()}." for name in names if isinstance(name, str) and name)


@lru_cache(maxsize=512)
def path_of(preview: tuple[int, ...]) -> str:
    """A preview (hundredths of a mV, 2.5 s) as an SVG path in a box of THUMB_MM."""
    values = [int(value) for value in preview]
    width, height = THUMB_MM
    step = width / max(len(values) - 1, 1)
    points = [
        f"{k * step:.2f} {height * 0.6 - value / 100 * GAIN_MM_PER_MV:.2f}"
        for k, value in enumerate(values)
    ]
    return "M" + "L".join(points) if points else ""


def _kept(place: Any, frame: Frame) -> str:
    words = frame.words
    time = clock(place.at, frame.zone)
    said = words.t(f"place.{place.state}", place=place.label, time=time)
    return f"{said}, {words.t('place.entrance', name=place.entrance)}" if place.entrance else said
