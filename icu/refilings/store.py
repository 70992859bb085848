"""The SQL of refilings: what a late ADT filed anew, decided and taken back by a person.

The store reader makes them (`streams/refiling_rows.py`); the views `filed_measurement`,
`filed_alert_event` and `trend_value` read by them. The rows of the archive stay as they came.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit
from hospital_ops.access import Principal
from hospital_ops.bindings import REAL
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound

SHOWN_US: Final = 14 * 86_400 * SECOND
REASON_MOST: Final = 300
NO_SUCH: Final = "There is no such change, or it is not within your units."

# What changed the filing of a value, or would; of those told in time mostly nothing was stored.
_OF_PLACES: Final = """
select r.refiling, r.place, r.from_at, r.to_at, r.event, r.told_at, r.proposed, r.decided_at,
       r.decided_by, r.reversed_at, r.reversed_by, r.reversed_why, r.numbers[1] as mrn
  from refiling r
 where r.place = any ($1::text[])
   and (r.told_at > $2 or (r.proposed and r.decided_at is null and r.reversed_at is null))
   and exists (select from measurement m where m.place = r.place and m.determined_at >= r.from_at
                  and m.determined_at < least(r.to_at, r.told_at)
                  and m.patient_id is distinct from r.patient_id)
 order by r.proposed and r.decided_at is null and r.reversed_at is null desc, r.number desc
 limit 30
"""
_OF_CURVES: Final = """
select r.from_at, r.to_at, r.patient_id, r.mode,
       array(select distinct m.device from measurement m
              where m.place = r.place and m.determined_at >= r.from_at
                and m.determined_at < r.to_at and m.named <> all (r.numbers)) as named_other
  from refiling_in_force r
 where r.place = $1 and r.to_at > $2 and r.from_at < $3 order by r.number
"""
_HOURS: Final = """
insert into trend_again (hospital_id, unit, place, hour)
select $1, $2, $3, hour
  from generate_series(date_trunc('hour', $4::timestamptz, 'UTC'), $5, interval '1 hour') as hour
"""


class Curves(NamedTuple):
    """To whom curves of a place belong for a span; of `named_other` devices to nobody."""

    from_at: datetime
    to_at: datetime
    patient_id: UUID | None
    mode: str
    named_other: list[str]


async def of_places(connection: Connection, places: list[str], now: int) -> list[Record]:
    """What was filed anew in the last two weeks, or is proposed, the newest first."""
    return await connection.fetch(_OF_PLACES, places, to_datetime(now - SHOWN_US))


async def of_curves(
    connection: Connection, place: str, first: datetime | None, last: datetime | None
) -> list[Curves]:
    """What holds for the curves of a place between two moments, in the order in which it was told.

    A piece of curve does not keep whom its message named: the values of its device say it.
    """
    ever = to_datetime(0), to_datetime(4_000_000_000 * SECOND)
    rows = await connection.fetch(_OF_CURVES, place, first or ever[0], last or ever[1])
    return [Curves(*(row[name] for name in Curves._fields)) for row in rows]


def curve_is(
    holding: list[Curves], stored: UUID | None, device: str, at: datetime, mode: str
) -> UUID | None:
    """Whose a piece of curve is. Pure."""
    holds = next((one for one in reversed(holding) if one.from_at <= at < one.to_at), None)
    if holds is None or holds.patient_id == stored:
        return stored
    if device in holds.named_other or (holds.mode == REAL and mode != REAL):
        return None
    return holds.patient_id


async def decide(
    database: Database, principal: Principal, refiling: str, at: int, *, why: str = ""
) -> None:
    """Files as proposed, or with a reason does not, or takes it back."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select * from refiling where refiling = $1 for update", _uuid(refiling)
        )
        if row is None:
            raise NotFound(NO_SUCH)
        if row["reversed_at"] is not None:
            raise Conflict("Somebody has taken this back already.")
        if why.strip():
            await _take_back(connection, principal, row, why.strip()[:REASON_MOST], at)
        else:
            await _apply(connection, principal, row, at)


async def _apply(connection: Connection, principal: Principal, row: Record, at: int) -> None:
    if not row["proposed"]:
        raise MessageError("no_reason", "say what was wrong with it")
    if row["decided_at"] is not None:
        raise Conflict("Somebody has filed this already.")
    await connection.execute(
        "update refiling set decided_at = $2, decided_by = $3 where refiling = $1",
        row["refiling"], to_datetime(at), principal.actor,
    )  # fmt: skip
    await _told(connection, principal, row, "apply_refiling", row["place"], at)


async def _take_back(
    connection: Connection, principal: Principal, row: Record, why: str, at: int
) -> None:
    await connection.execute(
        "update refiling set reversed_at = $2, reversed_by = $3, reversed_why = $4"
        " where refiling = $1",
        row["refiling"], to_datetime(at), principal.actor, why,
    )  # fmt: skip
    await _told(connection, principal, row, "take_back_refiling", row["place"], at)


async def _told(
    connection: Connection, principal: Principal, row: Record, act: str, detail: str, at: int
) -> None:
    """The audit, and the hours of trends that are to be made anew."""
    place: tuple[Any, ...] = (row["hospital_id"], row["unit"], row["place"])
    await connection.execute(_HOURS, *place, row["from_at"], row["to_at"])
    subject = str(row["refiling"])
    await audit.append(connection, row["unit"], principal.scope, act, subject, detail, at)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(NO_SUCH) from error
