"""What PostgreSQL's binary COPY is made of, for rows that are packed here. Pure.

A row is its number of columns, then each as its length and bytes; times count from 2000 in
microseconds.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Final
from uuid import UUID

from streams.shard import hospital_of

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
NAME_MAX: Final = 200  # characters of a code, channel or device
REMEMBERED: Final = 4096  # beds with their devices and patients
PORTION: Final = 64  # messages between two looks at the line
EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01: from there PostgreSQL counts
COUNT: Final = Struct(">h").pack  # of columns
LENGTH: Final = Struct(">i").pack
NULL: Final = LENGTH(-1)
_TIME: Final = Struct(">iq").pack
_LEAST_US, _MOST_US = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999


def text(words: str) -> bytes:
    """A column of type text; ValueError where it is no UTF-8."""
    data = words.encode()
    return LENGTH(len(data)) + data


def beginning(columns: int, shard: str, place: str, *words: str) -> bytes:
    """How the rows of a device begin: hospital, unit, place and more texts.

    They are the same from message to message, so they are remembered; a place that is no name but
    something long is not.
    """
    make = _beginning if len(place) <= NAME_MAX else _beginning.__wrapped__
    return make(columns, shard, place, *words)


@lru_cache(REMEMBERED)
def _beginning(columns: int, shard: str, *words: str) -> bytes:
    return COUNT(columns) + b"".join(map(text, (hospital_of(shard), shard, *words)))


@lru_cache(REMEMBERED)
def uuid(name: str | None) -> bytes:
    """A column of type uuid; ValueError where it is none."""
    return NULL if name is None else LENGTH(16) + UUID(name).bytes


def time(at_us: int | None) -> bytes:
    """A column of type timestamptz, of microseconds since 1970; OverflowError beyond its years."""
    return NULL if at_us is None else _TIME(8, since_2000(at_us))


def since_2000(at_us: int) -> int:
    """As PostgreSQL counts; OverflowError outside the years 1 to 9999."""
    if not _LEAST_US <= at_us <= _MOST_US:
        raise OverflowError("a time outside the years 1 to 9999")
    return at_us - EPOCH_US
