"""The SQL of what the store reader finds again after a restart, and of what it remembers for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection
from hospital_ops.sender_clocks import SenderClock
from streams.clocked import Clocked
from streams.known.knowledge import Known, Lain, Linked, lain
from streams.overtaken import GONE, Result, Said, Words
from streams.shard import hospital_of

NOBODYS: Final = -1  # no claim of a batch has brought it
_REMEMBER: Final = """
insert into sender_clock (hospital_id, unit, bed, sender, offset_us, since, last, trusted_us, sound)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (bed, sender) do update
   set hospital_id = excluded.hospital_id, unit = excluded.unit, offset_us = excluded.offset_us,
       since = excluded.since, last = excluded.last, trusted_us = excluded.trusted_us,
       sound = excluded.sound
"""


async def load(connection: Connection, units: Sequence[str]) -> Known:
    """What was known of `units` when their last batch was stored."""
    known = await _lain(connection, units)
    known.words = await _words(connection, units)
    rows = await connection.fetch(
        "select bed, sender, offset_us, since, last, trusted_us, sound from sender_clock"
        " where unit = any ($1::text[])",
        list(units),
    )
    for row in rows:
        known.clocks.setdefault(row["bed"], {})[row["sender"]] = SenderClock(
            row["offset_us"], from_datetime(row["since"]), from_datetime(row["last"]),
            row["trusted_us"], row["sound"],
        )  # fmt: skip
    return known


async def _words(connection: Connection, units: Sequence[str]) -> dict[str, Words]:
    """What senders have said last about results of the last month."""
    rows = await connection.fetch(
        "select bed, source, code, channel, determined_at, event_id, replaced_by, value,"
        " value_text, at, reason, entry_id from result_word"
        " where unit = any ($1::text[]) and determined_at > now() - interval '30 days' order by at",
        list(units),
    )
    said = Said()
    for row in rows:
        gone = row["reason"].removeprefix("OBX-11 ") in GONE  # its own time of sending is not kept
        gone_at = from_datetime(row["at"]) if gone else None
        said.take(Result(NOBODYS, *row)._replace(gone_at=gone_at))
    return said.fresh


async def remember(connection: Connection, clocked: Clocked) -> None:
    """Keeps what was learned of clocks; in the transaction of the values that showed it."""
    rows = [
        (
            hospital_of(unit), unit, bed, sender, clock.offset, to_datetime(clock.since),
            to_datetime(clock.last), clock.trusted, clock.right,
        )
        for (unit, bed, sender), clock in clocked.learned.items()
    ]  # fmt: skip
    if rows:
        await connection.executemany(_REMEMBER, rows)


async def _lain(connection: Connection, units: Sequence[str]) -> Known:
    """Who has lain in the beds of `units`, newest kept, and which numbers are one person's."""
    rows = await connection.fetch(
        "select b.unit, b.bed, b.from_at, b.patient_id, b.mrn, e.mode, e.visit from binding b"
        " left join patient_event e using (unit, entry_id)"
        " where b.unit = any ($1::text[]) order by b.from_at",
        list(units),
    )
    links = await connection.fetch(
        "select hospital_id, mrn, into_mrn from patient_link where kind = 'merged'"
        " order by event_at, entry_id"
    )
    told = (
        Lain(
            row["unit"], row["bed"], from_datetime(row["from_at"]), str(row["patient_id"] or ""),
            row["mrn"], row["mode"] or "", row["visit"] or "",
        )
        for row in rows
    )  # fmt: skip
    return lain(told, [Linked(*row) for row in links])
