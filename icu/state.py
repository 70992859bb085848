"""What the live reader remembers of an intensive care unit, bed by bed."""

from __future__ import annotations

from hospital_ops.bindings import History
from hospital_ops.board import AlarmCell, PatientCell, Shown
from hospital_ops.wire import State, field


class BedState(State):
    """One bed: who lies there, the newest value of each code, and what is wrong."""

    bed: str
    label: str
    history: History = ()
    people: dict[str, PatientCell] = field(default_factory=dict)  # by patient id
    values: dict[str, Shown] = field(default_factory=dict)
    times: dict[str, tuple[int, ...]] = field(default_factory=dict)  # last event times by code
    alarms: dict[str, AlarmCell] = field(default_factory=dict)  # by alarm id
    next_change: int = 0  # when a value turns stale or is withdrawn; 0: nothing is waiting
    aged_at: int = 0  # when one last did
    device: str = ""
    mode: str = "Real"
    claimed_other_at: int = 0  # a message named another patient than the one bound here


class UnitState(State):
    """The unit: its beds, the last probe, and what was counted."""

    unit: str
    hospital: str
    beds: dict[str, BedState] = field(default_factory=dict)
    probe_at: int = 0
    now: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    timeless: dict[bytes, int] = field(default_factory=dict)  # identity to first receipt
