"""What the live reader remembers of an intensive care unit, bed by bed."""

from __future__ import annotations

from hospital_ops.bindings import History, Numbers
from hospital_ops.board import CallCell, DeviceLimits, NextOrder, PatientCell, QuietCell, Shown
from hospital_ops.sender_clocks import Clocks
from hospital_ops.wire import (
    AlarmSite,
    BedWaits,
    Coming,
    Form,
    Kin,
    LimitSet,
    OnDuty,
    SilencingSet,
    State,
    StayEntered,
    Verdict,
    Witness,
    field,
)
from icu.bedside_orders import BedsideOrder
from icu.record import Record


class Pending(Form, frozen=True):
    """A condition that holds and waits for its delay."""

    since: int  # event time of the first value beyond the limit
    until: int  # from here on nobody knows whether it still holds; 0: no end


class Alarm(State):
    """One alarm condition with all that its signals need (the first fields as in AlarmCell)."""

    id: str
    priority: str
    code: str  # the rule
    text: str
    state: str  # icu/states.py
    since: int
    about: str = ""
    key: str = ""  # its name on the bed: one condition, one alarm
    latching: bool = False
    technical: bool = False
    patient_id: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    sign: str = ""
    good_until: int = 0  # from here on nobody knows whether it still holds; 0: no end
    step: float = 0.0  # so much worse rings again; 0: never
    step_from: float | None = None  # the value at the acknowledgement
    reminder_us: int = 0
    remind_at: int = 0
    reminded_at: int = 0
    paused_until: int = 0
    burst_at: int = 0
    acknowledged_at: int = 0
    acknowledged_by: str = ""
    device: str = ""
    rang_at: int = 0  # since when nobody has taken it on
    painted_at: int = 0  # a board has confirmed that it shows it
    verdict: Verdict | None = None  # of the cross-check
    called: tuple[CallCell, ...] = ()
    steps: int = 0  # how many steps of its calls have been taken
    hurried: bool = False  # one step was taken early, for no board had shown it
    hushed: bool = False  # the bedside has taken its sound away, and has not given it back
    limit_by: str = ""  # who approved the limit or delay, where a site has set it
    delay_s: float | None = None  # the delay, where a site has set limit or delay


class Over(Form, frozen=True):
    """An alarm of a device that has ended: how a late start of it is known."""

    at: int  # by the device's clock, corrected
    seen_at: int  # by ours
    since: int = 0  # when it had begun; 0: nobody had heard of it


class Noted(State):
    """An alarm that the cross-check keeps from beginning (`silencing.py`)."""

    alarm: Alarm
    until: int  # from here on it rings whatever the others say


class Support(Form, frozen=True):
    """What supports the circulation of a patient, as somebody has said."""

    words: tuple[str, ...]  # of `never_cross_check_when`; empty: none of them
    by: str
    at: int
    patient_id: str


class RhythmSeen(Form, frozen=True):
    """What the analysis of the bed's ECG last said (`rhythm.py`)."""

    at: int = 0  # up to this moment
    seen_at: int = 0  # when it was said
    leads_off: bool = False
    heart_rate: float | None = None
    witnesses: tuple[Witness, ...] = ()


class Closed(Form, frozen=True):
    """Of whom, and of which devices, the closing after a death is (`closed.py`)."""

    numbers: tuple[str, ...] = ()  # of the dead
    senders: tuple[str, ...] = ()  # that watched pulse and breath


class BedState(State):
    """One bed: who lies there, the newest value of each code, and what is wrong."""

    bed: str
    label: str
    history: History = ()
    people: dict[str, PatientCell] = field(default_factory=dict)  # by patient id
    values: dict[str, Shown] = field(default_factory=dict)
    times: dict[str, tuple[int, ...]] = field(default_factory=dict)  # last event times by code
    alarms: dict[str, Alarm] = field(default_factory=dict)  # by key
    next_change: int = 0  # when something turns, rings or ends by itself; 0: nothing is waiting
    aged_at: int = 0  # when a value last turned stale or was withdrawn
    device: str = ""
    mode: str = "Real"
    claimed_other_at: int = 0  # a message named another patient than the one bound here
    pending: dict[str, Pending] = field(default_factory=dict)  # limits waiting for their delay
    onsets: dict[str, int] = field(default_factory=dict)  # technical conditions: since when
    heard_at: int = 0  # last message with values
    clocks: Clocks = field(default_factory=dict)  # by sender (`clocks.py`)
    senders: dict[str, str] = field(default_factory=dict)  # code and channel -> who sent it last
    clash_at: int = 0  # when two senders of one channel were last seen
    past: dict[str, int] = field(default_factory=dict)  # minute of the last past event by key
    over: dict[str, Over] = field(default_factory=dict)  # alarms of devices that have ended
    orders: dict[str, BedsideOrder] = field(default_factory=dict)  # open ones, by id
    order_counts: dict[str, int] = field(default_factory=dict)
    order_change: int = 0  # when one becomes due or overdue; 0: nothing is waiting
    rhythm: RhythmSeen = field(default_factory=RhythmSeen)
    quiets: dict[str, QuietCell] = field(default_factory=dict)  # by kind
    displaced: str = ""  # who lay here, and has no bed, when somebody else was admitted
    reconciled_at: int = 0  # when what rings was last held against the values
    record: Record = field(default_factory=Record)  # what the indicators are made of
    claimed_other: str = ""  # the number that it named; "-": none, but the mode of a demo device
    confirmed_claim: str = ""  # somebody has looked since: this claim does not ask again
    closed: Closed = field(default_factory=Closed)  # while it is closed
    device_limits: dict[str, DeviceLimits] = field(default_factory=dict)  # by code
    noted: dict[str, Noted] = field(default_factory=dict)  # by the key that the alarm would have
    support: Support | None = None  # None: nobody has said
    next_order: NextOrder | None = None  # counted with the others
    probes: dict[str, dict[str, Shown]] = field(default_factory=dict)  # by code and sensor
    taken_back: dict[str, int] = field(default_factory=dict)  # results that hold no longer: when
    withdrawn: dict[str, int] = field(default_factory=dict)  # deleted or wrong: when that was told


class Gone(Form, frozen=True):
    """Somebody who left for another unit: what still comes for them here goes there."""

    entered: StayEntered  # as that unit was told, without what was carried
    alarms: tuple[str, ...] = ()  # ids of those that went along


class Left(Form, frozen=True):
    """What is kept of somebody who left the unit, should that be taken back (`left.py`)."""

    at: int
    bed: str
    known: bytes  # `left.Known`


class UnitState(State):
    """The unit: its beds, the last probe, and what was counted."""

    unit: str
    hospital: str
    beds: dict[str, BedState] = field(default_factory=dict)
    probe_at: int = 0
    now: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    timeless: dict[bytes, int] = field(default_factory=dict)  # identity to first receipt
    told_at: int = 0  # of the last alarm event: they never share a moment
    duty: dict[str, OnDuty] = field(default_factory=dict)  # by person
    site: AlarmSite | None = None
    memory: float = 0.0  # share of the stream memory in use
    house: BedState = field(default_factory=lambda: BedState(bed="", label=""))  # of no bed
    limits: dict[str, LimitSet] = field(default_factory=dict)  # set by the site, by name_of
    silencing: dict[str, SilencingSet] = field(default_factory=dict)  # by rule
    coming: dict[str, Coming] = field(default_factory=dict)  # transfers on their way, by id
    kin: dict[str, dict[str, Kin]] = field(default_factory=dict)  # by person and link
    gone: dict[str, Gone] = field(default_factory=dict)  # to another unit, by patient id
    entered: dict[str, int] = field(default_factory=dict)  # acts that brought somebody: when
    waits: dict[str, BedWaits] = field(default_factory=dict)  # in the archive, by bed
    left: dict[str, Left] = field(default_factory=dict)  # by patient id, oldest first
    numbers: Numbers = field(default_factory=dict)  # that turned out to be one person's

    def count(self, what: str) -> None:
        """One more of what the head of the board tells."""
        self.counts[what] = self.counts.get(what, 0) + 1
