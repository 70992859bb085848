"""A shift report, a summary, and the sheet for paper, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops import codes
from web.views.alarms import stored_text
from web.views.flowsheet import DEVICE
from web.views.incidents import when
from web.views.indicators import input_name, of_day, text_of
from web.views.orders import who_said
from web.views.orderwords import plain_units
from web.views.values import Frame, coded_words, decimals_of, name_words, unit_words

_PLACES: Final = {
    code: place
    for place, code in enumerate(dict.fromkeys([*DEVICE, *(vital.code for vital in codes.VITALS)]))
}


def report(told: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """The data of a report as its page shows them."""
    words, person = frame.words, told["person"]
    return {
        "stay": told["stay"],
        "bed": told["bed"],
        "name": f"{person['family']} {person['given']}".strip(),
        "mrn": person["mrn"],
        "sex": words.t(f"sex.{person['sex'] if person['sex'] in ('F', 'M') else 'unknown'}"),
        "born": person["birth_date"],
        "simulated": told["mode"] != "Real",
        "admitted": when(told["admitted_at"], frame),
        "ended": when(told["ended_at"], frame) if told["ended_at"] else "",
        "from": when(told["from"], frame),
        "to": when(told["to"], frame),
        "latest": [_value(one, frame) for one in sorted(told["values"], key=_place)],
        "lowest": [_value(one, frame) for one in sorted(told["lowest"], key=_place)],
        "alarms": [
            {
                "look": one["priority"],
                "text": stored_text(one["rule"], one["words"] or "", words),
                "number": one["number"],
                "span": _span(one["first"], one["last"], frame),
            }
            for one in told["alarms"]
        ],
        "done": [_order(one, frame) for one in told["orders"] if one["done"]],
        "open": [_order(one, frame) for one in told["orders"] if not one["done"]],
        "care": [
            ", ".join(words.t(f"care.{name}") for name in (one["kind"], *_limits(one)))
            for one in told["care"]
        ],
        # A report that was signed before they stood on it has none.
        "allergies": [who_said(one, frame) for one in told.get("allergies", ())],
        "allergies_asked": bool(told.get("allergies")) or "allergies" not in told,
        "isolation": ", ".join(words.t(f"flag.{kind}") for kind in told.get("isolation", ())),
        "sofa": _sofa(told.get("sofa") or {}, frame),
        "balance": _balance(told.get("balance") or {}, frame),
    }


def _sofa(figure: Mapping[str, Any], frame: Frame) -> str:
    """The total, a lower bound where parts are missing, and which ones those are."""
    words = frame.words
    text = text_of("sofa", figure, words) if figure else ""
    if not text or not figure.get("missing"):
        return text
    lacking = ", ".join(input_name(key, words) for key in figure["missing"])
    return f"{text} ({words.t('report.balance.missing')}: {lacking})"


def _balance(figure: Mapping[str, Any], frame: Frame) -> list[tuple[str, str]]:
    """In, out and the sum of 24 h, since when, and what is not known of it."""
    words, rows = frame.words, []
    for name in ("in_ml", "out_ml", "day_ml"):
        if isinstance(figure.get(name), int | float):
            key = f"report.balance.{name}"
            label = of_day(figure, frame, key) if name == "day_ml" else words.t(key)
            rows.append((label, f"{words.number(float(figure[name]))} {words.t('unit.mL')}"))
    if rows and figure.get("since"):
        rows.append((words.t("report.balance.since"), when(figure["since"], frame)))
    if figure.get("missing"):
        lacking = ", ".join(input_name(key, words) for key in figure["missing"])
        rows.append((words.t("report.balance.missing"), lacking))
    return rows


def listed(one: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """A signed report: who, when, what was written."""
    return {
        "id": one["document"],
        "kind": frame.words.t(f"report.kind.{one['kind']}"),
        "by": one["signed_by"],
        "at": when(one["signed_at"], frame),
        "genuine": one["genuine"],
        "replaces": one["replaces"],
        "words": one["words"],
    }


def _limits(one: Mapping[str, Any]) -> list[str]:
    return [f"limit.{limit}" for limit in one["limits"]]


def _order(one: Mapping[str, Any], frame: Frame) -> dict[str, str]:
    at = one["changed_at"] if one["done"] else one["due_at"]
    held = f" ({frame.words.t('report.held')})" if one["held"] else ""
    return {
        "kind": frame.words.t(f"orders.kind.{one['kind']}"),
        "words": f"{plain_units(one['words'], frame.words)}{held}",
        "at": when(at, frame) if at else "",
        "by": one["changed_by"] if one["done"] else "",
    }


def _value(one: Mapping[str, Any], frame: Frame) -> dict[str, str]:
    return {
        "name": name_words(one["code"], frame.words),
        "value": _text(one, frame),
        "unit": unit_words(one["unit"], frame.words),
        "at": when(one["at"], frame),
    }


def _place(one: Mapping[str, Any]) -> int:
    """Where a value stands: as on the flowsheet, then as in the table of codes."""
    return _PLACES.get(one["code"], len(_PLACES))


def _text(one: Mapping[str, Any], frame: Frame) -> str:
    value = one["value"]
    if isinstance(value, int | float):
        return frame.words.number(float(value), decimals_of(one["code"], one["unit"]))
    return coded_words(str(value), frame.words) if value else "–"


def _span(first: str, last: str, frame: Frame) -> str:
    """`22.11 23:25:40`, or from there to `23:36:02`; the day again where it is another."""
    begun, ended = when(first, frame), when(last, frame)
    if begun == ended:
        return begun
    day, _, time = ended.partition(" ")
    return f"{begun}–{time if begun.startswith(day) else ended}"
