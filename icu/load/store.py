"""The archived alarms and orders of a unit over some days, without who did anything."""

from __future__ import annotations

from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Database
from icu.load.figures import Event

MOST = 200_000  # events of one look: a unit of 50 beds over a week

_EVENTS = """
select alarm_id, bed, rule, priority, state, at, coalesce(verdict ->> 'word', '') as word
  from alert_event
 where unit = $1 and at >= $2 and at < $3 and mode = $4 and state <> 'past'
 order by at
 limit $5
"""
_ACTS = """
select n.bed, e.at
  from order_event e
  join native_order n using (order_id)
 where e.unit = $1 and e.at >= $2 and e.at < $3 and n.mode = $4
 order by e.at
"""


async def load(
    database: Database, scope: Scope, unit: str, start_us: int, end_us: int, mode: str
) -> tuple[list[Event], dict[str, list[int]]]:
    """The alarm events of a unit, and when something was ordered at each bed."""
    asked = (unit, to_datetime(start_us), to_datetime(end_us), mode)
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(_EVENTS, *asked, MOST)
        done = await connection.fetch(_ACTS, *asked)
    acts: dict[str, list[int]] = {}
    for row in done:
        acts.setdefault(row["bed"], []).append(from_datetime(row["at"]))
    events = [
        Event(
            str(row["alarm_id"]), row["bed"], row["rule"], row["priority"], row["state"],
            from_datetime(row["at"]), row["word"],
        )
        for row in rows
    ]  # fmt: skip
    return events, acts
