"""Incidents in PostgreSQL: filed by one tap, frozen by the store, reviewed by who has the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, identity, past, wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, from_datetime, iso, to_datetime
from hospital_ops.database import Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound

AROUND_US: Final = 5 * 60 * SECOND  # before and after the moment
KINDS: Final = ("value", "alarm", "message", "order", "board")
OUTCOMES: Final = ("as_it_should_be", "program", "device", "use", "other")
_NONE: Final = "There is no such incident, or it is not within your units."

_INCIDENT: Final = """
select incident, unit, place, patient_id, kind, about, at, from_at, until_at, seen, versions,
       words, mode, reported_by, reported_at, frozen_at, outcome, finding, reviewed_by,
       reviewed_at, version
  from incident
"""


class Wrong(NamedTuple):
    """What somebody pointed at, with what stood there."""

    unit: str
    place: str
    patient_id: str
    kind: str
    about: str
    at: int
    seen: Mapping[str, Any]
    mode: str
    words: str = ""


async def file(
    database: Database, principal: Principal, wrong: Wrong, versions: Mapping[str, str], at: int
) -> str:
    """Keeps it; the minutes around it are copied once the last of them is stored."""
    if wrong.kind not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    incident = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        await connection.execute(
            "insert into incident (incident, hospital_id, unit, place, patient_id, kind, about, at,"
            " from_at, until_at, seen, versions, words, mode, reported_by, reported_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            incident,
            principal.hospital,
            wrong.unit,
            wrong.place,
            wrong.patient_id or None,
            wrong.kind,
            wrong.about,
            to_datetime(wrong.at),
            to_datetime(wrong.at - AROUND_US),
            to_datetime(wrong.at + AROUND_US),
            wire.to_json(wrong.seen).decode(),
            wire.to_json(versions).decode(),
            wrong.words,
            wrong.mode,
            principal.actor,
            to_datetime(at),
        )
        detail = f"{wrong.kind} {wrong.about} at {wrong.place}"
        scope = principal.scope
        await audit.append(connection, wrong.unit, scope, "file_incident", incident, detail, at)
    return incident


async def listed(database: Database, principal: Principal) -> list[dict[str, Any]]:
    """The newest 200 of the scope, those that wait for review first."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            _INCIDENT + " order by (reviewed_at is not null), reported_at desc limit 200"
        )
    return [_view(row) for row in rows]


async def one(database: Database, principal: Principal, incident: str) -> dict[str, Any]:
    """An incident with what was copied around it: counts by kind, and the nearest 100 of each."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(_INCIDENT + " where incident = $1", _uuid(incident))
        if row is None:
            raise NotFound(_NONE)
        copies = await connection.fetch(
            "select kind, at, content, number from (select kind, at, content,"
            " count(*) over (partition by kind) as number, row_number() over (partition by kind"
            " order by abs(extract(epoch from at - $2::timestamptz))) as place"
            " from incident_copy where incident = $1) c where place <= 100 order by kind, at",
            row["incident"],
            row["at"],
        )
    view = _view(row)
    view["copies"] = {copy["kind"]: copy["number"] for copy in copies}
    view["nearest"] = [
        {
            "kind": copy["kind"],
            "at": iso(from_datetime(copy["at"])),
            "content": wire.from_json(copy["content"]),
        }
        for copy in copies
    ]
    return view


async def frozen_board(
    database: Database, principal: Principal, incident: str, moment: int
) -> past.Seen | None:
    """The board at a moment from the incident's own copy, however long ago it was."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            "select revisions from incident_frame where incident = $1 and at <= $2 order by at",
            _uuid(incident),
            to_datetime(moment),
        )
    return past.board_at((row["revisions"] for row in rows), moment)


async def review(
    database: Database,
    principal: Principal,
    incident: str,
    *,
    version: int,
    outcome: str,
    finding: str,
    at: int,
) -> None:
    """Says what it was; of two who review at once the second is told."""
    if outcome not in OUTCOMES:
        raise MessageError("bad_outcome", f"`outcome` is one of {', '.join(OUTCOMES)}")
    async with database.transaction(principal.scope) as connection:
        unit = await connection.fetchval(
            "update incident set outcome = $3, finding = $4, reviewed_by = $5, reviewed_at = $6,"
            " version = version + 1 where incident = $1 and version = $2 returning unit",
            _uuid(incident),
            version,
            outcome,
            finding,
            principal.actor,
            to_datetime(at),
        )
        if unit is None:
            known = await connection.fetchval(
                "select version from incident where incident = $1", _uuid(incident)
            )
            if known is None:
                raise NotFound(_NONE)
            raise Conflict("Somebody else has reviewed this by now; yours was not saved.")
        scope = principal.scope
        await audit.append(connection, unit, scope, "review_incident", incident, outcome, at)


async def messages_of(database: Database, principal: Principal, bed: str) -> list[Record]:
    """Messages to the relatives of whoever lies in a bed, of the last two days."""
    async with database.transaction(principal.scope) as connection:
        return await connection.fetch(
            "select m.message, m.kind, m.state, m.changed_at from relative_message m"
            " join stay s using (stay) where s.bed = $1 and s.ended_at is null and m.kind <> 'code'"
            " and m.local_date >= current_date - 1 order by m.changed_at desc limit 10",
            bed,
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(_NONE) from error


def _view(row: Record) -> dict[str, Any]:
    def moment(name: str) -> str | None:
        return iso(from_datetime(row[name])) if row[name] else None

    return {
        "incident": str(row["incident"]),
        "unit": row["unit"],
        "place": row["place"],
        "patient_id": str(row["patient_id"]) if row["patient_id"] else None,
        "kind": row["kind"],
        "about": row["about"],
        "at": moment("at"),
        "from": moment("from_at"),
        "to": moment("until_at"),
        "seen": wire.from_json(row["seen"]),
        "versions": wire.from_json(row["versions"]),
        "words": row["words"],
        "mode": row["mode"],
        "reported_by": row["reported_by"],
        "reported_at": moment("reported_at"),
        "frozen_at": moment("frozen_at"),
        "outcome": row["outcome"] or None,
        "finding": row["finding"],
        "reviewed_by": row["reviewed_by"] or None,
        "reviewed_at": moment("reviewed_at"),
        "version": row["version"],
    }
