"""A batch of EVENTs (DESIGN.md section 4) as a native sender or a tablet sends it. Pure.

One reader for every way in: what is taken, what is doubtful and what is rejected is the same over
HTTP and over the socket.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from hospital_ops import events, wire
from hospital_ops.access import Principal
from hospital_ops.bindings import FUTURE_US
from hospital_ops.clock import SECOND
from hospital_ops.errors import MessageError

EVENTS_MAX: Final = 2000  # a request, as OBX a message (SAFETY.md section 3)
LONG_PAST_US: Final = 86_400 * SECOND
LONG_PAST: Final = "its time lies more than a day behind ours: kept, not shown; set the clock"
AHEAD: Final = "its time lies ahead of ours: kept, not shown; set the clock"


@dataclass(slots=True)
class Batch:
    """The events of one message: observations by mode, and what is to be said about them."""

    by_mode: dict[str, list[wire.Observation]] = field(default_factory=lambda: defaultdict(list))
    warnings: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    @property
    def problem(self) -> MessageError | None:
        """Why its bytes are kept beside, where some of it was no EVENT."""
        if not self.rejected:
            return None
        reason = f"{len(self.rejected)} events of the batch were rejected"
        return MessageError("rejected_events", reason)

    def answer(self) -> dict[str, list[Any]]:
        """`{"stored", "warnings", "rejected"}` once everything is on disk."""
        stored = [row.event_id for rows in self.by_mode.values() for row in rows]
        return {"stored": stored, "warnings": self.warnings, "rejected": self.rejected}


def listed(message: Any) -> list[Any]:
    """The list under `events`; MessageError where there is none or it is too long."""
    found = message.get("events") if isinstance(message, dict) else None
    if not isinstance(found, list):
        raise MessageError("no_events", 'send {"events": [EVENT, ...]}')
    if len(found) > EVENTS_MAX:
        raise MessageError("too_many", f"send at most {EVENTS_MAX} events at once")
    return found


def read(found: list[Any], principal: Principal, origin: str, now_us: int) -> Batch:
    """Reads every event; what is no EVENT is named in `rejected`, and the others are taken."""
    batch = Batch()
    for event in found:
        try:
            observation, mode, warning = events.read(event, origin=origin)
        except MessageError as error:
            claimed = event.get("event_id") if isinstance(event, dict) else None
            batch.rejected.append({"event_id": claimed, "error": str(error)})
            continue
        # Nothing that a demo or test device sends may pass as real.
        batch.by_mode[mode if principal.mode == "Real" else principal.mode].append(observation)
        if (observation.determined_at or 0) > now_us + FUTURE_US:
            warning = warning or AHEAD
        elif origin == "monitor" and (observation.determined_at or now_us) < now_us - LONG_PAST_US:
            warning = warning or LONG_PAST
        if warning:
            batch.warnings.append({"event_id": observation.event_id, "text": warning})
    return batch


def entries(
    batch: Batch,
    principal: Principal,
    unit: str,
    body: bytes,
    received_at: int,
    *,
    bed: str = "",
    case: str = "",
    device: str,
) -> list[tuple[wire.Entry, bytes]]:
    """What is appended, one entry for each mode, with the bytes beside; of a bed or of a case."""
    made: list[tuple[wire.Entry, bytes]] = []
    for mode, rows in batch.by_mode.items():
        digest = hashlib.sha256(f"{principal.actor}\x1f{bed or case}\x1f{mode}\x1f".encode() + body)
        observed = wire.Observed(
            unit=unit,
            source=principal.actor,
            message_id=digest.hexdigest()[:32],
            identity=digest.digest(),
            received_at=received_at,
            mode=mode,
            observations=tuple(rows),
            bed=bed,
            device=device,
            case=case,
        )
        made.append((observed, body))
    return made
