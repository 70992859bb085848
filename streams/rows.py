"""From entries to rows of the archive: pure, so that what is stored can be tested without a server.

Every row knows the identity that brought it: what has come before is decided by the identities,
and rows go in only under a new one (SAFETY.md rule 2).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hospital_ops import bindings, identity, past, sender_clocks, wire
from hospital_ops.bindings import History, Numbers
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.deciding import PROBE_BED
from hospital_ops.sender_clocks import SenderClock
from streams import (
    adt_rows,
    alarm_rows,
    case_rows,
    chart_rows,
    order_rows,
    overtaken,
    refiling_rows,
)
from streams.clocked import Clocked
from streams.shard import at_us, hospital_of, seen_at
from streams.value_rows import Moment, ValueRows, short
from streams.wave_rows import WaveRows, by_beginning, pieces_of


class Taken(NamedTuple):
    """An entry as it was read from a stream of a shard."""

    shard: str
    stream: str  # in, waves, out
    entry_id: str
    encoded: bytes
    raw: bytes
    entry: wire.Entry | None  # None: it could not be decoded


class Claim(NamedTuple):
    """Who brought a row: unique in (hospital, source, identity); other bytes go to quarantine."""

    hospital: str
    source: str
    identity: bytes
    digest: bytes


Row = tuple[Any, ...]


CLAIMED = "the message named another patient than the one bound to this place"
ELSEWHERE = "the message named another patient's bed than the one its device was bound to"
DOUBTED = "by its receipt another patient's bed, and the clock of its sender is not known"
SET_RIGHT = "the device's clock was wrong: its time is corrected"
OF_A_DEMO = "a demo or test device at the bed of a real patient"
# Event times further from their receipt than this are flagged (DESIGN.md section 1).
OLDEST_US, NEWEST_US = 30 * 86_400 * SECOND, 86_400 * SECOND


@dataclass(slots=True)
class Batch:
    """The rows of a batch of entries, by table, each with the index of its claim (or None)."""

    stored_at: datetime
    histories: dict[str, History]  # by bed; moved on by the admissions of the batch
    clocked: Clocked = field(default_factory=Clocked)  # the clocks of senders
    said: overtaken.Said = field(default_factory=overtaken.Said)  # of results
    units: dict[str, str] = field(default_factory=dict)  # of the beds of `histories`
    numbers: dict[str, Numbers] = field(default_factory=dict)  # of one person, by hospital
    claims: list[Claim] = field(default_factory=list)
    claimants: list[Taken] = field(default_factory=list)  # the entry of each claim
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))
    values: list[ValueRows] = field(default_factory=list)  # of these and
    waves: list[WaveRows] = field(default_factory=list)  # of pieces of curves are most rows
    audits: list[tuple[int, str, wire.Audited]] = field(default_factory=list)  # with its claim
    came: list[tuple[int, str, wire.Admission]] = field(default_factory=list)  # claim, patient
    left: list[tuple[int, str, wire.Admission]] = field(default_factory=list)  # A03, A11
    results: list[overtaken.Result] = field(default_factory=list)  # corrected, taken back
    allergies: list[tuple[int, str, case_rows.OfAllergies]] = field(default_factory=list)
    persons: list[tuple[int, str, wire.Admission]] = field(default_factory=list)  # what was said
    letters: dict[tuple[str, str, bytes], int] = field(default_factory=dict)  # which row is whose
    shown: past.Gathered = field(default_factory=past.Gathered)  # what boards showed
    again: chart_rows.Again = field(default_factory=chart_rows.Again)  # hours of trends

    def take(self, taken: Taken) -> None:
        """Adds the rows of one entry."""
        entry = taken.entry
        if entry is None:
            self._dead(taken, "undecodable", "the entry cannot be decoded; see its bytes", at_us)
        elif isinstance(entry, wire.Observed):
            self._observed(taken, entry)
        elif isinstance(entry, wire.Waved | wire.WavesTogether):
            self._waved(taken, entry)
        elif isinstance(entry, wire.Admission):
            self._admission(taken, entry)
        elif isinstance(entry, wire.Merged):
            hospital = hospital_of(taken.shard)
            known = bindings.one_person(self.numbers.get(hospital, {}), entry)
            self.numbers = self.numbers | {hospital: known}
            for bed, history in self._of_unit(taken.shard).items():
                self.histories[bed] = bindings.merged(history, entry, hospital)
        elif isinstance(entry, wire.Kept):
            self._kept(taken, entry)
        elif isinstance(entry, wire.Audited):
            self._audited(taken, entry)
        elif isinstance(entry, wire.CaseFacts | wire.CaseStep | wire.Decided):
            self._case(taken, entry)
        elif isinstance(entry, case_rows.Beside):
            self._beside(taken, entry)
        elif isinstance(entry, wire.EcgReceived):
            self._ecg(taken, entry)
        elif isinstance(entry, wire.Assessed):
            self._assessed(taken, entry)
        elif isinstance(entry, wire.Changed):
            self.shown.take(taken.shard, seen_at(taken.entry_id), taken.encoded, whole=entry.whole)
        elif isinstance(entry, wire.Alerted):
            self.add("alert_event", None, alarm_rows.alerted(entry, taken.shard, taken.entry_id))
        elif isinstance(entry, wire.Called):
            self.add("alarm_call", None, alarm_rows.called(entry, taken.shard, taken.entry_id))
        elif isinstance(entry, wire.DeviceAlert):
            self._device_alert(taken, entry)
        elif isinstance(entry, wire.OrderChanged):
            self._order(taken, entry)
        elif isinstance(entry, chart_rows.Charted) and entry.unit == taken.shard:
            table, row = chart_rows.row(entry, taken.shard, taken.entry_id)
            self.add(table, None, row)
            self.again.corrected(taken.shard, entry)

    def finish(self) -> None:
        """What was gathered over the entries becomes rows."""
        for unit, at, whole, packed in self.shown.rows():
            self.add("board_frame", None, (hospital_of(unit), unit, to_datetime(at), whole, packed))
        for unit, place, hour in sorted(self.again.hours):
            self.add("trend_again", None, (hospital_of(unit), unit, place, to_datetime(hour)))

    def add(self, table: str, owner: int | None, row: Row) -> None:
        """One row of `table`, brought by the claim with index `owner`."""
        self.rows[table].append(row)
        self.owners[table].append(owner)

    def _claim(self, taken: Taken, source: str, key: bytes, digest: bytes, at: int) -> int:
        hospital = hospital_of(taken.shard)
        self.claims.append(Claim(hospital, source, key, digest))
        self.claimants.append(taken)
        index = len(self.claims) - 1
        self.add("identity", index, (hospital, source, key, digest, to_datetime(at)))
        return index

    def _message(
        self, taken: Taken, entry: Any, kind: str, message_id: str, owner: int | None
    ) -> None:
        # Two streams of a shard may give the same id: those beside `in` say which they are of.
        place = taken.entry_id if taken.stream == "in" else f"{taken.stream} {taken.entry_id}"
        self.add(
            "message",
            owner,
            (
                hospital_of(taken.shard), taken.shard, place, entry.source, message_id,
                kind, to_datetime(entry.received_at), taken.encoded, taken.raw,
            ),
        )  # fmt: skip

    def _observed(self, taken: Taken, message: wire.Observed) -> None:
        if message.bed == PROBE_BED:
            return  # our own probe is nobody's value
        source, received = message.source, message.received_at
        whole = self._claim(taken, source, message.identity, message.identity, received)
        self._message(taken, message, "observed", message.message_id, whole)
        events = identity.event_ids(message.identity, len(message.observations))
        owners = [whole] * len(events)
        clocks, words = self.clocked.of(taken.shard, message), self.said.of(message.bed)
        # Most values of a message are of one moment, so what follows from it is found once.
        moments: dict[int | None, Moment] = {}
        for index, observation in enumerate(message.observations):
            if observation.event_id:
                key = events[index] = UUID(observation.event_id).bytes
                before = message.as_sent[index : index + 1]
                digest = (before and before[0]) or identity.content(wire.content(observation))
                owners[index] = self._claim(taken, source, key, digest, received)
            at = observation.determined_at
            if at not in moments:
                moments[at] = self._moment(message, at, clocks.at(at))
                self.again.observed(taken.shard, message, at and moments[at].determined_at)
            if (words or observation.status) and message.bed and at is not None:
                moment, owner = moments[at].determined_at, owners[index]
                told = message, observation, events[index], moment
                result = self.said.told(owner, taken.entry_id, *told)
                if result is not None:
                    self.results.append(result)
                    self.again.taken_back(taken.shard, message.bed, moment)
        self.values.append(ValueRows(taken.shard, taken.entry_id, message, moments, events, owners))

    def _moment(self, message: wire.Observed, at: int | None, clock: SenderClock) -> Moment:
        """What the device's time (None: it gave none) says about the values of a message."""
        received = message.received_at
        history = self.histories.get(message.bed, ())
        moment = received if at is None else at + clock.trusted
        whose = sender_clocks.whose(clock, history, moment, message)
        remarks = []
        if whose.claimed_other:
            other = bindings.whose(history, moment, message.mrn).claimed_other
            remarks.append(ELSEWHERE if message.elsewhere else CLAIMED if other else OF_A_DEMO)
        elif sender_clocks.is_doubtful(clock, history, moment, received, message.mrn):
            remarks.append(DOUBTED)
        if at is not None and clock.trusted:
            remarks.append(SET_RIGHT)
        if not received - OLDEST_US <= moment <= received + NEWEST_US:
            remarks.append("the device's time lies far from the time of receipt")
        return Moment(whose.patient_id or None, moment, at, tuple(remarks))

    def _waved(self, taken: Taken, entry: wire.Waved | wire.WavesTogether) -> None:
        if taken.raw and (pieces := pieces_of(entry)):  # of curves alone: its bytes stand here
            first, key = pieces[0], pieces[0].identity
            owner = self._claim(taken, entry.source, key, key, entry.received_at)
            self._message(taken, entry, "waveform", first.message_id, owner)
        history = self.histories.get(entry.bed, ())
        for told_at, some in by_beginning(entry).items():
            clock = self.clocked.by_now(entry, told_at)
            at, received = told_at + clock.trusted, entry.received_at
            whose = bindings.whose(history, at, entry.mrn, entry.mode, elsewhere=entry.elsewhere)
            patient = whose.patient_id or None
            if sender_clocks.is_doubtful(clock, history, at, received, entry.mrn):
                patient = None
            if clock.trusted:
                some = [wire.replaced(piece, started_at=at) for piece in some]
            self.waves.append(WaveRows(taken.shard, taken.entry_id, entry, some, patient))

    def _admission(self, taken: Taken, event: wire.Admission) -> None:
        owner = self._claim(taken, event.source, event.identity, event.identity, event.received_at)
        self._message(taken, event, "adt", event.message_id, owner)
        told = bindings.parts(event, self._of_unit(taken.shard))
        for number, part in enumerate(told, 1 - len(told)):  # the entry's own is the last
            entry_id = f"{taken.entry_id} {number}" if number else taken.entry_id
            self._event(taken, entry_id, owner, part)

    def _of_unit(self, unit: str) -> dict[str, History]:
        """The histories of the beds of a unit, as its board knows them."""
        return {bed: self.histories[bed] for bed, of in self.units.items() if of == unit}

    def _event(self, taken: Taken, entry_id: str, owner: int, event: wire.Admission) -> None:
        """What one event says of who lies where."""
        hospital, shard, of_unit = hospital_of(taken.shard), taken.shard, self._of_unit(taken.shard)
        numbers = self.numbers.get(hospital, {})
        found = bindings.person(event, hospital, self.histories, numbers, of_unit.values())
        who = found.patient_id
        given_away = bindings.is_given_away(self.histories.get(event.bed, ()), event)
        bed = "" if given_away else event.bed
        if event.merged or event.allergies:
            self.persons.append((owner, who, event))
        for number in event.merged:
            self.add("patient_link", owner, adt_rows.link(event, shard, entry_id, number))
        self.add("patient_event", owner, adt_rows.of_patient(event, shard, entry_id, who, bed))
        if bed and event.trigger in ("A01", "A02", "A12", "A13"):
            self.came.append((owner, who, event))
        elif event.trigger in ("A03", "A11") and entry_id == taken.entry_id:
            self.left.append((owner, who, event))
        if bindings.is_of_an_earlier_visit(event, of_unit.values()):
            return
        ruling = bindings.of_admission(event, hospital, self.histories, found)
        for place, binding in ruling.items():
            before = self.histories.get(place, ())
            after = self.histories[place] = bindings.bound(before, binding)
            self.units[place] = shard
            for made in refiling_rows.of(shard, entry_id, event, place, before, after):
                self.add("refiling", owner, made.row)
                self.again.hours |= made.hours
                self.audits += [(owner, shard, one) for one in made.said]
            self.add("binding", owner, adt_rows.binding(shard, entry_id, place, binding))

    def _case(self, taken: Taken, entry: wire.CaseFacts | wire.CaseStep | wire.Decided) -> None:
        owner: int | None = None
        if isinstance(entry, wire.CaseFacts):
            self._message(taken, entry, "case", entry.message_id, None)
            kind, at, actor, mode = "facts", entry.received_at, entry.source, entry.mode
            payload: dict[str, Any] = entry.facts
        elif isinstance(entry, wire.CaseStep):
            kind, at, actor, mode = entry.step, entry.at, entry.by, entry.mode
            payload = {"note": entry.note}
        else:
            # Appended twice by the relay, its version counts once.
            key = f"{entry.case} {entry.version}".encode()
            owner = self._claim(taken, "decision", key, identity.content(taken.encoded), entry.at)
            kind, at, actor, mode = "decision", entry.at, entry.by, ""
            payload = {"version": entry.version, "colour": entry.colour}
        self.add(
            "case_event",
            owner,
            (
                hospital_of(taken.shard), taken.shard, entry.case, kind, to_datetime(at), actor,
                json.dumps(payload, ensure_ascii=False), mode, taken.entry_id,
            ),
        )  # fmt: skip

    def _beside(self, taken: Taken, entry: case_rows.Beside) -> None:
        claimed = case_rows.claim(entry)
        owner = claimed and self._claim(taken, *claimed, at_us(taken.entry_id))
        self.allergies += case_rows.of_allergies(owner, entry)
        for row in case_rows.rows(entry, taken.shard, taken.entry_id):
            self.add("case_event", owner, row)

    def _ecg(self, taken: Taken, ecg: wire.EcgReceived) -> None:
        """A resting ECG: its file beside the message, each lead a piece of curve of the case.

        What came of it before the whole (a preview, coarse leads) is kept as a message only.
        """
        hospital, received = hospital_of(taken.shard), ecg.received_at
        owner = self._claim(taken, ecg.source, ecg.identity, ecg.identity, received)
        self._message(taken, ecg, "ecg", ecg.message_id, owner)
        if ecg.stage == "picture":  # so that it is found by its case
            self.add("case_event", owner, case_rows.of_picture(ecg, taken.shard, taken.entry_id))
        for index, lead in enumerate(ecg.leads if ecg.stage == "stored" else ()):
            self.add(
                "waveform",
                owner,
                (
                    hospital, taken.shard, ecg.case, short(ecg.device or ecg.source), ecg.mode,
                    None, to_datetime(received), taken.entry_id, short(lead.name), ecg.ecg, "mV",
                    to_datetime(ecg.at), ecg.rate_hz, lead.scale, lead.offset, index, lead.samples,
                ),
            )  # fmt: skip

    def _assessed(self, taken: Taken, entry: wire.Assessed) -> None:
        self.add(
            "assessment",
            None,
            (
                hospital_of(taken.shard), taken.shard, entry.case, to_datetime(entry.at),
                entry.proposed, entry.chart, entry.urgency,
                json.dumps(entry.inputs, ensure_ascii=False),
                json.dumps(entry.result, ensure_ascii=False), entry.mode, taken.entry_id,
                short(entry.rules),
            ),
        )  # fmt: skip

    def _device_alert(self, taken: Taken, entry: wire.DeviceAlert) -> None:
        owner = self._claim(taken, entry.source, entry.identity, entry.identity, entry.received_at)
        self._message(taken, entry, "device_alert", entry.message_id, owner)

    def _order(self, taken: Taken, entry: wire.OrderChanged) -> None:
        """Of the hospital's own system, each saying once; a native order has its row already."""
        if order_rows.is_theirs(entry):
            key, at = entry.identity, entry.received_at
            owner = self._claim(taken, entry.source, key, key, at)
            self._message(taken, entry, "order", entry.message_id, owner)
            row = order_rows.row(entry, taken.shard, taken.entry_id)
            self.add(order_rows.TABLE, owner, row)

    def _audited(self, taken: Taken, entry: wire.Audited) -> None:
        """By the entry's own id: the chain must not grow when a stream is read again."""
        key = f"{taken.shard} {taken.entry_id}".encode()
        owner = self._claim(taken, "audit", key, identity.content(taken.encoded), entry.at)
        self.audits.append((owner, taken.shard, entry))

    def _kept(self, taken: Taken, entry: wire.Kept) -> None:
        """What comes with the same bytes again, within a batch too, is one letter that counts."""
        letters, key = self.rows["dead_letter"], (taken.shard, entry.code, entry.identity)
        row = dead_letter(taken, entry.code, entry.reason, entry.received_at, entry.identity)
        known = self.letters.setdefault(key, len(letters)) if entry.identity else len(letters)
        if known == len(letters):
            self.add("dead_letter", None, row)
        else:
            *first, times, last_at = letters[known]
            letters[known] = (*first, times + 1, max(last_at, row[-1]))

    def _dead(self, taken: Taken, code: str, reason: str, when: Any) -> None:
        self.add("dead_letter", None, dead_letter(taken, code, reason, when(taken.entry_id)))


def dead_letter(taken: Taken, code: str, reason: str, at: int, identity: bytes = b"") -> Row:
    """The row under which something unusable is kept, with its bytes; so far it came once."""
    came_at, sent = to_datetime(at), taken.entry
    source, number = getattr(sent, "source", ""), getattr(sent, "message_id", "")
    return (
        hospital_of(taken.shard), taken.shard, taken.stream, taken.entry_id, code, reason,
        came_at, taken.encoded, taken.raw, short(source) or None, short(number) or None,
        identity or None, 1, came_at,
    )  # fmt: skip
