"""Cases of the audit in PostgreSQL: what was said of each, and its later course; no person's name.

A crew's own cases are those that it opened.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from hospital_ops import audit, wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Database, Record, UniqueViolation
from hospital_ops.errors import Conflict
from streams.shard import hall
from triage.audit.course import Case, Setting, Told, age_of

MOST = 20_000  # cases of one look: a quarter of a department with 200 patients a day

_CASES = """
select d.case_id, d.unit, a.at, d.proposed, d.colour, d.reason, w.colour as crew, s.inputs,
       s.reasons, s.rules, c.linked, c.icu_at, c.died_at, e.home_at, e.handed_at, e.died,
       l.destination
  from (select case_id, min(at) as at from case_event
         where unit = any ($1) and kind in ('arrival', 'takeover', 'handover', 'death')
           and mode = $4
           and at >= $2 and at < $3
         group by case_id) a
  join triage_decision d on d.case_id = a.case_id and d.version = 1
  left join lateral (select f.actor from case_event f
                      where f.case_id = a.case_id and f.kind = 'facts'
                      order by f.at, f.entry_id limit 1) o on true
  left join lateral (select t.inputs, t.result -> 'reasons' as reasons, t.rules from assessment t
                      where t.case_id = a.case_id and t.at <= d.decided_at
                      order by t.at desc, t.entry_id desc limit 1) s on true
  left join lateral (select f.payload ->> 'crew_colour' as colour from case_event f
                      where f.case_id = a.case_id and f.kind = 'facts'
                        and f.payload ? 'crew_colour' and f.at <= greatest(a.at, d.decided_at)
                      order by f.at desc, f.entry_id desc limit 1) w on true
  left join lateral (select n.destination from triage_decision n where n.case_id = a.case_id
                      order by n.version desc limit 1) l on true
  left join lateral (select min(k.at) filter (where k.kind = 'discharge') as home_at,
                            min(k.at) filter (where k.kind = 'handover') as handed_at,
                            min(k.at) filter (where k.kind in ('death', 'death_here')) as died
                       from case_event k where k.case_id = a.case_id) e on true
  cross join lateral case_course(d.case_id, a.at) c
 where ($5 = '' or o.actor = $5)
   and not exists (select from case_event b where b.case_id = a.case_id and b.at < $2
                      and b.kind in ('arrival', 'takeover', 'handover', 'death'))
 order by a.at, d.case_id
 limit $6
"""
_SETTINGS = """
select distinct on (measure) measure, version, switched_on, within_h, changed_at
  from audit_measure where hospital_id = $1 order by measure, version desc
"""
_THEATRES = ("theatre", "cath_lab")


async def cases(
    database: Database,
    scope: Scope,
    units: Collection[str],
    span: tuple[int, int],
    mode: str,
    opened_by: str = "",
) -> list[Told]:
    """The cases that came in `span` and were decided, with their later course."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            _CASES, list(units), *map(to_datetime, span), mode, opened_by, MOST
        )
    return [_told(row) for row in rows]


async def settings(database: Database, scope: Scope) -> list[Setting]:
    """What the hospital has set for measures without a source."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(_SETTINGS, scope.hospital)
    return [
        Setting(
            row["measure"],
            row["version"],
            row["switched_on"],
            row["within_h"],
            from_datetime(row["changed_at"]),
        )
        for row in rows
    ]


async def change(database: Database, principal: Principal, wanted: Setting) -> None:
    """Keeps setting number `wanted.version` of a measure; Conflict for the second of two."""
    try:
        async with database.transaction(principal.scope) as connection:
            newest = await connection.fetchval(
                "select max(version) from audit_measure where hospital_id = $1 and measure = $2",
                principal.hospital,
                wanted.measure,
            )
            if (newest or 0) + 1 != wanted.version:
                raise Conflict("Somebody else has changed this first: look again.")
            await connection.execute(
                "insert into audit_measure (hospital_id, measure, version, switched_on, within_h,"
                " changed_by, changed_at) values ($1, $2, $3, $4, $5, $6, $7)",
                principal.hospital,
                wanted.measure,
                wanted.version,
                wanted.on,
                wanted.within_h,
                principal.actor,
                to_datetime(wanted.at),
            )
            await audit.append(
                connection,
                hall(principal.hospital),
                principal.scope,
                "set_audit_measure",
                wanted.measure,
                f"{'on' if wanted.on else 'off'}, {wanted.within_h} h",
                wanted.at,
            )
    except UniqueViolation as error:
        raise Conflict("Somebody else has changed this first: look again.") from error


def _told(row: Record) -> Told:
    inputs: dict[str, Any] = wire.from_json(row["inputs"]) if row["inputs"] else {}
    reasons: list[dict[str, Any]] = wire.from_json(row["reasons"]) if row["reasons"] else []
    sex = str(inputs.get("sex", ""))
    died = [at for at in (row["died_at"], row["died"]) if at is not None]
    in_theatre = row["destination"] in _THEATRES
    case = Case(
        case=str(row["case_id"]),
        unit=row["unit"],
        at=from_datetime(row["at"]),
        proposed=row["proposed"],
        crew=row["crew"] or "",
        physician=row["colour"],
        rule=str(reasons[0].get("code", "")) if reasons else "",
        age=age_of(inputs),
        sex=sex if sex in ("F", "M") else "unknown",
        linked=bool(row["linked"]),
        icu_at=_us(row["icu_at"]),
        death_at=_us(min(died) if died else None),
        theatre_at=_us(row["handed_at"]) if in_theatre else 0,
        home_at=_us(row["home_at"]),
    )
    return Told(case, row["reason"], reasons, inputs, row["rules"] or "")


def _us(at: datetime | None) -> int:
    return from_datetime(at) if at is not None else 0
