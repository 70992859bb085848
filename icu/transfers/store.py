"""Transfers in PostgreSQL: row, audit and what the boards are told, in one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.stay.entries import admission
from icu.stay.store import stay_of
from icu.transferred.store import NONE, ROW, gathered, one, row_of, uuid_of, view_of
from icu.transfers import forms

CHANGED: Final = "Somebody has acted on this transfer already: look again."


async def ask(
    database: Database,
    principal: Principal,
    bed: str,
    stay: str,
    wanted: dict[str, Any],
    at: int,
) -> dict[str, Any]:
    """Asks another hospital to take the patient of a bed; `wanted` as `forms.checked`."""
    transfer = identity.uuid7()
    try:
        async with database.transaction(principal.scope) as connection:
            whose = await stay_of(connection, bed, stay)
            units = await connection.fetch("select * from transfer_directory()")
            to = next((row for row in units if row["unit"] == wanted["to"]), None)
            if wanted["to"] and (to is None or to["hospital_id"] == principal.hospital):
                raise MessageError("bad_receiver", "`to` is a unit of another hospital here")
            own = next(row for row in units if row["unit"] == whose.unit)
            person = await connection.fetchrow(
                "select sex, birth_date from patient_event where hospital_id = $1"
                " and patient_id = $2 order by event_at desc, entry_id desc limit 1",
                principal.hospital,
                whose.patient_id,
            )
            await connection.execute(
                "insert into transfer (transfer, hospital_id, unit, bed, stay, patient_id,"
                " from_name, to_hospital, to_unit, to_name, state, why, needs, sex, age_years,"
                " mode, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
                " 'asked', $11, $12, $13, $14, $15, $16, $17)",
                transfer,
                principal.hospital,
                whose.unit,
                whose.bed,
                whose.stay,
                whose.patient_id,
                f"{own['hospital']}, {own['name']}",
                to["hospital_id"] if to else None,
                to["unit"] if to else None,
                f"{to['hospital']}, {to['name']}" if to else wanted["elsewhere"],
                wanted["why"],
                wanted["needs"],
                person["sex"] if person else "unknown",
                forms.age_years(person["birth_date"], at) if person else None,
                whose.mode,
                principal.actor,
                to_datetime(at),
            )
            detail = to["unit"] if to else "elsewhere"
            await audit.append(
                connection, whose.unit, principal.scope, "ask_transfer", str(transfer), detail, at
            )
            return view_of(await row_of(connection, str(transfer)))
    except UniqueViolation as error:
        raise Conflict("A transfer of this patient is under way already.") from error


async def accept(
    database: Database,
    principal: Principal,
    transfer: str,
    version: int,
    *,
    words: str,
    bed: str,
    line: str,
    limits: Callable[[Sequence[Mapping[str, Any]]], Sequence[str]],
    kind: str,
    at: int,
) -> dict[str, Any]:
    """The receiver takes the patient: readable from now on, and on the receiver's board.

    `bed` is kept for the patient in an intensive care unit, `line` is what its bar says, `limits`
    says the treatment limits in force in words, `kind` is that of the receiving unit.
    """
    before = await one(database, principal, transfer)
    known = await gathered(database, principal, before, at, ()) if kind == "ed" else {}
    async with database.transaction(principal.scope) as connection:
        told = await _answer(connection, principal, transfer, version, "accepted", words, bed, at)
        if bed:
            await _reserve(connection, principal, told, line, at)
        entries: list[wire.Entry] = []
        if kind == "ed":
            entries = forms.board_entries(told, known, limits(known["care"]), principal.actor, at)
        elif kind == "icu":
            entries = [forms.coming(told, line, at)]
        await _tell(connection, principal, told, entries)
        await _audit(connection, principal, told, "accept_transfer", at)
    return told


async def decline(
    database: Database, principal: Principal, transfer: str, version: int, words: str, at: int
) -> dict[str, Any]:
    """The receiver does not take the patient, and says why."""
    if not words:
        raise MessageError("no_reason", "say why the patient cannot be taken")
    async with database.transaction(principal.scope) as connection:
        told = await _answer(connection, principal, transfer, version, "declined", words, "", at)
        await _audit(connection, principal, told, "decline_transfer", at)
    return told


async def withdraw(
    database: Database,
    principal: Principal,
    transfer: str,
    version: int,
    words: str,
    kind: str,
    at: int,
) -> dict[str, Any]:
    """The sender takes the request back; the receiver expects nobody any more."""
    async with database.transaction(principal.scope) as connection:
        before = await _locked(connection, transfer, version)
        if before["hospital_id"] != principal.hospital:
            raise NotFound(NONE)
        if before["state"] not in ("asked", "accepted", "left"):
            raise Conflict(CHANGED)
        await _set(connection, transfer, "withdrawn", ended_by=principal.actor, ended_at=at)
        told = view_of(await row_of(connection, transfer))
        if before["to_unit"] and before["state"] != "asked":
            entries: list[wire.Entry] = [
                forms.coming(told, "", at)
                if kind == "icu"
                else forms.ended_case(told, principal.actor, words, at)
            ]
            await _tell(connection, principal, told, entries)
        await _audit(connection, principal, told, "withdraw_transfer", at)
    return told


async def leave(
    database: Database, principal: Principal, transfer: str, version: int, eta: int, line: str,
    kind: str, at: int,
) -> dict[str, Any]:  # fmt: skip
    """The patient has left the sender; `eta` is told to the receiver (0: not known)."""
    async with database.transaction(principal.scope) as connection:
        before = await _locked(connection, transfer, version)
        if before["hospital_id"] != principal.hospital:
            raise NotFound(NONE)
        if before["state"] != "accepted":
            raise Conflict(CHANGED)
        await connection.execute(
            "update transfer set state = 'left', version = version + 1, left_by = $2, left_at = $3,"
            " eta = coalesce($4, eta) where transfer = $1",
            uuid_of(transfer),
            principal.actor,
            to_datetime(at),
            to_datetime(eta) if eta else None,
        )
        told = view_of(await row_of(connection, transfer))
        if told["to_unit"]:
            entry = (
                forms.coming(told, line, at)
                if kind == "icu"
                else forms.eta_facts(told, principal.actor, at)
            )
            if kind == "icu" or told["eta"]:
                await _tell(connection, principal, told, [entry])
        await _audit(connection, principal, told, "leave_for_transfer", at)
    return told


async def arrive(
    database: Database,
    principal: Principal,
    transfer: str,
    version: int,
    bed: str,
    person: wire.PatientFacts,
    at: int,
) -> dict[str, Any]:
    """The patient lies in a bed of the receiving intensive care unit: a stay begins there.

    For an installation elsewhere the sender notes the arrival, without a bed.
    """
    async with database.transaction(principal.scope) as connection:
        before = await _locked(connection, transfer, version)
        if before["state"] not in ("accepted", "left"):
            raise Conflict(CHANGED)
        receiving = before["to_hospital"] == principal.hospital
        if not receiving and before["to_hospital"] is not None:
            raise NotFound(NONE)
        await _set(connection, transfer, "arrived", ended_by=principal.actor, ended_at=at)
        told = view_of(await row_of(connection, transfer))
        if receiving:
            patient = identity.patient_id(principal.hospital, person.mrn)
            await _admit(connection, principal, told, bed, patient, at)
            unit = told["to_unit"]
            message = f"transfer {transfer}"
            came = admission(
                replace(principal, mode=told["mode"]), message, unit, "A01", person, at, bed
            )
            came = wire.replaced(came, case=told["transfer"])
            await _tell(connection, principal, told, [came, forms.coming(told, "", at)])
        await _audit(connection, principal, told, "arrive_by_transfer", at)
    return told


async def _answer(
    connection: Connection, principal: Principal, transfer: str, version: int, state: str,
    words: str, bed: str, at: int,
) -> dict[str, Any]:  # fmt: skip
    """The answer of the receiver; of another installation the sender writes it down."""
    before = await _locked(connection, transfer, version)
    if principal.hospital != (before["to_hospital"] or before["hospital_id"]):
        raise NotFound(NONE)
    if before["state"] != "asked":
        raise Conflict(CHANGED)
    await connection.execute(
        "update transfer set state = $2, version = version + 1, answered_by = $3, answered_at = $4,"
        " answer = $5, to_bed = $6 where transfer = $1",
        uuid_of(transfer),
        state,
        principal.actor,
        to_datetime(at),
        words,
        bed,
    )
    return view_of(await row_of(connection, transfer))


async def _set(
    connection: Connection, transfer: str, state: str, *, ended_by: str, ended_at: int
) -> None:
    await connection.execute(
        "update transfer set state = $2, version = version + 1, ended_by = $3, ended_at = $4"
        " where transfer = $1",
        uuid_of(transfer),
        state,
        ended_by,
        to_datetime(ended_at),
    )


async def _reserve(
    connection: Connection, principal: Principal, told: dict[str, Any], words: str, at: int
) -> None:
    done = await connection.fetchval(
        "insert into bed_given as g (bed, hospital_id, unit, kind, words, given_by, given_at)"
        " select bed, hospital_id, unit, 'reserved', $2, $3, $4 from bed"
        " where bed = $1 and unit = $5 on conflict (bed) do nothing returning bed",
        told["to_bed"],
        words,
        principal.actor,
        to_datetime(at),
        told["to_unit"],
    )
    if done is None:
        raise Conflict("This bed is taken, being cleaned or reserved: choose another.")


async def _admit(
    connection: Connection, principal: Principal, told: dict[str, Any], bed: str, patient: str,
    at: int,
) -> None:  # fmt: skip
    """The bed goes to the patient: the one that was kept, or another free one of the unit."""
    if told["to_bed"] and told["to_bed"] != bed:
        await connection.execute(
            "delete from bed_given where bed = $1 and kind = 'reserved'", told["to_bed"]
        )
    given = await connection.fetchval(
        "insert into bed_given as g (bed, hospital_id, unit, patient_id, case_id, given_by,"
        " given_at) select bed, hospital_id, unit, $2, $3, $4, $5 from bed"
        " where bed = $1 and unit = $6"
        " on conflict (bed) do update set kind = 'patient', words = '',"
        " patient_id = excluded.patient_id, case_id = excluded.case_id,"
        " given_by = excluded.given_by, given_at = excluded.given_at"
        " where g.kind = 'reserved' returning bed",
        bed,
        patient,
        told["transfer"],
        principal.actor,
        to_datetime(at),
        told["to_unit"],
    )
    if given is None:
        raise Conflict("This bed is taken, or it is none of this unit: choose another.")


async def _tell(
    connection: Connection, principal: Principal, told: dict[str, Any], entries: list[wire.Entry]
) -> None:
    there = told["to_unit"]
    await outbox.put(connection, principal.hospital, *((there, entry) for entry in entries))


async def _audit(
    connection: Connection, principal: Principal, told: dict[str, Any], act: str, at: int
) -> None:
    """In the chain of whoever acts; the other side's chain has the act of its own people."""
    own = told["unit"] if told["hospital"] == principal.hospital else told["to_unit"]
    await audit.append(connection, own, principal.scope, act, told["transfer"], told["state"], at)


async def _locked(connection: Connection, transfer: str, version: int) -> Record:
    row = await connection.fetchrow(ROW + " where transfer = $1 for update", uuid_of(transfer))
    if row is None:
        raise NotFound(NONE)
    if row["version"] != version:
        raise Conflict(CHANGED, view_of(row))
    return row
