"""The rows of values, packed as PostgreSQL's binary COPY takes them, while it takes them. Pure.

Of the columns of a value most are its message's, others the same from message to message (code,
channel, unit): they are packed when they are first met. What is left of a value is its id and its
number. The rows are made a portion at a time, so that the server stores the first while the next
is made. Where something has come before, the same values go as plain rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import from_datetime, to_datetime
from streams.copying import HEADER, NAME_MAX, NULL, PORTION, TRAILER, beginning, text, time, uuid
from streams.row_words import number_and_text, remark, said
from streams.shard import hospital_of

COLUMNS: Final = 23
# No remark, no text, the id, a number: the columns that come last, of nearly every value.
_NUMBER: Final = Struct(">iii16sid").pack
_ID: Final = Struct(">i16s").pack
_VALUE: Final = Struct(">id").pack

Row = tuple[Any, ...]


class Moment(NamedTuple):
    """What values of one time have in common."""

    patient_id: str | None  # None: nobody was bound, or another was claimed
    determined_at: int  # the device's time; the receive time where it gave none
    device_time: int | None
    remarks: tuple[str, ...]


class ValueRows(NamedTuple):
    """The values of one message, whose they were at each time, and who brought each."""

    shard: str
    entry_id: str
    message: wire.Observed
    moments: Mapping[int | None, Moment]  # by the time that the device gave
    events: Sequence[bytes]  # the id of each value, 16 bytes
    owners: Sequence[int]  # the claim of each

    def plain(self, stored_at: datetime) -> list[Row]:
        """The columns of each, in the order of `columns.COLUMNS`."""
        shard, entry_id, message, moments, events, _ = self
        hospital, received_at = hospital_of(shard), to_datetime(message.received_at)
        device, named = _device(message), message.mrn or None
        rows = []
        for one, event in zip(message.observations, events, strict=True):
            moment = moments[one.determined_at]
            number, words = number_and_text(said(one))
            device_time = None if moment.device_time is None else to_datetime(moment.device_time)
            rows.append(
                (
                    hospital, shard, _place(message), device, message.source, message.mode,
                    moment.patient_id, to_datetime(moment.determined_at), device_time, received_at,
                    stored_at, message.message_id, entry_id, named, short(one.code),
                    short(one.channel), one.unit, one.validity, one.origin,
                    remark(one, moment.remarks), words, UUID(bytes=event), number,
                )
            )  # fmt: skip
        return rows

    def owned(self, stored_at: datetime) -> Iterator[tuple[Row, int]]:
        """Each as above, with the claim that brought it."""
        return zip(self.plain(stored_at), self.owners, strict=True)


async def packed(rows: Sequence[ValueRows], stored_at: datetime) -> AsyncIterator[bytes]:
    """All rows as the bytes of one COPY; ValueError or OverflowError where one has no row."""
    stored = time(from_datetime(stored_at))
    kinds: dict[Row, bytes] = {}
    parts: list[bytes] = [HEADER]
    for start in range(0, len(rows), PORTION):
        for row in rows[start : start + PORTION]:
            _pack(row, stored, kinds, parts)
        yield b"".join(parts)
        parts.clear()
        await asyncio.sleep(0)  # what was made leaves now
    yield TRAILER


def _pack(rows: ValueRows, stored_at: bytes, kinds: dict[Row, bytes], parts: list[bytes]) -> None:
    shard, entry_id, message, moments, events, _ = rows
    named = text(message.mrn) if message.mrn else NULL
    received = time(message.received_at)
    last = (received, stored_at, text(message.message_id), text(entry_id), named)
    source, mode = message.source, message.mode
    first = beginning(COLUMNS, shard, _place(message), _device(message), source, mode)
    heads = {at: _head(first, moment, last) for at, moment in moments.items()}
    for one, event in zip(message.observations, events, strict=True):
        key = (one.code, one.channel, one.unit, one.validity, one.origin)
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = _kind(*key)
        head, remarks = heads[one.determined_at]
        value = one.value if one.sent is None else said(one)
        # Nearly every value: a finite number of which nothing is said.
        if (
            value.__class__ is float
            and isfinite(value)
            and not (one.text or one.flag or one.reason or remarks)
        ):
            parts += (head, kind, _NUMBER(0, -1, 16, event, 8, value))
            continue
        number, words = number_and_text(value)
        parts += (
            head, kind, text(remark(one, remarks)), NULL if words is None else text(words),
            _ID(16, event), NULL if number is None else _VALUE(8, number),
        )  # fmt: skip


def short(name: str) -> str:
    """A name as it fits into an index; the whole stands in the message's bytes."""
    return name if len(name) <= NAME_MAX else name[:NAME_MAX]


def _head(first: bytes, moment: Moment, last: tuple[bytes, ...]) -> tuple[bytes, tuple[str, ...]]:
    """What the rows of a moment begin with, and what is remarked about them."""
    determined_at, device_time = time(moment.determined_at), time(moment.device_time)
    head = b"".join((first, uuid(moment.patient_id), determined_at, device_time, *last))
    return head, moment.remarks


def _kind(code: str, channel: str, unit: str, validity: str, origin: str) -> bytes:
    return b"".join(map(text, (short(code), short(channel), unit, validity, origin)))


def _device(message: wire.Observed) -> str:
    return short(message.device or message.source)


def _place(message: wire.Observed) -> str:
    return message.bed or message.case or message.device
