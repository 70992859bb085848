"""What the box of a unit forwards, taken as if it had come at once: each item has its own answer.

The time of receipt is the box's, brought to our clock; so a device's clock is judged by how it was
when it sent, and what waited in the box is late and not wrong. What came to the box before its
machine's last start has the time of another clock: it is brought to ours by what was known of that
one, and whatever that clock said it is never of now. The same bytes of the same sender
have the same identity however often they come.
"""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass
from traceback import extract_tb
from typing import Any, Final

from hospital_ops import log, wire
from hospital_ops.access import ALL_UNITS, DEVICE_ROLES, Principal, Role
from hospital_ops.clock import SECOND, Clock, iso
from hospital_ops.errors import MessageError, NotStored
from hospital_ops.forward.items import (
    AGAIN,
    BROKEN,
    CARE,
    CURVES,
    EVENTS,
    FULL,
    HL7,
    KEPT,
    LIVE_US,
    STORED,
    WHO,
    Item,
    Relay,
)  # fmt: skip
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.framing import Frame
from hospital_ops.hl7.understand import Source
from hospital_ops.identity import message_identity
from hospital_ops.installation.store import KnownDevice
from hospital_ops.standing.rules import mode_of
from streams.append import Appender
from streams.care_intake import CareIntake, Poster, of_principal
from streams.device_intake import Answer, DeviceIntake
from streams.hl7_intake import Append, broken, take
from streams.intake import Intake
from streams.projections import Places
from streams.routing import Announced
from streams.shard import hall, hospital_of

ITEMS_MOST: Final = 1000  # of one request
SAME_US: Final = 2 * SECOND  # clocks nearer than this are the same clock
# A box that does not know yet is believed unless no line can be so slow: a slow line must not
# make values younger.
SLOW_US: Final = 60 * SECOND
# Nothing that is older rings (SAFETY.md section 2, rule 6), and a clock that is further behind was
# never set.
OLD_US: Final = 301 * SECOND
NEVER_SET_US: Final = 30 * 86_400 * SECOND
logger = log.get("relayed")


@dataclass(frozen=True, slots=True)
class Then:
    """A clock that stands at the moment at which the box had a message."""

    at: int

    def now_us(self) -> int:
        """That moment."""
        return self.at

    def monotonic_s(self) -> float:
        """That moment, in seconds."""
        return self.at / SECOND


class RelayedIntake:
    """Takes the items of a box within what its token allows."""

    def __init__(self, appender: Appender, places: Places, cases: Intake, clock: Clock) -> None:
        self.appender, self.places = appender, places
        self.cases, self.clock = cases, clock
        self._announced = Announced(places)

    async def take(self, box: Principal, relay: Relay) -> dict[str, str]:
        """What became of each item, by its id; who lies where first, then the others at once."""
        if len(relay.items) > ITEMS_MOST:
            raise MessageError("too_many", f"send at most {ITEMS_MOST} items in one request")
        now = self.clock.now_us()
        outcomes: dict[str, str] = {}
        # A value that came after its patient lies behind its patient in the stream, too: what is
        # appended beside one another lies in any order.
        for item in relay.items:
            if item.rank == WHO:
                outcomes[item.id] = await self._one(box, item, moment(relay, item, now))
        others = [item for item in relay.items if item.rank != WHO]
        found = await asyncio.gather(
            *(self._one(box, item, moment(relay, item, now)) for item in others)
        )
        return outcomes | {item.id: word for item, word in zip(others, found, strict=True)}

    async def _one(self, box: Principal, item: Item, at: int) -> str:
        try:
            return await self._taken(box, item, at)
        except NotStored:
            return AGAIN
        except MessageError as error:  # its bytes are kept by whoever refused it
            logger.info("relayed_refused", kind=item.kind, code=error.code)
            return KEPT
        except Exception as error:
            # The outermost edge of this item: the others go on, and its bytes are looked at later.
            where = extract_tb(error.__traceback__)[-1]
            logger.error(
                "relayed_failed",
                error=type(error).__name__,
                where=f"{where.name}:{where.lineno}",
            )
            return await self._kept(box, at, "failed", "the message could not be read", item.body)

    async def _taken(self, box: Principal, item: Item, at: int) -> str:
        if item.kind == HL7:
            return await self._hl7(box, item, at)
        if item.kind == BROKEN:
            entry = broken(Frame(item.body, item.note), self.source_behind(box, item), at)
            return await self._append([entry._replace(raw=item.body)], KEPT)
        if item.kind in (EVENTS, CURVES):
            return await self._native(box, item, at)
        if item.kind == CARE:
            return await self._care(box, item, at)
        if item.kind == FULL:
            return await self._kept(box, at, "edge_full", _full_words(item.note), b"")
        return await self._kept(box, at, "unknown_kind", "a newer box? update us", item.body)

    async def _hl7(self, box: Principal, item: Item, at: int) -> str:
        intake = take(item.body, self.source_behind(box, item), self._announced, at, MAX_OBX)
        read = self.cases.codebooks.read
        appends = [
            one._replace(entry=read(hospital_of(one.shard), one.entry))
            if isinstance(one.entry, wire.Observed)
            else one
            for one in intake.appends
        ]
        await self.cases.pace.turn([one.entry for one in appends])
        return await self._append(appends, KEPT if intake.code else STORED)

    async def _native(self, box: Principal, item: Item, at: int) -> str:
        cases = copy(self.cases)
        cases.clock = Then(at)
        intake = _Keeping(self.appender, self.places, cases, cases.clock)
        device = self.device_behind(box, item)
        answer: Answer
        if item.kind == EVENTS:
            answer = await intake.take_text(device, item.body.decode(errors="replace"))
        else:
            answer = await intake.take_frames(device, item.body)
        if answer["type"] == "ack":
            return STORED
        if answer["error"] == "not_stored":
            return AGAIN
        if answer["error"] == "not_found":  # its sender has been told yes: nobody else has it
            return await self._kept(box, at, answer["error"], answer["detail"], item.body)
        return KEPT

    async def _care(self, box: Principal, item: Item, at: int) -> str:
        device = self.device_behind(box, item)
        poster = of_principal(device)
        poster = Poster(
            poster.actor, poster.hospital, poster.mode, poster.may_write, poster.bed, item.zone
        )
        intake = CareIntake(self.appender, self.places, self.cases.codebooks, Then(at))
        await intake.take(poster, item.body)
        return STORED

    async def _append(self, appends: list[Append], outcome: str) -> str:
        results = await asyncio.gather(
            *(self.appender.append(a.shard, a.entry, a.raw, a.stream) for a in appends),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return outcome

    async def _kept(self, box: Principal, at: int, code: str, reason: str, body: bytes) -> str:
        same = message_identity(box.actor, code, body) if body else b""
        entry = wire.Kept(hall(box.hospital), box.actor, at, code, reason, identity=same)
        try:
            await self.appender.append(entry.unit, entry, body)
        except NotStored:
            return AGAIN
        return KEPT

    def source_behind(self, box: Principal, item: Item) -> Source:
        """The sender of an HL7 message, within what the box may write."""
        units = None if box.units == ALL_UNITS else box.units
        name = f"{box.actor.removeprefix('device:')}/{item.source}"
        mode = _mode(box, item)
        return Source(
            name=name, hospital=box.hospital, units=units, mode=mode, zone=item.zone or "UTC"
        )

    def device_behind(self, box: Principal, item: Item) -> Principal:
        """A device behind the box: under its own name where we know it, else under the box's.

        Under its own name what it sends here, and by itself when the box is away, is the same.
        """
        known = self.places.device(box.hospital, item.source)
        name, bed = item.source, item.bed
        if known is not None and known.device == name and self._stood_within(box, known):
            bed = known.bed  # as it is registered, whatever the box remembers
        else:
            name = f"{box.actor.removeprefix('device:')}/{name}"
        return Principal(
            actor=f"device:{name}",
            role=Role.GATEWAY,
            hospital=box.hospital,
            units=box.units,
            key=box.key,
            mode=mode_of(_mode(box, item), known.mode if known else ""),
            bed=bed,
        )

    def _stood_within(self, box: Principal, known: KnownDevice) -> bool:
        """Whether a device stands, or ever stood, in a unit of the box.

        Then the binding of its own name holds: what people took away from a bed stays away.
        """
        stands = self.places.standing(box.hospital, known.device)
        beds = {known.bed, *(stand.bed for stand in stands)} - {""}
        units = {self.places.unit_of_bed(bed) for bed in beds}
        return bool(units) and (box.units == ALL_UNITS or bool(units & set(box.units)))


class _Keeping(DeviceIntake):
    """Here a nack is not enough: its sender has gone, so the bytes are kept or it comes again."""

    async def _keep(
        self, principal: Principal, error: MessageError, message: bytes, kind: str
    ) -> None:
        await self.cases.keep(principal, error, message, kind)


def devices_within(box: Principal, everyone: list[Principal]) -> list[dict[str, Any]]:
    """The devices whose tokens the box may accept: those of its own units, by the token's hash."""
    return [
        {
            "device": one.actor.removeprefix("device:"),
            "key": one.key,
            "role": one.role.value,
            "units": list(one.units),
            "mode": one.mode,
            "bed": one.bed,
        }
        for one in everyone
        if one.role in DEVICE_ROLES
        and one.key != box.key
        and (box.units == ALL_UNITS or set(one.units) <= set(box.units))
    ]


def moment(relay: Relay, item: Item, now: int) -> int:
    """When the box had an item, by our clock; microseconds UTC."""
    shift = _shift(relay, now)
    if item.clock == relay.clock:
        return min(now, item.received_at + shift)
    began = relay.began_at + shift if relay.began_at else now
    if item.off_us is not None:
        return min(item.received_at + _beyond_same(item.off_us), began, now - LIVE_US)
    latest = min(began, now - OLD_US)
    return item.received_at if latest - NEVER_SET_US <= item.received_at <= latest else latest


def _shift(relay: Relay, now: int) -> int:
    """What is to be added to the times of the box's present clock, microseconds."""
    most = now - relay.sent_at  # no line is quicker than at once
    if relay.off_us is not None:
        return _beyond_same(min(relay.off_us, most))
    return most if most > SLOW_US else min(_beyond_same(most), 0)


def _beyond_same(off_us: int) -> int:
    return off_us if abs(off_us) > SAME_US else 0


def _mode(box: Principal, item: Item) -> str:
    """Nothing that a demo or test box or source sends may pass as real."""
    if box.mode != "Real":
        return box.mode
    return item.mode if item.mode in ("Real", "Test", "Demo") else "Test"


def _full_words(note: str) -> str:
    try:
        since, until, refused = (int(part) for part in note.split())
        return (
            f"the box had no room from {iso(since)} to {iso(until)}:"
            f" {refused} messages were refused; their senders may have kept them"
        )
    except (ValueError, OverflowError):
        return "the box had no room for a time; some messages were refused"
