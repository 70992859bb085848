"""`hospital-ops unit hospital|add|list`: hospitals, their units and beds."""

from __future__ import annotations

from hospital_ops.access import Scope
from hospital_ops.commands import administration
from hospital_ops.database import Connection
from hospital_ops.errors import ConfigurationError
from hospital_ops.installation import store


def main(argv: list[str]) -> int:
    """Changes one unit; ids begin with the hospital's id, so that a unit tells where it is."""
    parser, commands = administration.parser("unit", __doc__ or "")
    hospital = administration.add(commands, "hospital", "make or rename the hospital")
    hospital.add_argument("name")
    hospital.add_argument("--zone", default="Europe/Moscow", help="of the tz database")
    add = administration.add(commands, "add", "make a unit, and beds UNIT-01, UNIT-02 ...")
    add.add_argument("unit", help="for example h1-icu-1")
    add.add_argument("--kind", required=True, choices=("icu", "ed"))
    add.add_argument("--name", required=True)
    add.add_argument("--beds", type=int, default=0)
    administration.add(commands, "list", "units and how many beds each has")
    given = parser.parse_args(argv)

    async def work(connection: Connection, by: Scope, at: int) -> str:
        if given.act == "hospital":
            await store.ensure_hospital(connection, by, given.name, at, given.zone)
            return f"{by.hospital}: {given.name}"
        if given.act == "add":
            if not given.unit.startswith(f"{by.hospital}-"):
                raise ConfigurationError(f"Name the unit {by.hospital}-..., after its hospital.")
            await store.ensure_unit(connection, by, given.unit, given.kind, given.name, at)
            beds = [(f"{given.unit}-{n:02d}", str(n)) for n in range(1, given.beds + 1)]
            if beds:
                await store.ensure_beds(connection, by, given.unit, beds, at)
            return f"{given.unit}: {len(beds)} beds"
        rows = await store.listed_units(connection)
        return "\n".join(
            f"{row['unit']:20} {row['kind']:4} {row['beds']:3} beds  {row['name']}" for row in rows
        )

    return administration.run(given.hospital, work)
