"""The unit's inbox: what relatives wrote back, until somebody has seen to it."""

from __future__ import annotations

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import NotFound

_WAITING = """
select i.inbox, i.kind, i.words, i.received_at, c.relation, c.last_two, s.bed, b.label,
       s.ended_at is not null as ended, s.end_reason,
       (select e.family || ' ' || e.given from patient_event e
         where e.hospital_id = s.hospital_id and e.patient_id = s.patient_id
         order by e.event_at desc limit 1) as name
  from relative_inbox i join contact c using (contact) join stay s on s.stay = c.stay
  left join bed b on b.bed = s.bed
 where i.unit = $1 and i.done_at is null
 order by i.kind = 'call' desc, i.received_at limit 200
"""


async def waiting(connection: Connection, unit: str) -> list[Record]:
    """What nobody has seen to, calls first, then the oldest."""
    return await connection.fetch(_WAITING, unit)


async def done(connection: Connection, by: Scope, unit: str, message: str, now: int) -> None:
    """Somebody called back or read it. Raises NotFound where it is gone or not the unit's."""
    found = await connection.fetchval(
        "update relative_inbox set done_at = $3, done_by = $4 where inbox = $2 and unit = $1"
        " and done_at is null returning true",
        unit,
        message,
        to_datetime(now),
        by.actor,
    )
    if not found:
        raise NotFound("This was seen to already, or it is not within your units.")
    await audit.append(connection, unit, by, "answer_relative", message, "", now)
