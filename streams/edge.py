"""The box of a unit: what its devices send is answered from its own disk, and forwarded as it is.

It reads a message as far as the answer needs it and decides nothing: the hospital reads the same
bytes again, with the moment at which the box had them. What cannot be used is refused here as
there, and forwarded all the same, so that its bytes lie among the hospital's dead letters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from hospital_ops import care, events, waveform, wire
from hospital_ops.access import Principal
from hospital_ops.clock import Clock
from hospital_ops.errors import MessageError, NotStored
from hospital_ops.forward import items
from hospital_ops.forward.items import Item
from hospital_ops.forward.shelf import Shelf
from hospital_ops.hl7.framing import MIB
from hospital_ops.hl7.understand import Source, Understood, understand
from streams import batch as batches
from streams.device_intake import FRAMES_MAX
from streams.hl7_intake import Append, Intake
from streams.routing import Announced

BODY_MAX: Final = MIB - 8192  # of one item: it has to fit into one request to the hospital
Answer = dict[str, Any]


def hold(raw: bytes, source: Source, _: Announced, received_at: int, max_obx: int) -> Intake:
    """In the place of `hl7_intake.take`: whatever the message says, it goes onto the shelf.

    The lane stands where the stream would, the kind of body where a code would.
    """
    known = understand(raw, source, received_at, max_obx)
    if known.silent:
        return Intake(known, [], "acknowledgement")
    entry = wire.Kept("", source.name, received_at, items.HL7, "")
    code = known.problem.code if known.problem else ""
    return Intake(known, [Append("", str(_rank(known)), entry, raw)], code)


def _rank(known: Understood) -> int:
    if known.event is not None:
        return items.WHO
    if known.alarms:
        return items.ALARM
    found = known.found
    only_curves = found is not None and found.pieces and not any(found.by_mode.values())
    return items.CURVE if only_curves else items.VALUE


class ShelfAppender:
    """What the MLLP gateway needs of an appender, over a shelf."""

    def __init__(self, shelf: Shelf, sources: Iterable[Source]) -> None:
        self._shelf = shelf
        self._sources = {source.name: source for source in sources}

    async def append(
        self, _shard: str, entry: wire.Entry, raw: bytes = b"", stream: str = "in"
    ) -> str:
        """Returns when the message is on disk; NotStored otherwise."""
        if not isinstance(entry, wire.Kept):
            raise TypeError("a box appends what `hold` and `broken` make")
        source = self._sources[entry.source]
        whole = entry.code == items.HL7
        await self._shelf.put(
            made(
                items.HL7 if whole else items.BROKEN,
                source.name,
                entry.received_at,
                raw,
                rank=int(stream) if whole else items.VALUE,
                mode=source.mode,
                zone=source.zone,
                note="" if whole else entry.code,
            )
        )
        return ""


def made(
    kind: str,
    source: str,
    received_at: int,
    body: bytes,
    *,
    rank: int = items.VALUE,
    mode: str = "Real",
    zone: str = "",
    bed: str = "",
    note: str = "",
    when: str = "",
) -> Item:
    """An item; the same bytes of the same sender are the same item, unless only `when` they came
    tells one from another."""
    if len(body) > BODY_MAX:
        raise MessageError("too_large", f"send at most {BODY_MAX} bytes in one message")
    name = f"{kind}\x1f{source}\x1f{bed}\x1f{when}"
    digest = hashlib.sha256(name.encode() + body).hexdigest()
    return Item(digest, kind, source, received_at, body, rank, mode, zone, bed, note)


class EdgeIntake:
    """What devices of the unit send over socket and HTTP."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self.shelf, self.clock = shelf, clock

    async def take_text(self, device: Principal, text: str) -> Answer:
        """The answer to a message of values, as `DeviceIntake.take_text` gives it."""
        body, ids = text.encode(errors="replace"), list[Any]()
        now = self.clock.now_us()
        try:
            try:
                message = events.parse_json(body)
                if not isinstance(message, dict) or message.get("type") != "events":
                    raise MessageError("unknown_type", 'send {"type": "events", "events": [EVENT]}')
                found = batches.listed(message)
                ids = [event.get("event_id") for event in found if isinstance(event, dict)]
            except MessageError:
                await self.shelf.put(_of(device, items.EVENTS, now, body))
                raise
            batch = batches.read(found, device, "monitor", now)
            await self.shelf.put(_of(device, items.EVENTS, now, body))
        except MessageError as error:
            return _nack(error.code, error.reason, ids=ids)
        except NotStored as error:
            return _nack("not_stored", str(error), ids=ids)
        stored = batch.answer()
        return {
            "type": "ack",
            "ids": stored["stored"],
            "warnings": stored["warnings"],
            "rejected": stored["rejected"],
        }

    async def take_frames(self, device: Principal, message: bytes) -> Answer:
        """The answer to a message of curves, as `DeviceIntake.take_frames` gives it."""
        sequence: int | None = None
        now = self.clock.now_us()
        try:
            try:
                frames = list(waveform.unpack(message))
                sequence = frames[0].sequence
                _check(frames)
            except MessageError:
                await self.shelf.put(_of(device, items.CURVES, now, message))
                raise
            await self.shelf.put(_of(device, items.CURVES, now, message, items.CURVE))
        except MessageError as error:
            return _nack(error.code, error.reason, seq=sequence)
        except NotStored as error:
            return _nack("not_stored", str(error), seq=sequence)
        return {"type": "ack", "seq": sequence}

    async def take_care(self, source: str, mode: str, zone: str, bed: str, body: bytes) -> Answer:
        """As `CareIntake.take`; which device stands where is for the hospital to say."""
        now = self.clock.now_us()
        try:
            payload = care.read(events.parse_json(body, care.WANTED), now, [zone or "UTC"])
        except MessageError:
            await self.shelf.put(made(items.CARE, source, now, body, mode=mode, zone=zone, bed=bed))
            raise
        rows = [(d.device_id, row) for d in payload.devices.values() for row in d.observations]
        untimed = any(row.determined_at is None for _, row in rows)
        item = made(
            items.CARE, source, now, body, mode=mode, zone=zone, bed=bed,
            when=str(now) if untimed else "",
        )  # fmt: skip
        await self.shelf.put(item)
        return {
            "stored": len(rows) + sum(len(d.waves) for d in payload.devices.values()),
            "warnings": [
                {"device_id": device, "code": row.code, "text": row.reason}
                for device, row in rows
                if row.reason
            ],
            "rejected": [{"error": reason} for reason in payload.rejected],
        }


def _check(frames: list[waveform.Frame]) -> None:
    if len(frames) > FRAMES_MAX:
        raise MessageError("too_many", f"send at most {FRAMES_MAX} frames in one message")
    if len({(frame.place, frame.sequence) for frame in frames}) > 1:
        raise MessageError("mixed", "all frames of a message are of one bed and one number")
    for frame in frames:
        waveform.check(frame)


def _of(device: Principal, kind: str, now: int, body: bytes, rank: int = items.VALUE) -> Item:
    name = device.actor.removeprefix("device:")
    return made(kind, name, now, body, rank=rank, mode=device.mode, bed=device.bed)


def _nack(code: str, reason: str, **about: Any) -> Answer:
    return {"type": "nack", "error": code, "detail": reason, **about}
