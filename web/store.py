"""What pages and calls read from the archive, within the scope of whoever asks."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from uuid import UUID

from hospital_ops import waveform, wire
from hospital_ops.access import Scope
from hospital_ops.case_steps import ENDS, STEPS
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.codebook.replay import replay_of
from hospital_ops.curves import store as curves
from hospital_ops.database import Connection, Database, Record
from icu.filing import store as filing
from icu.refilings import store as refilings
from web.whereabouts.store import case_moves

# Kinds of a case's history that end it.
ENDING = tuple(name for name, step in STEPS.items() if step.target in ENDS)
PAGE = 5000  # rows fetched at once
LINES = 500  # rows that leave in one piece

_MEASUREMENTS = """
select event_id, source_message_id, code, channel, value, value_text, physical_unit, determined_at,
       device_time, received_at, stored_at, validity, mode, origin, patient_id, device, remark,
       source,
       exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                  and c.determined_at = m.determined_at) as withdrawn
  from filed_measurement m
 where place = $1
   and ($2::text[] is null or code = any ($2))
   and determined_at >= coalesce($3, '-infinity'::timestamptz)
   and determined_at < coalesce($4, 'infinity'::timestamptz)
 order by determined_at, code, channel
"""


async def measurements(
    database: Database,
    scope: Scope,
    place: str,
    code: str | None,
    start_us: int | None,
    end_us: int | None,
) -> AsyncIterator[bytes]:
    """Lines of JSON, one for each stored measurement of a bed or case, oldest first.

    What was stored under a sender's own code is read through the mappings that hold now.
    """
    async with database.transaction(scope) as connection:
        replay = await replay_of(connection)
        cursor = connection.cursor(
            _MEASUREMENTS,
            place,
            replay.asked_for(code),
            to_datetime(start_us) if start_us is not None else None,
            to_datetime(end_us) if end_us is not None else None,
            prefetch=PAGE,
        )
        lines: list[bytes] = []
        async for row in cursor:
            view = replay.read(row)
            if code is None or view["code"] == code:
                lines.append(_line(row, view))
            if len(lines) == LINES:
                yield b"".join(lines)
                lines.clear()
        if lines:
            yield b"".join(lines)


def _line(row: Record, read: Mapping[str, Any]) -> bytes:
    view = {
        "event_id": str(row["event_id"]),
        "source_message_id": row["source_message_id"],
        "code": read["code"],
        "channel": row["channel"],
        "value": read["value"] if read["value_text"] is None else read["value_text"],
        "unit": read["physical_unit"],
        "determined_at": iso(from_datetime(row["determined_at"])),
        "device_time": iso(from_datetime(row["device_time"])) if row["device_time"] else None,
        "received_at": iso(from_datetime(row["received_at"])),
        "stored_at": iso(from_datetime(row["stored_at"])),
        "validity": read["validity"],
        "mode": row["mode"],
        "origin": row["origin"],
        "patient_id": str(row["patient_id"]) if row["patient_id"] else None,
        "device": row["device"],
        "remark": read["remark"],
        "withdrawn": row["withdrawn"],
    }
    return wire.to_json(view) + b"\n"


# Everybody who is one person with somebody: all numbers that were merged, in either direction.
_PERSONS = """
with recursive one (patient_id) as (
    select $1::uuid
    union
    select case when l.into_id = one.patient_id then l.patient_id else l.into_id end
      from patient_link l join one on one.patient_id in (l.patient_id, l.into_id)
     where l.kind = 'merged'
)
select patient_id from one
"""


async def persons(connection: Connection, patient_id: str) -> list[UUID]:
    """All ids of one person, whose numbers were merged (ADT A40); mostly one."""
    return [row["patient_id"] for row in await connection.fetch(_PERSONS, patient_id)]


_LATEST = """
select distinct on (patient_id) patient_id, mrn, family, given, sex, birth_date, bed, unit,
       trigger, mode
  from patient_event
 where patient_id = any ($1::uuid[])
 order by patient_id, event_at desc, entry_id desc
"""


async def find_patients(database: Database, scope: Scope, asked: str) -> list[Record]:
    """At most 50 people whose number, or beginning of the family name, is `asked`."""
    async with database.transaction(scope) as connection:
        ids = await connection.fetch(
            "select distinct coalesce(l.into_id, e.patient_id) as patient_id from patient_event e"
            " left join patient_link l on l.patient_id = e.patient_id and l.kind = 'merged'"
            " where e.mrn = $1 or starts_with(lower(e.family), lower($1)) limit 50",
            asked,
        )
        return await connection.fetch(_LATEST, [row["patient_id"] for row in ids])


async def patient(
    database: Database, scope: Scope, patient_id: str
) -> Record | dict[str, Any] | None:
    """What is known last of a person, or None where it is not within `scope`."""
    async with database.transaction(scope) as connection:
        ids = await persons(connection, patient_id)
        rows = await connection.fetch(_LATEST, ids)
    own = next((row for row in rows if str(row["patient_id"]) == patient_id), None)
    placed = next((row for row in rows if row["bed"]), None)
    if own is None or own["bed"] or placed is None or own["trigger"] != "A40":
        return own
    where = {name: placed[name] for name in ("bed", "unit", "trigger")}
    return dict(own) | where


async def way_of(database: Database, scope: Scope, patient_id: str) -> list[Record]:
    """Admissions, transfers and discharges of a person, newest first."""
    async with database.transaction(scope) as connection:
        return await connection.fetch(
            "select event_at, trigger, bed, prior_bed, visit from patient_event"
            " where patient_id = any ($1::uuid[]) order by event_at desc limit 100",
            await persons(connection, patient_id),
        )


async def latest_values(
    database: Database, scope: Scope, patient_id: str
) -> list[Mapping[str, Any]]:
    """The newest trusted value of each code of a person in the last 48 hours."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select distinct on (code, physical_unit, source) code, value, value_text,"
            "       physical_unit, determined_at, place, validity, remark, source, device"
            "  from measurement_in_force where patient_id = any ($1::uuid[]) and validity <> 'Inv'"
            "   and place in (select bed from binding where patient_id = any ($1::uuid[])"
            "      union select place from filing where patient_id = any ($1::uuid[]))"
            "   and determined_at > now() - interval '48 hours'"
            " order by code, physical_unit, source, determined_at desc",
            await persons(connection, patient_id),
        )
        replay = await replay_of(connection)
    newest: dict[str, Mapping[str, Any]] = {}
    for row in sorted((replay.read(row) for row in rows), key=lambda row: row["determined_at"]):
        if row["validity"] != "Inv":
            newest[row["code"]] = row
    return list(newest.values())


async def case_record(
    database: Database, scope: Scope, case: str, only: str | None = None
) -> tuple[list[Record], str]:
    """The pre-hospital record: lowest, highest, last and number of each code, and the facts.

    Values that the crew had entered for another case by mistake are counted where they belong.
    `only`: values of this mode alone (Real: nothing simulated stands at a real patient).
    """
    async with database.transaction(scope) as connection:
        moves = await case_moves(connection, case)
        values = await connection.fetch(
            "select code, physical_unit, min(value) as lowest, max(value) as highest,"
            "       count(*) as number,"
            "       (array_agg(determined_at order by value, determined_at))[1] as lowest_at,"
            "       (array_agg(coalesce(value::text, value_text) order by determined_at desc))[1]"
            "         as last"
            "  from measurement where validity <> 'Inv'"
            "   and (place = any($1::text[]) and event_id <> all($2::uuid[])"
            "        or place = any($3::text[]) and event_id = any($4::uuid[]))"
            "   and ($5::text is null or mode = $5)"
            " group by code, physical_unit order by code",
            *moves.of(case),
            only,
        )
        facts = await connection.fetchval(
            "select payload from case_event where case_id = $1 and kind = 'facts'"
            " order by at desc limit 1",
            case,
        )
    return values, facts or "{}"


async def cases_of(database: Database, scope: Scope, patient_id: str) -> list[str]:
    """The pre-arrival cases that became a stay of this person."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select distinct case_id from patient_event where patient_id = any ($1::uuid[])"
            " and case_id is not null",
            await persons(connection, patient_id),
        )
    return [str(row["case_id"]) for row in rows]


_WAVEFORMS = """
select code, channel, started_at, rate_hz, scale, value_offset, physical_unit, samples, sequence,
       mode, device, patient_id
  from waveform
 where place = $1
   and ($2::text is null or code = $2)
   and started_at >= coalesce($3, '-infinity'::timestamptz)
   and started_at < coalesce($4, 'infinity'::timestamptz)
 order by started_at, code, channel
"""
PIECES = 100  # rows fetched at once: a minute of three curves is about 400


async def waveforms(
    database: Database,
    scope: Scope,
    place: str,
    code: str | None,
    start_us: int | None,
    end_us: int | None,
    *,
    binary: bool,
    whose: UUID | None = None,
) -> AsyncIterator[bytes]:
    """The stored pieces of a bed's curves, oldest first, as JSON lines or as wave frames.

    Packed ones come first: they are the older ones. `whose`: of this patient alone.
    """
    async with database.transaction(scope) as connection:
        first, last = (to_datetime(one) if one is not None else None for one in (start_us, end_us))
        filed = await filing.living(connection, place)
        holding = await refilings.of_curves(connection, place, first, last)
        async for curve, piece in curves.pieces(connection, place, code, start_us, end_us):
            times = {"started_at": to_datetime(piece.started_at), "sequence": piece.sequence}
            packed = curve._asdict() | times | {"samples": piece.samples}
            is_of = _is_of(packed, filed, holding)
            if whose in (None, is_of):
                yield _frame(packed, place) if binary else _piece(packed, is_of)
        cursor = connection.cursor(
            _WAVEFORMS,
            *(place, code, first, last),
            prefetch=PIECES,
        )
        async for row in cursor:
            is_of = _is_of(row, filed, holding)
            if whose in (None, is_of):
                yield _frame(row, place) if binary else _piece(row, is_of)


def _is_of(
    row: Record | dict[str, Any], filed: list[filing.Filed], holding: list[refilings.Curves]
) -> UUID | None:
    of = (row["device"], row["started_at"], row["mode"])
    whose = refilings.curve_is(holding, row["patient_id"], *of)
    if not (row["patient_id"] and whose):
        whose = filing.filed_under(filed, *of) or whose
    return whose


def _piece(row: Record | dict[str, Any], whose: UUID | None) -> bytes:
    view = {
        "code": row["code"],
        "channel": row["channel"],
        "started_at": iso(from_datetime(row["started_at"])),
        "started_us": from_datetime(row["started_at"]),
        "rate_hz": row["rate_hz"],
        "scale": row["scale"],
        "offset": row["value_offset"],
        "unit": row["physical_unit"],
        "sequence": row["sequence"],
        "mode": row["mode"],
        "device": row["device"],
        "patient_id": str(whose) if whose else None,
        # A sample that says "no sample here" has no number.
        "samples": [None if n == waveform.NO_SAMPLE else n for n in _int16(row["samples"])],
    }
    return wire.to_json(view) + b"\n"


def _int16(samples: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(samples) // 2}h", samples)


def _frame(row: Record | dict[str, Any], place: str) -> bytes:
    return waveform.pack(
        waveform.Frame(
            kind=waveform.SAMPLES,
            mode=row["mode"],
            place=place,
            code=row["code"],
            channel=row["channel"],
            unit=row["physical_unit"],
            sequence=row["sequence"],
            started_at=from_datetime(row["started_at"]),
            rate_hz=row["rate_hz"],
            scale=row["scale"],
            offset=row["value_offset"],
            samples=row["samples"],
        )
    )


async def ecg(database: Database, scope: Scope, case: str, ecg_id: str) -> wire.EcgReceived | None:
    """A resting ECG of a case as it was archived, or None where none is within `scope`."""
    async with database.transaction(scope) as connection:
        entry = await connection.fetchval(
            "select case_ecg($1, $2)",
            UUID(case),
            ecg_id,
        )
    found = wire.decode(entry) if entry else None
    return found if isinstance(found, wire.EcgReceived) else None


async def ecg_picture(database: Database, scope: Scope, case: str, ecg_id: str) -> bytes:
    """The photograph of an ECG as it was archived; b"" where none is within `scope`."""
    async with database.transaction(scope) as connection:
        raw = await connection.fetchval(
            "select case_picture($1, $2)",
            UUID(case),
            ecg_id,
        )
    return bytes(raw or b"")


async def arrivals_since(
    database: Database, scope: Scope, units: Collection[str], now_us: int, hours: int
) -> list[tuple[str, int, bool, dict[str, object]]]:
    """(case, opened, whether it ended, facts) of the cases of the last hours with a name."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select case_id, min(at) as opened,"
            "       (array_agg(payload order by at desc)"
            "         filter (where kind = 'facts'))[1] as facts,"
            "       bool_or(kind = any ($2::text[])) as ended"
            "  from case_event where unit = any ($4::text[]) and at >= $1"
            "   and kind = any ($3::text[])"
            " group by case_id",
            to_datetime(now_us - hours * 3_600_000_000),
            list(ENDING),
            ["facts", *ENDING],
            list(units),
        )
    return [
        (
            str(row["case_id"]),
            from_datetime(row["opened"]),
            bool(row["ended"]),
            wire.from_json(row["facts"]),
        )
        for row in rows
        if row["facts"]
    ]
