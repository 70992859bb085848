"""What people chart at a bed: values, corrections and validated hours, by the stream.

It works without PostgreSQL, as any value does; the answer comes when all is on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hospital_ops import codes, events, wire
from hospital_ops.access import Principal
from hospital_ops.bindings import FUTURE_US
from hospital_ops.clock import SECOND, Clock
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived, uuid7
from streams.append import Appender

EVENTS_MOST: Final = 100
ROUNDED_US: Final = 60 * SECOND  # who types a time types its minute
BEFORE: Final = "This time is from before this patient came to this bed: nothing was stored."
REASON_MOST: Final = 300
GCS: Final = codes.by_key["gcs"].code
GCS_PARTS: Final = tuple(codes.by_key[key].code for key in ("gcs_e", "gcs_v", "gcs_m"))


class Total(NamedTuple):
    """A charted sum of which a part is corrected: what it is from now on."""

    old: wire.Observation
    value: float | None  # None: it is not known any more

    def made(self, mode: str) -> wire.Observation | None:
        """The new sum as a value, at the time of the old one."""
        if self.value is None:
            return None
        event = str(derived("total", mode, self.old.event_id, str(self.value)))
        return wire.replaced(self.old, value=self.value, event_id=event)


class Correction(NamedTuple):
    """What a correction is: of which values, what the unit is told, and the answer."""

    events: tuple[str, ...]
    told: tuple[wire.Entry, ...]
    answer: dict[str, Any]


def total_after(
    part: wire.Observation, value: Any, charted: Sequence[wire.Observation]
) -> Total | None:
    """The GCS that was charted with a part of it, once the part is `value` (None: taken back).

    None where the part is none of a GCS, or no GCS was charted at its moment.
    """
    if part.code not in GCS_PARTS:
        return None
    known = {one.code: one for one in charted if one.determined_at == part.determined_at}
    if (old := known.get(GCS)) is None:
        return None
    values = [
        value if code == part.code else known[code].value if code in known else None
        for code in GCS_PARTS
    ]
    numbers = [float(one) for one in values if isinstance(one, int | float)]
    return Total(old, sum(numbers) if len(numbers) == len(GCS_PARTS) else None)


class Charting:
    """Checks and appends what somebody charts."""

    def __init__(self, appender: Appender, clock: Clock, mode: str) -> None:
        self.appender, self.clock, self.mode = appender, clock, mode

    async def take(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        batch: Any,
        body: bytes,
        *,
        whole: bool = False,
        since: int = 0,
    ) -> dict[str, list[Any]]:
        """Stores `[EVENT, ...]`; `{"stored", "warnings", "rejected"}` once on disk.

        `whole`: all of them or, where one cannot be stored, none. `since`: when whoever lies in
        the bed came to it, microseconds UTC; a value from before would be somebody else's.
        """
        if not isinstance(batch, list) or len(batch) > EVENTS_MOST:
            raise MessageError(
                "no_events", f'send {{"events": [EVENT, ...]}}, at most {EVENTS_MOST}'
            )
        observations, warnings, rejected = [], [], []
        now = self.clock.now_us()
        for event in batch:
            try:
                observation, _, warning = self.read(event, now)
                if (observation.determined_at or now) <= since - ROUNDED_US:
                    raise MessageError("before_stay", BEFORE)
            except MessageError as error:
                claimed = event.get("event_id") if isinstance(event, dict) else None
                rejected.append({"event_id": claimed, "error": str(error)})
                continue
            observations.append(observation)
            if warning:
                warnings.append({"event_id": observation.event_id, "text": warning})
        if whole and rejected:
            observations = []
        if observations:
            entry = self.observed(principal, unit, bed, observations, body)
            await self.appender.append_many(unit, [(entry, body)])
        stored = [observation.event_id for observation in observations]
        return {"stored": stored, "warnings": warnings, "rejected": rejected}

    def correction(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        old: wire.Observation,
        new: Any,
        reason: str,
        body: bytes,
        charted: Sequence[wire.Observation] = (),
        patient_id: str = "",
    ) -> Correction:
        """Takes `old` back, and puts the EVENT `new` in its place where one is given.

        `charted`: what holds of its moment; a sum of which `old` is a part follows it. `unit` and
        `bed` are where it was charted, `patient_id` whose it is: they may lie elsewhere by now.
        """
        if not reason.strip():
            raise MessageError("no_reason", "a correction needs a `reason`")
        now = self.clock.now_us()
        replaced, warning = None, ""
        if new is not None:
            replaced, _, warning = self.read(new, now)
            if replaced.code != old.code:
                raise MessageError("other_code", "a correction is of the same value")
        pairs = [(old, replaced)]
        total = total_after(old, replaced.value if replaced else None, charted)
        if total is not None:
            pairs.append((total.old, total.made(self.mode)))
        told: list[wire.Entry] = [
            self._gone(principal, unit, bed, *pair, reason, now, patient_id, body) for pair in pairs
        ]
        made = [other for _, other in pairs if other is not None]
        if made:
            told.append(self.observed(principal, unit, bed, made, body))
        return Correction(
            tuple(one.event_id for one, _ in pairs),
            tuple(told),
            {
                "corrected": old.event_id,
                "replaced_by": replaced.event_id if replaced else None,
                "warning": warning or None,
            },
        )

    def _gone(
        self,
        principal: Principal,
        unit: str,
        bed: str,
        old: wire.Observation,
        replaced: wire.Observation | None,
        reason: str,
        now: int,
        patient_id: str,
        body: bytes,
    ) -> wire.Corrected:
        message = self.observed(principal, unit, bed, [replaced], body) if replaced else None
        return wire.Corrected(
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
            patient_id=patient_id,
            instead=wire.encode(message) if message else b"",
        )

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
