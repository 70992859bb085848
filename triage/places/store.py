"""Places and settings in PostgreSQL: the row, its audit and the outbox entry in one transaction.

That a place belongs to one case is the table's primary key (SAFETY.md I17): of two vehicles that
want it at once one gets it, and the other is told whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, NotFound

_PLACES = """
select p.place, p.unit, p.kind, p.zone, p.label, p.entrance, p.used, g.case_id, g.state, g.given_by,
       g.given_at
  from ed_place p left join place_given g on g.place = p.place
"""
_TAKEN = "This place is kept for another patient: choose another one."


async def places_of(database: Database, principal: Principal, unit: str) -> list[dict[str, Any]]:
    """The places of a department in their order, each with the case it is kept for.

    One that is out of use is among them with `used` false.
    """
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(_PLACES + " where p.unit = $1 order by p.position", unit)
    return [_view(row) for row in rows]


async def hold(
    database: Database, principal: Principal, unit: str, case: str, place: str, at: int
) -> dict[str, Any]:
    """Keeps a place for a case; Conflict with what holds where it is another's already."""
    try:
        async with database.transaction(principal.scope) as connection:
            row = await _place(connection, unit, place)
            if str(row["case_id"] or "") == case:
                return _view(row)  # said again
            if not row["used"]:
                raise Conflict("This place is out of use: choose another one.")
            await connection.execute(
                "insert into place_given (place, hospital_id, unit, case_id, state, given_by,"
                " given_at) values ($1, $2, $3, $4, 'held', $5, $6)",
                place,
                principal.hospital,
                unit,
                case,
                principal.actor,
                to_datetime(at),
            )
            return await _tell(connection, principal, row, case, "held", at)
    except UniqueViolation as error:
        async with database.transaction(principal.scope) as connection:
            raise Conflict(_TAKEN, _view(await _place(connection, unit, place))) from error


async def ready(
    database: Database, principal: Principal, unit: str, case: str, place: str, at: int
) -> dict[str, Any]:
    """The place that is kept for this case is ready for it."""
    async with database.transaction(principal.scope) as connection:
        row = await _own(connection, unit, case, place)
        await connection.execute(
            "update place_given set state = 'ready', given_by = $2, given_at = $3 where place = $1",
            place,
            principal.actor,
            to_datetime(at),
        )
        return await _tell(connection, principal, row, case, "ready", at)


async def release(
    database: Database, principal: Principal, unit: str, case: str, place: str, at: int
) -> dict[str, Any]:
    """The place is free again."""
    async with database.transaction(principal.scope) as connection:
        row = await _own(connection, unit, case, place)
        await connection.execute("delete from place_given where place = $1", place)
        return await _tell(connection, principal, row, case, "free", at)


class Door(NamedTuple):
    """Where a department stands, and what its radius does."""

    latitude: float | None = None
    longitude: float | None = None
    radius_m: float = 0.0
    arrives: bool = False  # records the arrival; else the crew is asked


NOWHERE: Final = Door()


async def ring_of(
    database: Database, principal: Principal, unit: str
) -> tuple[int, list[str], Door]:
    """(version, words of the crew for which a red rings, door); version 0: nothing was set."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select version, ring, latitude, longitude, radius_m, arrives from ed_setting"
            " where unit = $1 order by version desc limit 1",
            unit,
        )
    if row is None:
        return 0, [], Door()
    door = Door(row["latitude"], row["longitude"], row["radius_m"] or 0.0, row["arrives"])
    return row["version"], list(row["ring"]), door


async def set_ring(
    database: Database,
    principal: Principal,
    unit: str,
    version: int,
    ring: Sequence[str],
    at: int,
    door: Door = NOWHERE,
) -> None:
    """Which reds ring from now on, on top of `version` settings; Conflict for the second of two."""
    entry = wire.EdSettings(
        unit=unit, version=version + 1, ring=tuple(ring), at=at, by=principal.actor,
        latitude=door.latitude, longitude=door.longitude, radius_m=door.radius_m,
        arrives=door.arrives,
    )  # fmt: skip
    try:
        async with database.transaction(principal.scope) as connection:
            await connection.execute(
                "insert into ed_setting (unit, version, hospital_id, ring, changed_by, changed_at,"
                " latitude, longitude, radius_m, arrives)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                unit,
                version + 1,
                principal.hospital,
                list(ring),
                principal.actor,
                to_datetime(at),
                door.latitude,
                door.longitude,
                door.radius_m,
                door.arrives,
            )
            await outbox.put(connection, principal.hospital, (unit, entry))
            detail = " ".join(kind or "unsaid" for kind in ring)
            await audit.append(connection, unit, principal.scope, "set_ring", unit, detail, at)
    except UniqueViolation as error:
        raise Conflict("Somebody else has changed this first: look again.") from error


async def _place(connection: Connection, unit: str, place: str) -> Record:
    row = await connection.fetchrow(_PLACES + " where p.place = $1 and p.unit = $2", place, unit)
    if row is None:
        raise NotFound("There is no such place in this department.")
    return row


async def _own(connection: Connection, unit: str, case: str, place: str) -> Record:
    await connection.execute("select 1 from place_given where place = $1 for update", place)
    row = await _place(connection, unit, place)
    if str(row["case_id"] or "") != case:
        raise Conflict("This place is not kept for this patient: look again.", _view(row))
    return row


async def _tell(
    connection: Connection, principal: Principal, row: Record, case: str, state: str, at: int
) -> dict[str, Any]:
    entry = wire.PlaceGiven(
        unit=row["unit"],
        case=case,
        place=row["place"],
        kind=row["kind"],
        label=row["label"],
        entrance=row["entrance"],
        state=state,
        at=at,
        by=principal.actor,
        mode=principal.mode,
        zone=row["zone"],
    )
    await outbox.put(connection, principal.hospital, (row["unit"], entry))
    detail = f"{row['place']} {state}"
    await audit.append(connection, row["unit"], principal.scope, "keep_place", case, detail, at)
    return _view(await _place(connection, row["unit"], row["place"]))


def _view(row: Record) -> dict[str, Any]:
    return {
        "place": row["place"],
        "kind": row["kind"],
        "zone": row["zone"],
        "label": row["label"],
        "entrance": row["entrance"],
        "used": row["used"],
        "state": row["state"] or "free",
        "case": str(row["case_id"]) if row["case_id"] else None,
        "by": row["given_by"],
        "at": iso(from_datetime(row["given_at"])) if row["given_at"] else None,
    }
