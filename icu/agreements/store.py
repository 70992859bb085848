"""Limits of treatment and comfort care: proposed by a physician, in force with a second person."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, NotFound
from icu.stay.care import checked
from icu.stay.store import stay_of

_NONE: Final = "There is no such agreement, or it is not within your units."
_AGREEMENT: Final = """
select a.agreement, a.unit, s.bed, a.stay, a.patient_id, a.kind, a.limits, a.words, a.state,
       a.mode, a.proposed_by, a.proposed_at, a.confirmed_by, a.confirmed_at, a.ended_by,
       a.ended_at, a.version
  from care_agreement a join stay s using (stay)
"""


async def of_bed(database: Database, principal: Principal, bed: str) -> list[dict[str, Any]]:
    """What was agreed on for whoever lies in a bed now, newest first."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            _AGREEMENT + " where s.bed = $1 and s.ended_at is null order by a.proposed_at desc", bed
        )
    return [_view(row) for row in rows]


async def propose(
    database: Database,
    principal: Principal,
    bed: str,
    *,
    stay: str,
    kind: str,
    limits: list[str],
    words: str,
    at: int,
) -> dict[str, Any]:
    """A physician's proposal; it changes nothing until another person confirms it."""
    wanted = checked(kind, limits)
    agreement = str(identity.uuid7())
    try:
        async with database.transaction(principal.scope) as connection:
            whose = await stay_of(connection, bed, stay)
            await connection.execute(
                "insert into care_agreement (agreement, hospital_id, unit, stay, patient_id, kind,"
                " limits, words, state, mode, proposed_by, proposed_at)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, 'proposed', $9, $10, $11)",
                agreement,
                principal.hospital,
                whose.unit,
                whose.stay,
                whose.patient_id,
                kind,
                list(wanted),
                words,
                whose.mode,
                principal.actor,
                to_datetime(at),
            )
            detail = f"{kind} {' '.join(wanted)}".strip()
            await _note(connection, principal, whose.unit, "propose_care", agreement, detail, at)
            return _view(await _row(connection, agreement))
    except UniqueViolation as error:
        raise Conflict("Something of this kind holds or is proposed already: end it first.") from (
            error
        )


async def confirm(
    database: Database,
    principal: Principal,
    bed: str,
    agreement: str,
    *,
    version: int,
    at: int,
) -> dict[str, Any]:
    """The second person: from here on it holds, stands on the board and limits messages."""
    async with database.transaction(principal.scope) as connection:
        row = await _locked(connection, bed, agreement, version, "proposed")
        if row["proposed_by"] == principal.actor:
            raise Conflict("Another person confirms this than the one who proposed it.")
        await connection.execute(
            "update care_agreement set state = 'in_force', confirmed_by = $2, confirmed_at = $3,"
            " version = version + 1 where agreement = $1",
            agreement,
            principal.actor,
            to_datetime(at),
        )
        await connection.execute(
            "update stay set treatment_limited = true, version = version + 1 where stay = $1",
            row["stay"],
        )
        await _tell(connection, principal, row, at)
        if row["kind"] == "comfort_care":  # for the sounds of the bed, by both
            await _act(connection, principal, row, "comfort", row["proposed_by"], at)
            await _act(connection, principal, row, "confirm_comfort", principal.actor, at)
        unit, kind = row["unit"], row["kind"]
        await _note(connection, principal, unit, "confirm_care", agreement, kind, at)
        return _view(await _row(connection, agreement))


async def end(
    database: Database,
    principal: Principal,
    bed: str,
    agreement: str,
    *,
    version: int,
    at: int,
) -> dict[str, Any]:
    """A physician ends it, or takes a proposal back: everything is done again from here on."""
    async with database.transaction(principal.scope) as connection:
        row = await _locked(connection, bed, agreement, version, "proposed", "in_force")
        await connection.execute(
            "update care_agreement set state = 'ended', ended_by = $2, ended_at = $3,"
            " version = version + 1 where agreement = $1",
            agreement,
            principal.actor,
            to_datetime(at),
        )
        if row["state"] == "in_force":
            await _tell(connection, principal, row, at)
            if row["kind"] == "comfort_care":
                await _act(connection, principal, row, "resume", principal.actor, at)
        unit, kind = row["unit"], row["kind"]
        await _note(connection, principal, unit, "end_care", agreement, kind, at)
        return _view(await _row(connection, agreement))


async def _locked(
    connection: Connection, bed: str, agreement: str, version: int, *states: str
) -> Record:
    await _row(connection, agreement)
    await connection.execute(
        "select from care_agreement where agreement = $1 for update", agreement
    )
    row = await _row(connection, agreement)
    if row["bed"] != bed:
        raise NotFound(_NONE)
    if row["version"] != version or row["state"] not in states:
        raise Conflict("Somebody else has changed this by now; yours was not saved.", _view(row))
    return row


async def _row(connection: Connection, agreement: str) -> Record:
    try:
        row = await connection.fetchrow(_AGREEMENT + " where a.agreement = $1", UUID(agreement))
    except ValueError as error:
        raise NotFound(_NONE) from error
    if row is None:
        raise NotFound(_NONE)
    return row


async def _tell(connection: Connection, principal: Principal, row: Record, at: int) -> None:
    """The unit hears what holds for the patient now."""
    flags = await connection.fetch(
        "select distinct kind from care_agreement where stay = $1 and state = 'in_force'"
        " order by kind",
        row["stay"],
    )
    entry = wire.CareAgreed(
        unit=row["unit"],
        patient_id=str(row["patient_id"]),
        agreed=tuple(flag["kind"] for flag in flags),
        by=principal.actor,
        at=at,
        mode=row["mode"],
    )
    await outbox.put(connection, principal.hospital, (row["unit"], entry))


async def _act(
    connection: Connection, principal: Principal, row: Record, act: str, by: str, at: int
) -> None:
    entry = wire.BedAct(
        unit=row["unit"],
        bed=row["bed"],
        act=act,
        at=at,
        by=by,
        role=principal.role.value,
        source=principal.actor,
        received_at=at,
        mode=row["mode"],
        patient_id=str(row["patient_id"]),
    )
    await outbox.put(connection, principal.hospital, (row["unit"], entry))


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


def _view(row: Record) -> dict[str, Any]:
    def moment(name: str) -> str | None:
        return iso(from_datetime(row[name])) if row[name] else None

    return {
        "agreement": str(row["agreement"]),
        "kind": row["kind"],
        "limits": list(row["limits"]),
        "words": row["words"],
        "state": row["state"],
        "version": row["version"],
        "proposed_by": row["proposed_by"],
        "proposed_at": moment("proposed_at"),
        "confirmed_by": row["confirmed_by"],
        "confirmed_at": moment("confirmed_at"),
        "ended_by": row["ended_by"],
        "ended_at": moment("ended_at"),
    }
