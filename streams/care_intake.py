"""The intake of the CARE TeleICU gateway's payload: each of its devices at its bed, after fsync.

A device of the payload is found by its address, its id or its bed; what belongs to no bed of ours
is kept in the hall and named in the answer, and the rest is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from hospital_ops import care, events, waveform, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import Clock
from hospital_ops.errors import MessageError
from hospital_ops.forward.items import CARE
from hospital_ops.hl7.understand import Source
from hospital_ops.identity import message_identity
from hospital_ops.standing.rules import bed_at, mode_of, parted
from streams.append import Appender
from streams.codebooks import Codebooks
from streams.projections import Places
from streams.shard import hall, hospital_of

KEPT_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Poster:
    """Who posts: a device or gateway with a token, or a source named in the configuration."""

    actor: str
    hospital: str
    mode: str
    may_write: Callable[[str], bool]  # by unit
    bed: str = ""  # a device that is fixed at a bed
    zone: str = ""  # of times without one; empty: see `care.moment`


def of_principal(principal: Principal) -> Poster:
    """A device or gateway that showed its token."""

    def may_write(unit: str) -> bool:
        return allows(principal, Permission.SEND_VALUES, hospital_of(unit), unit)

    return Poster(principal.actor, principal.hospital, principal.mode, may_write, principal.bed)


def of_source(source: Source, places: Places) -> Poster:
    """A source that the configuration names by its address."""

    def may_write(unit: str) -> bool:
        return source.may_write(unit, places.hospital_of_unit(unit))

    return Poster(source.name, source.hospital, source.mode, may_write, zone=source.zone)


class CareIntake:
    """Reads, routes and appends what `POST /update_observations` brings."""

    def __init__(
        self, appender: Appender, places: Places, codebooks: Codebooks, clock: Clock
    ) -> None:
        self.appender, self.places = appender, places
        self.codebooks, self.clock = codebooks, clock

    async def take(self, poster: Poster, body: bytes) -> dict[str, Any]:
        """`{"stored", "warnings", "rejected"}` once all of it is on disk.

        MessageError where nothing of it could be taken; its bytes are kept.
        """
        now = self.clock.now_us()
        try:
            payload = care.read(events.parse_json(body, care.WANTED), now, self._zones(poster))
        except MessageError as error:
            await self._keep(poster, error, body, now)
            raise
        if poster.bed and len(payload.devices) > 1:
            names = ", ".join(name[:40] for name in list(payload.devices)[:3])
            refusal = MessageError(
                "several_devices",
                f"this token is of bed {poster.bed} alone, and the payload is of several devices"
                f" ({names}): give a gateway a token of its own",
            )
            await self._keep(poster, refusal, body, now)
            raise refusal
        rejected: list[dict[str, str]] = [{"error": reason} for reason in payload.rejected]
        stored, warnings = 0, list[dict[str, str]]()
        for device in payload.devices.values():
            try:
                bed, unit = self._bed(poster, device.device_id)
            except MessageError as error:
                rejected.append({"device_id": device.device_id, "error": error.reason})
                continue
            registered = self.places.mode_of_device(poster.hospital, device.device_id)
            sender = replace(poster, mode=mode_of(poster.mode, registered))
            waves, doubts = self._waves(sender, unit, bed, device, body, now)
            observed = self._observed(sender, unit, bed, device, body, now)
            observed = self.codebooks.read(hospital_of(unit), observed)
            stands = self.places.standing(poster.hospital, device.device_id)
            for part in parted(observed, stands, self.places.unit_of_bed):
                await self.appender.append_many(part.unit, [(part, body)])
            pieces = [p for wave in waves for p in parted(wave, stands, self.places.unit_of_bed)]
            for entry in wire.together(pieces):
                await self.appender.append_many(entry.unit, [(entry, b"")], "waves")
            stored += len(device.observations) + len(waves)
            rejected += [{"device_id": device.device_id, "error": doubt} for doubt in doubts]
            warnings += [
                {"device_id": device.device_id, "code": row.code, "text": row.reason}
                for row in device.observations
                if row.reason
            ]
        if rejected:
            reason = f"{len(rejected)} refused, the first: {rejected[0]['error']}"
            refusal = MessageError("rejected_observations", reason)
            await self._keep(poster, refusal, body, now)
            if not stored:
                raise refusal
        return {"stored": stored, "warnings": warnings, "rejected": rejected}

    def _zones(self, poster: Poster) -> list[str]:
        if poster.zone:
            return [poster.zone]
        ours = [u.zone for u in self.places.units.values() if u.hospital == poster.hospital][:1]
        return [*ours, "UTC", care.OWN_ZONE]

    def _bed(self, poster: Poster, device_id: str) -> tuple[str, str]:
        """(bed, unit) of a device of the payload, within what the poster may write."""
        known = self.places.device(poster.hospital, device_id)
        stands = self.places.standing(poster.hospital, device_id)
        if stands and not bed_at(stands, self.clock.now_us()):
            last = next((one.bed for one in reversed(stands) if one.bed), "")
            unit = self.places.unit_of_bed(last)
            if unit and poster.may_write(unit):
                return "", unit  # at no bed now: its values are kept without one
        own = (known.bed if known else "") or device_id
        if poster.bed and own != poster.bed and self.places.unit_of_bed(own) is not None:
            raise MessageError(
                "other_bed",
                f"this token is of bed {poster.bed}, and device {device_id[:40]!r} stands at"
                " another: give a gateway a token of its own (hospital-ops device add --kind"
                " gateway)",
            )
        bed = poster.bed or own
        unit = self.places.unit_of_bed(bed)
        if unit is None or not poster.may_write(unit):
            raise MessageError(
                "unknown_device",
                f"device {device_id[:40]!r} stands at no bed of ours: register it"
                " (hospital-ops device add --bed)",
            )
        return bed, unit

    def _observed(
        self, poster: Poster, unit: str, bed: str, device: care.Device, body: bytes, now: int
    ) -> wire.Observed:
        # Without a time the same values again are new ones: each counts from its receipt.
        untimed = any(one.determined_at is None for one in device.observations)
        name = f"{poster.actor}\x1f{device.device_id}\x1f{now if untimed else ''}"
        digest = hashlib.sha256(name.encode() + body)
        return wire.Observed(
            unit=unit,
            source=poster.actor,
            message_id=digest.hexdigest()[:32],
            identity=digest.digest(),
            received_at=now,
            mode=poster.mode,
            observations=tuple(device.observations),
            bed=bed,
            device=device.device_id,
            mrn=device.mrn,
        )

    def _waves(
        self, poster: Poster, unit: str, bed: str, device: care.Device, body: bytes, now: int
    ) -> tuple[list[wire.Waved], list[str]]:
        made, doubts = list[wire.Waved](), list[str]()
        for index, wave in enumerate(device.waves):
            seconds = len(wave.samples) / 2 / wave.rate_hz
            at = now - round(seconds * 1e6) if wave.started_at is None else wave.started_at
            frame = waveform.Frame(
                waveform.SAMPLES, poster.mode, bed, wave.code, "", wave.unit, 0, at, wave.rate_hz,
                wave.scale, wave.offset, wave.samples,
            )  # fmt: skip
            try:
                waveform.check(frame)
            except MessageError as error:
                doubts.append(error.reason)
                continue
            number = f"{device.device_id} {wave.code} {at}"
            made.append(
                wire.Waved(
                    unit=unit,
                    source=poster.actor,
                    message_id=number[:100],
                    identity=message_identity(f"{poster.actor}/wave{index}", number, body),
                    received_at=now,
                    mode=poster.mode,
                    code=wave.code,
                    channel="",
                    started_at=at,
                    rate_hz=wave.rate_hz,
                    scale=wave.scale,
                    offset=wave.offset,
                    physical_unit=wave.unit,
                    samples=wave.samples,
                    bed=bed,
                    device=device.device_id,
                    sequence=at // 1_000_000 & 0xFFFFFFFF,
                    mrn=device.mrn,
                )
            )
        return made, doubts

    async def _keep(self, poster: Poster, error: MessageError, body: bytes, now: int) -> None:
        """Under the moment that counts for its values without a time, should it be tried again."""
        kept = wire.Kept(
            hall(poster.hospital), poster.actor, now, error.code, error.reason,
            identity=message_identity(poster.actor, "", body),
            kind=CARE, mode=poster.mode, zone=poster.zone,
        )  # fmt: skip
        await self.appender.append(kept.unit, kept, body[:KEPT_BYTES])
