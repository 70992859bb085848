"""The messages of the house as they stand in the streams: compact arrays, tagged, versioned.

What all of them have in common is in `wire_forms`; those of intensive care are in `wire_icu`, what
a crew did and a physician saw in `wire_case`, those of emergency departments in `wire_ed`, curves
in `wire_waves`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hospital_ops.wire_case import (
    AllergyTold,
    CaseEntered,
    CaseItem,
    CaseMoved,
    CaseSeen,
    Lowest,
)
from hospital_ops.wire_chart import Corrected, HourValidated
from hospital_ops.wire_ed import CaseNote, EdSettings, PlaceGiven, Rang, SheetSigned
from hospital_ops.wire_forms import (
    DecodeError,
    Form,
    State,
    decoder,
    decoder_of_any,
    encode,
    field,
    from_json,
    replaced,
    to_json,
)
from hospital_ops.wire_icu import (
    AlarmAct,
    AlarmSite,
    Alerted,
    BedAct,
    BedWaits,
    Called,
    CareAgreed,
    Coming,
    DeviceAlert,
    Flagged,
    Kin,
    LimitSet,
    OnDuty,
    OrderChanged,
    Painted,
    SilencingSet,
)
from hospital_ops.wire_signals import BeatShape, Reason, Rhythm, Verdict, Witness
from hospital_ops.wire_waves import Waved, WavePiece, WavesTogether, apart, together

__all__ = (  # what comes from elsewhere; all else is this module's own
    "AlarmAct", "AlarmSite", "Alerted", "AllergyTold", "BeatShape", "BedAct", "BedWaits",
    "Called", "CareAgreed",
    "CaseEntered", "CaseItem", "CaseMoved", "CaseNote", "CaseSeen", "Coming", "Corrected",
    "DecodeError", "DeviceAlert", "EdSettings", "Flagged", "Form", "HourValidated", "Kin",
    "LimitSet", "Lowest", "OnDuty", "OrderChanged", "Painted", "PlaceGiven", "Rang", "Reason",
    "Rhythm", "SheetSigned", "SilencingSet", "State", "Verdict", "WavePiece", "Waved",
    "WavesTogether", "Witness", "apart", "decoder", "encode", "field", "from_json", "replaced",
    "to_json", "together",
)  # fmt: skip

VERSION = 1
CHART = "chart"  # the `device` of what people type into the chart of a bed


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
    text: str = ""  # the sender's own name, of an unmapped code or of one that a codebook maps
    flag: str = ""  # abnormal flag of the sender: H, L, HH ...
    reason: str = ""  # why it is not to be trusted, in words
    mapped: bool = True  # `code` is one of clinical/codes.json
    limits: tuple[float | None, float | None] | None = (
        None  # the device's own: low, high, in `unit`
    )
    status: str = ""  # C, D, W (HL7 table 0085): what was told of this moment before does not hold
    sent: float | None = None  # of a vital in a unit that says nothing here: as sent, in `unit`


def content(observation: Observation) -> bytes:
    """An observation for its digest: as versions before `sent` wrote it where nothing is said
    there, so that what is sent again over an upgrade is the same."""
    encoded = encode(observation)
    return encoded if observation.sent is not None else b"\x9e" + encoded[1:-1]


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
    as_sent: tuple[bytes, ...] = ()  # `identity.content` of each event before a mapping; "": none
    elsewhere: bool = False  # a person has bound its device to another bed than it names


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
    lowest: tuple[Lowest, ...] = ()  # of the case, where it became this stay
    to_unit: str = ""  # of somebody who leaves for another unit of the house: where to
    to_bed: str = ""
    from_unit: str = ""  # of somebody who comes from another unit: whose bed `prior_bed` is
    allergies: tuple[AllergyTold, ...] = ()  # AL1
    weight: Lowest | None = None  # told before the hospital: the estimate until one is charted


class StayEntered(Form, frozen=True, tag="sen"):
    """A patient comes from another unit, with all that is known there; said again it adds nothing.

    The live reader of the unit that was left makes it; `carried` is read by `icu/carrying.py`.
    """

    unit: str
    came_from: str  # unit
    act: str  # what it is told by: the same move is the same act
    admission: Admission  # as this unit hears of it
    at: int  # when the patient left, as the former unit's stream had it
    mode: str
    carried: bytes
    passed_on: tuple[str, ...] = ()  # units that sent it after a patient who left them


class Merged(Form, frozen=True, tag="mrg"):
    """Two numbers are one person's (ADT A40): told to every unit, wherever the person lies."""

    unit: str
    source: str
    received_at: int
    mode: str
    mrn: str  # the number that goes on
    merged: tuple[str, ...]  # the numbers that became it
    at: int


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
    to: str = ""  # of a reroute: the unit that receives the patient instead; empty: outside
    where: str = ""  # its name, as the crew is told
    seen: tuple[str, ...] | None = None  # of an acknowledgement: as in Decided


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
    # Reasons with their colour (triage/reopening.py) that the page showed; None: all there were.
    seen: tuple[str, ...] | None = None


class Tick(Form, frozen=True, tag="tick"):
    """A second of the unit's own time, so that timers replay exactly."""

    at: int
    memory: float = 0.0  # share of the stream memory in use; 0: not asked


class Kept(Form, frozen=True, tag="kept"):
    """Something received that could not be used: kept with its bytes, counted, shown."""

    unit: str
    source: str
    received_at: int
    code: str  # stable: unknown_bed, unknown_trigger, malformed ...
    reason: str
    message_id: str = ""
    bed: str = ""
    identity: bytes = b""  # of its bytes: what comes again is kept once, and counted
    kind: str = ""  # hl7, care, events, curves: what can be tried again; empty: it cannot
    mode: str = ""  # of its sender; empty: as it is registered by then
    zone: str = ""  # of times without one, as its box said


class Audited(Form, frozen=True, tag="aud"):
    """A read or an act for the audit chain, carried by the store reader (SAFETY I15)."""

    unit: str
    at: int
    actor: str
    role: str
    action: str
    subject: str  # ids only, never a name
    detail: str = ""


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
    rules: str = ""  # the edition of the rules (triage/editions.py)


class Changed(Form, frozen=True, tag="chg"):
    """What changed on the unit's board in revision `rev`: encoded cells by bed or case.

    Now and then a revision holds the whole board, so that what was shown at a past second is found
    without walking from the beginning.
    """

    rev: int
    at: int
    cells: dict[str, bytes]
    removed: tuple[str, ...] = ()
    whole: bool = False
    others: dict[str, bytes] = field(default_factory=dict)  # of a whole: what stayed


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
    stage: str  # receiving, preview, coarse, stored, refused
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
    reading: dict[str, Any] = field(default_factory=dict)  # of the computer, whole


Entry = (
    Observed
    | Waved
    | WavesTogether
    | Admission
    | StayEntered
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
    | Corrected
    | HourValidated
    | BedAct
    | BedWaits
    | Painted
    | CareAgreed
    | Flagged
    | OnDuty
    | AlarmSite
    | LimitSet
    | SilencingSet
    | Called
    | EcgReceived
    | BeatShape
    | Rhythm
    | CaseEntered
    | CaseItem
    | CaseMoved
    | CaseSeen
    | CaseNote
    | PlaceGiven
    | EdSettings
    | SheetSigned
    | Rang
    | Merged
    | Coming
    | Kin
)

decode: Callable[[bytes], Entry] = decoder_of_any(Entry)
