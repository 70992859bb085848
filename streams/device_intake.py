"""The intake of native devices: values as JSON and curves as frames, answered after fsync.

A message is taken whole or not at all; whoever gets no `ack` keeps it and sends it again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any, Final

from hospital_ops import events, waveform, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import Clock
from hospital_ops.errors import MessageError, NotFound, NotStored
from hospital_ops.identity import message_identity
from hospital_ops.waveform import Frame
from streams.append import Appender
from streams.intake import EVENTS_MAX, Intake
from streams.projections import Places
from streams.shard import hospital_of

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
            batch = message.get("events")
            if not isinstance(batch, list) or len(batch) > EVENTS_MAX:
                raise MessageError("no_events", f"`events` is a list of at most {EVENTS_MAX}")
            ids = [event.get("event_id") for event in batch if isinstance(event, dict)]
            case = message.get("case")
            if isinstance(case, str):
                stored = await self.cases.take_measurements(principal, case, body)
            else:
                stored = await self._values(principal, message.get("bed"), batch, body)
        except MessageError as error:
            await self._keep(principal, error, body)
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
        try:
            frames = list(waveform.unpack(message))
            sequence = frames[0].sequence
            entries = [(wave, b"") for wave in self._waves(principal, frames, message)]
            await self.appender.append_many(entries[0][0].unit, entries, stream="waves")
        except MessageError as error:
            await self._keep(principal, error, message)
            return _nack(error.code, error.reason, seq=sequence)
        except NotFound as error:
            return _nack("not_found", str(error), seq=sequence)
        except NotStored as error:
            return _nack("not_stored", str(error), seq=sequence)
        return {"type": "ack", "seq": sequence}

    async def _values(
        self, principal: Principal, bed: Any, batch: list[Any], body: bytes
    ) -> dict[str, list[Any]]:
        """Stores the values of a bed; what is no EVENT is named in `rejected`."""
        place, unit = self._bed(principal, bed if isinstance(bed, str) else "")
        by_mode: dict[str, list[wire.Observation]] = defaultdict(list)
        warnings: list[Any] = []
        rejected: list[Any] = []
        for event in batch:
            try:
                observation, mode, warning = events.read(event, origin="monitor")
            except MessageError as error:
                claimed = event.get("event_id") if isinstance(event, dict) else None
                rejected.append({"event_id": claimed, "error": str(error)})
                continue
            # Nothing that a demo or test device sends may pass as real.
            by_mode[mode if principal.mode == "Real" else principal.mode].append(observation)
            if warning:
                warnings.append({"event_id": observation.event_id, "text": warning})
        if rejected:
            reason = f"{len(rejected)} events of the batch were rejected"
            await self._keep(principal, MessageError("rejected_events", reason), body)
        if by_mode:
            await self.appender.append_many(
                unit,
                [
                    (self._observed(principal, unit, place, mode, rows, body), body)
                    for mode, rows in by_mode.items()
                ],
            )
        stored = [row.event_id for rows in by_mode.values() for row in rows]
        return {"stored": stored, "warnings": warnings, "rejected": rejected}

    def _observed(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        mode: str,
        rows: list[wire.Observation],
        body: bytes,
    ) -> wire.Observed:
        digest = hashlib.sha256(f"{principal.actor}\x1f{bed}\x1f{mode}\x1f".encode() + body)
        return wire.Observed(
            unit=unit,
            source=principal.actor,
            message_id=digest.hexdigest()[:32],
            identity=digest.digest(),
            received_at=self.clock.now_us(),
            mode=mode,
            observations=tuple(rows),
            bed=bed,
            device=_device(principal),
        )

    def _waves(self, principal: Principal, frames: list[Frame], message: bytes) -> list[wire.Waved]:
        """The entries of one message's frames, all of one bed and one number."""
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
        return [
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
        ]

    def _bed(self, principal: Principal, named: str) -> tuple[str, str]:
        """(bed, unit) that the device may send for; a device fixed at a bed need not name it."""
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

    async def _keep(self, principal: Principal, error: MessageError, message: bytes) -> None:
        """Keeps what could not be used in the hall; where that fails the nack says enough."""
        try:
            await self.cases.keep(principal, error, message[:KEPT_BYTES])
        except NotStored:
            return


def _device(principal: Principal) -> str:
    return principal.actor.removeprefix("device:")


def _nack(code: str, reason: str, **about: Any) -> Answer:
    return {"type": "nack", "error": code, "detail": reason, **about}
