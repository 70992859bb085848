"""A stay in PostgreSQL: a move, a transfer, a discharge, a death, each one act in one transaction.

An act closes what hangs on the stay (messages, orders, the bed), tells the unit by the outbox, and
keeps what it closed: an error is taken back as one act too.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.stay import entries
from icu.stay_orders import store as orders
from icu.stay_units import store as stay_units

ENDS: Final = ("discharge", "death")
NOBODY: Final = "Nobody is admitted to this bed."
CHANGED: Final = "Somebody else lies here by now: look again before you decide."
TAKEN: Final = "This bed is taken, being cleaned or reserved: choose another."

_OPEN: Final = """
select stay, unit, bed, patient_id, mode, admitted_at, version from stay
 where bed = $1 and ended_at is null order by moved_at desc limit 1 for update
"""
_PERSON: Final = """
select mrn, family, given, sex, birth_date from patient_event
 where hospital_id = $1 and patient_id = $2 order by event_at desc, entry_id desc limit 1
"""
# A bed goes to a patient: free, being cleaned, reserved; never away from another one.
_GIVE: Final = """
insert into bed_given as g (bed, hospital_id, unit, patient_id, given_by, given_at)
select bed, hospital_id, unit, $2, $3, $4 from bed where bed = $1
    on conflict (bed) do update set kind = 'patient', patient_id = excluded.patient_id,
       case_id = null, words = '', given_by = excluded.given_by, given_at = excluded.given_at
     where g.kind = any ($5::text[])
returning bed
"""
_ACT: Final = """
select act, unit, stay, patient_id, kind, bed, to_bed, words, closed, mode, at, made_by,
       reversed_at, reversed_by, reversed_why
  from stay_act
"""


class Stay(NamedTuple):
    """Who lies in a bed, as the act that ends it must find them."""

    stay: str
    unit: str
    bed: str
    patient_id: str
    mode: str


async def stay_of(connection: Connection, bed: str, stay: str = "") -> Stay:
    """The open stay of a bed, locked; Conflict where it is not the one somebody looked at."""
    row = await connection.fetchrow(_OPEN, bed)
    if row is None:
        raise NotFound(NOBODY)
    if stay and str(row["stay"]) != stay:
        raise Conflict(CHANGED)
    return Stay(str(row["stay"]), row["unit"], row["bed"], str(row["patient_id"]), row["mode"])


async def end(
    database: Database,
    principal: Principal,
    bed: str,
    *,
    kind: str,
    stay: str,
    words: str,
    at: int,
) -> dict[str, Any]:
    """Discharge or death: messages, orders, the bed and its alarms end with the stay, as one."""
    if kind not in ENDS:
        raise MessageError("bad_kind", f"a stay ends by {' or '.join(ENDS)}")
    async with database.transaction(principal.scope) as connection:
        whose = await stay_of(connection, bed, stay)
        closed = await _close(connection, principal, whose, kind, at)
        await _clean(connection, principal, bed, at)
        act = await _keep(connection, principal, whose, kind, "", words, closed, at)
        told: list[tuple[str, wire.Entry]] = []
        if kind == "death":  # what still hangs on the bed does not ring for the dead
            told.append(
                (whose.unit, entries.silence(principal, whose.unit, bed, whose.patient_id, at))
            )
        person = await _person(connection, principal, whose.patient_id)
        left = entries.admission(principal, act, whose.unit, "A03", person, at, bed=bed)
        await outbox.put(connection, principal.hospital, *told, (whose.unit, left))
        await audit.append(connection, whose.unit, principal.scope, kind, whose.stay, bed, at)
    return {"act": act, "kind": kind, "stay": whose.stay, "bed": bed, **_numbers(closed)}


async def move(
    database: Database,
    principal: Principal,
    bed: str,
    to_bed: str,
    *,
    stay: str,
    words: str,
    at: int,
) -> dict[str, Any]:
    """To another bed, and all goes along; to another unit, messages to relatives stop with it."""
    async with database.transaction(principal.scope) as connection:
        whose = await stay_of(connection, bed, stay)
        to_unit = await connection.fetchval("select unit from bed where bed = $1", to_bed)
        if to_unit is None or to_bed == bed:
            raise NotFound("There is no such bed, or it is not within your units.")
        kind = "move" if to_unit == whose.unit else "transfer"
        closed: dict[str, Any] = {}
        if kind == "transfer":
            standing = await orders.standing(connection, whose.stay, whose.patient_id)
            closed = {"messages": await _waiting(connection, whose.stay), "standing": standing}
        await connection.execute("delete from bed_given where bed = $1 and kind = 'patient'", bed)
        await _give(connection, principal, to_bed, whose.patient_id, at, ("reserved",))
        if kind == "move":
            await connection.execute(
                "update stay set bed = $2, moved_at = $3, version = version + 1 where stay = $1",
                whose.stay,
                to_bed,
                to_datetime(at),
            )
        else:
            closed |= await stay_units.go_on(connection, principal, whose.stay, to_unit, to_bed, at)
        await _clean(connection, principal, bed, at)
        act = await _keep(connection, principal, whose, kind, to_bed, words, closed, at)
        person = await _person(connection, principal, whose.patient_id)
        told = entries.moved(
            principal, act, "A02", person, at, (whose.unit, bed), (to_unit, to_bed)
        )
        await outbox.put(connection, principal.hospital, *told)
        await audit.append(connection, whose.unit, principal.scope, kind, whose.stay, to_bed, at)
    return {"act": act, "kind": kind, "stay": whose.stay, "bed": to_bed, **_numbers(closed)}


async def reverse(
    database: Database, principal: Principal, bed: str, act: str, *, why: str, at: int
) -> dict[str, Any]:
    """Takes an act back: bed, stay, orders and binding as they were; messages wait for a person.

    Conflict where somebody else lies in the bed by now, or the patient is admitted elsewhere.
    """
    try:
        async with database.transaction(principal.scope) as connection:
            row = await connection.fetchrow(
                _ACT + " where act = $1 and bed = $2 for update", _uuid(act), bed
            )
            if row is None:
                raise NotFound("There is no such act, or it is not within your units.")
            if row["reversed_at"] is not None:
                raise Conflict("This act has been taken back already.")
            await _refuse_later(connection, row)
            told = await _reversed(connection, principal, row, at)
            await connection.execute(
                "update stay_act set reversed_at = $2, reversed_by = $3, reversed_why = $4"
                " where act = $1",
                row["act"],
                to_datetime(at),
                principal.actor,
                why,
            )
            await outbox.put(connection, principal.hospital, *told)
            subject = str(row["stay"])
            kind = f"reverse_{row['kind']}"
            await audit.append(connection, row["unit"], principal.scope, kind, subject, why, at)
    except UniqueViolation as error:
        raise Conflict("The patient is admitted elsewhere by now: end that stay first.") from error
    return {"act": act, "kind": row["kind"], "stay": str(row["stay"]), "bed": row["bed"]}


async def acts(
    database: Database, principal: Principal, bed: str, since: int
) -> list[dict[str, Any]]:
    """What was done to stays of a bed since a moment, newest first."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            _ACT + " where bed = $1 and at >= $2 order by at desc limit 20", bed, to_datetime(since)
        )
    return [_view(row) for row in rows]


async def present(database: Database, principal: Principal, bed: str) -> str:
    """The open stay of a bed; empty where nobody is admitted to it."""
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetchval(
            "select stay from stay where bed = $1 and ended_at is null"
            " order by moved_at desc limit 1",
            bed,
        )
    return str(found) if found else ""


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such act, or it is not within your units.") from error


async def _close(
    connection: Connection, principal: Principal, whose: Stay, kind: str, at: int
) -> dict[str, Any]:
    """Orders and messages end; answers them as they were before."""
    standing = await orders.standing(connection, whose.stay, whose.patient_id)
    revoked = await orders.close_all(connection, principal, whose.patient_id, kind, at)
    messages = await _waiting(connection, whose.stay)
    await connection.execute("select stay_end($1, $2, $3)", whose.stay, to_datetime(at), kind)
    return {"orders": revoked, "messages": messages, "standing": standing}


async def _waiting(connection: Connection, stay: str) -> list[str]:
    """Messages of a stay that have not left."""
    rows = await connection.fetch(
        "select message from relative_message where stay = $1 and state in ('due', 'held')", stay
    )
    return [str(row["message"]) for row in rows]


async def _refuse_later(connection: Connection, row: Record) -> None:
    later = await connection.fetchval(
        "select exists (select from stay_act where patient_id = $1 and at > $2"
        " and reversed_at is null and act <> $3)",
        row["patient_id"],
        row["at"],
        row["act"],
    )
    if later:
        raise Conflict("Something was done to this patient after that: take that back first.")


async def _reversed(
    connection: Connection, principal: Principal, row: Record, at: int
) -> list[tuple[str, wire.Entry]]:
    """The rows as they were; answers what the units are told."""
    act, patient, bed, unit = str(row["act"]), str(row["patient_id"]), row["bed"], row["unit"]
    person = await _person(connection, principal, patient)
    closed = json.loads(row["closed"])
    await connection.execute(
        "delete from bed_given where patient_id = $1 and kind = 'patient'", row["patient_id"]
    )
    await _give(connection, principal, bed, patient, at, ("cleaning", "reserved"))
    if row["kind"] == "transfer":
        await stay_units.come_back(
            connection, principal, patient, row["to_bed"], str(row["stay"]), bed, at
        )
    else:
        await connection.execute(
            "update stay set ended_at = null, end_reason = '', bed = $2, moved_at = $3,"
            " version = version + 1 where stay = $1",
            row["stay"],
            bed,
            to_datetime(at),
        )
    for known in closed.get("orders", ()):
        await orders.place_again(connection, principal, known, bed, act, at)
    await connection.execute(
        "update relative_message set state = 'held', reasons = array['reversed'], changed_at = $2"
        " where message = any ($1::uuid[]) and state = 'cancelled'",
        closed.get("messages", []),
        to_datetime(at),
    )
    key = f"{act} reversed"
    if row["kind"] == "move":
        back = entries.admission(principal, key, unit, "A12", person, at, bed, row["to_bed"])
        return [(unit, back)]
    # From the moment of the error on, so that what was measured meanwhile is the patient's.
    since = from_datetime(row["at"]) + 1
    back = entries.admission(principal, key, unit, "A13", person, at, bed, event_at=since)
    if row["kind"] != "transfer":
        return [(unit, back)]
    there = await connection.fetchval("select unit from bed where bed = $1", row["to_bed"])
    left = entries.admission(
        principal, key, there, "A12", person, at, "", row["to_bed"], to=(unit, bed)
    )
    return [(there, left), (unit, back)]


async def _give(
    connection: Connection,
    principal: Principal,
    bed: str,
    patient: str,
    at: int,
    over: tuple[str, ...],
) -> None:
    given = await connection.fetchval(
        _GIVE, bed, patient, principal.actor, to_datetime(at), list(over)
    )
    if given is None:
        raise Conflict(TAKEN)


async def _clean(connection: Connection, principal: Principal, bed: str, at: int) -> None:
    """Whoever leaves leaves a bed that is cleaned before the next one comes."""
    await connection.execute(
        "insert into bed_given (bed, hospital_id, unit, kind, given_by, given_at)"
        " select bed, hospital_id, unit, 'cleaning', $2, $3 from bed where bed = $1"
        " on conflict do nothing",
        bed,
        principal.actor,
        to_datetime(at),
    )


async def _keep(
    connection: Connection,
    principal: Principal,
    whose: Stay,
    kind: str,
    to_bed: str,
    words: str,
    closed: dict[str, Any],
    at: int,
) -> str:
    act = str(identity.uuid7())
    await connection.execute(
        "insert into stay_act (act, hospital_id, unit, stay, patient_id, kind, bed, to_bed, words,"
        " closed, mode, at, made_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
        " $13)",
        act,
        principal.hospital,
        whose.unit,
        whose.stay,
        whose.patient_id,
        kind,
        whose.bed,
        to_bed,
        words,
        json.dumps(closed),
        whose.mode,
        to_datetime(at),
        principal.actor,
    )
    return act


async def _person(connection: Connection, principal: Principal, patient: str) -> wire.PatientFacts:
    row = await connection.fetchrow(_PERSON, principal.hospital, patient)
    if row is None:
        raise NotFound(NOBODY)
    return wire.PatientFacts(**dict(row))


def _numbers(closed: dict[str, Any]) -> dict[str, int]:
    numbers = {name: len(closed.get(name, ())) for name in ("orders", "messages")}
    return numbers | {"carried": int(closed.get("carried", 0))}


def _view(row: Record) -> dict[str, Any]:
    return {
        "act": str(row["act"]),
        "kind": row["kind"],
        "stay": str(row["stay"]),
        "bed": row["bed"],
        "to_bed": row["to_bed"] or None,
        "words": row["words"],
        "at": iso(from_datetime(row["at"])),
        "by": row["made_by"],
        "reversed_at": iso(from_datetime(row["reversed_at"])) if row["reversed_at"] else None,
        "reversed_by": row["reversed_by"] or None,
        "reversed_why": row["reversed_why"] or None,
    }
