"""Sepsis clocks in PostgreSQL: started and ended by a physician, marked by who carries it out."""

from __future__ import annotations

from typing import Final

from hospital_ops import audit, codes, identity
from hospital_ops.access import Principal
from hospital_ops.clinical.sepsis import CATEGORIES, ELEMENTS
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Database, UniqueViolation
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.record import DRUGS
from icu.sepsis.clock import LONGEST_US, Clock, Mark, Seen
from icu.stay.store import stay_of
from icu.windows import DAY, window_us

NO_CLOCK: Final = "No sepsis clock runs at this bed."
_LACTATE: Final = codes.by_key["lactate"].code
_DRUGS: Final = [codes.by_key[drug].code for drug in DRUGS]
RUNS_US: Final = min(window_us(drug, DAY) for drug in DRUGS)  # a rate counts so long
_LOOK_US: Final = 8 * 3600 * SECOND  # the last deadline is long over by then
_RUNNING: Final = """
select c.clock, c.unit, c.patient_id, c.category, c.hypotension, c.zero_at, c.started_by
  from sepsis_clock c join stay s using (stay)
 where s.bed = $1 and s.ended_at is null and c.ended_at is null
"""
_SEEN: Final = """
with there as (
    select code, value, determined_at from measurement_in_force
     where place in (select bed from binding where patient_id = $1) and patient_id = $1
       and determined_at >= $2 and determined_at <= $3 and validity <> 'Inv' and value > 0
       and code = any ($4::text[]))
select code, value, determined_at from there where code = $5
 union all
select 'vasopressor', 0, min(determined_at) from there where code <> $5 and determined_at >= $6
 union all
select 'vasopressor', 0, max(determined_at) from there where code <> $5 and determined_at < $6
 order by determined_at
"""


async def running(database: Database, principal: Principal, bed: str) -> tuple[Clock, Seen] | None:
    """The clock of whoever lies in a bed with what the archive knows since; None: none runs."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(_RUNNING, bed)
        if row is None:
            return None
        marks = await connection.fetch(
            "select element, at, noted_by from sepsis_done where clock = $1 and undone_at is null",
            row["clock"],
        )
        zero = from_datetime(row["zero_at"])
        until = to_datetime(zero + _LOOK_US)
        since = to_datetime(zero - LONGEST_US)
        asked = (row["patient_id"], since, until, [_LACTATE, *_DRUGS], _LACTATE, row["zero_at"])
        rows = await connection.fetch(_SEEN, *asked)
    clock = Clock(
        str(row["clock"]),
        row["category"],
        row["hypotension"],
        zero,
        row["started_by"],
        {one["element"]: Mark(from_datetime(one["at"]), one["noted_by"]) for one in marks},
    )
    found = [(from_datetime(r[2]), float(r[1])) for r in rows if r[0] == _LACTATE]
    lactates = [one for one in found if one[0] >= zero]
    ran = [from_datetime(r[2]) for r in rows if r[0] != _LACTATE and r[2] is not None]
    began = [at for at in ran if at >= zero - RUNS_US]
    earlier = [one for one in found if one[0] < zero]
    return clock, Seen(
        lactates, began[0] if began else None, None, earlier[-1] if earlier else None
    )


async def start(
    database: Database,
    principal: Principal,
    bed: str,
    *,
    stay: str,
    category: str,
    hypotension: bool,
    ago_min: int,
    at: int,
) -> None:
    """A physician has recognised sepsis, `ago_min` minutes ago."""
    if category not in CATEGORIES:
        raise MessageError("bad_category", f"`category` is one of {', '.join(CATEGORIES)}")
    zero = _moment(ago_min, at)
    clock = str(identity.uuid7())
    try:
        async with database.transaction(principal.scope) as connection:
            whose = await stay_of(connection, bed, stay)
            await connection.execute(
                "insert into sepsis_clock (clock, hospital_id, unit, stay, patient_id, category,"
                " hypotension, zero_at, mode, started_by, started_at)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                clock,
                principal.hospital,
                whose.unit,
                whose.stay,
                whose.patient_id,
                category,
                hypotension,
                to_datetime(zero),
                whose.mode,
                principal.actor,
                to_datetime(at),
            )
            await _note(
                connection, principal, whose.unit, "start_sepsis_clock", clock, category, at
            )
    except UniqueViolation as error:
        raise Conflict("A sepsis clock runs already: look at it, or end it first.") from error


async def mark(
    database: Database,
    principal: Principal,
    bed: str,
    *,
    element: str,
    ago_min: int,
    at: int,
    stay: str = "",
) -> None:
    """An element was done, `ago_min` minutes ago; what was marked already stays.

    Conflict where `stay` is given and another one is under way: so for the acts below.
    """
    if element not in ELEMENTS:
        raise MessageError("bad_element", f"`element` is one of {', '.join(ELEMENTS)}")
    done = _moment(ago_min, at)
    try:
        async with database.transaction(principal.scope) as connection:
            clock, unit, zero = await _running(connection, bed, stay)
            if done < zero - LONGEST_US:
                raise MessageError("before_zero", "this lies a day before the recognition")
            await connection.execute(
                "insert into sepsis_done (clock, hospital_id, unit, element, at, noted_by,"
                " noted_at) values ($1, $2, $3, $4, $5, $6, $7)",
                clock,
                principal.hospital,
                unit,
                element,
                to_datetime(done),
                principal.actor,
                to_datetime(at),
            )
            await _note(connection, principal, unit, "mark_sepsis", clock, element, at)
    except UniqueViolation as error:
        raise Conflict("Somebody has marked this already.") from error


async def undo(
    database: Database, principal: Principal, bed: str, *, element: str, at: int, stay: str = ""
) -> None:
    """A mark was an error; it stays in the history."""
    async with database.transaction(principal.scope) as connection:
        clock, unit, _ = await _running(connection, bed, stay)
        changed = await connection.fetchval(
            "update sepsis_done set undone_by = $3, undone_at = $4"
            " where clock = $1 and element = $2 and undone_at is null returning 1",
            clock,
            element,
            principal.actor,
            to_datetime(at),
        )
        if changed is None:
            raise Conflict("Nobody has marked this, or somebody has taken it back already.")
        await _note(connection, principal, unit, "unmark_sepsis", clock, element, at)


async def end(
    database: Database, principal: Principal, bed: str, *, at: int, stay: str = ""
) -> None:
    """A physician ends the clock: done, or no sepsis after all."""
    async with database.transaction(principal.scope) as connection:
        clock, unit, _ = await _running(connection, bed, stay)
        await connection.execute(
            "update sepsis_clock set ended_by = $2, ended_at = $3 where clock = $1",
            clock,
            principal.actor,
            to_datetime(at),
        )
        await _note(connection, principal, unit, "end_sepsis_clock", clock, "", at)


def _moment(ago_min: int, at: int) -> int:
    if not 0 <= ago_min * 60 * SECOND <= LONGEST_US:
        raise MessageError("bad_minutes", "`minutes_ago` is 0 to 1440")
    return at - ago_min * 60 * SECOND


async def _running(connection: Connection, bed: str, stay: str) -> tuple[str, str, int]:
    if stay:
        await stay_of(connection, bed, stay)
    row = await connection.fetchrow(_RUNNING + " for update of c", bed)
    if row is None:
        raise NotFound(NO_CLOCK)
    return str(row["clock"]), row["unit"], from_datetime(row["zero_at"])


async def _note(
    connection: Connection,
    principal: Principal,
    unit: str,
    action: str,
    subject: str,
    detail: str,
    at: int,
) -> None:
    await audit.append(connection, unit, principal.scope, action, subject, detail, at)
