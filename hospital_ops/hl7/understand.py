"""A message from bytes to what it means for the house, and how it is to be answered.

    understood = understand(raw, source, received_at)     # never raises
    place = routing.place(understood.location, places)    # streams/routing.py
    for stream, entry in understood.entries(place.unit, place.bed): append
    transport.write(understood.answer(now_us))

What cannot be taken has a `problem`: it is kept as `understood.kept(hall)` and answered so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hospital_ops import identity, wire
from hospital_ops.errors import ConfigurationError, MessageError
from hospital_ops.hl7 import adt, alerts, build
from hospital_ops.hl7.alerts import Alert
from hospital_ops.hl7.bounds import MAX_OBX, TOO_MANY
from hospital_ops.hl7.charset import codec
from hospital_ops.hl7.doubts import damage, doubts, off_time
from hospital_ops.hl7.observations import Found, observe
from hospital_ops.hl7.parse import Message, parse
from hospital_ops.hl7.parse import field as field_of
from hospital_ops.hl7.people import NOWHERE, Location, location, number_of
from hospital_ops.hl7.times import Zone, offset_s, to_us

_VERSION: Final = re.compile(r"2\.[1-8](\.[0-9]{1,2})?")
_MODES: Final = {"T": "Test", "D": "Test"}  # D: debugging; neither is a patient's value
_MSH_ONLY: Final = re.compile(rb"MSH[^\r\n]{5,2000}")
_ID_LIMIT: Final = 200
IN: Final = "in"
WAVES: Final = "waves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A named sender: where it may come from, what it may write, and how its words are read."""

    name: str
    hospital: str
    networks: tuple[str, ...] = ()  # CIDR; empty with a certificate: any
    units: tuple[str, ...] | None = None  # None: all units of its hospital
    mode: str = "Real"  # what MSH-11 P means: Real, Test or Demo
    zone: str = "UTC"  # IANA name, for times without a zone; empty: CARE's rule
    charset: str = ""  # for text beyond ASCII without MSH-18
    certificate: str = ""  # common name of its TLS certificate

    def __post_init__(self) -> None:
        """Refuses in words what would fail with each message."""
        if self.mode not in ("Real", "Test", "Demo"):
            raise ConfigurationError(f"source {self.name}: mode is one of Real, Test, Demo")
        if self.charset and codec(self.charset) is None:
            raise ConfigurationError(f"source {self.name}: character set as in MSH-18, 8859/5")
        try:
            if self.zone:
                ZoneInfo(self.zone)
            for network in self.networks:
                ip_network(network)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise ConfigurationError(f"source {self.name}: {error}") from None

    def may_write(self, unit: str, hospital: str) -> bool:
        """Whether a unit (of `hospital`) is within the source's scope.

        Another hospital's unit is only where the operator has named it (SAFETY I14).
        """
        return hospital == self.hospital if self.units is None else unit in self.units


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message is not taken: outcome of build, stable code, sentence, table 0357."""

    outcome: str
    code: str
    reason: str
    error: str = "207"


@dataclass(slots=True)
class Understood:
    """A message as the house understands it; one of found, event and alarms is there."""

    source: Source
    received_at: int
    header: build.Header = field(default_factory=build.Header)
    identity: bytes = b""
    mode: str = "Test"
    location: Location = NOWHERE
    mrn: str = ""
    sent_at: int | None = None
    silent: bool = False  # an acknowledgement: never answered
    problem: Problem | None = None
    warnings: list[str] = field(default_factory=list)  # told to the sender
    damaged: str = ""  # how many parts were lost, and the first: kept as well
    found: Found | None = None
    event: adt.Event | None = None
    alarms: list[Alert] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        """MSH-10 as text."""
        return self.header.control_id

    def refuse(self, outcome: str, code: str, reason: str, error: str = "207") -> None:
        """Marks the message as not taken, for a reason found outside (routing, scope)."""
        self.problem = Problem(outcome, code, reason, error)

    def kept(self, hall: str) -> wire.Kept:
        """The refused message as an entry of the hall; its bytes go beside."""
        code, reason = (
            ("", "") if self.problem is None else (self.problem.code, self.problem.reason)
        )
        return self._note(hall, code, reason, self.location.bed or self.location.whole)

    def answer(self, at_us: int, not_stored: str = "") -> bytes:
        """The framed answer, empty where none is due.

        `not_stored` says why nothing was stored. That is answered even to a sender that wants no
        answers (MSH-15 and MSH-16 NE): better an answer nobody asked for than a silent loss.
        """
        if self.silent:
            return b""
        if not_stored:
            text = build.answers(self.header, build.ERROR, at_us, not_stored, "207")
            plain = self.header._replace(accept="", finish="")
            return text or build.answers(plain, build.ERROR, at_us, not_stored, "207")
        if self.problem is not None:
            problem = self.problem
            return build.answers(self.header, problem.outcome, at_us, problem.reason, problem.error)
        return build.answers(self.header, build.ACCEPTED, at_us, "; ".join(self.warnings))

    def entries(
        self, unit: str, bed: str, prior_unit: str = "", prior_bed: str = ""
    ) -> list[tuple[str, wire.Entry]]:
        """What is appended, as (stream, entry); `unit` is the shard. The bytes go with the first.

        For a patient who comes from another unit, that unit has an entry of its own, without bed.
        """
        made: list[tuple[str, wire.Entry]] = []
        if self.found is not None:
            made += self._observed(self.found, unit, bed)
        if self.event is not None:
            here = self._admission(self.event, unit, bed, prior_bed, self.identity)
            made.append((IN, here))
            if prior_unit and prior_unit != unit:
                left = self._admission(self.event, prior_unit, "", prior_bed, self._part("left"))
                gone = adt.gone_to(left, unit, bed)
                made[-1:] = [(IN, adt.come_from(here, prior_unit)), (IN, gone)]
        made += [(IN, self._alert(alert, i, unit, bed)) for i, alert in enumerate(self.alarms)]
        if not made:
            made.append(
                (IN, self._note(unit, "no_content", "understood, but it says nothing", bed))
            )
        if self.damaged:
            made.append((IN, self._note(unit, "damaged", self.damaged, bed)))
        return made

    @property
    def device(self) -> str:
        """The device that its values name (OBX-18); empty where none does."""
        return self.found.device if self.found is not None else ""

    def _part(self, name: str) -> bytes:
        """The identity of a further entry of the same message."""
        return identity.message_identity(
            f"{self.source.name}/{name}", self.message_id, self.identity
        )

    def _note(self, unit: str, code: str, reason: str, bed: str) -> wire.Kept:
        return wire.Kept(
            unit, self.source.name, self.received_at, code, reason, self.message_id,
            bed[:_ID_LIMIT], self.identity, "hl7", self.source.mode, self.source.zone,
        )  # fmt: skip

    def _observed(self, found: Found, unit: str, bed: str) -> list[tuple[str, wire.Entry]]:
        made: list[tuple[str, wire.Entry]] = []
        for mode, rows in found.by_mode.items():
            if rows:
                entry = wire.Observed(
                    unit=unit,
                    source=self.source.name,
                    message_id=self.message_id,
                    identity=self.identity if mode == self.mode else self._part(mode),
                    received_at=self.received_at,
                    mode=mode,
                    observations=tuple(rows),
                    bed=bed,
                    device=found.device,
                    mrn=self.mrn,
                    sent_at=self.sent_at,
                )
                made.append((IN, entry))
        for index, piece in enumerate(found.pieces):
            wave = wire.Waved(
                unit=unit,
                source=self.source.name,
                message_id=self.message_id,
                identity=self._part(f"wave{index}"),
                received_at=self.received_at,
                mode=self.mode,
                code=piece.code,
                channel=piece.channel,
                started_at=piece.started_at,
                rate_hz=piece.rate_hz,
                scale=piece.scale,
                offset=piece.offset,
                physical_unit=piece.unit,
                samples=piece.samples,
                bed=bed,
                device=found.device,
                sequence=index,
                mrn=self.mrn,
            )
            made.append((WAVES, wave))
        return made

    def _admission(
        self, event: adt.Event, unit: str, bed: str, prior_bed: str, own_identity: bytes
    ) -> wire.Admission:
        return wire.Admission(
            unit=unit,
            source=self.source.name,
            message_id=self.message_id,
            identity=own_identity,
            received_at=self.received_at,
            mode=self.mode,
            trigger=event.trigger,
            patient=event.patient,
            event_at=event.at,
            bed=bed,
            prior_bed=prior_bed,
            visit=event.visit, merged=event.merged, allergies=event.allergies,
        )  # fmt: skip

    def _alert(self, alert: Alert, index: int, unit: str, bed: str) -> wire.Entry:
        if alert.watchdog:
            return self._note(unit, "watchdog", "the sender says that it is alive", bed)
        return wire.DeviceAlert(
            unit=unit,
            source=self.source.name,
            message_id=self.message_id,
            identity=self._part(f"alert{index}") if index else self.identity,
            received_at=self.received_at,
            mode=self.mode,
            alert=alert.alert,
            event=alert.event,
            name=alert.name,
            text=alert.text,
            phase=alert.phase,
            state=alert.state,
            priority=alert.priority,
            kind=alert.kind,
            inactivation=alert.inactivation,
            about=alert.about,
            value=alert.value,
            value_unit=alert.value_unit,
            at=alert.at,
            bed=bed,
            device=alert.device,
            mrn=self.mrn,
            note=alert.note,
            limits=alert.limits,
        )


def understand(raw: bytes, source: Source, received_at: int, max_obx: int = MAX_OBX) -> Understood:
    """What `raw` (one message) means; whatever cannot be taken comes back with a problem."""
    known = Understood(source, received_at)
    try:
        message = parse(raw, source.charset)
    except MessageError as error:
        known.header = _rough_header(raw)
        known.identity = identity.message_identity(source.name, known.header.control_id, raw)
        number = "207" if error.code == TOO_MANY else "100"
        known.problem = Problem(build.REJECTED, error.code, error.reason, number)
        return known
    known.header = _header(message)
    known.identity = identity.message_identity(source.name, known.header.control_id, raw)
    if message.warning:
        known.warnings.append(message.warning)
    known.problem = _check(message, known, max_obx)
    if known.problem is None and not known.silent:
        try:
            _read(message, known, max_obx)
        except MessageError as error:
            refused = (build.ERROR, "101") if error.code != TOO_MANY else (build.REJECTED, "207")
            known.problem = Problem(refused[0], error.code, error.reason, refused[1])
    return known


def _header(message: Message) -> build.Header:
    msh, signs = message.msh, message.signs
    size = len(msh)
    version = msh[12].split(signs.component, 1)[0] if size > 12 else ""
    kind = (msh[9] if size > 9 else "").split(signs.component)
    event = kind[1] if len(kind) > 1 else ""
    if not event and len(kind) > 2:
        event = kind[2].partition("_")[2]
    if not event and kind[0] == "ORU" and version in ("2.1", "2.2"):
        event = "R01"  # these versions have no trigger in MSH-9
    return build.Header(
        control_id=message.text(msh[10].strip())[:_ID_LIMIT] if size > 10 else "",
        application=msh[3] if size > 3 else "",
        facility=msh[4] if size > 4 else "",
        trigger=f"{kind[0]}^{event}" if event else kind[0],
        version=version if _VERSION.fullmatch(version) else "2.6",
        processing=(msh[11].split(signs.component, 1)[0] if size > 11 else "") or "P",
        accept=msh[15] if size > 15 else "",
        finish=msh[16] if size > 16 else "",
        codec=message.codec,
        signs=signs,
    )


def _rough_header(raw: bytes) -> build.Header:
    """As much of MSH as an unreadable message still shows, so that it can be answered."""
    match = _MSH_ONLY.search(raw[:4096])
    if match is None:
        return build.Header()
    try:
        return _header(parse(match[0].decode("ascii", "replace").encode("ascii", "replace")))
    except MessageError:
        return build.Header()


def _check(message: Message, known: Understood, max_obx: int) -> Problem | None:
    """The reasons to reject that stand in the header, and the limit on OBX."""
    header, msh = known.header, message.msh
    kind = header.trigger.split("^", 1)[0]
    if kind in ("ACK", "MCF") or (not kind and message.first("MSA") is not None):
        known.silent = True
        return None
    if not kind:
        return Problem(build.REJECTED, "malformed", "MSH-9 is empty: send the message type", "101")
    if not header.control_id:
        return Problem(build.REJECTED, "malformed", "MSH-10 is empty: send a control id", "101")
    version = field_of(msh, 12).split(message.signs.component, 1)[0]
    if version and not _VERSION.fullmatch(version):
        reason = f"version {version[:10]} is not known: send 2.1 to 2.8"
        return Problem(build.REJECTED, "version", reason, "203")
    processing = header.processing
    if processing not in ("P", "T", "D"):
        return Problem(build.REJECTED, "processing", "MSH-11 is none of P, T, D", "202")
    known.mode = _MODES.get(processing, known.source.mode)
    trigger = header.trigger
    if trigger not in ("ORU^R01", "ORU^R40") and not _is_adt(trigger):
        reason = f"{trigger[:20]} is not taken here: see the list of messages in the manual"
        error = "201" if kind in ("ORU", "ADT") else "200"
        return Problem(build.REJECTED, "unknown_trigger", reason, error)
    if len(message.segments) > max_obx:
        count = sum(segment[0] == "OBX" for segment in message.segments)
        if count > max_obx:
            reason = f"{count} OBX in one message, at most {max_obx}: send several messages"
            return Problem(build.REJECTED, TOO_MANY, reason, "207")
    return None


def _is_adt(trigger: str) -> bool:
    return trigger[:4] == "ADT^" and trigger[4:] in adt.TRIGGERS


def _read(message: Message, known: Understood, max_obx: int) -> None:
    zone: Zone = 0 if known.source.zone == "UTC" else ZoneInfo(known.source.zone)
    header = known.header
    header_time = field_of(message.msh, 7)
    stated = offset_s(header_time)
    known.sent_at = to_us(header_time, zone if stated is None else stated)
    if message.damaged:
        known.damaged = damage(message.damaged)
        known.warnings.append(known.damaged)
    if header.trigger[:3] == "ADT":
        known.event = adt.read(message, header.trigger[4:], zone, known.received_at)
        known.location, known.mrn = known.event.location, known.event.patient.mrn
        return
    if sum(segment[0] == "PID" for segment in message.segments) > 1:
        raise MessageError(
            "several_patients", "send one patient a message: the values of two cannot be told apart"
        )
    person, visit = message.first("PID"), message.first("PV1")
    known.mrn = number_of(person, message)
    known.location = location(field_of(visit, 3), message.signs)
    if header.trigger == "ORU^R40":
        known.alarms = alerts.read(message, zone)
    else:
        known.found = observe(message, known.mode, zone, known.received_at, max_obx)
        known.warnings += known.found.warnings
        known.warnings += off_time(known.found, known.received_at, known.source.zone)
        known.warnings += doubts(known.found)
