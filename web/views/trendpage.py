"""The page of trends: which values have a lane, and the words that the page draws with. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import BedCell
from web.render import Renderer
from web.views.page import Page
from web.views.values import Frame, clock, decimals_of, name_words, unit_words

PUMPS: Final = (
    "norepinephrine", "epinephrine", "dobutamine", "dopamine", "milrinone", "vasopressin",
)  # fmt: skip
# A lane holds what is read together: (tint, keys), at most three, each by its own name and stroke.
LANES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("ecg", ("hr",)),
    ("art", ("abp_mean", "nibp_mean")),
    ("spo2", ("spo2",)),
    ("rr", ("rr",)),
    ("temp", ("temp",)),
    ("nibp", ("norepinephrine", "epinephrine")),
    ("nibp", ("dobutamine", "dopamine", "milrinone")),
    ("nibp", ("vasopressin",)),
    ("etco2", ("fio2",)),
    ("cvp", ("urine",)),
    ("cvp", ("lactate",)),
)
STEPS: Final = 10  # a scale spans at least so many steps of the table: a tremor is no fall
SPANS: Final = ("10m", "1h", "6h", "24h", "3d", "7d", "stay")
SAID: Final = (
    "trend.page.at", "trend.page.lowest", "trend.page.highest", "trend.page.mean",
    "trend.page.number", "trend.page.none", "trend.page.away", "trend.page.caliper",
    "trend.page.curves", "trend.page.range", "trend.page.kind.alarm", "trend.page.kind.order",
    "trend.page.kind.note", "trend.page.kind.correction", "trend.page.kind.device",
    "trend.page.kind.move", "trend.page.before_it", "trend.page.strip", "trend.page.other",
    "wave.not_to_scale",
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
    units_said = {vital.ucum for vital in codes.by_key.values()} | {"ms", "s"}  # and calipers'
    named = {unit: unit_words(unit, words) for unit in sorted(units_said)}
    return renderer.fill(
        "trends.html",
        page=page,
        cell=cell,
        spans=SPANS,
        lanes=[_lane(tint, keys, frame) for tint, keys in LANES],
        whose=cell.patient.patient_id if cell.patient else "",
        said=json.dumps(said | {"units": named}, ensure_ascii=False),
    )


def _lane(tint: str, keys: tuple[str, ...], frame: Frame) -> dict[str, Any]:
    vitals = [codes.by_key[key] for key in keys]
    names = [name_words(vital.code, frame.words) for vital in vitals]
    return {
        "tint": tint,
        "label": ", ".join(names),
        "codes": " ".join(vital.code for vital in vitals),
        "held": json.dumps(
            [
                {
                    "name": name,
                    "decimals": decimals_of(vital.code) or 0,
                    "least": STEPS * (vital.resolution or 1.0),
                }
                for vital, name in zip(vitals, names, strict=True)
            ],
            ensure_ascii=False,
        ),
    }
