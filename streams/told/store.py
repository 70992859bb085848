"""The SQL of what the archive tells of what it has stored, in the same transaction.

Units hear by the outbox of a person's isolation and allergies, as they hold now, and of beds that a
discharge did not name; results that were told before are taken back.
"""

from __future__ import annotations

from hospital_ops import identity, outbox, wire
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record
from streams import overtaken
from streams.rows import Batch
from streams.shard import hospital_of

# What the same sender told of the same moment before, unless it is what it tells now.
_TAKE_BACK = """
insert into correction (hospital_id, unit, bed, event_id, replaced_by, code, determined_at, actor,
  role, at, reason, mode, entry_id)
select m.hospital_id, m.unit, m.place, m.event_id, $7, m.code, m.determined_at, m.source, 'sender',
  $10, $11, m.mode, $12 || ' ' || m.event_id
  from measurement m
 where m.place = $1 and m.source = $2 and m.code = $3 and m.channel = $4 and m.determined_at = $5
   and m.event_id <> $6 and m.event_id <> all ($13::uuid[])
   and ($7::uuid is null or m.value is distinct from $8 or m.value_text is distinct from $9)
   and not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at)
    on conflict do nothing
"""


_LAST_WORD = """
insert into result_word (hospital_id, unit, bed, source, code, channel, determined_at, event_id,
  replaced_by, value, value_text, at, reason, entry_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (bed, source, code, channel, determined_at) do update
   set event_id = excluded.event_id, replaced_by = excluded.replaced_by, value = excluded.value,
       value_text = excluded.value_text, at = excluded.at, reason = excluded.reason,
       entry_id = excluded.entry_id
"""


async def results_taken_back(connection: Connection, batch: Batch, new: set[int]) -> None:
    """What a result corrects, deletes or withdraws holds no longer, come before it or after it."""
    results = overtaken.last(batch.results, new)
    if results:
        spared = batch.said.spared
        await connection.executemany(_TAKE_BACK, [(*one[1:13], spared) for one in results])
        shards = (batch.claimants[one.owner].shard for one in results)
        words = [(hospital_of(s), s, *one[1:13]) for s, one in zip(shards, results, strict=True)]
        await connection.executemany(_LAST_WORD, words)


async def beds_of_who_left(connection: Connection, batch: Batch, new: set[int]) -> None:
    """A discharge (A03, A11) that names no bed or another one: the unit of the bed is told."""
    for claim, patient_id, event in batch.left:
        if claim not in new:
            continue
        hospital, at = hospital_of(event.unit), to_datetime(event.event_at)
        found = await connection.fetchrow(
            "select left_unit, left_bed from stay_of_who_left($1, $2, $3, $4, $5)",
            hospital, patient_id, event.unit, event.bed, at,
        )  # fmt: skip
        if found is not None:
            entry = ended(event, found["left_unit"], found["left_bed"])
            await outbox.put(connection, hospital, (entry.unit, entry))


def ended(event: wire.Admission, unit: str, bed: str) -> wire.Admission:
    """The discharge as it would have been told with the bed that the patient had."""
    name = f"{event.source}/ended"
    own = identity.message_identity(name, event.message_id, event.identity)
    return wire.replaced(event, unit=unit, bed=bed, prior_bed="", from_unit="", identity=own)


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
