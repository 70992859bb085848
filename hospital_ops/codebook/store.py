"""The SQL of mappings: a new version beside the old ones and its audit row, in one transaction."""

from __future__ import annotations

from typing import Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.codebook.rules import Rule, checked
from hospital_ops.database import Connection, Record, UniqueViolation
from hospital_ops.errors import Conflict

_NEWEST: Final = """
select distinct on (hospital_id, scope, code, unit)
       hospital_id, scope, code, unit, key, version, read_as, reason, made_by, made_at
from code_mapping order by hospital_id, scope, code, unit, version desc
"""


async def change(connection: Connection, by: Scope, wanted: Rule, reason: str, at: int) -> Rule:
    """Adds a version that follows `wanted.version` (0: the first); an empty key ends the mapping.

    Raises MessageError where it cannot mean that, Conflict where somebody was faster.
    """
    if wanted.key:
        checked(wanted.scope, wanted.code, wanted.unit, wanted.key, wanted.read_as)
    newest = await connection.fetchval(
        "select max(version) from code_mapping where scope = $1 and code = $2 and unit = $3",
        wanted.scope,
        wanted.code,
        wanted.unit,
    )
    made = wanted._replace(version=wanted.version + 1)
    if (newest or 0) != wanted.version:
        raise Conflict("Somebody has changed this mapping meanwhile: look at it again.")
    try:
        await connection.execute(
            "insert into code_mapping (hospital_id, scope, code, unit, version, key, reason,"
            " made_by, made_at, read_as) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            by.hospital,
            *made[:3],
            made.version,
            made.key,
            reason,
            by.actor,
            to_datetime(at),
            made.read_as,
        )
    except UniqueViolation as error:
        raise Conflict("Somebody has changed this mapping meanwhile: look at it again.") from error
    means = f"{made.key or 'unmapped'}{made.read_as and f' in {made.read_as}'}"
    what = f"{made.scope or 'any'} [{made.unit}] = {means}, {made.version}"
    await audit.note(connection, by, "map_code", made.code, what, at)
    return made


async def newest(connection: Connection) -> list[Record]:
    """The newest version of every mapping that the connection may see, ended ones too."""
    return await connection.fetch(_NEWEST)


async def history(connection: Connection) -> list[Record]:
    """Every version of every mapping, the newest first."""
    return await connection.fetch(
        "select scope, code, unit, version, key, read_as, reason, made_by, made_at"
        " from code_mapping order by made_at desc, version desc limit 200"
    )


def rule_of(row: Record) -> Rule:
    """A row as a rule."""
    return Rule(row["scope"], row["code"], row["unit"], row["key"], row["version"], row["read_as"])


async def models(connection: Connection) -> dict[str, str]:
    """The model of each device that has one, by its id and by its address."""
    rows = await connection.fetch("select device, address, model from device where model <> ''")
    return {name: row["model"] for row in rows for name in (row["device"], row["address"]) if name}
