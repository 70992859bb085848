"""The SQL of the ECGs of a stay's cases: read with the right to the bed where the patient lies.

Which cases are the patient's is asked first; an ECG that crews withdrew or moved to another case is
not among them.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from hospital_ops import wire
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime
from hospital_ops.database import Database
from web import store
from web.whereabouts.store import case_moves

MOST: Final = 12  # of one case, newest first: each is read whole for its findings
_ECGS: Final = """
select w.place as case_id, w.channel as ecg, min(w.started_at) as at, false as picture
  from waveform w
 where ($5::text is null or w.mode = $5)
   and (w.place = any ($1::text[]) and w.channel <> all ($2::text[])
        or w.place = any ($3::text[]) and w.channel = any ($4::text[]))
 group by w.place, w.channel
union all
select c.case_id::text, c.payload ->> 'id', c.at, true
  from case_event c
 where c.kind = 'ecg_picture' and ($5::text is null or c.mode = $5)
   and (c.case_id::text = any ($1::text[]) and c.payload ->> 'id' <> all ($2::text[])
        or c.case_id::text = any ($3::text[]) and c.payload ->> 'id' = any ($4::text[]))
 order by at desc limit $6
"""


class Taken(NamedTuple):
    """An ECG of a case: of a picture nothing is known but when it came."""

    case: str  # where its curves lie
    ecg: str
    at: int  # microseconds since 1970
    whole: wire.EcgReceived | None = None  # None: a picture


async def of_cases(
    database: Database, scope: Scope, cases: list[str], only: str | None
) -> list[Taken]:
    """The ECGs of these cases, newest first; `only`: of this mode alone."""
    found: list[Taken] = []
    for case in cases:
        async with database.transaction(scope) as connection:
            moves = await case_moves(connection, case)
            rows = await connection.fetch(_ECGS, *moves.of(case), only, MOST)
        found += [
            Taken(
                row["case_id"],
                row["ecg"],
                from_datetime(row["at"]),
                None
                if row["picture"]
                else await store.ecg(database, scope, row["case_id"], row["ecg"]),
            )
            for row in rows
        ]
    known = {(one.case, one.ecg): one for one in found}
    return sorted(known.values(), key=lambda one: -one.at)


async def is_of(
    database: Database, scope: Scope, cases: list[str], only: str | None, case: UUID, ecg: str
) -> bool:
    """Whether this ECG is one of these cases', by every id under which it may be asked for."""
    for each in cases:
        async with database.transaction(scope) as connection:
            moves = await case_moves(connection, each)
            rows = await connection.fetch(_ECGS, *moves.of(each), only, 1000)
        if any((row["case_id"], row["ecg"]) == (str(case), ecg) for row in rows):
            return True
    return False
