"""What the pages of messages to relatives show: rows by state, the phone, where words come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Record
from notify import hold, segments
from notify.desk.day import Proposal
from web.views.messagecosts import Row, cost_of
from web.words import Words

# Held and unknown first, then what did not arrive, what still comes, and what is done.
ORDER: Final = (
    "held", "unknown", "failed", "expired", "sending", "due", "sent", "delivered", "cancelled",
)  # fmt: skip
WAITS: Final = ("held", "unknown", "failed", "expired")
ICONS: Final = {
    "held": "clock", "unknown": "ring", "failed": "cross", "expired": "clock",
    "sending": "dot", "due": "ring", "sent": "dot", "delivered": "tick", "cancelled": "cross",
}  # fmt: skip
ARROWS: Final = {"positive": "↗", "negative": "↘", "unchanged": "→", "not_assessed": "·"}
PHONE_WITHIN_US: Final = 30 * 60 * SECOND  # after the window has closed
# What no confirmation mends: the text says nothing, or what it must not say.
_AFTER_CONFIRMING: Final = frozenset(("no_figures", "forbidden_word"))
NUMBER_TROUBLE: Final = ("21211", "21614", "30005", "30006", "21610")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of the list."""

    message: str
    stay: str
    bed: str
    label: str
    initials: str
    to: str  # "daughter ·· 42"
    arrow: str
    course: str
    state: str
    icon: str
    said: str  # "delivered 10:01"
    why: str
    waits: bool
    act: str  # call, confirm, settle, number or "": the row's one button
    urgent: bool  # a call is due: the main button
    proposed: str = ""  # the suggested course, of the patient whose draft is on the phone
    seen: str = ""  # the mark of that draft: nobody confirms what is not on the phone


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """What the family sees, with its parts and its sources."""

    message: str
    stay: str
    label: str
    words: str
    clock: str
    count: str
    cost: str
    clean: bool
    sources: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]
    draft: bool  # nobody has confirmed it
    course: str
    mark: str = ""  # of a draft


def is_to_confirm(row: Row) -> bool:
    """Whether a day's message waits for a confirmation: the physician sees what it would be."""
    return _act(row, row["state"], list(row["reasons"]))[0] == "confirm"


def chosen(rows: Sequence[Record], message: UUID | None) -> Record | None:
    """The message that the phone shows: the one asked for, the next to confirm, any with words."""
    asked = [row for row in rows if row["message"] == message]
    waiting = [row for row in rows if is_to_confirm(row)]
    return next(iter([*asked, *waiting, *(row for row in rows if row["words"])]), None)


def lines(rows: Iterable[Record], words: Words, zone: str, seen: Phone | None = None) -> list[Line]:
    """The list in the order of what waits for a person, then by bed; `seen` is on the phone."""
    made = [_line(row, words, zone, seen) for row in rows]
    return sorted(made, key=lambda line: ORDER.index(line.state))


def totals(found: Iterable[Line], words: Words) -> str:
    """`today 18 · held 3 · unknown 1 · delivered 9`."""
    states = [line.state for line in found]
    parts = [words.t("relatives.total", n=len(states))]
    for state in (*WAITS, "delivered"):
        if number := states.count(state):
            parts.append(f"{words.t(f'relatives.state.{state}')} {number}")
    return " · ".join(parts)


def silent(rows: Iterable[Record], words: Words, zone: str) -> str:
    """Who will hear nothing today and by when somebody phones; empty: nobody waits.

    What only waits for the daily confirmation counts from the escalation on.
    """
    waits = [
        row["closes_at"]
        for row in rows
        if row["called_at"] is None
        and (row["state"] == "expired" or (row["state"] == "held" and _to_be_phoned(row)))
    ]
    if not waits:
        return ""
    until = from_datetime(min(waits)) + PHONE_WITHIN_US
    return words.t("relatives.silent", n=len(waits), time=_clock(until, zone))


def _to_be_phoned(row: Record) -> bool:
    return row["escalated_at"] is not None or bool(hold.CALL.intersection(row["reasons"]))


def inbox(rows: Iterable[Row], words: Words, zone: str) -> list[dict[str, str]]:
    """What relatives wrote back, as lines."""
    return [
        {
            "inbox": str(row["inbox"]),
            "kind": row["kind"],
            "words": row["words"] if row["kind"] == "other" else "",
            # Whoever lies in that bed by now is somebody else.
            "bed": "" if row["ended"] else row["bed"],
            "label": _initials(row) if row["ended"] else row["label"] or row["bed"],
            "ended": _ended(row["end_reason"], words) if row["ended"] else "",
            "to": f"{_relation(row['relation'], words)} ·· {row['last_two']}",
            "at": day_clock(from_datetime(row["received_at"]), zone),
        }
        for row in rows
    ]


def phone(row: Row, steps: Iterable[Record], words: Words, zone: str) -> Phone:
    """The message exactly as the phone shows it."""
    text = row["words"]
    parts = segments.count(text)
    sources = [
        (words.t(f"relatives.item.{one['item']}"), _source(one, words, zone))
        for one in json.loads(row["statements"])
        if one["item"] != "time"
    ]
    sources += [
        (words.t("relatives.course"), _course(json.loads(row["proposal"]), words)),
        (words.t("relatives.consent"), _consent(row, words, zone)),
        (words.t("relatives.number"), _number(row, words, zone)),
    ]
    told = [
        (
            _clock(from_datetime(step["at"]), zone),
            f"{words.t('relatives.state.' + step['to_state'])} · {step['actor']}",
        )
        for step in steps
    ]
    return Phone(
        message=str(row["message"]),
        stay=str(row["stay"]),
        label=row["label"] or row["bed"],
        words=text,
        clock=_clock(from_datetime(row["sent_at"] or row["confirmed_at"] or row["opens_at"]), zone),
        count=words.t("relatives.count", chars=len(text), parts=words.t("relatives.parts",
                      n=parts.parts), alphabet=parts.encoding.upper()) if text else "",
        cost=cost_of(row, words),
        clean=not row["forbidden"],
        sources=tuple(sources),
        steps=tuple(told),
        draft=is_to_confirm(row),
        course=words.t(f"relatives.dynamics.{row['dynamics']}") if row["dynamics"] else "",
        mark=row.get("mark", ""),
    )  # fmt: skip


def proposal_view(proposal: Proposal, words: Words) -> dict[str, str]:
    """What the machine proposes, for the confirmation."""
    course = proposal.day.dynamics
    return {
        "course": course,
        "arrow": ARROWS.get(course, "·"),
        "said": words.t(f"relatives.dynamics.{course}"),
        "why": _course(proposal.course, words),
        "severity": proposal.day.severity,
    }


def history(rows: Iterable[Record], words: Words, zone: str) -> list[tuple[str, str, str, str]]:
    """(day, to whom, state, why) of a stay's messages, newest first."""
    return [
        (
            f"{row['local_date']:%d.%m}",
            f"{_relation(row['relation'], words)} ·· {row['last_two']}",
            _said(row, row["state"], words, zone),
            _why(row, row["state"], list(row["reasons"]), words, zone),
        )
        for row in rows
    ]


def left(rows: Iterable[Record], words: Words, zone: str) -> list[str]:
    """What a family has read today, and what may still reach it; at least one sentence."""
    said = [
        words.t(
            f"relatives.left.{'read' if row['state'] == 'delivered' else 'in_flight'}",
            to=f"{_relation(row['relation'], words)} ·· {row['last_two']}",
            said=_said(row, row["state"], words, zone),
        )
        for row in rows
    ]
    return said or [words.t("relatives.left.nothing")]


def day_clock(at_us: int, zone: str) -> str:
    """`19.11 08:05`."""
    return f"{to_datetime(at_us).astimezone(ZoneInfo(zone)):%d.%m %H:%M}"


def _line(row: Record, words: Words, zone: str, seen: Phone | None) -> Line:
    state, reasons = row["state"], list(row["reasons"])
    course = row["dynamics"]
    act, urgent = _act(row, state, reasons)
    on_phone = seen if seen and seen.draft and seen.stay == str(row["stay"]) else None
    return Line(
        message=str(row["message"]),
        stay=str(row["stay"]),
        bed=row["bed"],
        label=row["label"] or row["bed"],
        initials=_initials(row),
        to=f"{_relation(row['relation'], words)} ·· {row['last_two']}",
        arrow=ARROWS.get(course, ""),
        course=words.t(f"relatives.dynamics.{course}") if course else "",
        state=state,
        icon="phone" if urgent else ICONS[state],
        said=_said(row, state, words, zone),
        why=_why(row, state, reasons, words, zone),
        waits=state in WAITS,
        act=act,
        urgent=urgent,
        proposed=on_phone.course if on_phone else "",
        seen=on_phone.mark if on_phone else "",
    )


def _act(row: Row, state: str, reasons: list[str]) -> tuple[str, bool]:
    """(the row's one button, whether it is urgent)."""
    if state == "held":
        called = hold.CALL | (_AFTER_CONFIRMING if row["confirmed_by"] else frozenset())
        if row["kind"] == "daily" and not called.intersection(reasons):
            return "confirm", False
        return "call", True
    if state == "expired":
        return ("", False) if row["called_at"] else ("call_after", True)
    if state == "unknown":
        return "settle", False
    return ("number", False) if state == "failed" else ("", False)


def _said(row: Record, state: str, words: Words, zone: str) -> str:
    said = words.t(f"relatives.state.{state}")
    if state in ("sent", "delivered"):
        at = row["delivered_at"] or row["sent_at"]
        return f"{said} {_clock(from_datetime(at), zone)}"
    if state == "due":
        return f"{said} {_clock(from_datetime(row['opens_at']), zone)}"
    return said


def _why(row: Record, state: str, reasons: list[str], words: Words, zone: str) -> str:
    if state in ("sent", "delivered"):
        parts = words.t("relatives.parts", n=row["parts"]) if row["parts"] else ""
        return " · ".join(filter(None, (parts, cost_of(row, words))))
    if state == "due":
        return words.t("relatives.window", time=_clock(from_datetime(row["opens_at"]), zone))
    said = [_reason(reason, words) for reason in reasons]
    if row["called_at"]:
        said.append(words.t("relatives.called", time=_clock(from_datetime(row["called_at"]), zone)))
    if state == "held" and row["escalated_at"]:
        said.append(words.t("relatives.escalated"))
    return "; ".join(said)


def _initials(row: Row) -> str:
    names = (row["name"] or "").split()
    return " ".join(f"{name[:1].upper()}." for name in names[:2])


def _ended(reason: str, words: Words) -> str:
    return words.t("relatives.stay_ended", why=_reason(reason, words))


def _reason(code: str, words: Words) -> str:
    if code in NUMBER_TROUBLE:
        return words.t("relatives.why.number")
    key = f"relatives.why.{code}"
    return words.t(key) if words.has(key) else words.t("relatives.why.other", code=code)


def _relation(relation: str, words: Words) -> str:
    key = f"relatives.relation.{relation}"
    return words.t(key) if words.has(key) else relation


def _source(one: Mapping[str, Any], words: Words, zone: str) -> str:
    how = words.t(f"relatives.how.{one['how']}")
    at = one.get("at")
    return f"{how}, {_clock(at, zone)}" if at else how


def _course(course: Mapping[str, Any], words: Words) -> str:
    if not course:
        return words.t("relatives.no_course")
    delta = course.get("delta_sofa")
    parts = []
    if delta is not None:
        parts.append(words.t("relatives.sofa", delta=f"{delta:+.0f}".replace("-", "−")))
    parts += [
        words.t("relatives.lacks", what=clinical_words(str(name), words.language))
        for name in course.get("missing") or ()
    ]
    for reason in course.get("reasons") or ():
        parts.append(clinical_words(str(reason["code"]), words.language))
    return "; ".join(parts) or words.t("relatives.no_course")


def _consent(row: Row, words: Words, zone: str) -> str:
    basis = words.t(f"relatives.basis.{row['basis']}")
    until = row["until"]
    ends = (
        words.t("relatives.until_day", day=day_clock(from_datetime(until), zone))
        if until
        else words.t("relatives.until_leaving")
    )
    return f"{basis}, {day_clock(from_datetime(row['enabled_at']), zone)}, {ends}"


def _number(row: Row, words: Words, zone: str) -> str:
    if row["verified_at"] is None:
        return words.t("relatives.unverified")
    at = day_clock(from_datetime(row["verified_at"]), zone)
    return words.t(f"relatives.verified.{row['verified_how']}", at=at)


def _clock(at_us: int, zone: str) -> str:
    return f"{to_datetime(at_us).astimezone(ZoneInfo(zone)):%H:%M}"
