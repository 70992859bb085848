"""What people chart at a bed: values, corrections and validated hours, by the stream.

It works without PostgreSQL, as any value does; the answer comes when all is on disk.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from hospital_ops import codes, events, wire
from hospital_ops.access import Principal
from hospital_ops.bindings import FUTURE_US
from hospital_ops.clock import Clock
from hospital_ops.errors import MessageError
from hospital_ops.identity import uuid7
from streams.append import Appender

EVENTS_MOST: Final = 100
REASON_MOST: Final = 300


class Charting:
    """Checks and appends what somebody charts."""

    def __init__(self, appender: Appender, clock: Clock, mode: str) -> None:
        self.appender, self.clock, self.mode = appender, clock, mode

    async def take(
        self, principal: Principal, unit: str, bed: str, batch: Any, body: bytes
    ) -> dict[str, list[Any]]:
        """Stores `[EVENT, ...]`; `{"stored", "warnings", "rejected"}` once on disk."""
        if not isinstance(batch, list) or len(batch) > EVENTS_MOST:
            raise MessageError(
                "no_events", f'send {{"events": [EVENT, ...]}}, at most {EVENTS_MOST}'
            )
        observations, warnings, rejected = [], [], []
        now = self.clock.now_us()
        for event in batch:
            try:
                observation, _, warning = self.read(event, now)
            except MessageError as error:
                claimed = event.get("event_id") if isinstance(event, dict) else None
                rejected.append({"event_id": claimed, "error": str(error)})
                continue
            observations.append(observation)
            if warning:
                warnings.append({"event_id": observation.event_id, "text": warning})
        if observations:
            entry = self.observed(principal, unit, bed, observations, body)
            await self.appender.append_many(unit, [(entry, body)])
        stored = [observation.event_id for observation in observations]
        return {"stored": stored, "warnings": warnings, "rejected": rejected}

    async def correct(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        old: wire.Observation,
        new: Any,
        reason: str,
        body: bytes,
    ) -> dict[str, Any]:
        """Takes `old` back, and puts the EVENT `new` in its place where one is given."""
        if not reason.strip():
            raise MessageError("no_reason", "a correction needs a `reason`")
        now = self.clock.now_us()
        replaced, warning = None, ""
        if new is not None:
            replaced, _, warning = self.read(new, now)
            if replaced.code != old.code:
                raise MessageError("other_code", "a correction is of the same value")
        gone = wire.Corrected(
            unit=unit,
            bed=bed,
            event=old.event_id,
            replaced_by=replaced.event_id if replaced else "",
            code=old.code,
            value=old.value,
            determined_at=old.determined_at or now,
            by=principal.actor,
            role=principal.role.value,
            at=now,
            reason=reason.strip()[:REASON_MOST],
            source=principal.actor,
            received_at=now,
            mode=self.mode,
            channel=old.channel,
        )
        noted = self._audited(principal, unit, "correct_value", old.event_id)
        entries: list[tuple[wire.Entry, bytes]] = [(gone, b""), (noted, b"")]
        if replaced is not None:
            entries.append((self.observed(principal, unit, bed, [replaced], body), body))
        await self.appender.append_many(unit, entries)
        return {
            "corrected": old.event_id,
            "replaced_by": replaced.event_id if replaced else None,
            "warning": warning or None,
        }

    async def validate(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        span: tuple[int, int],
        figures: dict[str, float],
    ) -> None:
        """Somebody has looked through an hour of device values, with what stood there."""
        now = self.clock.now_us()
        entry = wire.HourValidated(
            unit=unit,
            bed=bed,
            from_at=span[0],
            to_at=span[1],
            figures=figures,
            by=principal.actor,
            role=principal.role.value,
            at=now,
            source=principal.actor,
            received_at=now,
            mode=self.mode,
        )
        noted = self._audited(principal, unit, "validate_hour", bed)
        await self.appender.append_many(unit, [(entry, b""), (noted, b"")])

    def read(self, event: Any, now: int) -> tuple[wire.Observation, str, str]:
        """One EVENT as charted: its mode is the house's, its unit the table's where none is said.

        Raises MessageError for what is no EVENT, has no time or one to come, and for what no body
        can have: whoever types is there to look again.
        """
        if isinstance(event, dict):
            vital = codes.by_loinc.get(str(event.get("code"))) or codes.by_key.get(
                str(event.get("code"))
            )
            event = {"event_id": str(uuid7()), "mode": self.mode, "validity": "Vld"} | event
            if vital is not None and not event.get("unit"):
                event["unit"] = "" if vital.ucum in ("code", "{bool}") else vital.ucum
        observation, mode, warning = events.read(event, origin="typed")
        if observation.determined_at is None or observation.determined_at > now + FUTURE_US:
            raise MessageError("bad_time", "a charted value has a time that has come")
        if observation.validity == "Inv":
            raise MessageError("not_a_value", observation.reason or warning or "look again")
        channel = event.get("channel") if isinstance(event, dict) else ""
        if isinstance(channel, str) and channel:
            observation = wire.replaced(observation, channel=channel[:40])
        return observation, mode, warning

    def observed(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        observations: list[wire.Observation],
        body: bytes,
    ) -> wire.Observed:
        """The message that brings charted values into the stream of a unit."""
        ids = "".join(each.event_id for each in observations)
        digest = hashlib.sha256(f"{principal.actor}\x1f{bed}\x1f{ids}\x1f".encode() + body)
        return wire.Observed(
            unit=unit,
            source=principal.actor,
            message_id=digest.hexdigest()[:32],
            identity=digest.digest(),
            received_at=self.clock.now_us(),
            mode=self.mode,
            observations=tuple(observations),
            bed=bed,
            device=wire.CHART,
        )

    def _audited(self, principal: Principal, unit: str, action: str, subject: str) -> wire.Audited:
        return wire.Audited(
            unit=unit,
            at=self.clock.now_us(),
            actor=principal.actor,
            role=principal.role,
            action=action,
            subject=subject,
        )
