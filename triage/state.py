"""What the live reader remembers of an emergency department: its pre-arrival cases."""

from __future__ import annotations

from typing import Any

from hospital_ops.board import DecisionCell, Shown
from hospital_ops.board_ed import PlaceCell, RingCell
from hospital_ops.wire import EdSettings, Form, State, field


class Recent(Form, frozen=True):
    """A value under the id its sender gave it, so that it can be moved or withdrawn."""

    event: str
    shown: Shown


class CaseState(State):
    """One case from the street: facts of the crew, newest values, proposal, decision."""

    case: str
    facts: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Shown] = field(default_factory=dict)
    triage: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    decision: DecisionCell | None = None
    acknowledgements: tuple[dict[str, Any], ...] = ()
    ecgs: tuple[dict[str, Any], ...] = ()
    step: str = "coming"
    ended_at: int = 0  # handed over or cancelled; 0: still with us
    opened_at: int = 0
    changed_at: int = 0
    eta: int | None = None
    mode: str = "Real"
    warnings: tuple[str, ...] = ()
    known: tuple[str, ...] = ()  # reasons that have rung since the decision, or stood before it
    reopened_at: int = 0  # 0: the decision stands
    reopened_for: tuple[str, ...] = ()
    recent: dict[str, tuple[Recent, ...]] = field(default_factory=dict)  # newest last
    items: tuple[dict[str, Any], ...] = ()
    gone: dict[str, str] = field(default_factory=dict)  # moved whereto; "": withdrawn
    seen: dict[str, Any] | None = None
    joined: tuple[str, ...] = ()
    arrived_at: int = 0
    taken_over_at: int = 0
    taken_over_by: str = ""
    untaken: bool = False
    call: RingCell | None = None
    readiness: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: tuple[PlaceCell, ...] = ()
    messages: tuple[dict[str, Any], ...] = ()
    view: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, bool] = field(default_factory=dict)
    signed: dict[str, Any] = field(default_factory=dict)
    ended_for: str = ""
    rerouted: dict[str, Any] = field(default_factory=dict)  # to or from where, by whom, why
    arrivals: dict[str, str] = field(default_factory=dict)  # crew, position, department: when
    eta_range: tuple[int, int] | None = None  # of an estimate from positions
    track: tuple[tuple[int, float, float], ...] = ()  # positions: moment, degrees; newest last
    decided_before: int = 0  # decisions of a department that the case came from
    # Red reasons that somebody took notice of, and since when each holds no more (0: it holds);
    # None: a snapshot of before there were notices.
    noticed: dict[str, int] | None = None
    lapsed: RingCell | None = None  # the last call, where it ended because the colour fell
    rang_for: tuple[str, ...] = ()  # the reasons of the call, or of the one that lapsed
    not_shown: dict[str, int] = field(default_factory=dict)  # values, by why (triage/observing.py)


class CallRecord(State):
    """A call of the last day: when it began, and whether the team was used for it."""

    at: int
    case: str
    used: bool = False


class UnitState(State):
    """The emergency department: its cases, the last probe, and what was counted."""

    unit: str
    cases: dict[str, CaseState] = field(default_factory=dict)
    probe_at: int = 0
    now: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)  # a case and the one it was found to be
    gone: dict[str, int] = field(default_factory=dict)  # ended and off the board, oldest first
    calls: list[CallRecord] = field(default_factory=list)
    ring: tuple[str, ...] = ("alert", "advice", "information", "")
    settings: int = 0
    site: EdSettings | None = None  # as it was set last
