"""What could not be used, tried again by hand: the same bytes on the way they came, as of then.

Who sent it, and what it may write, is as it is registered now; the time of receipt stays. Its
identity is that of the bytes, so whatever was stored of them before (by an earlier try, or because
the sender has sent them again) is not stored twice. What is refused again is not kept again.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import Clock
from hospital_ops.database import Database
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.forward.items import CARE, CURVES, EVENTS, HL7, Item
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.understand import Source
from hospital_ops.letters import store
from hospital_ops.letters.store import Key
from streams import sources
from streams.append import Appender
from streams.care_intake import CareIntake, Poster, of_principal, of_source
from streams.device_intake import Answer, DeviceIntake
from streams.hl7_intake import KEPT_BYTES, take
from streams.intake import Intake
from streams.projections import Projections
from streams.relayed import RelayedIntake, Then
from streams.routing import Announced
from streams.shard import hospital_of

TAKEN: Final = store.TAKEN
PARTLY: Final = "partly"
REFUSED: Final = "refused"
KINDS: Final = (HL7, CARE, EVENTS, CURVES)


class Outcome(NamedTuple):
    """What became of a try, and why where it was not taken whole."""

    word: str
    reason: str = ""


class _Care(CareIntake):
    """Refused again it is not kept again."""

    async def _keep(self, poster: Poster, error: MessageError, body: bytes, now: int) -> None:
        return


class _Device(DeviceIntake):
    """Refused again it is not kept again."""

    async def _keep(
        self, principal: Principal, error: MessageError, message: bytes, kind: str
    ) -> None:
        return


class Retrying:
    """Tries one letter on the way it came."""

    def __init__(
        self, appender: Appender, projections: Projections, cases: Intake, clock: Clock
    ) -> None:
        self.appender, self.projections = appender, projections
        self.cases, self.clock, self.places = cases, clock, cases.places

    async def take(self, hospital: str, kept: wire.Kept, body: bytes) -> Outcome:
        """What becomes of it now. NotStored where the streams are away."""
        why = why_not(kept, body)
        if why:
            return Outcome(REFUSED, why)
        try:
            if kept.kind == HL7:
                return await self._hl7(await self._source(hospital, kept), kept, body)
            if kept.kind == CARE:
                return await self._care(await self._poster(hospital, kept), kept, body)
            return await self._native(await self._device(hospital, kept.source, kept), kept, body)
        except (MessageError, NotFound) as error:
            return Outcome(REFUSED, str(error))

    async def _hl7(self, source: Source, kept: wire.Kept, body: bytes) -> Outcome:
        intake = take(body, source, Announced(self.places), kept.received_at, MAX_OBX)
        problem = intake.understood.problem
        if problem is not None:
            return Outcome(REFUSED, problem.reason)
        read = self.cases.codebooks.read
        for one in intake.appends:
            entry = one.entry
            if isinstance(entry, wire.Observed):
                entry = read(hospital_of(one.shard), entry)
            await self.appender.append(one.shard, entry, one.raw, one.stream)
        return Outcome(TAKEN)

    async def _care(self, poster: Poster, kept: wire.Kept, body: bytes) -> Outcome:
        then = Then(kept.received_at)
        intake = _Care(self.appender, self.places, self.cases.codebooks, then)
        answer = await intake.take(poster, body)
        return _part(answer["rejected"])

    async def _native(self, device: Principal, kept: wire.Kept, body: bytes) -> Outcome:
        cases = copy(self.cases)
        cases.clock = Then(kept.received_at)
        intake = _Device(self.appender, self.places, cases, cases.clock)
        answer: Answer
        if kept.kind == EVENTS:
            answer = await intake.take_text(device, body.decode(errors="replace"))
        else:
            answer = await intake.take_frames(device, body)
        if answer["type"] != "ack":
            return Outcome(REFUSED, answer["detail"])
        return _part(answer.get("rejected", []))

    async def _source(self, hospital: str, kept: wire.Kept) -> Source:
        box, slash, name = kept.source.partition("/")
        if slash:
            principal = await self._principal(hospital, f"device:{box}")
            return self._relayed().source_behind(principal, _item(kept, name))
        return await self._named(hospital, kept.source, sources.HL7)

    async def _poster(self, hospital: str, kept: wire.Kept) -> Poster:
        if not kept.source.startswith("device:"):
            source = await self._named(hospital, kept.source, sources.CARE)
            return of_source(source, self.places)
        poster = of_principal(await self._device(hospital, kept.source, kept))
        return replace(poster, zone=kept.zone)

    async def _device(self, hospital: str, actor: str, kept: wire.Kept) -> Principal:
        """A device by its own token, or behind a box whose token is good."""
        box, slash, name = actor.partition("/")
        principal = await self._principal(hospital, box)
        if not slash:
            return principal
        return self._relayed().device_behind(principal, _item(kept, name))

    def _relayed(self) -> RelayedIntake:
        return RelayedIntake(self.appender, self.places, self.cases, self.clock)

    async def _principal(self, hospital: str, actor: str) -> Principal:
        for one in await self.projections.principals(hospital, self.clock.now_us()):
            if one.actor == actor:
                return one
        raise NotFound(
            f"{actor.removeprefix('device:')} has no token any more: print one (device token)"
        )

    async def _named(self, hospital: str, name: str, way: str) -> Source:
        now = self.clock.now_us()
        for one in await sources.named(self.projections.pipe, hospital, now):
            if (one.way, one.source.name) == (way, name):
                return one.source
        setting = "MLLP" if way == sources.HL7 else "HTTP"
        raise NotFound(
            f"no source {name[:40]!r} is let in any more: name it in HOSPITAL_OPS_{setting}_SOURCES"
        )


def why_not(kept: wire.Kept | None, body: bytes) -> str:
    """Why a letter cannot be tried again at all; empty where it can."""
    if kept is None or kept.kind not in KINDS:
        return "what came was no whole message, or a note about one that was taken"
    if not body:
        return "it is a note about a message that was taken"
    if len(body) >= KEPT_BYTES:
        return "only the beginning of it was kept: have it sent again"
    return ""


def kept_of(entry: bytes) -> wire.Kept | None:
    """What was noted of a letter when it was kept; None where something else became one."""
    try:
        found = wire.decode(entry)
    except wire.DecodeError:
        return None
    return found if isinstance(found, wire.Kept) else None


async def again(
    database: Database, by: Scope, retrying: Retrying, key: Key, number: int | None, at: int
) -> Outcome:
    """Tries a letter once more and says what became of it, in one transaction.

    Conflict where somebody else has tried it meanwhile, or it was taken. A crash between both lets
    it be tried again: what is on disk already is not stored twice.
    """
    async with database.transaction(by) as connection:
        mine = await store.begin(connection, key, number)
        row = await store.letter(connection, key)
        kept = kept_of(row["entry"])
        outcome = Outcome(REFUSED, why_not(kept, row["raw"]))
        if kept is not None and not outcome.reason:
            outcome = await retrying.take(by.hospital, kept, row["raw"])
        await store.tried(connection, by, key, mine, outcome.word, outcome.reason, at)
    return outcome


def _part(rejected: list[dict[str, str]]) -> Outcome:
    if not rejected:
        return Outcome(TAKEN)
    return Outcome(PARTLY, f"{len(rejected)} refused, the first: {rejected[0]['error']}")


def _item(kept: wire.Kept, name: str) -> Item:
    return Item("", kept.kind, name, kept.received_at, b"", 0, kept.mode, kept.zone)
