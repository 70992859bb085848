"""Why a message must wait for a person: one pure function from what is known to reasons.

Asked when a message is planned and confirmed, and again inside the transaction that claims it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hospital_ops.clinical.dynamics import NEGATIVE
from hospital_ops.clock import SECOND
from notify.rules import POSITION_AGE_MAX_S, SEVERITY_AGE_MAX_S, WORSENING_HOLD_S

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
    "template_changed",
    "too_many",
    "unconfirmed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one message's patient at one moment; microseconds UTC, None: never."""

    now: int
    red_alarm: bool = False  # a high alarm is active or a resuscitation is going on
    worse_at: int | None = None  # when a high alarm, or a worse triage colour, last began
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
    refiled: bool = False  # a late ADT has filed values anew since the text was made or confirmed
    released: bool = False  # a person has phoned and let the message go nevertheless


def why(facts: Facts) -> tuple[str, ...]:
    """The reasons to hold, most important first; empty: it may go.

    What a person released no longer waits for `negative`, `worsening` and what the physician
    chose; a red alarm, a stop and an archive that lags hold always.
    """
    held = set(_always(facts))
    if not facts.released:
        held |= _unless_released(facts)
    if facts.forbidden:
        held.add("forbidden_word")
    if facts.refiled:
        held.add("refiled")
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
    chosen = facts.severity_at
    if not facts.severity or chosen is None or facts.now - chosen > SEVERITY_AGE_MAX_S * SECOND:
        held.add("no_severity")
    return held
