"""What pages and calls read from the archive, within the scope of whoever asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hospital_ops import wire
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Database, Record

PAGE = 5000  # rows fetched at once
LINES = 500  # rows that leave in one piece

_MEASUREMENTS = """
select event_id, source_message_id, code, channel, value, value_text, physical_unit, determined_at,
       device_time, received_at, stored_at, validity, mode, origin, patient_id, device, remark
  from measurement
 where place = $1
   and ($2::text is null or code = $2)
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
    """Lines of JSON, one for each stored measurement of a bed or case, oldest first."""
    async with database.transaction(scope) as connection:
        cursor = connection.cursor(
            _MEASUREMENTS,
            place,
            code,
            to_datetime(start_us) if start_us is not None else None,
            to_datetime(end_us) if end_us is not None else None,
            prefetch=PAGE,
        )
        lines: list[bytes] = []
        async for row in cursor:
            lines.append(_line(row))
            if len(lines) == LINES:
                yield b"".join(lines)
                lines.clear()
        if lines:
            yield b"".join(lines)


def _line(row: Record) -> bytes:
    view = {
        "event_id": str(row["event_id"]),
        "source_message_id": row["source_message_id"],
        "code": row["code"],
        "channel": row["channel"],
        "value": row["value"] if row["value_text"] is None else row["value_text"],
        "unit": row["physical_unit"],
        "determined_at": iso(from_datetime(row["determined_at"])),
        "device_time": iso(from_datetime(row["device_time"])) if row["device_time"] else None,
        "received_at": iso(from_datetime(row["received_at"])),
        "stored_at": iso(from_datetime(row["stored_at"])),
        "validity": row["validity"],
        "mode": row["mode"],
        "origin": row["origin"],
        "patient_id": str(row["patient_id"]) if row["patient_id"] else None,
        "device": row["device"],
        "remark": row["remark"],
    }
    return wire.to_json(view) + b"\n"
