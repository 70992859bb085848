"""The SQL of devices at beds: every act a new version, with its audit row, in one transaction."""

from __future__ import annotations

from typing import Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import CheckViolation, Connection, Record, UniqueViolation
from hospital_ops.errors import Conflict, NotFound
from hospital_ops.standing.rules import EFFECT_US, KEPT, Stand, Standing

CHANGED: Final = "Somebody has bound this device meanwhile: look again where it stands."
DEMO: Final = "A demo or test device is never bound to the bed of a real patient."
NO_BED: Final = "Only monitors stand at beds: tablets go with their crew, gateways serve many beds."

# The newest acts of each device; what it was registered with counts as the first.
_NEWEST: Final = """
select hospital_id, device, from_at, bed
  from (select b.*, row_number() over (partition by device order by version desc) as age
          from device_binding b) told
 where age <= $1 order by hospital_id, device, version
"""
_DEVICE: Final = """
select d.device, d.kind, d.mode, coalesce(d.bed, '') as bed, d.made_at,
       coalesce((select max(b.version) from device_binding b where b.device = d.device), 0)
         as version
  from device d where d.revoked_at is null and (d.device = $1 or d.address = $1)
   for update of d
"""
_ADD: Final = """
insert into device_binding (hospital_id, device, version, bed, from_at, way, made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_HERE: Final = """
select d.device, d.mode, d.model, d.address, coalesce(b.version, 0) as version, b.from_at,
       b.made_by, coalesce(b.way, 'registered') as way
  from device d left join lateral (
       select * from device_binding where device = d.device order by version desc limit 1) b on true
 where d.bed = $1 and d.kind = 'monitor' and d.revoked_at is null order by d.device
"""
_OTHERS: Final = """
select d.device, d.mode, d.model, coalesce(d.bed, '') as bed from device d
 where d.kind = 'monitor' and d.revoked_at is null and d.bed is distinct from $1
 order by d.bed is not null, d.unit is distinct from $2, d.device limit 500
"""
_HISTORY: Final = """
select t.device, t.bed, t.before, t.from_at, t.way, t.made_by
  from (select b.*, lag(bed, 1, '') over (partition by device order by version) as before
          from device_binding b
         where device in (select device from device_binding where bed = $1)) t
 where t.bed = $1 or t.before = $1
 order by t.from_at desc, t.device limit 50
"""


async def change(
    connection: Connection, by: Scope, device: str, bed: str, version: int, way: str, at: int
) -> Stand:
    """Binds a monitor to a bed of the scope's hospital, or to none; from a few seconds on.

    `version` is that of what somebody has looked at; -1 where nobody could see one (a number
    typed at the bed). NotFound, Conflict where somebody was faster, where it cannot have a bed, or
    where a demo device would come to a real patient.
    """
    row = await connection.fetchrow(_DEVICE, device)
    if row is None:
        raise NotFound("There is no device of this number: look at its label, or register it.")
    if row["kind"] != "monitor":
        raise Conflict(NO_BED)
    if version not in (-1, row["version"]):
        raise Conflict(CHANGED)
    stand = Stand(at + EFFECT_US, bed)
    if row["bed"] == bed:
        raise Conflict("This device stands here already." if bed else "It stands at no bed.")
    number = row["version"]
    try:
        if number == 0 and row["bed"]:
            number = 1
            first = Stand(from_datetime(row["made_at"]), row["bed"])
            await _add(connection, by, row["device"], 1, first, "registered", at)
        await _add(connection, by, row["device"], number + 1, stand, way, at)
        found = await connection.fetchval(
            "update device set bed = nullif($2, ''), unit = coalesce((select unit from bed"
            " where bed = $2), unit) where device = $1 returning true",
            row["device"],
            bed,
        )
    except UniqueViolation as error:
        raise Conflict(CHANGED) from error
    except CheckViolation as error:
        raise Conflict(DEMO) from error
    if not found:
        raise NotFound("There is no such device in this hospital.")
    action = "bind_device" if bed else "unbind_device"
    detail = f"{row['bed'] or 'none'} to {bed or 'none'}, {way}, {number + 1}"
    await audit.note(connection, by, action, row["device"], detail, at)
    return stand


async def _add(
    connection: Connection, by: Scope, device: str, version: int, stand: Stand, way: str, at: int
) -> None:
    from_at, made_at = to_datetime(stand.from_at), to_datetime(at)
    await connection.execute(
        _ADD, by.hospital, device, version, stand.bed, from_at, way, by.actor, made_at
    )


async def newest(connection: Connection) -> list[tuple[str, str, Standing]]:
    """(hospital, device, its last acts in order) of every device that somebody has ever bound."""
    found: dict[tuple[str, str], list[Stand]] = {}
    for row in await connection.fetch(_NEWEST, KEPT):
        stand = Stand(from_datetime(row["from_at"]), row["bed"])
        found.setdefault((row["hospital_id"], row["device"]), []).append(stand)
    return [(hospital, device, tuple(told)) for (hospital, device), told in found.items()]


async def of_bed(connection: Connection, bed: str) -> list[Record]:
    """The monitors at a bed, each with its version and who bound it when, in which way."""
    return await connection.fetch(_HERE, bed)


async def others(connection: Connection, bed: str, unit: str) -> list[Record]:
    """The monitors that stand elsewhere: those of no bed first, then the unit's own."""
    return await connection.fetch(_OTHERS, bed, unit)


async def history(connection: Connection, bed: str) -> list[Record]:
    """What came to a bed and left it, the newest first."""
    return await connection.fetch(_HISTORY, bed)
