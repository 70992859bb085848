"""The stays of a unit and the days of its devices, from the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Database
from icu.statistics.figures import DEVICES, READMISSION_US, Stayed

# With those who had left shortly before: they may have come back.
_STAYS: Final = """
select patient_id, admitted_at, ended_at, end_reason
  from stay
 where unit = $1 and mode = $2 and end_reason <> 'cancelled'
   and admitted_at < $4 and (ended_at is null or ended_at >= $3)
"""
# One look into the minutes of a bed for each day and kind, by their key: not a walk over them.
_DEVICES: Final = """
select k.kind, count(*) as days
  from bed b
 cross join unnest($2::timestamptz[], $3::timestamptz[]) as d (begins, ends)
 cross join (select distinct kind from unnest($4::text[], $5::text[]) as x (kind, code)) k
 where b.unit = $1
   and exists (select from unnest($4::text[], $5::text[]) as c (kind, code)
               join trend_minute t on t.place = b.bed and t.code = c.code and t.mode = $6
                and t.minute >= d.begins and t.minute < d.ends
              where c.kind = k.kind)
 group by k.kind
"""


async def read(
    database: Database, scope: Scope, unit: str, days: Sequence[tuple[int, int]], mode: str
) -> tuple[list[Stayed], int, dict[str, int]]:
    """The stays that touch the days, how many beds the unit has, and days with each device."""
    kinds = [(kind, code) for kind, of in DEVICES.items() for code in of]
    begins, ends = ([to_datetime(edge) for edge in edges] for edges in zip(*days, strict=True))
    since = to_datetime(days[0][0] - READMISSION_US)
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(_STAYS, unit, mode, since, ends[-1])
        beds: int = await connection.fetchval("select count(*) from bed where unit = $1", unit)
        found = await connection.fetch(
            _DEVICES, unit, begins, ends, [k for k, _ in kinds], [code for _, code in kinds], mode
        )
    stays = [
        Stayed(
            str(row["patient_id"]),
            from_datetime(row["admitted_at"]),
            from_datetime(row["ended_at"]) if row["ended_at"] else None,
            row["end_reason"],
        )
        for row in rows
    ]
    return stays, beds, dict.fromkeys(DEVICES, 0) | {row["kind"]: row["days"] for row in found}
