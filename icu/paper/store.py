"""The record of everybody in a unit for the ward sheet: orders, allergies, what was agreed on.

All of it is found by the patient, wherever they lie now: a bed has had others before.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso
from hospital_ops.database import Database, Record
from icu.paper.forms import Paper

_TO_DO: Final = """
select patient_id::text, kind, words, due_at, request, false as theirs from native_order
 where (unit = $1 or patient_id = any ($2::uuid[])) and request in ('active', 'on-hold')
   and task <> 'rejected'
 order by due_at nulls last, placed_at limit 2000
"""
# Of the hospital's own system: as it said last.
_SAID: Final = """
select patient_id::text, kind, words, due_at, request, true as theirs from (
       select distinct on (order_id) * from hospital_order_event
        where patient_id = any ($1::uuid[]) order by order_id, version desc) newest
 where request in ('active', 'on-hold') and task not in ('rejected', 'completed')
 order by due_at nulls last limit 2000
"""
_ALLERGIES: Final = """
select patient_id::text, substance from allergy
 where patient_id = any ($1::uuid[]) and ended_at is null order by recorded_at
"""
_AGREED: Final = """
select a.patient_id::text, a.kind, a.limits from care_agreement a join stay s using (stay)
 where a.patient_id = any ($1::uuid[]) and a.state = 'in_force' and s.ended_at is null
 order by a.kind
"""
_PEOPLE: Final = """
select distinct on (patient_id) patient_id::text, mrn, family, given from patient_event
 where hospital_id = $1 and patient_id = any ($2::uuid[])
 order by patient_id, event_at desc, entry_id desc
"""


async def of_unit(
    database: Database, principal: Principal, unit: str, patients: Collection[str]
) -> Paper:
    """The record of a unit; `patients`: whom its board shows."""
    here = list(patients)
    async with database.transaction(principal.scope) as connection:
        to_do = await connection.fetch(_TO_DO, unit, here)
        said = await connection.fetch(_SAID, here)
        allergies = await connection.fetch(_ALLERGIES, here)
        agreed = await connection.fetch(_AGREED, here)
        gone = sorted({row["patient_id"] for row in to_do} - set(here))
        people = await connection.fetch(_PEOPLE, principal.hospital, gone)
    paper = Paper({}, {}, {}, dict.fromkeys(gone, ""))
    for row in (*to_do, *said):
        paper.orders.setdefault(row["patient_id"], []).append(_order(row))
    for row in allergies:
        paper.allergies.setdefault(row["patient_id"], []).append(row["substance"])
    for row in agreed:
        one = {"kind": row["kind"], "limits": list(row["limits"])}
        paper.agreed.setdefault(row["patient_id"], []).append(one)
    for row in people:
        name = f"{row['family']} {row['given']}".strip()
        paper.elsewhere[row["patient_id"]] = f"{name} {row['mrn']}".strip()
    return paper


def _order(row: Record) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "words": row["words"],
        "due_at": iso(from_datetime(row["due_at"])) if row["due_at"] else None,
        "held": row["request"] == "on-hold",
        "theirs": row["theirs"],
    }
