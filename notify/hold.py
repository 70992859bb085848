"""Why a message must wait for a person: one pure function from what is known to reasons.

Asked when a message is planned and confirmed, and again inside the transaction that claims it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hospital_ops.clinical.dynamics import NEGATIVE
from hospital_ops.clock import SECOND
from notify.rules import (
    POSITION_AGE_MAX_S,
    SEVERITY_AGE_MAX_S,
    TEXT_AGE_MAX_S,
    WORSENING_HOLD_S,
)

# The order is that of the page: the first is what the row says, with `call` a person phones.
CALL: Final = frozenset({"red_alarm", "worsening", "negative", "no_mobile", "asked_for_call"})
REASONS: Final = (
    "stopped",
    "patient_hold",
    "red_alarm",
    "worsening",
    "negative",
    "treatment_limited",
    "no_mobile",
    "asked_for_call",
    "stale",
    "no_figures",
    "forbidden_word",
    "no_severity",
    "refiled",
    "too_old",
    "template_changed",
    "too_many",
    "unconfirmed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one message's patient at one moment; microseconds UTC, None: never."""

    now: int
    red_alarm: bool = False  # a high alarm is active, taken on, or latched
    worse_at: int | None = None  # the last moment a high alarm, or its signals, went on
    position_at: int | None = None  # up to when alarms are in the archive
    stopped: bool = False  # emergency stop of the unit or the hospital
    patient_hold: bool = False  # a physician holds this patient's messages
    treatment_limited: bool = False
    confirmed: bool = False  # a physician confirmed this day's message
    automatic: bool = False  # the physician switched automatic sending on for the patient
    dynamics: str = ""
    severity: str = ""
    severity_at: int | None = None
    figures: int = 1  # how many figures the text carries
    forbidden: bool = False
    refiled: bool = False  # values were filed anew or corrected since the text was composed
    composed_at: int | None = None  # of when its figures are
    released: bool = False  # a person has phoned and let the message go nevertheless


def why(facts: Facts) -> tuple[str, ...]:
    """The reasons to hold, most important first; empty: it may go.

    What a person released no longer waits for `negative`, `worsening` and what the physician
    chose; a red alarm, a stop, an archive that lags and a word on the condition that is missing or
    old hold always.
    """
    held = set(_always(facts))
    if not facts.released:
        held |= _unless_released(facts)
    if facts.forbidden:
        held.add("forbidden_word")
    if facts.refiled:
        held.add("refiled")
    if not _recent(facts.severity_at if facts.severity else None, facts.now, SEVERITY_AGE_MAX_S):
        held.add("no_severity")
    if facts.composed_at is not None and not _recent(facts.composed_at, facts.now, TEXT_AGE_MAX_S):
        held.add("too_old")
    if not (facts.confirmed or facts.automatic):
        held.add("unconfirmed")
    return tuple(reason for reason in REASONS if reason in held)


def why_not_admission(facts: Facts) -> tuple[str, ...]:
    """The reasons to hold word of an admission: those that need no figure and no course."""
    held = set(_always(facts))
    return tuple(reason for reason in REASONS if reason in held)


def _always(facts: Facts) -> Iterator[str]:
    """What holds a message whoever let it go."""
    if facts.stopped:
        yield "stopped"
    if facts.patient_hold:
        yield "patient_hold"
    if facts.red_alarm:
        yield "red_alarm"
    if facts.position_at is None or facts.now - facts.position_at > POSITION_AGE_MAX_S * SECOND:
        yield "stale"


def _unless_released(facts: Facts) -> set[str]:
    held = set[str]()
    worse = facts.worse_at
    if worse is not None and facts.now - worse < WORSENING_HOLD_S * SECOND:
        held.add("worsening")
    if facts.dynamics == NEGATIVE:
        held.add("negative")
    if facts.treatment_limited:
        held.add("treatment_limited")
    if not facts.figures:
        held.add("no_figures")
    return held


def _recent(at: int | None, now: int, age_s: int) -> bool:
    return at is not None and now - at <= age_s * SECOND
