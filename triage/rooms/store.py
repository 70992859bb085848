"""Places in PostgreSQL as the site sets them: row and audit in one transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops import audit
from hospital_ops.access import Principal
from hospital_ops.database import Database
from hospital_ops.errors import Conflict, MessageError, NotFound

KINDS: Final = ("bay", "theatre", "cath_lab", "ct", "icu_bed", "blood")
ZONES: Final = ("", "resuscitation", "treatment")
LABEL_MAX: Final = 24  # a card has room for so many
MOST: Final = 200  # places of a department


def checked(sent: Mapping[str, Any]) -> dict[str, str]:
    """`label`, `kind`, `zone`, `entrance` of a place; MessageError in words."""
    place = {key: str(sent.get(key) or "").strip() for key in ("label", "kind", "zone", "entrance")}
    if not place["label"] or len(place["label"]) > LABEL_MAX:
        raise MessageError("bad_label", f"name the place in at most {LABEL_MAX} characters")
    if place["kind"] not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    if place["zone"] not in ZONES or (place["zone"] and place["kind"] != "bay"):
        raise MessageError("bad_zone", "a bay is in resuscitation or treatment; others in no zone")
    return place | {"entrance": place["entrance"][:LABEL_MAX]}


async def add(
    database: Database, principal: Principal, unit: str, place: Mapping[str, str], at: int
) -> str:
    """A new place of a department, the last in its order; answers its id."""
    async with database.transaction(principal.scope) as connection:
        known = await connection.fetch("select place from ed_place where unit = $1", unit)
        if len(known) >= MOST:
            raise Conflict(f"A department has at most {MOST} places.")
        stem = re.sub(r"[^a-z0-9]+", "-", place["label"].lower()).strip("-") or place["kind"]
        taken = {row["place"] for row in known}
        names = (f"{unit}-{stem}{f'-{n}' if n else ''}" for n in range(len(taken) + 1))
        name = next(one for one in names if one not in taken)
        await connection.execute(
            "insert into ed_place (place, hospital_id, unit, kind, zone, label, entrance, position)"
            " values ($1, $2, $3, $4, $5, $6, $7,"
            " (select coalesce(max(position), 0) + 1 from ed_place where unit = $3))",
            name,
            principal.hospital,
            unit,
            place["kind"],
            place["zone"],
            place["label"],
            place["entrance"],
        )
        await audit.append(connection, unit, principal.scope, "add_place", name, "", at)
    return name


async def change(
    database: Database,
    principal: Principal,
    unit: str,
    name: str,
    place: Mapping[str, str],
    at: int,
    *,
    used: bool,
) -> None:
    """Renames a place, gives it another kind, takes it out of use or back into it.

    Whoever a place is kept for keeps it: release it first where it has to be closed at once.
    """
    async with database.transaction(principal.scope) as connection:
        done = await connection.fetchval(
            "update ed_place set label = $3, kind = $4, zone = $5, entrance = $6, used = $7"
            " where place = $1 and unit = $2 returning place",
            name,
            unit,
            place["label"],
            place["kind"],
            place["zone"],
            place["entrance"],
            used,
        )
        if done is None:
            raise NotFound("There is no such place in this department.")
        detail = "in use" if used else "out of use"
        await audit.append(connection, unit, principal.scope, "change_place", name, detail, at)
