"""The page of trends: which values have a lane, and the words that the page draws with. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import BedCell
from web.render import Renderer
from web.views.page import Page
from web.views.values import Frame, clock, decimals_of, unit_words

# A lane holds what is read together: (key, tint, codes).
LANES: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("hr", "ecg", ("8867-4",)),
    ("map", "art", ("76214-6", "8478-0")),
    ("spo2", "spo2", ("59408-5",)),
    ("rr", "rr", ("9279-1",)),
    ("temp", "temp", ("8310-5",)),
    ("norepinephrine", "nibp", ("norepinephrine", "epinephrine")),
    ("fio2", "etco2", ("3150-0",)),
    ("urine", "cvp", ("9187-6",)),
    ("lactate", "cvp", ("32693-4",)),
)
SPANS: Final = ("10m", "1h", "6h", "24h", "3d", "7d", "stay")
SAID: Final = (
    "trend.page.at", "trend.page.lowest", "trend.page.highest", "trend.page.mean",
    "trend.page.number", "trend.page.none", "trend.page.away", "trend.page.caliper",
    "trend.page.curves", "trend.page.range", "trend.page.kind.alarm", "trend.page.kind.order",
    "trend.page.kind.note", "trend.page.kind.correction", "trend.page.kind.device",
    "trend.page.kind.move", "trend.page.before_it", "trend.page.strip",
)  # fmt: skip


def render(
    renderer: Renderer,
    frame: Frame,
    *,
    cell: BedCell,
    unit: str,
    theme: str,
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The page of a bed's trends; its lanes are drawn from `GET .../trends`."""
    words = frame.words
    page = Page(
        words=words,
        title=words.t("trend.page.title", bed=cell.label),
        theme=theme,
        user=user,
        demo=demo,
        unit=unit,
        units=tuple(units),
        now_us=frame.now_us,
        clock=clock(frame.now_us, frame.zone, seconds=True),
        zone=str(frame.zone),
    )
    said = {key.removeprefix("trend.page."): words.t(key) for key in SAID}
    named = {vital.ucum: unit_words(vital.ucum, words) for vital in codes.by_key.values()}
    return renderer.fill(
        "trends.html",
        page=page,
        cell=cell,
        spans=SPANS,
        lanes=[_lane(key, tint, sent, frame) for key, tint, sent in LANES],
        said=json.dumps(said | {"units": named}, ensure_ascii=False),
    )


def _lane(key: str, tint: str, sent: tuple[str, ...], frame: Frame) -> dict[str, Any]:
    return {
        "key": key,
        "tint": tint,
        "label": frame.words.t(f"value.{key}"),
        "codes": " ".join(sent),
        "decimals": decimals_of(sent[0]) or 0,
    }
