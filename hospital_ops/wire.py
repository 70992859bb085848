"""The messages of the house as they stand in the streams: compact arrays, tagged, versioned.

A reader of version N understands N-1 (missing trailing fields take their default) and N+1
(unknown trailing fields are passed over; the archive keeps the bytes): new fields go to the end
and have a default. All times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

VERSION = 1


class Form(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of every message part: an array on the wire, immutable in memory."""


class State(msgspec.Struct, array_like=True):
    """Base of what a live reader keeps in memory and writes into its snapshot: mutable."""


class Observation(Form, frozen=True):
    """One value of a device message (IEEE 11073-10207 NumericMetric), as its sender gave it."""

    code: str  # LOINC; the sender's own code where none is known (then `text` names it)
    value: float | str | None  # in `unit`; None: sensor attached, no reading
    unit: str = ""  # UCUM; as sent where unknown
    determined_at: int | None = None  # device clock; None: the device gave no time
    validity: str = "Vld"  # Vld, Qst, Inv
    channel: str = ""  # containment (OBX-4) or probe; two channels never overwrite each other
    event_id: str = ""  # UUID of native senders; derived from the message otherwise
    origin: str = "monitor"  # monitor, typed, setting, laboratory
    text: str = ""  # the sender's own name of an unmapped code
    flag: str = ""  # abnormal flag of the sender: H, L, HH ...
    reason: str = ""  # why it is not to be trusted, in words
    mapped: bool = True  # `code` is one of clinical/codes.json


class Observed(Form, frozen=True, tag="obs"):
    """A message with values of one bed, or of one pre-arrival case."""

    unit: str
    source: str  # who sent it: a named MLLP source or a device id
    message_id: str  # MSH-10 or the batch's id
    identity: bytes  # sha256 of the message; empty for native events (each has its own id)
    received_at: int
    mode: str  # Real, Test, Demo
    observations: tuple[Observation, ...]
    bed: str = ""
    device: str = ""
    mrn: str = ""  # PID-3 as sent; empty: follow the binding
    case: str = ""  # pre-arrival case
    sent_at: int | None = None  # MSH-7 or the tablet's clock at sending


class Waved(Form, frozen=True, tag="wav"):
    """A piece of one waveform: little-endian int16 samples, value = sample * scale + offset."""

    unit: str
    source: str
    message_id: str
    identity: bytes
    received_at: int
    mode: str
    code: str  # MDC or lead name
    channel: str
    started_at: int
    rate_hz: float
    scale: float
    offset: float
    physical_unit: str
    samples: bytes
    bed: str = ""
    device: str = ""
    case: str = ""
    sequence: int = 0


class PatientFacts(Form, frozen=True):
    """What a registration says about a person; empty where it is not said."""

    mrn: str
    family: str = ""
    given: str = ""
    sex: str = "unknown"  # F, M, unknown
    birth_date: str = ""  # YYYY-MM-DD
    age_years: float | None = None  # as somebody said, where no birth date is known


class Admission(Form, frozen=True, tag="adt"):
    """An ADT event: who lies where from when (A01 admit, A02 transfer, A03 discharge)."""

    unit: str
    source: str
    message_id: str
    identity: bytes
    received_at: int
    mode: str
    trigger: str  # A01, A02, A03 ...
    patient: PatientFacts
    event_at: int
    bed: str = ""
    prior_bed: str = ""
    visit: str = ""  # PV1-19
    case: str = ""  # the pre-arrival case that became this stay
    merged: tuple[str, ...] = ()  # A40: the numbers that become `patient.mrn`


class CaseFacts(Form, frozen=True, tag="case"):
    """What the crew says about a pre-arrival case; a later message replaces the earlier."""

    unit: str  # destination
    case: str
    source: str
    message_id: str
    received_at: int
    mode: str
    facts: dict[str, Any]  # as `PUT /api/v1/prearrivals/{uuid}`
    warnings: tuple[str, ...] = ()


class CaseStep(Form, frozen=True, tag="step"):
    """The way of a case: acknowledgement, arrival, handover, cancellation."""

    unit: str
    case: str
    step: str
    at: int
    by: str
    source: str
    received_at: int
    mode: str
    note: str = ""


class Decided(Form, frozen=True, tag="dec"):
    """A physician's triage decision, committed in PostgreSQL, appended by the relay."""

    unit: str
    case: str
    version: int
    colour: str
    by: str
    at: int
    reason: str
    destination: str
    care: tuple[str, ...]  # a repeat does nothing: a version counts once


class Tick(Form, frozen=True, tag="tick"):
    """A second of the unit's own time, so that timers replay exactly."""

    at: int


class Kept(Form, frozen=True, tag="kept"):
    """Something received that could not be used: kept with its bytes, counted, shown."""

    unit: str
    source: str
    received_at: int
    code: str  # stable: unknown_bed, unknown_trigger, malformed ...
    reason: str
    message_id: str = ""
    bed: str = ""


class Audited(Form, frozen=True, tag="aud"):
    """A read or an act for the audit chain, carried by the store reader (SAFETY I15)."""

    unit: str
    at: int
    actor: str
    role: str
    action: str
    subject: str  # ids only, never a name
    detail: str = ""


class Alerted(Form, frozen=True, tag="alm"):
    """An alarm condition as it changed state; ids are derived, so a repeat does nothing."""

    unit: str
    alarm: str
    bed: str
    patient_id: str
    rule: str
    priority: str
    state: str  # active, acknowledged, latched, inactive; past: late data, rang nowhere
    at: int
    since: int
    text: str
    value: float | None = None
    mode: str = "Real"
    about: str = ""  # code of the value
    limit: float | None = None
    by: str = ""  # who acknowledged


class Assessed(Form, frozen=True, tag="tri"):
    """A triage proposal that differs from the one before, with the inputs it was made of."""

    unit: str
    case: str
    at: int
    proposed: str
    chart: str
    urgency: float
    inputs: dict[str, Any]
    result: dict[str, Any]
    mode: str


class Changed(Form, frozen=True, tag="chg"):
    """What changed on the unit's board in revision `rev`: encoded cells by bed or case."""

    rev: int
    at: int
    cells: dict[str, bytes]
    removed: tuple[str, ...] = ()


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


class OrderChanged(Form, frozen=True, tag="ord"):
    """A native order as it stands after an act, committed in PostgreSQL, told by the relay."""

    unit: str
    order: str
    version: int  # what is not newer than what is known changes nothing
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


class EcgLead(Form, frozen=True):
    """One lead of a resting ECG: little-endian int16, value in mV = sample * scale + offset."""

    name: str
    scale: float
    offset: float
    samples: bytes


class EcgReceived(Form, frozen=True, tag="ecg"):
    """A 12-lead ECG of a pre-arrival case: its parts are coming, it is whole, or it was refused."""

    unit: str
    case: str
    ecg: str  # UUID of the sender; the same from the first part to the last
    source: str
    message_id: str
    identity: bytes
    received_at: int
    mode: str
    stage: str  # receiving, stored, refused
    at: int  # when it was taken; of receipt where nobody says
    rate_hz: float = 0.0
    leads: tuple[EcgLead, ...] = ()
    device: str = ""
    source_format: str = ""
    notes: tuple[str, ...] = ()
    sha256: str = ""  # of the file as sent
    preview: tuple[int, ...] = ()  # 2.5 s of lead II, 100 Hz, hundredths of a mV
    findings: tuple[str, ...] = ()  # codes of the analysis; a physician decides
    reason: str = ""  # why it was refused, in words
    total_bytes: int = 0
    reading: dict[str, Any] = msgspec.field(default_factory=dict)  # of the computer, whole


Entry = (
    Observed
    | Waved
    | Admission
    | CaseFacts
    | CaseStep
    | Decided
    | Tick
    | Kept
    | Audited
    | Alerted
    | Assessed
    | Changed
    | DeviceAlert
    | OrderChanged
    | AlarmAct
    | EcgReceived
)

T = TypeVar("T")


def decoder(form: type[T]) -> Callable[[bytes], T]:
    """The function that reads one `form` (a Form or State) from its encoded bytes."""
    return msgspec.msgpack.Decoder(form).decode


_encoder = msgspec.msgpack.Encoder()
_entry_decoder = msgspec.msgpack.Decoder(Entry)
_json_encoder = msgspec.json.Encoder()

DecodeError = msgspec.DecodeError  # also raised when a field has the wrong type
encode = _encoder.encode
decode = _entry_decoder.decode
to_json = _json_encoder.encode
from_json = msgspec.json.decode
field = msgspec.field
