"""The archived alarms and orders of a unit over some days, without who did anything."""

from __future__ import annotations

from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Database
from icu.load.figures import Event
from icu.load.replay import Value

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

# Only what may matter to either limit: values beyond the looser one, and the first one back inside.
_VALUES = """
with seen as (
    select place, determined_at, value, patient_id,
           lag(value) over (partition by place order by determined_at) as before
      from measurement
     where unit = $1 and code = $2 and determined_at >= $3 and determined_at < $4 and mode = $5
       and value is not null and validity <> 'Inv' and origin = 'monitor')
select s.place, s.determined_at, s.value, coalesce(p.birth_date, '') as birth_date
  from seen s
  left join lateral (select birth_date from patient_event e
                      where e.patient_id = s.patient_id and e.birth_date <> ''
                      order by event_at desc limit 1) p on true
 where case when $6 = 'low' then s.value < $7 or s.before < $7
            else s.value > $7 or s.before > $7 end
 order by s.determined_at
 limit $8
"""


async def values(
    database: Database,
    scope: Scope,
    unit: str,
    code: str,
    span: tuple[int, int],
    mode: str,
    edge: tuple[str, float],
) -> list[Value]:
    """Archived values of a code that a limit with this `edge` (side, number) may ring on."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            _VALUES, unit, code, *map(to_datetime, span), mode, *edge, MOST
        )
    return [
        Value(row["place"], from_datetime(row["determined_at"]), row["value"], row["birth_date"])
        for row in rows
    ]


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
