"""One value as a page shows it, and how it ages there.

The page moves a value on by itself: `kind`, `at`, `amber` and `gone` go with it, so the server and
`static/js/ages.js` come to the same state at the same moment. What depends on the moment alone is
kept out of `ValueView.told`, which decides whether the cell is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from typing import Final

from hospital_ops import codes
from hospital_ops.board import Shown
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, to_datetime
from web.words import Words

GONE: Final = "– –"
MISSING: Final = "–"
INVALID: Final = "✕"
# What devices tell: where somebody has typed it, the page says so.
BY_HAND: Final = frozenset(
    codes.by_key[key].code
    for key in (
        "hr", "pr", "spo2", "rr", "temp", "nibp_sys", "nibp_dia", "nibp_mean", "abp_mean", "fio2",
        "o2_flow", "peep", "norepinephrine", "epinephrine", "vasopressin", "dobutamine", "dopamine",
        "milrinone",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """What stands beside a value about its time: a clock time, an age, or nothing while live."""

    at: str = ""
    ago: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    """A value's cell: `id` is stable, `text` never holds a number that may not be shown."""

    id: str
    key: str
    tint: str
    label: str
    unit: str
    text: str
    kind: str = "continuous"
    at: int = 0
    amber: int = 0
    gone: int = 0
    quality: str = ""  # "", stale, gone, old, invalid, none
    fixed: bool = False  # invalid and none do not change with time
    priority: str = ""
    acknowledged: bool = False
    simulated: bool = False
    outside: bool = False  # outside the chart's limits: underlined, not coloured
    age: Age = Age()
    trend: str = ""  # fast_up, up, down, fast_down; steady says nothing
    by_hand: bool = False  # somebody has typed what a device might tell
    roomy: bool = False  # its unit is left out where there is no room: a wall of many beds

    @property
    def told(self) -> tuple[object, ...]:
        """What the reader sees apart from time: a change of it sends the cell again."""
        return (
            self.label, self.unit, self.text, self.kind, self.fixed, self.tint,
            self.priority, self.acknowledged, self.simulated, self.outside, self.trend,
            self.by_hand,
        )  # fmt: skip

    @property
    def times(self) -> tuple[int, int, int]:
        """The three moments that let the page age it: event time, amber, withdrawn."""
        return (self.at, self.amber, self.gone)


@cache
def decimals_of(code: str, unit: str | None = None) -> int | None:
    """Digits after the decimal sign, from the resolution in `codes.json`; None: as it comes.

    The resolution is of the table's unit: 1.8 mg/dL of creatinine is no 2.
    """
    vital = codes.by_code.get(code) or codes.by_key.get(code)
    if unit and vital is not None and unit != vital.ucum:
        return None
    for row in table("codes")["rows"]:
        if code in (row.get("loinc"), row["key"]):
            step = row.get("resolution")
            return None if step is None else len(f"{step:g}".partition(".")[2])
    return None


def number(shown: Shown, code: str, words: Words) -> str:
    """The value in the language's digits; words for yes and no; sent text as it is."""
    value = shown.value
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return words.t("value.yes" if value else "value.no")
    if isinstance(value, str):
        return value
    return words.number(value, decimals_of(code, shown.unit))


def unit_of(shown: Shown, words: Words) -> str:
    """The unit in words of the ward; a unit without such words as it was sent."""
    key = f"unit.{shown.unit}"
    if words.has(key):
        return words.t(key)
    return "" if shown.unit.startswith("{") else shown.unit


def unit_words(unit: str, words: Words) -> str:
    """A UCUM unit as a line or a table says it, where no unit goes without saying."""
    if unit == "1" or unit.startswith("{"):
        return ""
    keys = (f"unit.full.{unit}", f"unit.{unit}")
    said = next((words.t(key) for key in keys if words.has(key)), "")
    return said or unit.replace("[", "").replace("]", "")


def coded_words(text: str, words: Words) -> str:
    """A value of a list (codes.json), such as the way of giving oxygen; other text as it is."""
    keys = (f"coded.{text}", f"vent.{text}")
    return next((words.t(key) for key in keys if words.has(key)), text)


def name_words(code: str, words: Words) -> str:
    """What a value is called here, by its code or key; the sender's own code where it is none."""
    vital = codes.by_code.get(code) or codes.by_key.get(code)
    if vital is None:
        return code
    if words.has(key := f"flow.{vital.key}"):  # of a form, with the unit behind a comma
        return words.t(key).partition(", ")[0]
    keys = (f"{kind}.{vital.key}" for kind in ("value", "input"))
    return next((words.t(key) for key in keys if words.has(key)), vital.name)


def quality_of(kind: str, amber: int, gone: int, now_us: int) -> str:
    """live (""), stale, gone (number removed) or old (grey, number stays): SAFETY.md I6."""
    if gone and now_us >= gone:
        return "gone" if kind == "continuous" else "old"
    if kind != "spot" and amber and now_us >= amber:
        return "stale"
    return ""


def age_of(kind: str, quality: str, at: int, now_us: int, words: Words, zone: tzinfo) -> Age:
    """The text beside the label; nothing while a continuous value is live."""
    if not at or (kind == "continuous" and not quality):
        return Age()
    ago = words.duration((now_us - at) / SECOND)
    return Age(ago=ago) if kind in ("continuous", "newest") else Age(at=clock(at, zone), ago=ago)


def clock(at_us: int, zone: tzinfo, *, seconds: bool = False) -> str:
    """`10:42` or `10:42:17` in the hospital's zone."""
    return f"{to_datetime(at_us).astimezone(zone):{'%H:%M:%S' if seconds else '%H:%M'}}"


@dataclass(frozen=True, slots=True)
class Frame:
    """The language, moment and zone a view is made for."""

    words: Words
    now_us: int
    zone: tzinfo

    def value(
        self,
        owner: str,
        slot: str,
        tint: str,
        shown: tuple[tuple[str, Shown], ...],
        *,
        label: str,
        marks: tuple[str, bool] = ("", False),
        kind: str = "",
        simulated: bool = False,
        outside: bool = False,
    ) -> ValueView:
        """One cell of one value, or of a pair such as 113/66 (trusted as its older half).

        `owner` is the id of the tile or card, `marks` the alarm priority and whether it is
        acknowledged, `kind` overrides the class (`newest`: never withdrawn, SAFETY.md I10).
        """
        parts = [each for _, each in shown]
        kind = kind or parts[0].kind
        ambers = [each.amber_at for each in parts if each.amber_at]
        gones = [each.gone_at for each in parts if each.gone_at] if kind != "newest" else []
        at = min(each.at for each in parts)
        amber, gone = min(ambers, default=0), min(gones, default=0)
        invalid = any(each.validity == "Inv" for each in parts)
        quality = "invalid" if invalid else quality_of(kind, amber, gone, self.now_us)
        if invalid:
            text = INVALID
        elif quality == "gone":
            text = GONE
        else:
            text = "/".join(number(each, code, self.words) for code, each in shown)
        short = unit_of(parts[0], self.words)
        return ValueView(
            id=f"{owner}-{slot}",
            key=slot,
            tint=tint,
            label=label,
            unit=short or unit_words(parts[0].unit, self.words),
            roomy=not short,
            text=text,
            kind=kind,
            at=at,
            amber=amber,
            gone=gone,
            quality=quality,
            fixed=invalid,
            priority=marks[0],
            acknowledged=marks[1],
            simulated=simulated or any(each.mode != "Real" for each in parts),
            outside=outside and not invalid,
            by_hand=any(code in BY_HAND and each.origin == "typed" for code, each in shown),
            age=Age(ago=self.words.t("value.invalid"))
            if invalid
            else age_of(kind, quality, at, self.now_us, self.words, self.zone),
        )

    def missing(self, owner: str, slot: str, tint: str, *, label: str) -> ValueView:
        """The place of a value that has never come: it stays empty and says so."""
        return ValueView(
            id=f"{owner}-{slot}",
            key=slot,
            tint=tint,
            label=label,
            unit="",
            text=MISSING,
            quality="none",
            fixed=True,
        )
