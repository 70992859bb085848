"""The day's text for a relative, with where each statement comes from. Pure.

Figures and words are those of clinical/sms_values.json; the frame sentences lie in `languages/`.
The order is the table's; "unchanged" carries the word of severity, which is then said once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hospital_ops.clinical.dynamics import UNCHANGED
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from notify import due, segments
from notify.condition import Condition
from notify.figures import Figure
from notify.rules import RULES, items, own_words

_NAME_MIN: Final = 3  # shorter parts of a name are words too
_LINK: Final = re.compile(r"https?:|www\.|\w\.(?:ru|com|org|net)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All that one day's message is made of."""

    figures: Mapping[str, Figure]
    consciousness: Condition
    breathing: Condition
    severity: str  # code of the physician's word
    dynamics: str  # positive, negative, unchanged, not_assessed
    as_of: int  # microseconds UTC
    zone: str
    sex: str = "unknown"
    left_out: bool = False  # something was there that may not be told
    first: bool = False  # the relative's first message
    desk_phone: str = ""
    desk_hours: str = ""
    measured: bool = True  # False: the relative is told the state, no figures


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the text and its source, for the physician's page."""

    item: str
    words: str
    how: str  # physician, median, spot, pair, entry, missing
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """A text as the phone shows it."""

    text: str
    statements: tuple[Statement, ...]
    figures: int  # how many of the five carry a number
    encoding: str
    units: int
    parts: int
    forbidden: tuple[str, ...] = field(default=())


def compose(day: Day, language: str, names: Iterable[str] = ()) -> Composed:
    """The text of `day`; `names` are words of the patient's name that must not be in it.

    Where it grows beyond the parts aimed at, a breathing rate that was not measured goes unsaid.
    """
    said = _statements(day, language)
    composed = finished(_sentences(day, said, language), language, said, names)
    if composed.parts > RULES["parts_aim"] and not day.figures["rr"].values:
        fewer = tuple(one for one in said if one.item != "rr")
        composed = finished(_sentences(day, fewer, language), language, said, names)
    return composed


def _sentences(day: Day, said: tuple[Statement, ...], language: str) -> list[str]:
    by_item = {statement.item: statement.words for statement in said}
    own = own_words(language)
    sentences = [by_item["severity"]] if "severity" in by_item else []
    if day.dynamics == UNCHANGED:
        sentences.append(by_item["dynamics"])
    sentences.append(f"{by_item['consciousness']}, {by_item['breathing']}")
    if day.measured:
        sentences.append(", ".join(by_item[item] for item in _FIGURES if item in by_item))
    if day.left_out and day.measured:
        sentences.append(own["left_out"])
    if day.dynamics != UNCHANGED:
        sentences.append(by_item["dynamics"])
    sentences.append(by_item["time"])
    if day.first:
        sentences.append(_first(day, own))
    return sentences


def finished(
    sentences: Iterable[str],
    language: str,
    said: tuple[Statement, ...] = (),
    names: Iterable[str] = (),
) -> Composed:
    """Sentences as one text, counted and looked through for what must not be in it."""
    end = own_words(language)["sentence_end"]
    text = " ".join(f"{one[:1].upper()}{one[1:]}{end}" for one in sentences)
    if segments.count(plain := text.replace("°C", "C")).encoding == "gsm7":
        text = plain  # one degree sign would make every part of a Latin text half as long
    parts = segments.count(text)
    numbers = sum(1 for one in said if one.item in _FIGURES and one.how != "missing")
    return Composed(
        text,
        said,
        numbers,
        parts.encoding,
        parts.units,
        parts.parts,
        tuple(forbidden(text, language, names)),
    )


_FIGURES: Final = ("temp", "hr", "bp", "spo2", "rr")


def _statements(day: Day, language: str) -> tuple[Statement, ...]:
    said = []
    severity = _severity(day.severity, language)
    if severity and day.dynamics != UNCHANGED:
        said.append(Statement("severity", severity, "physician"))
    said.append(_state(day.consciousness, day, language))
    said.append(_state(day.breathing, day, language))
    for item in _FIGURES if day.measured else ():
        said.append(_figure(day.figures[item], day, language))
    said.append(Statement("dynamics", _dynamics(day, severity, language), "physician"))
    clock = own_words(language)["as_of"].format(time=due.local_clock(day.as_of, day.zone))
    said.append(Statement("time", clock, "clock", day.as_of))
    return tuple(said)


def _severity(code: str, language: str) -> str:
    words = {word["code"]: word for word in items()["severity"]["words"]}
    return str(words[code][language]) if code in words else ""


def _dynamics(day: Day, severity: str, language: str) -> str:
    words = {word["code"]: word for word in items()["dynamics"]["words"]}
    return str(words[day.dynamics][language]).format(severity=severity).rstrip("; ")


def _figure(figure: Figure, day: Day, language: str) -> Statement:
    """The table's phrase; a figure that is older than an hour has its own time behind it."""
    row = items()[figure.item]
    if not figure.values:
        return Statement(figure.item, row["missing"][language], "missing")
    written = [_number(value, row, language) for value in figure.values]
    if figure.item == "bp":
        words = row["phrase"][language].format(s=written[0], d=written[1])
    else:
        words = row["phrase"][language].format(v=written[0])
    if figure.at is not None and day.as_of - figure.at > RULES["figure_own_time_min"] * 60 * SECOND:
        words = f"{words} ({due.local_clock(figure.at, day.zone)})"
    return Statement(figure.item, words, figure.how, figure.at)


def _number(value: float, row: Mapping[str, Any], language: str) -> str:
    step = row["round"]
    decimals = max(0, len(f"{step:g}".partition(".")[2]))
    text = f"{round(value / step) * step:.{decimals}f}"
    mark: str = row.get("decimal", {}).get(language, ".")
    return text.replace(".", mark)


def _state(condition: Condition, day: Day, language: str) -> Statement:
    row = items()[condition.item]
    if condition.row < 0:
        return Statement(condition.item, row["missing"][language], "missing")
    words = row["map"][condition.row]
    text = _by_sex(str(words[language]), str(words.get("note", "")), day.sex)
    if "{fio2}" in text:
        if condition.fio2 is None:
            text = text.partition(",")[0]
        else:
            text = text.format(fio2=condition.fio2)
    return Statement(condition.item, text, "entry", condition.at)


def _by_sex(text: str, note: str, sex: str) -> str:
    """`grammar by sex: him/her`: the second word where the patient is a woman."""
    found = re.search(r"(\w+)/(\w+)", note)
    return text.replace(found[1], found[2]) if found and sex == "F" else text


def _first(day: Day, own: Mapping[str, str]) -> str:
    if not day.desk_phone:
        return own["first_no_phone"]
    return own["first"].format(phone=day.desk_phone, hours=day.desk_hours).rstrip(", ")


def forbidden(text: str, language: str, names: Iterable[str] = ()) -> list[str]:
    """What must not be in the text: forbidden stems at the start of a word, names, links."""
    low = text.lower()
    stems = [str(stem) for stem in table("sms_values")["forbidden_words"][language]]
    found = [stem for stem in stems if re.search(rf"(?<!\w){re.escape(stem)}", low)]
    parts = {part.lower() for name in names for part in re.split(r"\W+", name)}
    if any(len(p) >= _NAME_MIN and re.search(rf"(?<!\w){re.escape(p)}", low) for p in parts):
        found.append("name")
    if _LINK.search(text):
        found.append("link")
    return found
