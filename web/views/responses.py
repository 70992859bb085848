"""What followed a dose or a setting, in words: "followed by", never "caused". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hospital_ops import codes
from hospital_ops.clock import iso
from icu.response import (
    FOLLOWED,
    PENDING,
    SILENT,
    Change,
    Disturbance,
    Response,
    Summary,
    drug_of,
    summaries,
)
from web.views.values import Frame, clock
from web.words import Words

Found = Sequence[tuple[Change, Sequence[Response]]]


def of_order(found: Found, order: Mapping[str, Any]) -> Found:
    """The changes that belong to an order: its drug, a ventilator's settings, or its giving."""
    kind, drug = order["kind"], drug_of(f"{order['what']} {order['text']}")
    return [
        (change, each)
        for change, each in found
        if change.order == order["id"]
        or (kind in ("infusion", "medication") and drug and change.what == drug)
        or (kind == "ventilation" and change.kind == "setting")
    ]


def as_json(found: Found, words: Words) -> dict[str, Any]:
    """The public form: every change with its answers and what silenced them, and the summaries."""
    return {
        "changes": [
            {
                "at": iso(change.at),
                "what": change.what,
                "kind": change.kind,
                "from": change.before,
                "to": change.after,
                "unit": change.unit,
                "order": change.order or None,
                "responses": [_response_json(each, words) for each in responses],
            }
            for change, responses in found
        ],
        "summaries": [
            {**summary._asdict(), "text": summary_text(summary, words)}
            for summary in summaries(found)
        ],
    }


def _response_json(each: Response, words: Words) -> dict[str, Any]:
    vital = codes.by_key[each.signal]
    return {
        "signal": each.signal,
        "code": vital.code,
        "unit": vital.ucum,
        "state": each.state,
        "delta": each.delta,
        "seconds": each.seconds or None,
        "before": each.base,
        "because": [
            {"at": iso(one.at), "what": one.what, "detail": one.detail} for one in each.because
        ],
        "text": response_text(each, words),
    }


def _signal(key: str, words: Words) -> str:
    return words.t(f"response.signal.{key}")


def _delta(delta: float, signal: str, words: Words) -> str:
    resolution = codes.by_key[signal].resolution or 1
    text = words.number(delta, 0 if resolution >= 1 else 1)
    return text if delta < 0 else f"+{text}"


def _minutes(seconds: int, words: Words) -> str:
    return words.t("time.min", n=max(1, round(seconds / 60)))


def response_text(each: Response, words: Words) -> str:
    """What one signal did, or why nothing is said."""
    signal = _signal(each.signal, words)
    if each.state == FOLLOWED and each.delta is not None:
        return words.t(
            "response.followed",
            signal=signal,
            delta=_delta(each.delta, each.signal, words),
            minutes=_minutes(each.seconds, words),
        )
    if each.state == SILENT:
        why = ", ".join(_why(one, words) for one in each.because[:4])
        return words.t("response.silent", signal=signal, why=why)
    return words.t(
        "response.pending" if each.state == PENDING else "response.steady", signal=signal
    )


def _why(one: Disturbance, words: Words) -> str:
    named = one.what in ("dose", "setting", "given")
    detail = _thing(one.detail, words) if named else ""
    return words.t(f"response.why.{one.what}", what=detail)


def _thing(what: str, words: Words) -> str:
    key = f"response.thing.{what}"
    return words.t(key) if words.has(key) else what


def summary_text(summary: Summary, words: Words) -> str:
    """`noradrenaline ↑: followed by MAP +14 in 9 min, 3 times` and how often not."""
    arrow = {"up": " ↑", "down": " ↓"}.get(summary.direction, "")
    thing, signal = f"{_thing(summary.what, words)}{arrow}", _signal(summary.signal, words)
    if summary.times and summary.delta is not None:
        said = words.t(
            "response.summary",
            n=summary.times,
            thing=thing,
            signal=signal,
            delta=_delta(summary.delta, summary.signal, words),
            minutes=_minutes(summary.seconds, words),
        )
        others = summary.of - summary.times
    else:
        said, others = words.t("response.summary_none", thing=thing, signal=signal), summary.of
    if others:
        said += "; " + words.t("response.otherwise", n=others)
    if summary.silent:
        said += "; " + words.t("response.not_told", n=summary.silent)
    return said


def lines(found: Found, frame: Frame) -> tuple[list[str], list[str]]:
    """(summaries, each change with its answers), in words, the newest change first."""
    words = frame.words
    told = [summary_text(each, words) for each in summaries(found) if each.of or each.silent]
    each_one = [_line(change, responses, frame) for change, responses in reversed(found)]
    return told, each_one


def _line(change: Change, responses: Iterable[Response], frame: Frame) -> str:
    words = frame.words
    said = f"{clock(change.at, frame.zone)} {_thing(change.what, words)}"
    if change.before is not None and change.after is not None:
        unit = words.t(f"unit.{change.unit}") if words.has(f"unit.{change.unit}") else change.unit
        said += f" {words.number(change.before)} → {words.number(change.after)} {unit}"
    return f"{said}: {'; '.join(response_text(each, words) for each in responses)}"
