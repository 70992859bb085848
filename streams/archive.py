"""The archive in PostgreSQL: batches by binary COPY, and what has come before told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from hospital_ops import identity, log, outbox, wire
from hospital_ops.clock import to_datetime
from hospital_ops.database import BadRow, Connection, UniqueViolation
from streams import value_rows, wave_rows
from streams.clocked import Clocked
from streams.columns import COLUMNS
from streams.known import store as known_by
from streams.known.knowledge import Known
from streams.overtaken import Said
from streams.rows import Batch, Claim, Row, Taken, dead_letter
from streams.shard import at_us, hospital_of
from streams.told import store as told

logger = log.get("archive")

# How the rows of a table go in where some may be there already: by a temporary table, and past what
# is there. (The same value of a device, channel and time under a new id; a stream read again.)
STAGED = {
    "message": (
        "create temporary table if not exists staged_message (like message) on commit delete rows",
        "insert into message select * from staged_message on conflict do nothing",
        "truncate staged_message",
    ),
    "measurement": (
        "create temporary table if not exists staged_measurement (like measurement)"
        " on commit delete rows",
        "insert into measurement select * from staged_measurement on conflict do nothing",
        "truncate staged_measurement",
    ),
    "waveform": (
        "create temporary table if not exists staged_waveform (like waveform)"
        " on commit delete rows",
        "insert into waveform select * from staged_waveform on conflict do nothing",
        "truncate staged_waveform",
    ),
    "patient_event": (
        "create temporary table if not exists staged_patient_event (like patient_event)"
        " on commit delete rows",
        "insert into patient_event select * from staged_patient_event on conflict do nothing",
        "truncate staged_patient_event",
    ),
    "binding": (
        "create temporary table if not exists staged_binding (like binding) on commit delete rows",
        "insert into binding select * from staged_binding on conflict do nothing",
        "truncate staged_binding",
    ),
    "patient_link": (
        "create temporary table if not exists staged_patient_link (like patient_link)"
        " on commit delete rows",
        "insert into patient_link select * from staged_patient_link on conflict do nothing",
        "truncate staged_patient_link",
    ),
    "case_event": (
        "create temporary table if not exists staged_case_event (like case_event)"
        " on commit delete rows",
        "insert into case_event select * from staged_case_event on conflict do nothing",
        "truncate staged_case_event",
    ),
    "assessment": (
        "create temporary table if not exists staged_assessment (like assessment)"
        " on commit delete rows",
        "insert into assessment select * from staged_assessment on conflict do nothing",
        "truncate staged_assessment",
    ),
    "correction": (
        "create temporary table if not exists staged_correction (like correction)"
        " on commit delete rows",
        "insert into correction select * from staged_correction on conflict do nothing",
        "truncate staged_correction",
    ),
    "flowsheet_hour": (
        "create temporary table if not exists staged_flowsheet_hour (like flowsheet_hour)"
        " on commit delete rows",
        "insert into flowsheet_hour select * from staged_flowsheet_hour on conflict do nothing",
        "truncate staged_flowsheet_hour",
    ),
    "alert_event": (
        "create temporary table if not exists staged_alert_event (like alert_event)"
        " on commit delete rows",
        "insert into alert_event select * from staged_alert_event on conflict do nothing",
        "truncate staged_alert_event",
    ),
    "board_frame": (
        "create temporary table if not exists staged_board_frame (like board_frame)"
        " on commit delete rows",
        "insert into board_frame select * from staged_board_frame",
        "truncate staged_board_frame",
    ),
    "alarm_call": (
        "create temporary table if not exists staged_alarm_call (like alarm_call)"
        " on commit delete rows",
        "insert into alarm_call select * from staged_alarm_call on conflict do nothing",
        "truncate staged_alarm_call",
    ),
    "refiling": (
        "create temporary table if not exists staged_refiling as select refiling, hospital_id,"
        " unit, place, from_at, to_at, patient_id, numbers, mode, was, event, source, told_at,"
        " proposed, entry_id from refiling limit 0",
        "insert into refiling (refiling, hospital_id, unit, place, from_at, to_at, patient_id,"
        " numbers, mode, was, event, source, told_at, proposed, entry_id)"
        " select * from staged_refiling on conflict do nothing",
        "truncate staged_refiling",
    ),
    "hospital_order_event": (
        "create temporary table if not exists staged_hospital_order_event"
        " (like hospital_order_event) on commit delete rows",
        "insert into hospital_order_event select * from staged_hospital_order_event"
        " on conflict do nothing",
        "truncate staged_hospital_order_event",
    ),
    "trend_again": (
        "create temporary table if not exists staged_trend_again"
        " (hospital_id text, unit text, place text, hour timestamptz) on commit delete rows",
        "insert into trend_again (hospital_id, unit, place, hour) select * from staged_trend_again",
        "truncate staged_trend_again",
    ),
    "dead_letter": (
        "create temporary table if not exists staged_dead_letter (like dead_letter)"
        " on commit delete rows",
        # The same bytes again count, once however often the stream is read; `at` is of receipt.
        "with single as (insert into dead_letter select * from staged_dead_letter"
        " where identity is null on conflict do nothing)"
        " insert into dead_letter as known select * from staged_dead_letter as new"
        " where identity is not null and not exists (select from dead_letter as same"
        " where same.unit = new.unit and same.stream = new.stream"
        " and same.entry_id = new.entry_id)"
        " on conflict (unit, code, identity) where identity is not null"
        " do update set times = coalesce(known.times, 1) + excluded.times,"
        " last_at = excluded.last_at where coalesce(known.last_at, known.at) < excluded.last_at",
        "truncate staged_dead_letter",
    ),
}
Way = Callable[[Connection, Sequence[Taken], Known, datetime], Awaitable[None]]
# What an entry itself is to blame for: no row can be made of it, or PostgreSQL refuses the row.
UNUSABLE = (*BadRow, ValueError, TypeError, OverflowError)


def _begun(known: Known, stored_at: datetime) -> Batch:
    """A batch without entries; what is known stays as it is until it is stored."""
    clocked, said = Clocked(known.clocks), Said(known.words)
    return Batch(stored_at, dict(known.histories), clocked, said, dict(known.units), known.numbers)


def _learn(known: Known, batch: Batch) -> None:
    """What is known once a batch is stored."""
    clocks, words = batch.clocked.fresh, batch.said.fresh
    known.update(Known(batch.histories, clocks, words, batch.units, batch.numbers))


async def carry_new(
    connection: Connection,
    entries: Sequence[Taken],
    known: Known,
    stored_at: datetime,
) -> None:
    """Stores a batch of which nothing has come before inside the caller's transaction: by COPY.

    Where something has, or cannot be stored at all, one of UNUSABLE is raised and the transaction
    is lost; `carry` takes the batch in a new one.
    """
    batch = _begun(known, stored_at)
    for taken in entries:
        batch.take(taken)
    batch.finish()
    await _copy_new(connection, batch)
    _learn(known, batch)


async def carry(
    connection: Connection,
    entries: Sequence[Taken],
    known: Known,
    stored_at: datetime,
) -> None:
    """Stores any batch inside the caller's transaction, each entry once.

    Where something has come before, the batch goes the careful way; an entry that cannot be stored
    at all is found by halving and becomes a dead letter.
    """
    batch = _begun(known, stored_at)
    try:
        for taken in entries:
            batch.take(taken)
        batch.finish()
        await _insert(connection, batch)
    except UNUSABLE as error:
        if len(entries) > 1:
            middle = len(entries) // 2
            await carry(connection, entries[:middle], known, stored_at)
            await carry(connection, entries[middle:], known, stored_at)
        elif len(pieces := _pieces(entries[0])) > 1:
            await carry(connection, pieces, known, stored_at)
        else:
            await _park(connection, entries[0], type(error).__name__)
        return
    _learn(known, batch)


def _pieces(taken: Taken) -> list[Taken]:
    """The curves of an entry one by one: where one has no row, the others are stored."""
    waves = wire.apart(taken.entry) if isinstance(taken.entry, wire.WavesTogether) else ()
    return [taken._replace(entry=w, raw=b"" if n else taken.raw) for n, w in enumerate(waves)]


async def freeze_incidents(connection: Connection) -> int:
    """Copies what lies around incidents whose last minute is stored by now; answers how many."""
    return int(await connection.fetchval("select incident_freeze()"))


async def _insert(connection: Connection, batch: Batch) -> None:
    """The rows of the batch, once."""
    try:
        async with connection.transaction():
            await _copy_new(connection, batch)
    except UniqueViolation:
        async with connection.transaction():
            await _tell(connection, batch, await _resolve(connection, batch))


async def _copy_new(connection: Connection, batch: Batch) -> None:
    """All rows, as if nothing had come before; letters do come again while their sender repeats."""
    letters = batch.rows.get("dead_letter", [])
    await _copy(connection, {t: rows for t, rows in batch.rows.items() if rows is not letters})
    await _stage(connection, "dead_letter", letters)
    if batch.values:
        values = value_rows.packed(batch.values, batch.stored_at)
        await _copy_packed(connection, "measurement", values)
    if batch.waves:
        await _copy_packed(connection, "waveform", wave_rows.packed(batch.waves))
    await _tell(connection, batch, set(range(len(batch.claims))))


async def _copy_packed(connection: Connection, table: str, rows: AsyncIterator[bytes]) -> None:
    await connection.copy_to_table(table, source=rows, format="binary", columns=COLUMNS[table])


async def _copy(connection: Connection, rows: dict[str, list[Row]]) -> None:
    for table, records in rows.items():
        if records:
            await connection.copy_records_to_table(table, records=records, columns=COLUMNS[table])


async def _resolve(connection: Connection, batch: Batch) -> set[int]:
    """Stores only what is new: known identities drop out, other bytes under one are quarantined."""
    known = await _known(connection, batch.claims)
    new: set[int] = set()
    for index, claim in enumerate(batch.claims):
        key = claim[:3]
        if key not in known:
            known[key] = claim.digest
            new.add(index)
        elif known[key] != claim.digest:
            await _quarantine(connection, claim, batch.claimants[index])
    fresh = {
        table: [
            row
            for row, owner in zip(rows, batch.owners[table], strict=True)
            if owner is None or owner in new
        ]
        for table, rows in batch.rows.items()
    }
    await _copy(connection, {"identity": fresh.pop("identity", [])})
    for table, rows in fresh.items():
        await _stage(connection, table, rows)
    values = (pair for one in batch.values for pair in one.owned(batch.stored_at))
    await _stage(connection, "measurement", [row for row, owner in values if owner in new])
    await _stage(connection, "waveform", [row for rows in batch.waves for row in rows.plain()])
    return new


async def _known(
    connection: Connection, claims: Sequence[Claim]
) -> dict[tuple[str, str, bytes], bytes]:
    rows = await connection.fetch(
        "select i.hospital_id, i.source, i.identity, i.digest from identity i"
        " join unnest($1::text[], $2::text[], $3::bytea[]) as w (hospital_id, source, identity)"
        " using (hospital_id, source, identity)",
        [claim.hospital for claim in claims],
        [claim.source for claim in claims],
        [claim.identity for claim in claims],
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


async def _stage(connection: Connection, table: str, rows: list[Row]) -> None:
    """By a temporary table, so that a row that is there already is passed over."""
    if not rows:
        return
    make, insert, clear = STAGED[table]
    await connection.execute(make)
    await connection.copy_records_to_table(f"staged_{table}", records=rows, columns=COLUMNS[table])
    await connection.execute(insert)
    await connection.execute(clear)


async def _quarantine(connection: Connection, claim: Claim, taken: Taken) -> None:
    """Same identity, other bytes: kept apart, counted, never dropped (SAFETY I3)."""
    await connection.execute(
        "insert into quarantine (hospital_id, unit, entry_id, source, identity, reason,"
        " received_at, entry, raw) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " on conflict do nothing",
        claim.hospital,
        taken.shard,
        taken.entry_id,
        claim.source,
        claim.identity,
        "the id has come before with other content",
        to_datetime(at_us(taken.entry_id)),
        taken.encoded,
        taken.raw,
    )
    logger.warning("quarantined", shard=taken.shard, entry=taken.entry_id)


async def _tell(connection: Connection, batch: Batch, new: set[int]) -> None:
    """The audit, flags of patients, and units left by an event that did not say so (PV1-6)."""
    await known_by.remember(connection, batch.clocked)
    await _audit(connection, batch, new)
    await told.of_persons(connection, batch, new)
    await told.beds_of_who_left(connection, batch, new)
    await told.results_taken_back(connection, batch, new)
    for claim, patient_id, event in batch.came:
        if claim not in new:
            continue
        hospital, at = hospital_of(event.unit), to_datetime(event.event_at)
        await told.flags_of_who_came(connection, hospital, patient_id, event)
        if event.trigger not in ("A02", "A12"):
            continue
        left = await connection.fetchrow(
            "select left_unit, left_bed from stay_left_by($1, $2, $3, $4, $5)",
            hospital, patient_id, event.unit, event.from_unit, at,
        )  # fmt: skip
        if left is not None:
            entry = left_for(event, left["left_unit"], left["left_bed"])
            await outbox.put(connection, hospital, (entry.unit, entry))


def left_for(event: wire.Admission, unit: str, bed: str) -> wire.Admission:
    """What the unit is told whose bed somebody left by an event that did not name it."""
    own = identity.message_identity(f"{event.source}/left", event.message_id, event.identity)
    return wire.replaced(
        event, unit=unit, bed="", prior_bed=bed, from_unit="", to_unit=event.unit,
        to_bed=event.bed, identity=own,
    )  # fmt: skip


async def _audit(connection: Connection, batch: Batch, new: set[int]) -> None:
    for claim, shard, entry in batch.audits:
        if claim in new:
            await connection.execute(
                "select audit_append($1, $2, $3, $4, $5, $6, $7, $8)",
                shard,
                hospital_of(shard),
                to_datetime(entry.at),
                entry.actor,
                entry.role,
                entry.action,
                entry.subject,
                entry.detail,
            )


async def _park(connection: Connection, taken: Taken, error: str) -> None:
    """An entry that the archive refuses is kept with its bytes, and everything else goes on."""
    row = dead_letter(
        taken, "not_storable", f"the archive refused it: {error}", at_us(taken.entry_id)
    )
    await _stage(connection, "dead_letter", [row])
    logger.error("dead_letter", shard=taken.shard, entry=taken.entry_id, error=error)
