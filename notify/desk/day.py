"""One patient's message as it would go now: proposal, text and sources by language. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from hospital_ops.clinical.dynamics import NEGATIVE, NOT_ASSESSED, POSITIVE, UNCHANGED
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from notify import condition, dynamics, figures, text
from notify.figures import Reading
from notify.patients.store import Stay
from notify.rules import RULES, Hours, languages, own_words
from notify.text import Composed, Day

_MOMENT_DIGITS: Final = 18
DYNAMICS = (POSITIVE, UNCHANGED, NEGATIVE, NOT_ASSESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the machine proposes for a patient's day; a physician confirms or overrides."""

    day: Day
    course: dict[str, Any]  # the answer of the dynamics rule


def propose(whose: Stay, readings: Sequence[Reading], hours: Hours, now: int) -> Proposal:
    """The day of a patient at `now` from the readings of the archive."""
    fit = figures.usable(readings, whose.mode, now)
    course = dynamics.assess(fit, now, whose.admitted_at, treatment_limited=whose.treatment_limited)
    day = Day(
        figures=figures.figures(readings, whose.mode, now),
        consciousness=condition.consciousness(fit, now),
        breathing=condition.breathing(fit, now),
        severity=whose.severity,
        dynamics=course["dynamics"],
        as_of=now,
        zone=whose.zone,
        sex=whose.sex,
        left_out=figures.left_out(readings, whose.mode, now),
        desk_phone=hours.desk_phone,
        desk_hours=hours.desk_hours,
    )
    return Proposal(day=day, course=course)


def write(
    proposal: Proposal,
    whose: Stay,
    language: str,
    *,
    severity: str = "",
    course: str = "",
    tells: str = "full",
    first: bool = False,
) -> Composed:
    """The text for one relative, with the physician's words where they differ from the proposal."""
    day = replace(
        proposal.day,
        severity=severity or proposal.day.severity,
        dynamics=course or proposal.day.dynamics,
        first=first,
        measured=tells == "full",
    )
    known = language if language in languages() else languages()[0]
    return text.compose(day, known, whose.name.split())


def mark(proposal: Proposal) -> str:
    """What a draft was, for the confirmation of it: its moment, and a digest of what it said.

    The digest is of the course, the words and which figures are told: a figure that moves a little
    within the minutes that a draft is good for makes no other message.
    """
    day = proposal.day
    said = (
        day.dynamics,
        day.consciousness.row,
        day.breathing.row,
        sorted(item for item, figure in day.figures.items() if figure.values),
    )
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    return f"{day.as_of}-{digest}"


def is_seen(proposal: Proposal, seen: str) -> bool:
    """Whether a draft that was marked `seen` says what the proposal says, and is not old."""
    at, _, digest = seen.partition("-")
    if not at.isdecimal() or len(at) > _MOMENT_DIGITS:
        return False
    age_us = proposal.day.as_of - int(at)
    fresh = abs(age_us) <= RULES["draft_age_max_min"] * 60 * SECOND
    return fresh and mark(proposal).partition("-")[2] == digest


def statements_json(composed: Composed) -> list[dict[str, Any]]:
    """Where each statement comes from, for the page and the proof."""
    return [
        {"item": one.item, "words": one.words, "how": one.how, "at": one.at}
        for one in composed.statements
    ]


def course_json(course: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a proposal beside the decision."""
    kept = ("dynamics", "delta_sofa", "organs_prev", "organs_today", "missing", "low_confidence")
    codes = [{"code": reason["code"]} for reason in course.get("reasons") or ()]
    return {name: course.get(name) for name in kept} | {"reasons": codes}


@cache
def template() -> str:
    """Changes whenever any wording changes: of the clinical table or of our own sentences."""
    words = [table("sms_values"), *(own_words(name) for name in languages())]
    content = json.dumps(words, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
