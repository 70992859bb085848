"""PostgreSQL's binary COPY, read back as its documents describe it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from streams.copying import HEADER, TRAILER


def read(data: bytes) -> list[list[bytes | None]]:
    """The fields of each row, as PostgreSQL's documents say that a binary COPY is written."""
    assert data.startswith(HEADER)
    assert data.endswith(TRAILER)
    rows, at = [], len(HEADER)
    while (count := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row.append(None if length < 0 else data[at : at + length])
            at += max(length, 0)
        rows.append(row)
    assert at == len(data) - 2
    return rows


def as_sent(value: Any) -> bytes | None:
    """One value of a plain row as the server's type is sent."""
    match value:
        case None:
            return None
        case str():
            return value.encode()
        case bytes():
            return value
        case float():
            return struct.pack(">d", value)
        case UUID():
            return value.bytes
        case int():
            return struct.pack(">q", value)
        case datetime():
            since = value - datetime(2000, 1, 1, tzinfo=UTC)
            return struct.pack(">q", since.days * 86_400_000_000 + since.seconds * 1_000_000
                               + since.microseconds)  # fmt: skip
    raise AssertionError(value)
