"""Cases of a past quarter, written into an archive as the store reader writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hospital_ops.database import Connection

ED = "h1-ed"
# The quarter before the present one is over, whatever day it is.
FIRST = datetime.now(UTC).replace(day=1, hour=9, minute=0, second=0, microsecond=0)
CAME = (FIRST.replace(month=(FIRST.month - 1) // 3 * 3 + 1) - timedelta(days=40)).replace(day=3)
QUARTER = f"{CAME.year}-Q{(CAME.month + 2) // 3}"


async def event(db: Connection, case: UUID, kind: str, at: datetime, **said: Any) -> None:
    """A row of the case's way, as the store reader writes it."""
    actor, unit = said.pop("actor", "h1-crew"), said.pop("unit", ED)
    mode = said.pop("mode", "Test")
    await db.execute(
        "insert into case_event values ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9)",
        unit[:2], unit, case, kind, at, actor, json.dumps(said), mode, uuid4().hex,
    )  # fmt: skip


async def came(
    db: Connection,
    n: int,
    *,
    colour: str,
    proposed: str = "yellow",
    crew: str = "",
    actor: str = "h1-crew",
    unit: str = ED,
    age: int = 60,
    mode: str = "Test",
) -> UUID:
    """Somebody who came and was decided."""
    case, at = uuid4(), CAME + timedelta(minutes=n)
    said = {"age_years": age} | ({"crew_colour": crew} if crew else {})
    await event(
        db, case, "facts", at - timedelta(minutes=20), actor=actor, unit=unit, mode=mode, **said
    )
    await event(db, case, "arrival", at, actor=actor, unit=unit, mode=mode)
    inputs = {"age_years": age, "sex": "F", "vitals": {"hr_bpm": 140}, "signs": []}
    result = {"proposed": proposed, "reasons": [{"code": "vital_hr_bpm", "value": 140}]}
    await db.execute(
        "insert into assessment (hospital_id, unit, case_id, at, proposed, chart, urgency, inputs,"
        " result, mode, entry_id) values ($1, $2, $3, $4, $5, $5, 1, $6::text::jsonb,"
        " $7::text::jsonb, $8, $9)",
        unit[:2], unit, case, at, proposed, json.dumps(inputs), json.dumps(result), mode,
        uuid4().hex,
    )  # fmt: skip
    await db.execute(
        "insert into triage_decision (case_id, version, hospital_id, unit, colour, proposed,"
        " decided_by, decided_at) values ($1, 1, $2, $3, $4, $5, 'dr.who', $6)",
        case, unit[:2], unit, colour, proposed, at + timedelta(minutes=5),
    )  # fmt: skip
    return case
