"""Takes the evidence of alarms from the archive, once for each; and reads it again.

The strip is made of what was stored, so it outlives restarts of everything and needs nobody to
have looked. It is taken when the curves behind the alarm have been stored too, or after a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from hospital_ops import log, waveform
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, Clock, from_datetime, to_datetime
from hospital_ops.database import Connection, Database, DatabaseGone, Record, SerializationConflict
from hospital_ops.waveform import SAMPLES, Frame

BEFORE_S: Final = 8.0
AFTER_S: Final = 2.0  # together the ten seconds of a strip
READY_S: Final = 5.0  # after the alarm: its curves are on their way into the archive
WAIT_S: Final = 60.0  # so long are curves waited for that the archive does not have yet
OFF_S: Final = 360.0  # so far may a device's clock be off; by more its curves are not found
LIMIT: Final = 50  # alarms of one look
EVERY_S: Final = 2.0

logger = log.get("evidence")

# Behind the newest strip of each unit: its events were archived in the order of their moments.
_DUE = """
select e.alarm_id, e.hospital_id, e.unit, e.bed, e.at
  from unnest($1::text[]) as u (unit)
 cross join lateral (
       select coalesce(max(raised_at), $2::timestamptz - interval '1 day') - interval '10 minutes'
              as since
         from alarm_evidence where unit = u.unit) w
  left join reader_position p on p.shard = u.unit and p.stream = 'waves'
 cross join lateral (
       select distinct on (alarm_id) alarm_id, hospital_id, a.unit, bed, at
         from alert_event a
        where a.unit = u.unit and at > w.since and at < $3 and state = 'active'
        order by alarm_id, at) e
 where not exists (select from alarm_evidence k where k.alarm_id = e.alarm_id)
   and (e.at < $4
        or to_timestamp(split_part(p.position, '-', 1)::bigint / 1000.0)
           > e.at + make_interval(secs => $5))
 order by e.at
 limit $6
"""
_PIECES = """
select code, channel, started_at, rate_hz, scale, value_offset, physical_unit, samples, sequence,
       mode
  from waveform
 where place = $1
   and started_at between $2::timestamptz - make_interval(secs => $4)
                      and $3::timestamptz + make_interval(secs => $4)
   and received_at between $2 and $3::timestamptz + interval '1 second'
 order by code, channel, started_at
"""
_KEPT = """
select v.alarm_id, v.bed, v.unit, v.raised_at, v.from_at, v.to_at, v.curves,
       e.rule, e.priority, e.about, e.value, e.limit_value, e.verdict::text as verdict, e.since,
       e.words, l.state as last_state, l.at as last_at
  from alarm_evidence v
  join lateral (select * from alert_event a where a.alarm_id = v.alarm_id and a.state = 'active'
                 order by at limit 1) e on true
  join lateral (select state, at from alert_event a where a.alarm_id = v.alarm_id
                 order by at desc limit 1) l on true
 where v.alarm_id = $1 and v.unit = $2
"""


class EvidenceKeeper:
    """Keeps the strips of the alarms of `shards`; several may run, each strip goes in once."""

    def __init__(self, database: Database, shards: Sequence[str], clock: Clock) -> None:
        self.database, self.shards, self.clock = database, list(shards), clock

    async def run(self) -> None:
        """Looks every two seconds; at once again while more waits."""
        while True:
            try:
                taken = await self.step()
            except (DatabaseGone, *SerializationConflict) as error:
                logger.warning("no_evidence", error=type(error).__name__)
                taken = 0
            await asyncio.sleep(0.0 if taken == LIMIT else EVERY_S)

    async def step(self) -> int:
        """Takes what is due; answers how many strips."""
        now = self.clock.now_us()
        async with self.database.transaction() as connection:
            due = await connection.fetch(
                _DUE,
                self.shards,
                to_datetime(now),
                to_datetime(now - round(READY_S * SECOND)),
                to_datetime(now - round(WAIT_S * SECOND)),
                AFTER_S + 1,
                LIMIT,
            )
            for alarm in due:
                await _take(connection, alarm, to_datetime(now))
        return len(due)


async def _take(connection: Connection, alarm: Record, now: datetime) -> None:
    start = alarm["at"] - timedelta(seconds=BEFORE_S)
    end = alarm["at"] + timedelta(seconds=AFTER_S)
    pieces = await connection.fetch(_PIECES, alarm["bed"], start, end, OFF_S)
    await connection.execute(
        "insert into alarm_evidence (alarm_id, hospital_id, unit, bed, raised_at, from_at, to_at,"
        " curves, taken_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        alarm["alarm_id"],
        alarm["hospital_id"],
        alarm["unit"],
        alarm["bed"],
        alarm["at"],
        start,
        end,
        b"".join(_frame(row, alarm["bed"]) for row in pieces),
        now,
    )


def _frame(row: Record, bed: str) -> bytes:
    started = row["started_at"]
    return waveform.pack(
        Frame(
            SAMPLES, row["mode"], bed, row["code"], row["channel"], row["physical_unit"],
            row["sequence"], from_datetime(started), row["rate_hz"], row["scale"],
            row["value_offset"], row["samples"],
        )
    )  # fmt: skip


async def kept(database: Database, scope: Scope, unit: str, alarm: str) -> dict[str, Any] | None:
    """The strip of an alarm of a unit with what it rang on; None where there is none (yet)."""
    async with database.transaction(scope) as connection:
        row = await connection.fetchrow(_KEPT, alarm, unit)
    return dict(row) if row is not None else None
