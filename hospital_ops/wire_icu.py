"""The entries of intensive care: alarms, what devices alarm, what people do, orders."""

from __future__ import annotations

from typing import Any

from hospital_ops.wire_forms import Form, field
from hospital_ops.wire_signals import Verdict


class Alerted(Form, frozen=True, tag="alm"):
    """An alarm condition as it changed state; ids are derived, so a repeat does nothing."""

    unit: str
    alarm: str
    bed: str
    patient_id: str
    rule: str
    priority: str
    # active, acknowledged, latched, inactive; past: late data, rang nowhere; moved: in another unit
    state: str
    at: int
    since: int
    text: str
    value: float | None = None
    mode: str = "Real"
    about: str = ""  # code of the value
    limit: float | None = None
    by: str = ""  # who acknowledged
    verdict: Verdict | None = None  # of the other signals (shadow)


class DeviceAlert(Form, frozen=True, tag="dal"):
    """An alarm of a device as it told it (IHE PCD-04, ORU^R40): shown, never our own alarm."""

    unit: str
    source: str
    message_id: str
    identity: bytes
    received_at: int
    mode: str
    alert: str  # the device's id of the condition: the same from start to end
    event: str  # MDC number or the sender's code
    name: str  # reference id, for example MDC_EVT_LO
    text: str
    phase: str  # start, continue, update, escalate, deescalate, end ...
    state: str  # active, inactive, latched
    priority: str  # PH, PM, PL, PI, PN
    kind: str  # SP physiological, ST technical, SA advisory
    inactivation: tuple[str, ...] = ()  # enabled, audio-paused, alarm-paused ...
    about: str = ""  # public code of the value it is about, or the MDC number of the source
    value: float | None = None
    value_unit: str = ""
    at: int | None = None
    bed: str = ""
    device: str = ""
    mrn: str = ""
    note: str = ""  # advisory text (MDC_ATTR_ALERT_TEXT)
    limits: tuple[float | None, float | None] | None = None  # of the device: low, high


class OrderChanged(Form, frozen=True, tag="ord"):
    """An order as it stands now: a native one after an act, told by the relay; or one of the
    hospital's own system, as that said (decision 0054)."""

    unit: str
    order: str
    # What is not newer than what is known changes nothing. Of a hospital's order: its event time.
    version: int
    bed: str
    patient_id: str
    kind: str
    text: str
    request: str  # FHIR ServiceRequest: active, on-hold, completed, revoked, entered-in-error
    task: str  # FHIR Task: requested, accepted, in-progress, completed, rejected
    due_at: int  # 0: no time was set
    by: str
    at: int
    mode: str
    priority: str = "routine"  # routine, urgent, stat
    occurrence: int = 1  # of a recurring order
    target: dict[str, Any] = field(default_factory=dict)  # parameter, low, high, unit
    owner: str = "native"  # hospital: of the hospital's own system, which alone changes it
    act: str = ""  # what led here
    carried_from: str = ""  # unit; a physician of this one has not looked at it yet
    # Of a hospital's order: who said so, its numbers there (ORC-2 and ORC-3, number^namespace), and
    # its status in that system's own words (ORC-1 ORC-5), which is never taken for ours.
    source: str = ""
    placer: str = ""
    filler: str = ""
    said: str = ""
    message_id: str = ""
    identity: bytes = b""
    received_at: int = 0
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them


class AlarmAct(Form, frozen=True, tag="act"):
    """What somebody did to an alarm; goes in by the stream, so it works without PostgreSQL."""

    unit: str
    bed: str
    alarm: str
    act: str  # acknowledge, pause
    at: int
    by: str
    role: str
    source: str
    received_at: int
    mode: str
    seconds: int = 0  # of a pause; 0: the house's usual one
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them
    seen: int = 0  # when what was seen had begun to sound; 0: whoever asks does not say


class BedAct(Form, frozen=True, tag="bact"):
    """What somebody decided for the alarms of a whole bed; goes in by the stream."""

    unit: str
    bed: str
    act: str  # standby, comfort, confirm_comfort, close, resume, confirm_patient, support
    at: int
    by: str
    role: str
    source: str
    received_at: int
    mode: str
    reason: str = ""  # of a stand-by
    minutes: int = 0  # of a stand-by; 0: the longest
    patient_id: str = ""  # for whom it was decided: nothing where another one lies by now
    support: tuple[str, ...] = ()  # of `support`: iabp, ecmo, lvad, pacing, compressions; or none


class CareAgreed(Form, frozen=True, tag="care"):
    """What two people have agreed on for a patient, as it holds now; told by the relay."""

    unit: str
    patient_id: str
    agreed: tuple[str, ...]  # treatment_limits, comfort_care
    by: str
    at: int
    mode: str
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them
    limits: tuple[str, ...] = ()  # no_cpr, no_intubation ...: which hold


class BedWaits(Form, frozen=True, tag="wts"):
    """What of the archive waits at a bed for somebody to decide or to come; told by the relay."""

    unit: str
    bed: str
    at: int  # what is not newer than what is known changes nothing
    refilings: int = 0  # proposed by a late ADT, and nobody has decided
    left_behind: int = 0  # records of its patient that could not come along from another unit yet


class Flagged(Form, frozen=True, tag="flag"):
    """What everybody at a patient's bed has to know, as it holds now; told by the relay."""

    unit: str
    patient_id: str
    version: int  # acts counted so far: what knows of fewer changes nothing
    isolation: tuple[str, ...]  # contact, droplet, airborne, protective
    allergy: bool  # something is recorded
    by: str
    at: int
    mode: str
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them


class Coming(Form, frozen=True, tag="cmg"):
    """Somebody is expected in the unit: a transfer that was accepted, as it stands now."""

    unit: str
    transfer: str
    version: int  # what is not newer than what is known changes nothing
    state: str  # accepted, left; any other: nobody is expected any more
    words: str  # from where, sex and age: no name, for it stands on a wall
    bed: str  # kept for the patient; empty: none yet
    eta: int  # 0: not said
    at: int
    mode: str


class Kin(Form, frozen=True, tag="kin"):
    """A child and its mother, or the end of that; told to every unit by the relay."""

    unit: str
    kin: str  # id of the link: a repeat does nothing
    child_id: str
    child_mrn: str
    mother_id: str
    mother_mrn: str
    ended: bool
    by: str
    at: int
    mode: str


class Painted(Form, frozen=True, tag="pnt"):
    """Red alarms that a board of the unit has confirmed as painted (SAFETY rule 11)."""

    unit: str
    alarms: tuple[str, ...]
    at: int


class OnDuty(Form, frozen=True, tag="duty"):
    """Who is on duty as what, as it stands after a sign-on; committed in PostgreSQL, relayed."""

    unit: str
    who: str  # the account's name
    version: int  # what is not newer than what is known changes nothing
    post: str  # nurse, charge, physician
    beds: tuple[str, ...]  # a nurse's own
    second: tuple[str, ...]  # beds where this nurse is the second to be called
    since: int
    until: int  # it ends by itself; not after `since`: signed off


class AlarmSite(Form, frozen=True, tag="site"):
    """What a unit has set for its alarms, within the table's range; told by the relay."""

    unit: str
    version: int
    reminder_s: int  # of an acknowledged red that lasts
    physician_s: int  # until the physician is called, where it is not lethal
    by: str
    at: int


class LimitSet(Form, frozen=True, tag="lim"):
    """A limit or delay as a site has it now; committed in PostgreSQL, told by the relay."""

    unit: str
    rule: str
    code: str
    band: str  # of the ages; empty: a patient's own
    version: int  # what is not newer than what is known changes nothing
    limit: float | None  # None: as it stands without this change
    delay_s: float | None
    by: str  # who approved it
    at: int
    patient_id: str = ""  # empty: of the whole unit
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them


class SilencingSet(Form, frozen=True, tag="sil"):
    """Whether the cross-check may keep a rule's false alarms silent; told by the relay."""

    unit: str
    rule: str
    version: int  # what is not newer than what is known changes nothing
    enabled: bool
    by: str
    at: int


class Called(Form, frozen=True, tag="called"):
    """Somebody was called for an alarm, or has read the call."""

    unit: str
    alarm: str
    bed: str
    post: str  # nurse, second, physician, charge; unit: nobody is on duty, every board
    who: str
    at: int
    read_at: int = 0
    mode: str = "Real"
