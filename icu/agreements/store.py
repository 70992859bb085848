"""Limits of treatment and comfort care: proposed by a physician, in force with a second person.

They end, or others take their place, in the same way: a physician asks with a reason, another
person confirms. What was ended in error is in force again by one act, with a reason.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.stay.care import LIMITS, checked
from icu.stay.store import stay_of

_NONE: Final = "There is no such agreement, or it is not within your units."
_THERE: Final = "Something of this kind holds or is proposed already: end it first."
_CHANGED: Final = "Somebody else has changed this by now; yours was not saved."
_AGREEMENT: Final = """
select a.agreement, a.unit, s.bed, a.stay, a.patient_id, a.kind, a.limits, a.words, a.state,
       a.mode, a.proposed_by, a.proposed_at, a.confirmed_by, a.confirmed_at, a.ended_by,
       a.ended_at, a.end_reason, a.end_asked_by, a.end_asked_at, a.end_confirmed_by, a.replaces,
       a.reinstated_by, a.reinstated_at, a.reinstate_reason, a.version
  from care_agreement a join stay s using (stay)
"""
_END: Final = """
update care_agreement set state = 'ended', ended_by = $2, ended_at = $3, version = version + 1
 where agreement = $1
"""
_REPLACE: Final = """
update care_agreement set state = 'ended', ended_by = $2, ended_at = $3, end_confirmed_by = $2,
       end_reason = $4, end_asked_by = $5, end_asked_at = $6, version = version + 1
 where agreement = $1 and state = 'in_force' returning true
"""
_REINSTATE: Final = """
update care_agreement set state = 'in_force', ended_by = null, ended_at = null, end_reason = '',
       end_asked_by = null, end_asked_at = null, end_confirmed_by = null, reinstated_by = $2,
       reinstated_at = $3, reinstate_reason = $4, version = version + 1
 where agreement = $1
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
    """A physician's proposal; it changes nothing until another person confirms it.

    Where limits of treatment are in force it is a change of them: once confirmed, those end.
    """
    wanted = checked(kind, limits)
    agreement = str(identity.uuid7())
    try:
        async with database.transaction(principal.scope) as connection:
            whose = await stay_of(connection, bed, stay)
            replaces = await _in_force(connection, whose.stay, kind)
            if replaces and kind != "treatment_limits":
                raise Conflict(_THERE)
            if replaces and not words:
                raise MessageError("no_reason", "say in `words` why the limits change")
            await connection.execute(
                "insert into care_agreement (agreement, hospital_id, unit, stay, patient_id, kind,"
                " limits, words, state, mode, proposed_by, proposed_at, replaces)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, 'proposed', $9, $10, $11, $12)",
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
                replaces,
            )
            detail = f"{kind} {' '.join(wanted)}".strip()
            await _note(connection, principal, whose.unit, "propose_care", agreement, detail, at)
            return _view(await _row(connection, agreement))
    except UniqueViolation as error:
        raise Conflict(_THERE) from error


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
        if row["replaces"] and not await connection.fetchval(
            _REPLACE,
            row["replaces"],
            principal.actor,
            to_datetime(at),
            row["words"],
            row["proposed_by"],
            row["proposed_at"],
        ):
            raise Conflict(_CHANGED, _view(row))  # what it was to change has ended meanwhile
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
    reason: str,
    at: int,
) -> dict[str, Any]:
    """A physician takes a proposal back, or asks that what is in force ends, with a reason.

    What is in force holds until another person confirms its end.
    """
    async with database.transaction(principal.scope) as connection:
        row = await _locked(connection, bed, agreement, version, "proposed", "in_force")
        if row["state"] == "proposed":
            await connection.execute(_END, agreement, principal.actor, to_datetime(at))
            action = "withdraw_care"
        else:
            _given(reason)
            if row["end_asked_by"]:
                raise Conflict("Its end has been asked for: another person confirms it.")
            await connection.execute(
                "update care_agreement set end_reason = $2, end_asked_by = $3, end_asked_at = $4,"
                " version = version + 1 where agreement = $1",
                agreement,
                reason,
                principal.actor,
                to_datetime(at),
            )
            action = "ask_end_care"
        await _note(connection, principal, row["unit"], action, agreement, reason, at)
        return _view(await _row(connection, agreement))


async def confirm_end(
    database: Database, principal: Principal, bed: str, agreement: str, *, version: int, at: int
) -> dict[str, Any]:
    """The second person of the end: everything is done again from here on."""
    async with database.transaction(principal.scope) as connection:
        row = await _locked(connection, bed, agreement, version, "in_force")
        if not row["end_asked_by"]:
            raise Conflict("Nobody has asked that it ends: a physician does so first.")
        if row["end_asked_by"] == principal.actor:
            raise Conflict("Another person confirms this than the one who asked that it ends.")
        await connection.execute(_END, agreement, principal.actor, to_datetime(at))
        await connection.execute(
            "update care_agreement set end_confirmed_by = $2 where agreement = $1",
            agreement,
            principal.actor,
        )
        await _tell(connection, principal, row, at)
        if row["kind"] == "comfort_care":
            await _act(connection, principal, row, "resume", principal.actor, at)
        unit, why = row["unit"], row["end_reason"]
        await _note(connection, principal, unit, "end_care", agreement, why, at)
        return _view(await _row(connection, agreement))


async def keep(
    database: Database, principal: Principal, bed: str, agreement: str, *, version: int, at: int
) -> dict[str, Any]:
    """The end that was asked for is refused or taken back: it goes on holding."""
    async with database.transaction(principal.scope) as connection:
        row = await _locked(connection, bed, agreement, version, "in_force")
        if not row["end_asked_by"]:
            raise Conflict("Nobody has asked that it ends: a physician does so first.")
        await connection.execute(
            "update care_agreement set end_reason = '', end_asked_by = null, end_asked_at = null,"
            " version = version + 1 where agreement = $1",
            agreement,
        )
        asked = f"asked by {row['end_asked_by']}"
        await _note(connection, principal, row["unit"], "keep_care", agreement, asked, at)
        return _view(await _row(connection, agreement))


async def reinstate(
    database: Database,
    principal: Principal,
    bed: str,
    agreement: str,
    *,
    version: int,
    reason: str,
    at: int,
) -> dict[str, Any]:
    """The end, or the change, was an error: what two people had agreed on holds again.

    What had taken its place ends with it.
    """
    _given(reason)
    try:
        async with database.transaction(principal.scope) as connection:
            row = await _locked(connection, bed, agreement, version, "ended")
            if not row["confirmed_by"]:
                raise Conflict(_CHANGED, _view(row))  # a proposal: it has never held
            when = to_datetime(at)
            await connection.execute(
                "update care_agreement set state = 'ended', ended_by = $2, ended_at = $3,"
                " end_reason = $4, version = version + 1"
                " where replaces = $1 and state in ('proposed', 'in_force')",
                agreement,
                principal.actor,
                when,
                reason,
            )
            await connection.execute(_REINSTATE, agreement, principal.actor, when, reason)
            await _tell(connection, principal, row, at)
            if row["kind"] == "comfort_care":
                await _act(connection, principal, row, "comfort", row["proposed_by"], at)
                await _act(connection, principal, row, "confirm_comfort", row["confirmed_by"], at)
            await _note(connection, principal, row["unit"], "reinstate_care", agreement, reason, at)
            return _view(await _row(connection, agreement))
    except UniqueViolation as error:
        raise Conflict(_THERE) from error


def _given(reason: str) -> None:
    if not reason:
        raise MessageError("no_reason", "say in `reason` why")


async def _in_force(connection: Connection, stay: str, kind: str) -> UUID | None:
    """What is in force of this kind, held until the transaction ends; None: nothing."""
    found: UUID | None = await connection.fetchval(
        "select agreement from care_agreement where stay = $1 and kind = $2"
        " and state = 'in_force' for share",
        stay,
        kind,
    )
    return found


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
        raise Conflict(_CHANGED, _view(row))
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
    held = await connection.fetch(
        "select kind, limits from care_agreement where stay = $1 and state = 'in_force'"
        " order by kind",
        row["stay"],
    )
    entry = wire.CareAgreed(
        unit=row["unit"],
        patient_id=str(row["patient_id"]),
        agreed=tuple(one["kind"] for one in held),
        limits=tuple(word for word in LIMITS if any(word in one["limits"] for one in held)),
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
        "end_reason": row["end_reason"],
        "end_asked_by": row["end_asked_by"],
        "end_asked_at": moment("end_asked_at"),
        "replaces": str(row["replaces"]) if row["replaces"] else None,
        "reinstated_by": row["reinstated_by"],
        "reinstated_at": moment("reinstated_at"),
        "reinstate_reason": row["reinstate_reason"],
    }
