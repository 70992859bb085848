"""Transfers in words: the list of a unit, one request, and the record that goes along. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.clock import from_iso
from icu.transfers.forms import NEEDS, READABLE
from web.views.bedside import INFUSIONS, STATED, VENTILATOR
from web.views.handover import report
from web.views.incidents import when
from web.views.values import Frame, clock, name_words, unit_words
from web.words import Words

RUNNING: Final = tuple(slot[0] for slot in INFUSIONS)
BREATHING: Final = tuple(
    dict.fromkeys(
        (
            *(slot[0] for slot in VENTILATOR),
            *(codes.by_key[key].code for key in ("pplat", "ppeak", "o2_device")),
        )
    )
)
SUPPORT: Final = (*BREATHING, *RUNNING)
# The 24 h in hours: one row a value, lowest and highest of each hour.
HOURLY: Final = tuple(
    codes.by_key[key].code
    for key in ("hr", "abp_mean", "nibp_mean", "spo2", "rr", "temp", "fio2", "norepinephrine")
)


def request_view(told: Mapping[str, Any], frame: Frame, actor_hospital: str) -> dict[str, Any]:
    """A request for its page and the lists; who reads it is the sender's or the receiver's."""
    words, sending = frame.words, told["hospital"] == actor_hospital
    return {
        "id": told["transfer"],
        "version": told["version"],
        "state": told["state"],
        "state_word": words.t(f"transfer.state.{told['state']}"),
        "sending": sending,
        "here": told["to_unit"] is not None,
        "other": told["to_name"] if sending else told["from_name"],
        "from": told["from_name"],
        "to": told["to_name"],
        "who": who(told, words),
        "why": told["why"],
        "needs": [words.t(f"transfer.need.{need}") for need in told["needs"] if need in NEEDS],
        "simulated": told["mode"] != "Real",
        "asked": _by(told["asked_by"], told["asked_at"], frame),
        "answered": _by(told["answered_by"], told["answered_at"], frame),
        "answer": told["answer"],
        "bed": told["to_bed"],
        "left": _by(told["left_by"], told["left_at"], frame),
        "ended": _by(told["ended_by"], told["ended_at"], frame),
        "eta": clock(from_iso(told["eta"]), frame.zone) if told["eta"] else "",
        "readable": sending or told["state"] in READABLE,
        "open": told["state"] in ("asked", "accepted", "left"),
    }


def who(told: Mapping[str, Any], words: Words) -> str:
    """`M 62`: all that is known of somebody before acceptance."""
    sex = words.t(f"sex.{told['sex'] if told['sex'] in ('F', 'M') else 'unknown'}")
    years = words.t("age.years", n=int(told["age_years"])) if told["age_years"] is not None else ""
    return " ".join(filter(None, (sex, years)))


def record_view(known: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """The record: as a report, with ventilator and infusions before everything else."""
    support = [_support(one, frame) for one in known["support"]]
    return report(known, frame) | {
        "breathing": [one for one in support if one["code"] in BREATHING],
        "running": [one for one in support if one["code"] in RUNNING and one["value"] != "0"],
    }


def hours_view(trends: Mapping[str, Any], since: int, frame: Frame) -> dict[str, Any]:
    """`{"hours": [...], "rows": [{name, unit, cells}]}`: `62-88` of each hour, newest first."""
    hour_us = 3_600_000_000
    hours = [since + n * hour_us for n in range(24)]
    rows = []
    for code in HOURLY:
        trend = trends.get(code)
        if trend is None:
            continue
        by_hour = {(point.at - since) // hour_us: point for point in trend.points}
        cells = [_span(by_hour.get(n), frame.words) for n in reversed(range(24))]
        name, unit = name_words(code, frame.words), unit_words(trend.unit, frame.words)
        rows.append({"name": name, "unit": unit, "cells": cells})
    return {"hours": [clock(hour, frame.zone) for hour in reversed(hours)], "rows": rows}


def limit_words(care: Sequence[Mapping[str, Any]], words: Words) -> list[str]:
    """The treatment limits in force, as the receiver's case says them."""
    told = []
    for one in care:
        limits = ", ".join(words.t(f"care.limit.{limit}") for limit in one["limits"])
        kind = words.t(f"care.{one['kind']}")
        told.append(f"{kind}: {limits}" if limits else kind)
    return told


def _span(point: Any, words: Words) -> str:
    if point is None:
        return ""
    low, high = words.number(round(point.lowest, 2)), words.number(round(point.highest, 2))
    return low if low == high else f"{low}-{high}"


def _support(one: Mapping[str, Any], frame: Frame) -> dict[str, str]:
    words, value = frame.words, one["value"]
    if isinstance(value, bool) or one["code"] == "on_oxygen":
        said = words.t("value.yes" if value else "value.no")
    elif isinstance(value, int | float):
        said = words.number(float(value))
    else:
        said = words.t(f"vent.{value}") if value in STATED else str(value or "-")
    return {
        "code": one["code"],
        "name": name_words(one["code"], words),
        "channel": one["channel"],
        "value": said,
        "unit": "" if one["unit"] == "code" else unit_words(one["unit"], words),
        "at": when(one["at"], frame),
    }


def _by(name: str, at: str | None, frame: Frame) -> str:
    return f"{name}, {when(at, frame)}" if name and at else ""
