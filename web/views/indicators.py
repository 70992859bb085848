"""Indicators in words: figure, what it was made of and how old that is, what is missing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, from_iso
from web.views.values import MISSING, Frame, clock
from web.words import Words

_SCORES: Final = table("scores")
_OWN: Final = table("icu_indicators")["indicators"]
_DECIMALS: Final = {"pf": 0, "sf": 0, "rox": 1, "shock_index": 2, "vis": 1, "balance": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureView:
    """One line of the panel."""

    name: str
    label: str
    text: str  # "≥ 7" where parts are missing
    unit: str
    state: str
    inputs: tuple[str, ...]
    missing: str
    note: str
    source: str


def source_of(name: str) -> str:
    """The publication of an indicator, as the tables name it; empty for a plain reading."""
    known = {"pf": "PaO2 / FiO2", "sf": _SCORES["sf_pf"]["pandharipande_2009"]["source"]}
    if name in known:
        return str(known[name])
    if name == "news2":
        return str(table("news2")["source"])
    if name == "balance":
        return str(_SCORES["fluid_balance"]["formula"])
    row = _OWN.get(name) or _SCORES.get(name) or {}
    return str(row.get("source", ""))


def text_of(name: str, figure: Mapping[str, Any], words: Words) -> str:
    """The number; a total with gaps is a lower bound and says so; empty where it says nothing."""
    value = figure.get("value")
    if value is None or figure.get("state") == "not_applicable":
        return ""
    text = words.number(float(value), _DECIMALS.get(name))
    if name == "balance" and value > 0:
        text = f"+{text}"
    return f"≥{text}" if figure["state"] == "incomplete" and "total" in figure else text


def panel(indicators: Mapping[str, Any], frame: Frame) -> list[FigureView]:
    """Every indicator that the bed has, in the order of the unit."""
    return [
        _figure(name, figure, frame)
        for name, figure in indicators.items()
        if isinstance(figure, Mapping)
    ]


def hours(indicators: Mapping[str, Any], frame: Frame) -> list[tuple[str, str, str, str]]:
    """(hour, in, out, balance) of each hour with a volume, newest first."""
    rows = indicators.get("balance", {})
    words = frame.words
    found = []
    for start, (taken, lost) in reversed(rows.get("hours", {}).items() if rows else ()):
        figures = (words.number(taken), words.number(lost), words.number(taken - lost))
        found.append((clock(from_iso(start), frame.zone), *figures))
    return found


def of_day(figure: Mapping[str, Any], frame: Frame, key: str) -> str:
    """What the sum of 24 h is called: of a younger record the sum since it began."""
    since = figure.get("day_since")
    if not since:
        return frame.words.t(key)
    return frame.words.t(f"{key}.since", at=clock(from_iso(since), frame.zone))


def _figure(name: str, figure: Mapping[str, Any], frame: Frame) -> FigureView:
    words = frame.words
    unit = figure["unit"]
    return FigureView(
        name=name,
        label=words.t(f"indicator.{name}"),
        text=text_of(name, figure, words) or MISSING,
        unit="" if unit == "1" or unit.startswith("{") else _unit(unit, words),
        state=figure["state"],
        inputs=tuple(_input(key, each, figure, frame) for key, each in figure["inputs"].items()),
        missing=", ".join(input_name(key, words) for key in figure["missing"]),
        note=_note(figure, frame),
        source=source_of(name),
    )


def _unit(unit: str, words: Words) -> str:
    return words.t(f"unit.{unit}") if words.has(f"unit.{unit}") else unit


def _input(key: str, each: Mapping[str, Any], figure: Mapping[str, Any], frame: Frame) -> str:
    words = frame.words
    age = words.duration((frame.now_us - from_iso(each["at"])) / SECOND)
    value = each["value"]
    text = value if isinstance(value, str) else words.number(float(f"{value:.4g}"))
    text = words.t("value.no") if text == "air" else text
    few = f" {words.t('indicator.few')}" if each.get("few") else ""
    said = f" ({words.t('indicator.estimated')})" if each.get("estimated") else ""
    return f"{input_name(key, words)} {text}{few}{said} · {age}"


def input_name(key: str, words: Words) -> str:
    """The ward's name of an input; the key itself where there is none."""
    return words.t(f"input.{key}") if words.has(f"input.{key}") else key


def _note(figure: Mapping[str, Any], frame: Frame) -> str:
    parts, words = [], frame.words
    because = figure.get("because", ())
    if because:
        reasons = ", ".join(words.t(f"indicator.because.{reason}") for reason in because)
        parts.append(words.t("indicator.not_applicable", why=reasons))
    if figure.get("why"):
        parts.append(words.t(f"indicator.why.{figure['why']}"))
    if figure.get("estimated"):
        parts.append(words.t("indicator.estimated"))
    components = figure.get("components")
    if components:
        shown = (
            f"{words.t(f'organ.{organ}')} {MISSING if points is None else points}"
            for organ, points in components.items()
            if words.has(f"organ.{organ}")
        )
        parts.append(", ".join(shown))
    for key in ("ml_kg_h_6h", "day_ml", "in_ml", "out_ml", "compliance", "vt_ml_kg_pbw"):
        if figure.get(key) is not None:
            number = words.number(float(figure[key]), 0 if key.endswith("_ml") else 1)
            said = words.t(f"indicator.{key}", n=number)
            if key == "day_ml" and figure.get("day_since"):
                said = f"{of_day(figure, frame, 'report.balance.day_ml')} {number}"
            parts.append(said)
    return " · ".join(part for part in parts if part)
