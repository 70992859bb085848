"""Orders in the reader's words: what, where it stands, when it is due, what was checked. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hospital_ops.clock import SECOND, from_iso, to_datetime
from icu.offers import Offer
from icu.order_checks import DRUGS, Finding, from_json
from icu.order_sets import name as set_name
from icu.orders import BY_PHYSICIAN, DOSED, NEEDS_REASON, OPEN, Stage
from icu.rules import words as rule_words
from web.views.orderwords import goal, goal_label, plain_units
from web.views.refused import in_words
from web.views.values import Frame, clock, unit_words
from web.words import DEFAULT, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One order of the panel."""

    id: str
    version: int
    kind: str
    text: str
    target: str
    state: str
    tone: str  # due, late, done, stop: as the components name them
    due: str
    late: str  # how long overdue, and to whom it has gone
    every: str
    last: str  # when it was last carried out
    told: bool  # when it was done, and what, can be said with the press
    adjust: dict[str, str]  # rate and goal that can be made others; empty: nothing
    placed: str
    signed: str
    urgent: str
    set_name: str
    checks: tuple[str, ...]
    quick: tuple[str, ...]  # what whoever carries out orders does in one press
    decided: tuple[str, ...]  # what a physician does
    reasoned: tuple[str, ...]  # what needs a reason
    draft: bool
    open: bool
    carried: str  # it came along from another unit, and nobody has looked at it here


def order(row: Mapping[str, Any], frame: Frame) -> OrderView:
    """The view of an order at this moment."""
    words = frame.words
    stage = Stage(row["request"], row["task"])
    acts = [act for act in row["acts"] if act != "mistake"]
    pressed = [act for act in acts if act != "adjust"]
    plain = [act for act in pressed if act not in NEEDS_REASON]
    target = row["target"]
    return OrderView(
        id=row["id"],
        version=row["version"],
        kind=words.t(f"orders.kind.{row['kind']}"),
        text=_text(row, words),
        target=goal(target, words) if target and target["text"] not in row["text"] else "",
        state=words.t(f"orders.state.{_state(stage)}"),
        tone="late" if row["urgency"] == "overdue" else _tone(stage),
        due=_due(row, frame),
        late=_late(row, frame),
        every=_every(row, words),
        last=_last(row, frame),
        told=any(act in DOSED for act in acts),
        adjust=_adjustable(row, words) if "adjust" in acts else {},
        placed=f"{row['placed_by']} {_clock(row['placed_at'], frame)}",
        signed=_signed(row, frame),
        urgent=words.t(f"ordering.priority.{row['priority']}")
        if row["priority"] != "routine"
        else "",
        set_name=set_name(row["set"], words.language) if row["set"] else "",
        checks=tuple(finding(each, words) for each in from_json(row["checks"])),
        quick=tuple(act for act in plain if act not in BY_PHYSICIAN),
        decided=tuple(act for act in plain if act in BY_PHYSICIAN),
        reasoned=tuple(act for act in pressed if act in NEEDS_REASON),
        draft=stage.request == "draft",
        open=stage.request in ("draft", "active", "on-hold"),
        carried=_carried(row, frame),
    )


def _text(row: Mapping[str, Any], words: Words) -> str:
    """What is ordered; a goal that stands in it as it is said beside it."""
    target, text = row["target"], str(row["text"])
    if target:
        text = text.replace(target["text"], goal(target, words))
    return plain_units(text, words)


def digest(views: Iterable[OrderView]) -> str:
    """What a list says, but for running times: a page that has it needs no new one."""
    told = [(v.id, v.version, v.tone, v.late.partition(" ")[0]) for v in views]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def day_clock(at: int, frame: Frame) -> str:
    """`10:42`, on another day `22.11 10:42`, in the hospital's zone."""
    here, today = (to_datetime(us).astimezone(frame.zone).date() for us in (at, frame.now_us))
    time = clock(at, frame.zone)
    return time if here == today else f"{here:%d.%m} {time}"


def _clock(text: str, frame: Frame) -> str:
    return day_clock(from_iso(text), frame)


def _due(row: Mapping[str, Any], frame: Frame) -> str:
    if not row["due_at"]:
        return ""
    return frame.words.t("orders.due", time=_clock(row["due_at"], frame))


def _carried(row: Mapping[str, Any], frame: Frame) -> str:
    carried = row.get("carried")
    if not carried:
        return ""
    time = _clock(carried["at"], frame)
    return frame.words.t("stay.units.to_review", unit=carried["from"], time=time)


def _late(row: Mapping[str, Any], frame: Frame) -> str:
    step = row["escalation"]
    if not step:
        return ""
    words = frame.words
    for_how_long = words.duration((frame.now_us - from_iso(row["due_at"])) / SECOND)
    said = words.t("ordering.late", age=for_how_long)
    return f"{said} → {words.t('ordering.step.' + str(step['step']))}"


def _every(row: Mapping[str, Any], words: Words) -> str:
    repeat = row["repeat"]
    if not repeat:
        return ""
    said = words.t("ordering.every", age=words.duration(repeat["every_min"] * 60))
    times = f"{row['occurrence']}/{repeat['times']}" if repeat["times"] else f"{row['occurrence']}"
    return f"{said}, {words.t('ordering.time', n=times)}"


def _last(row: Mapping[str, Any], frame: Frame) -> str:
    """When something that goes on was last carried out, and by whom."""
    if not row.get("done_at"):
        return ""
    time = _clock(row["done_at"], frame)
    key = "ordering.last_given" if row["kind"] in DRUGS else "ordering.last_done"
    return frame.words.t(key, time=time, by=row["done_by"] or "")


def _adjustable(row: Mapping[str, Any], words: Words) -> dict[str, str]:
    """What a physician may make another, as it stands now."""
    details, target = row["details"], row["target"] or {}
    found = dict.fromkeys(("rate", "parameter", "label", "low", "high"), "")
    found["text"] = row["text"]
    found["rate_unit"] = unit_words(details.get("rate_unit", ""), words)
    if "rate" in details:
        found["rate"] = words.number(details["rate"])
    if target:
        found["parameter"] = target["parameter"]
        found["label"] = goal_label(target["parameter"], words)
        for side in ("low", "high"):
            number = target.get(side)
            found[side] = words.number(number).replace("−", "-") if number is not None else ""
    return found


def _signed(row: Mapping[str, Any], frame: Frame) -> str:
    if not row["signed_by"]:
        return frame.words.t("ordering.unsigned")
    time = _clock(row["signed_at"], frame)
    return frame.words.t("ordering.signed", by=row["signed_by"], time=time)


def finding(found: Finding, words: Words) -> str:
    """One check in words: what was compared with what, and what was found."""
    key = f"ordering.check.{found.check}.{found.state}"
    if found.state == "clear" and not found.against:
        key += "_none"
    if found.state in ("unknown", "not_recorded") and found.told_only:
        key += "_told"

    def named(substances: Iterable[str]) -> str:
        told = words.t("ordering.allergy.not_confirmed")
        return ", ".join(f"{one} ({told})" if one in found.told_only else one for one in substances)

    return words.t(
        key,
        order=found.order,
        against=named(found.against[:8]),
        found=named(found.found),
        n=len(found.against),
    )


def who_said(one: Mapping[str, Any], frame: Frame) -> str:
    """Of an allergy: who told it, who recorded it, and who has confirmed it, each with the time."""
    words = frame.words
    told = words.t("case.allergy.by", who=one["told_by"]) if one["told_by"] else ""
    at = _clock(one["recorded_at"], frame)
    heard = words.t(f"ordering.allergy.heard.{one['heard']}", by=one["recorded_by"], at=at)
    confirmed = ""
    if one["confirmed_at"]:
        at = _clock(one["confirmed_at"], frame)
        confirmed = words.t("ordering.allergy.confirmed", by=one["confirmed_by"], at=at)
    elif not one["confirmed"]:
        confirmed = words.t("ordering.allergy.nobody_yet")
    what = one["substance"] or words.t("ordering.allergy.none_known")
    what = f"{what} ({one['reaction']})" if one["reaction"] else what
    return f"{what}: " + "; ".join(filter(None, (told, heard, confirmed)))


def _state(stage: Stage) -> str:
    return stage.task if stage.request == "active" else stage.request


def _tone(stage: Stage) -> str:
    if stage in OPEN:
        return "due"
    return "done" if stage.request == "completed" else "stop"


def history(rows: Sequence[Mapping[str, Any]], frame: Frame) -> list[str]:
    """Who did what and when, oldest first, one line a step."""
    words = frame.words
    undone = {row.get("undoes") for row in rows}
    lines = []
    for row in rows:
        act = words.t(f"ordering.act.{row['act']}")
        line = f"{_clock(row['at'], frame)} {row['by']}: {act}"
        if row.get("done_at"):
            line += f" {words.t('ordering.done_at', time=_clock(row['done_at'], frame))}"
        if row["version"] in undone:
            line += f" ({words.t('ordering.undone')})"
        if row.get("changed"):
            line += f": {_changed(row['changed'], words)}"
        if row["missed"]:
            line += f"; {words.t('ordering.missed', n=row['missed'])}"
        lines.append(f"{line}; {row['reason']}" if row["reason"] else line)
    return lines


def _changed(changed: Mapping[str, Any], words: Words) -> str:
    """The order before and after another rate or goal."""
    said = (str(changed[side].get("text", "")) for side in ("before", "after"))
    return " → ".join(plain_units(each, words) for each in said)


def offer_text(offer: Offer, words: Words) -> str:
    """One limit that a goal offers, beside the one that holds now."""
    sign = "<" if offer.side == "low" else ">"
    now = f"{sign} {words.number(offer.now)}" if offer.now is not None else words.t("response.off")
    return words.t(
        "response.limit",
        rule=rule_words(offer.rule, words.language),
        offered=f"{sign} {words.number(offer.offered)} {unit_words(offer.unit, words)}",
        now=now,
    )


def error_text(code: str, reason: str, words: Words) -> str:
    """A sentence for what a form got wrong; the precise one where there is no other."""
    key = f"ordering.error.{code}"
    if not words.has(key):
        return in_words(reason, words, code)
    if words.language == DEFAULT:
        return words.t(key, reason=reason)
    named = [f"ordering.field.{name}" for name in re.findall("`(\\w+)`", reason)]
    fields = ", ".join(words.t(name) for name in named if words.has(name))
    return words.t(key, reason=fields or words.t(f"ordering.hint.{code}"))
