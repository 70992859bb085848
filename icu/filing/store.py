"""The SQL of filing: values that came without a patient, filed by a person, and taken back.

The rows of the archive stay as they came. A filing says whose they are (`filed_to` of the
migrations); readers by patient ask `filed_measurement`, so trends, summaries and exports follow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, identity
from hospital_ops.access import Principal
from hospital_ops.bindings import REAL
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound

LOOK_BACK_US: Final = 48 * 3600 * SECOND  # so long is looked for values that are nobody's
LONGEST_US: Final = LOOK_BACK_US  # of one filing: it is read value by value
GAP_US: Final = 600 * SECOND  # a longer silence parts two spans
REASON_MOST: Final = 300
DEMO: Final = "Values of a demo or test device are never filed under a real patient."
TAKEN: Final = "A part of these values has been filed already: take that back first."
NOBODY: Final = "There is no such patient, or not within your units."

# What is nobody's at a place, in spans without a longer silence; also what a late ADT made so, and
# not what one gave to somebody. Columns as in `Span`.
_NOBODYS: Final = """
select place, device, named_other, mode, min(determined_at) as first, max(determined_at) as last,
       count(*) as number
  from (select m.*, sum(m.begins) over (partition by m.device, m.named_other, m.mode
                                        order by m.determined_at) as span
          from (select place, device, determined_at, mode,
                       remark like '%another patient%' as named_other,
                       coalesce(determined_at - lag(determined_at) over (
                           partition by device, remark like '%another patient%', mode
                           order by determined_at) > $4, true)::int as begins
                  from (select * from measurement m
                         where m.patient_id is null and m.place = any ($1::text[])
                           and m.determined_at >= $2 and m.determined_at < $3
                           and not exists (
                               select from refiling_in_force r
                                where r.place = m.place and r.from_at <= m.determined_at
                                  and m.determined_at < r.to_at and r.patient_id is not null
                                  and strpos(m.remark, 'another patient''s bed') = 0
                                  and (m.named is null or m.named = any (r.numbers)))
                        union all
                        select m.* from refiling_in_force r join measurement m
                            on m.place = r.place and m.determined_at >= greatest(r.from_at, $2)
                           and m.determined_at < least(r.to_at, $3)
                         where r.place = any ($1::text[]) and r.patient_id is null
                           and r.from_at < r.told_at - interval '1 minute'
                           and m.patient_id is not null and m.named is distinct from '?'
                           and not exists (
                               select from refiling_in_force n
                                where n.place = r.place and n.number > r.number
                                  and n.from_at <= m.determined_at and m.determined_at < n.to_at)
                       ) open
                 where device <> 'chart'
                   and filed_to(place, device, determined_at, mode, remark) is null) m) spans
 group by place, device, named_other, mode, span
 order by first desc limit 50
"""
_OF_PLACE: Final = """
select filing, place, device, named_other, from_at, to_at, patient_id, mrn, mode, filed_by,
       filed_at, reversed_at, reversed_by, reversed_why
  from filing where place = any ($1::text[]) and filed_at > $2 order by filed_at desc limit 50
"""
# By id or number; of several ids of one person (ADT A40) the one under which the stay goes on.
_PERSON: Final = """
select e.patient_id, e.mrn, e.mode from patient_event e
 where e.hospital_id = $1 and (e.patient_id::text = $2 or e.mrn = $2 or e.patient_id in (
       select l.patient_id from patient_link l where l.kind = 'merged' and l.into_mrn = $2))
 order by exists (select from stay s where s.patient_id = e.patient_id and s.ended_at is null) desc,
       e.event_at desc, e.entry_id desc limit 1
"""


class Span(NamedTuple):
    """Values of one device that are nobody's: from the first to the last."""

    place: str  # the bed, or the device itself where it stood at none
    device: str
    named_other: bool  # their message named another patient than the one bound there
    mode: str
    first: int
    last: int
    number: int


class Filed(NamedTuple):
    """Values of a device that were filed under a patient for a span of time."""

    device: str
    from_at: datetime
    to_at: datetime
    patient_id: UUID
    mode: str


async def nobodys(connection: Connection, places: list[str], now: int) -> list[Span]:
    """What came without a patient in the last 48 hours and is not filed, the newest first."""
    rows = await connection.fetch(
        _NOBODYS,
        places,
        to_datetime(now - LOOK_BACK_US),
        to_datetime(now + SECOND),
        to_datetime(GAP_US) - to_datetime(0),
    )
    return [
        Span(
            row["place"], row["device"], row["named_other"], row["mode"],
            from_datetime(row["first"]), from_datetime(row["last"]), row["number"],
        )
        for row in rows
    ]  # fmt: skip


async def of_places(connection: Connection, places: list[str], now: int) -> list[Record]:
    """The filings of the last days, those that were taken back too, the newest first."""
    return await connection.fetch(_OF_PLACE, places, to_datetime(now - 7 * LOOK_BACK_US))


async def living(connection: Connection, place: str) -> list[Filed]:
    """What is filed of a place, for readers of curves."""
    rows = await connection.fetch(
        "select device, from_at, to_at, patient_id, mode from filing"
        " where place = $1 and reversed_at is null",
        place,
    )
    return [Filed(*(row[name] for name in Filed._fields)) for row in rows]


def filed_under(filed: list[Filed], device: str, at: datetime, mode: str) -> UUID | None:
    """Under whom a piece of curve was filed; None for nobody, or where two would fit. Pure."""
    found = {
        one.patient_id
        for one in filed
        if one.device == device
        and one.from_at <= at < one.to_at
        and (one.mode == REAL) == (mode == REAL)
    }
    return found.pop() if len(found) == 1 else None


async def file(
    database: Database, principal: Principal, unit: str, span: Span, whom: str, at: int
) -> str:
    """Files the values of `span` (its last one too) under a patient, by id or number.

    `unit` is that of the place, within the scope. Answers the filing's id; Conflict where a part
    of it is filed already, or where something of a demo would come to a real patient.
    """
    if not span.first <= span.last or span.last - span.first > LONGEST_US:
        raise MessageError("bad_span", "file at most 48 hours at once, the beginning first")
    from_at, to_at = to_datetime(span.first), to_datetime(span.last + 1)
    filing = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        person = await connection.fetchrow(_PERSON, principal.hospital, whom)
        if person is None:
            raise NotFound(NOBODY)
        if (person["mode"] == REAL) != (span.mode == REAL):
            raise Conflict(DEMO)
        # Two who file the same at once: the second one waits and sees the first.
        key = f"filing {span.place} {span.device}"
        await connection.execute("select pg_advisory_xact_lock(hashtext($1))", key)
        taken = await connection.fetchval(
            "select filing from filing where place = $1 and device = $2 and named_other = $3"
            " and reversed_at is null and from_at < $5 and to_at > $4 limit 1",
            span.place, span.device, span.named_other, from_at, to_at,
        )  # fmt: skip
        if taken is not None:
            raise Conflict(TAKEN)
        await connection.execute(
            "insert into filing (filing, hospital_id, unit, place, device, named_other, from_at,"
            " to_at, patient_id, mrn, mode, filed_by, filed_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            filing, principal.hospital, unit, span.place, span.device, span.named_other, from_at,
            to_at, person["patient_id"], person["mrn"], person["mode"], principal.actor,
            to_datetime(at),
        )  # fmt: skip
        detail = f"{span.place} {span.device} to {person['patient_id']}"
        await audit.append(connection, unit, principal.scope, "file_values", filing, detail, at)
    return filing


async def take_back(
    database: Database, principal: Principal, filing: str, why: str, at: int
) -> dict[str, Any]:
    """The values are nobody's again; the filing stays, with who took it back and why."""
    if not why.strip():
        raise MessageError("no_reason", "say what was wrong with it")
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select unit, place, reversed_at from filing where filing = $1 for update",
            _uuid(filing),
        )
        if row is None:
            raise NotFound("There is no such filing, or it is not within your units.")
        if row["reversed_at"] is not None:
            raise Conflict("Somebody has taken this back already.")
        reason = why.strip()[:REASON_MOST]
        await connection.execute(
            "update filing set reversed_at = $2, reversed_by = $3, reversed_why = $4"
            " where filing = $1",
            _uuid(filing), to_datetime(at), principal.actor, reason,
        )  # fmt: skip
        await audit.append(
            connection, row["unit"], principal.scope, "take_back_filing", filing, row["place"], at
        )
    return {"filing": filing, "place": row["place"]}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such filing, or it is not within your units.") from error
