"""The SQL of places and devices, and all that the way in has to know as one projection.

Every function that takes a `connection` works in the caller's transaction, opened with the scope
`by`, and writes its audit row there. Times are microseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hospital_ops import accounts, audit, tokens
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import to_datetime
from hospital_ops.codebook import store as mappings
from hospital_ops.codebook.rules import Rule
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import NotFound
from hospital_ops.standing import store as standing
from hospital_ops.standing.rules import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device that may send; `key` is the sha256 of its token as hex."""

    key: str
    device: str
    kind: str  # tablet, monitor, gateway
    hospital: str
    unit: str  # "": any unit of its hospital
    bed: str  # "": no bed of its own
    mode: str  # Real, Test, Demo


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A registered device as the way in knows it, with or without a token of its own."""

    device: str
    hospital: str
    bed: str  # "": no bed of its own
    mode: str  # Real, Test, Demo
    address: str  # what a gateway calls it; "": nothing of the kind
    model: str  # whose private codes it speaks; "": unknown
    vehicle: str = ""  # the tablet of the vehicle whose monitor it is; "": of none


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """A place of a department that can be kept for a case."""

    place: str
    unit: str
    kind: str  # bay, theatre, cath_lab, ct, icu_bed, blood
    zone: str  # resuscitation, treatment; empty for what is no bay
    label: str
    entrance: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """A unit with its hospital's zone and its beds in board order: (id, label)."""

    unit: str
    hospital: str
    kind: str  # icu, ed
    name: str
    zone: str
    beds: tuple[tuple[str, str], ...]
    rooms: tuple[RoomRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Projection:
    """All that the way in and the sockets have to know, so that they do not need PostgreSQL."""

    sessions: list[Principal]
    devices: list[DeviceRow]
    units: list[UnitRow]
    registry: list[KnownDevice] = field(default_factory=list)
    rules: list[tuple[str, Rule]] = field(default_factory=list)  # hospital, mapping
    standing: list[tuple[str, str, Standing]] = field(default_factory=list)  # hospital, device


async def ensure_hospital(
    connection: Connection, by: Scope, name: str, at: int, zone: str = "Europe/Moscow"
) -> None:
    """Makes the hospital of the scope, or renames it. Its id is the scope's."""
    made = await connection.fetchval(
        "insert into hospital as h (hospital_id, name, zone) values ($1, $2, $3) on conflict"
        " (hospital_id) do update set name = excluded.name, zone = excluded.zone"
        " where (h.name, h.zone) is distinct from (excluded.name, excluded.zone) returning true",
        by.hospital,
        name,
        zone,
    )
    if made:
        await audit.note(connection, by, "change_hospital", by.hospital, "", at)


async def ensure_unit(
    connection: Connection, by: Scope, unit: str, kind: str, name: str, at: int
) -> None:
    """Makes a unit (`kind` icu or ed) of the scope's hospital, or renames it."""
    made = await connection.fetchval(
        "insert into unit as u (unit, hospital_id, kind, name) values ($1, $2, $3, $4) on conflict"
        " (unit) do update set name = excluded.name where u.name <> excluded.name returning true",
        unit,
        by.hospital,
        kind,
        name,
    )
    if made:
        await audit.note(connection, by, "change_unit", unit, kind, at)


async def ensure_beds(
    connection: Connection, by: Scope, unit: str, beds: list[tuple[str, str]], at: int
) -> None:
    """Makes the beds (id, label) of a unit that are missing, in the order given."""
    rows = await connection.fetch(
        "insert into bed (bed, hospital_id, unit, label, position)"
        " select b.bed, $1, $2, b.label, b.position"
        " from unnest($3::text[], $4::text[]) with ordinality as b (bed, label, position)"
        " on conflict (bed) do nothing returning bed",
        by.hospital,
        unit,
        [bed for bed, _ in beds],
        [label for _, label in beds],
    )
    if rows:
        await audit.note(
            connection, by, "make_beds", unit, " ".join(row["bed"] for row in rows), at
        )


async def ensure_device(
    connection: Connection,
    by: Scope,
    device: str,
    kind: str,
    mode: str,
    at: int,
    unit: str | None = None,
    bed: str | None = None,
    address: str = "",
    model: str = "",
    vehicle: str = "",
) -> bool:
    """Makes a device (tablet, monitor, gateway; Real, Test, Demo) unless it exists: True when new.

    `address` is what a gateway calls it, `model` whose private codes it speaks,
    `vehicle` the tablet whose vehicle's monitor it is. NotFound for a place that is not here.
    """
    for name, ours in (
        (unit, "select true from unit where unit = $1 and hospital_id = $2"),
        (bed, "select true from bed where bed = $1 and hospital_id = $2"),
    ):
        if name and not await connection.fetchval(ours, name, by.hospital):
            raise NotFound(f"{name} is no unit or bed of hospital {by.hospital}: see unit list.")
    made: bool | None = await connection.fetchval(
        "insert into device (device, hospital_id, unit, bed, kind, mode, made_at, address, model,"
        " vehicle) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " on conflict (device) do nothing returning true",
        device,
        by.hospital,
        unit,
        bed,
        kind,
        mode,
        to_datetime(at),
        address,
        model,
        vehicle,
    )
    if made:
        await audit.note(connection, by, "make_device", device, kind, at)
    return bool(made)


async def issue_device_token(connection: Connection, by: Scope, device: str, at: int) -> str:
    """A new token, shown this once; the former one ends. Raises NotFound."""
    token = tokens.new_token(by.hospital)
    found = await connection.fetchval(
        "update device set token_hash = $2, revoked_at = null where device = $1 returning true",
        device,
        tokens.token_hash(token),
    )
    if not found:
        raise NotFound("There is no such device in this hospital.")
    await audit.note(connection, by, "issue_device_token", device, "", at)
    return token


async def revoke_device(connection: Connection, by: Scope, device: str, at: int) -> None:
    """Ends a device's token for good; the caller takes it out of the projection."""
    await connection.execute(
        "update device set revoked_at = $2, token_hash = null where device = $1",
        device,
        to_datetime(at),
    )
    await audit.note(connection, by, "revoke_device", device, "", at)


async def device_of(connection: Connection, device: str) -> Record:
    """Kind, unit ("": anywhere), mode and the token's sha256 as hex ("": none). NotFound."""
    row = await connection.fetchrow(
        "select kind, coalesce(unit, '') as unit, mode,"
        " coalesce(encode(token_hash, 'hex'), '') as key from device where device = $1",
        device,
    )
    if row is None:
        raise NotFound("There is no such device in this hospital.")
    return row


async def listed_devices(connection: Connection) -> list[Record]:
    """The hospital's devices with their places and whether they may send."""
    return await connection.fetch(
        "select device, kind, mode, coalesce(bed, unit, '') as place,"
        " token_hash is not null as paired, revoked_at is not null as revoked"
        " from device order by kind, device"
    )


async def listed_units(connection: Connection) -> list[Record]:
    """The hospital's units with the number of their beds."""
    return await connection.fetch(
        "select u.unit, u.kind, u.name, count(b.bed) as beds from unit u"
        " left join bed b on b.unit = u.unit group by u.unit order by u.unit"
    )


async def adopt_beds(db: Database) -> int:
    """Registers beds that admissions have named and nobody has registered; answers how many."""
    async with db.transaction() as connection:
        return int(await connection.fetchval("select adopt_beds()"))


async def projection_rows(db: Database, now_us: int) -> Projection:
    """Everything valid now, of all hospitals, read at one instant; `db` has the role writer."""
    async with db.transaction() as connection:
        await connection.execute("set transaction isolation level repeatable read read only")
        sessions = await accounts.living_sessions(connection, now_us)
        devices = await connection.fetch(_DEVICES)
        units = await connection.fetch(_UNITS)
        registry = await connection.fetch(_REGISTRY)
        rules = await mappings.newest(connection)
        rooms = await connection.fetch(_ROOMS)
        stands = await standing.newest(connection)
    return Projection(
        sessions,
        [DeviceRow(**{**dict(row), "key": row["key"].hex()}) for row in devices],
        [
            _unit(row, [RoomRow(**room) for room in rooms if room["unit"] == row["unit"]])
            for row in units
        ],
        [KnownDevice(**dict(row)) for row in registry],
        [(row["hospital_id"], mappings.rule_of(row)) for row in rules],
        stands,
    )


def _unit(row: Record, rooms: list[RoomRow]) -> UnitRow:
    return UnitRow(
        unit=row["unit"],
        hospital=row["hospital"],
        kind=row["kind"],
        name=row["name"],
        zone=row["zone"],
        beds=tuple(zip(row["beds"], row["labels"], strict=True)),
        rooms=tuple(rooms),
    )


_DEVICES: Final = """
select token_hash as key, device, kind, hospital_id as hospital, coalesce(unit, '') as unit,
       coalesce(bed, '') as bed, mode
from device where token_hash is not null and revoked_at is null
"""
_REGISTRY: Final = """
select device, hospital_id as hospital, coalesce(bed, '') as bed, mode, address, model, vehicle
from device where revoked_at is null
"""
_UNITS: Final = """
select u.unit, u.hospital_id as hospital, u.kind, u.name, h.zone,
       array_remove(array_agg(b.bed order by b.position, b.bed), null) as beds,
       array_remove(array_agg(b.label order by b.position, b.bed), null) as labels
from unit u join hospital h using (hospital_id) left join bed b on b.unit = u.unit
group by u.unit, u.hospital_id, u.kind, u.name, h.zone order by u.unit
"""
_ROOMS: Final = """
select place, unit, kind, zone, label, entrance, position from ed_place where used
 order by position, place
"""
