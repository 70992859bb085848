"""The intake of native devices: values as JSON and curves as frames, answered after fsync.

A message is taken whole or not at all; whoever gets no `ack` keeps it and sends it again.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import events, waveform, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import Clock
from hospital_ops.errors import MessageError, NotFound, NotStored
from hospital_ops.forward.items import CURVES, EVENTS
from hospital_ops.identity import message_identity
from hospital_ops.standing.rules import bed_at, parted
from hospital_ops.waveform import Frame
from streams import batch as batches
from streams.append import Appender
from streams.intake import Intake
from streams.projections import Places
from streams.shard import hospital_of
from streams.vehicles import tablet_of, take

FRAMES_MAX: Final = 64  # of one message: a 12-lead monitor with every pressure has about 20
KEPT_BYTES: Final = 64 * 1024  # of a message that cannot be used: enough to see what it was
# A curve older or newer than this is not of a live patient; the archive has a day for it.
OLDEST_S: Final = 30 * 86_400
NEWEST_S: Final = 86_400

Answer = dict[str, Any]


class DeviceIntake:
    """Checks, routes and appends what a device on `WS /ws/v1/devices` sends."""

    def __init__(self, appender: Appender, places: Places, cases: Intake, clock: Clock) -> None:
        self.appender, self.places = appender, places
        self.cases, self.clock = cases, clock

    async def take_text(self, principal: Principal, text: str) -> Answer:
        """The answer to `{"type":"events","bed"|"case":...,"events":[EVENT]}`: ack or nack."""
        body = text.encode(errors="replace")
        ids: list[Any] = []
        try:
            message = events.parse_json(body)
            if not isinstance(message, dict) or message.get("type") != "events":
                raise MessageError("unknown_type", 'send {"type": "events", "events": [EVENT]}')
            found = batches.listed(message)
            ids = [event.get("event_id") for event in found if isinstance(event, dict)]
            case = message.get("case")
            if isinstance(case, str):
                stored = await self.cases.take_measurements(principal, case, body)
            elif not message.get("bed") and (tablet := tablet_of(self.cases, principal)):
                stored = await take(self.cases, principal, tablet, found, body)
            else:
                stored = await self._values(principal, message.get("bed"), found, body)
        except MessageError as error:
            await self._keep(principal, error, body, EVENTS)
            return _nack(error.code, error.reason, ids=ids)
        except NotFound as error:
            return _nack("not_found", str(error), ids=ids)
        except NotStored as error:
            return _nack("not_stored", str(error), ids=ids)
        return {
            "type": "ack",
            "ids": stored["stored"],
            "warnings": stored["warnings"],
            "rejected": stored["rejected"],
        }

    async def take_frames(self, principal: Principal, message: bytes) -> Answer:
        """The answer to a binary message: `{"type":"ack","seq":N}` once all frames are on disk."""
        sequence: int | None = None
        whole: dict[str, list[tuple[wire.Entry, bytes]]] = {}
        try:
            frames = list(waveform.unpack(message))
            sequence = frames[0].sequence
            for entry in wire.together(self._waves(principal, frames, message)):
                whole.setdefault(entry.unit, []).append((entry, b""))
            for unit, entries in whole.items():
                await self.appender.append_many(unit, entries, stream="waves")
        except MessageError as error:
            await self._keep(principal, error, message, CURVES)
            return _nack(error.code, error.reason, seq=sequence)
        except NotFound as error:
            return _nack("not_found", str(error), seq=sequence)
        except NotStored as error:
            return _nack("not_stored", str(error), seq=sequence)
        return {"type": "ack", "seq": sequence}

    async def _values(
        self, principal: Principal, bed: Any, found: list[Any], body: bytes
    ) -> dict[str, list[Any]]:
        """Stores the values of a bed; what is no EVENT is named in `rejected`."""
        place, unit = self._bed(principal, bed if isinstance(bed, str) else "")
        now = self.clock.now_us()
        batch = batches.read(found, principal, "monitor", now)
        if batch.problem is not None:
            await self._keep(principal, batch.problem, body, EVENTS)
        made = batches.entries(
            batch, principal, unit, body, now, bed=place, device=_device(principal)
        )
        by_unit: dict[str, list[tuple[wire.Entry, bytes]]] = {}
        for entry, raw in self.cases.read(principal.hospital, made):
            for part in self._parted(principal, entry):
                by_unit.setdefault(part.unit, []).append((part, raw))
        await self.cases.pace.turn([entry for entry, _ in made])
        for of, entries in by_unit.items():
            await self.appender.append_many(of, entries)
        return batch.answer()

    def _parted(self, principal: Principal, entry: wire.Entry) -> list[wire.Observed]:
        """One entry for each bed at which the device stood when its values were taken."""
        if not isinstance(entry, wire.Observed):
            return []
        stands = self.places.standing(principal.hospital, _device(principal))
        return parted(entry, stands, self.places.unit_of_bed)

    def _waves(self, principal: Principal, frames: list[Frame], message: bytes) -> list[wire.Waved]:
        """The curves of one message's frames, all of one bed and one number."""
        if len(frames) > FRAMES_MAX:
            raise MessageError("too_many", f"send at most {FRAMES_MAX} frames in one message")
        if len({(frame.place, frame.sequence) for frame in frames}) > 1:
            raise MessageError("mixed", "all frames of a message are of one bed and one number")
        bed, unit = self._bed(principal, frames[0].place)
        now = self.clock.now_us()
        for frame in frames:
            waveform.check(frame)
            if not -OLDEST_S <= (frame.started_at - now) / 1e6 <= NEWEST_S:
                raise MessageError("bad_time", "the frame's time is far from now: set the clock")
        number = str(frames[0].sequence)
        stands = self.places.standing(principal.hospital, _device(principal))
        whole = (
            wire.Waved(
                unit=unit,
                source=principal.actor,
                message_id=number,
                identity=message_identity(f"{principal.actor}/wave{index}", number, message),
                received_at=now,
                mode=frame.mode if principal.mode == "Real" else principal.mode,
                code=frame.code,
                channel=frame.channel,
                started_at=frame.started_at,
                rate_hz=frame.rate_hz,
                scale=frame.scale,
                offset=frame.offset,
                physical_unit=frame.unit,
                samples=frame.samples,
                bed=bed,
                device=_device(principal),
                sequence=frame.sequence,
            )
            for index, frame in enumerate(frames)
        )
        return [part for wave in whole for part in parted(wave, stands, self.places.unit_of_bed)]

    def _bed(self, principal: Principal, named: str) -> tuple[str, str]:
        """(bed, unit) that the device may send for; a device fixed at a bed need not name it.

        Where a person has bound it, that holds, whatever the device names; at no bed its values
        are kept without one.
        """
        stands = self.places.standing(principal.hospital, _device(principal))
        if stands:
            bed = bed_at(stands, self.clock.now_us())
            stood_in = self.places.unit_of_bed(bed) if bed else principal.units[0]
            if stood_in is not None and self.places.has_unit(stood_in):
                return bed, stood_in
        bed = named or principal.bed
        if not bed:
            raise MessageError("no_bed", "name the bed: this device is fixed at none")
        unit = self.places.unit_of_bed(bed)
        fixed = principal.bed and principal.bed != bed
        if unit is None or fixed:
            raise NotFound("There is no such bed, or this device may not send for it.")
        if not allows(principal, Permission.SEND_VALUES, hospital_of(unit), unit):
            raise NotFound("There is no such bed, or this device may not send for it.")
        return bed, unit

    async def _keep(
        self, principal: Principal, error: MessageError, message: bytes, kind: str
    ) -> None:
        """Keeps what could not be used in the hall; where that fails the nack says enough."""
        try:
            await self.cases.keep(principal, error, message[:KEPT_BYTES], kind)
        except NotStored:
            return


def _device(principal: Principal) -> str:
    return principal.actor.removeprefix("device:")


def _nack(code: str, reason: str, **about: Any) -> Answer:
    return {"type": "nack", "error": code, "detail": reason, **about}
