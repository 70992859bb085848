"""The SQL of what the archive tells units of a person: isolation and allergies, as they hold now.

In the transaction that stored what changed them, by the outbox.
"""

from __future__ import annotations

from hospital_ops import outbox, wire
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record
from streams.rows import Batch
from streams.shard import hospital_of


async def of_persons(connection: Connection, batch: Batch, new: set[int]) -> None:
    """Units hear what was told late of a patient's allergies, and of two numbers made one."""
    cases = {case: entry for claim, case, entry in batch.allergies if claim in new}
    for case, entry in cases.items():
        for row in await connection.fetch("select * from allergies_told($1)", case):
            await _flagged(connection, row, entry.source, entry.received_at)
    for claim, patient_id, event in batch.persons:
        rows = await _said(connection, patient_id, event) if claim in new else []
        for row in rows:
            await _flagged(connection, row, event.source, event.received_at)


async def _said(connection: Connection, patient_id: str, event: wire.Admission) -> list[Record]:
    """What a registration said of a person: other numbers (A40), allergies (AL1)."""
    hospital, rows = hospital_of(event.unit), []
    if event.allergies:
        rows = await connection.fetch(
            "select * from allergies_of_adt($1, $2, $3, $4, $5, $6, $7, $8)",
            hospital, event.unit, patient_id, event.mode,
            [one.substance for one in event.allergies],
            [one.reaction for one in event.allergies],
            event.source, to_datetime(min(event.event_at, event.received_at)),
        )  # fmt: skip
    if event.merged:
        rows = await connection.fetch(
            "select * from flags_merged($1, $2, $3)", hospital, patient_id, event.source
        )
    return list(rows)


async def flags_of_who_came(
    connection: Connection, hospital: str, patient_id: str, event: wire.Admission
) -> None:
    """A unit to which somebody came hears of isolation and allergies, where there are any."""
    known = await connection.fetchrow(
        "select * from patient_flags_on_arrival($1, $2, $3, $4, $5)",
        hospital, patient_id, event.trigger, to_datetime(event.event_at), event.source,
    )  # fmt: skip
    if known is None or not known["version"]:
        return
    entry = wire.Flagged(
        unit=event.unit, patient_id=patient_id, version=known["version"],
        isolation=tuple(known["isolation"]), allergy=known["allergy"], by=event.source,
        at=event.received_at, mode=event.mode,
    )  # fmt: skip
    await outbox.put(connection, hospital, (event.unit, entry))


async def _flagged(connection: Connection, row: Record, by: str, at: int) -> None:
    if not row["version"]:
        return
    entry = wire.Flagged(
        unit=row["unit"], patient_id=str(row["patient_id"]), version=row["version"],
        isolation=tuple(row["isolation"]), allergy=row["allergy"], by=by, at=at, mode=row["mode"],
    )  # fmt: skip
    await outbox.put(connection, hospital_of(row["unit"]), (row["unit"], entry))
