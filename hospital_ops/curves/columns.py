"""A curve at any width: the lowest and highest value of each column of a range."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.curves import store
from hospital_ops.database import Database
from hospital_ops.ecg import packed

Key = tuple[str, str, str, float, float, str]


async def columns(
    database: Database,
    scope: Scope,
    place: str,
    code: str,
    start_us: int,
    end_us: int,
    width: int,
) -> list[dict[str, Any]]:
    """One entry a channel, mode and scale: lows and highs in the curve's unit, None where nothing.

    A column is a second wide at the least; what is narrower is read as pieces.
    """
    async with database.transaction(scope) as connection:
        blocks, loose = await store.extremes(connection, place, code, start_us, end_us)
    parts: dict[Key, list[tuple[int, bytes, bytes]]] = defaultdict(list)
    for row in blocks:
        at = from_datetime(row["started_at"]) // SECOND * SECOND
        parts[_key(row)].append((at, row["low"], row["high"]))
    pieces: dict[Key, list[tuple[int, float, bytes]]] = defaultdict(list)
    for row in loose:
        piece = (from_datetime(row["started_at"]), row["rate_hz"], row["samples"])
        pieces[_key(row)].append(piece)
    for key, found in pieces.items():
        at = found[0][0] // SECOND * SECOND
        last, rate_hz, samples = found[-1]
        count = (last - at) // SECOND + round(len(samples) / 2 / rate_hz) + 2
        parts[key].append((at, *packed.seconds(found, at, count)))
    return [_view(key, found, start_us, end_us, width) for key, found in parts.items()]


def _key(row: Any) -> Key:
    return (
        row["code"],
        row["channel"],
        row["mode"],
        row["scale"],
        row["value_offset"],
        row["physical_unit"],
    )


def _view(
    key: Key, parts: list[tuple[int, bytes, bytes]], start_us: int, end_us: int, width: int
) -> dict[str, Any]:
    code, channel, mode, scale, offset, unit = key
    low, high = packed.columns(parts, start_us, end_us, width)

    def values(steps: list[int | None]) -> list[float | None]:
        return [None if n is None else round(n * scale + offset, 6) for n in steps]

    first, second = values(low), values(high)
    if scale < 0:
        first, second = second, first
    return {
        "code": code,
        "channel": channel,
        "mode": mode,
        "unit": unit,
        "low": first,
        "high": second,
    }
