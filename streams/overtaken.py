"""Results that their sender corrects or takes back (OBX-11 C, D, W), in the archive: pure.

What was told of the same moment gets a row in `correction`, as when a person takes a value back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.row_words import number_and_text
from streams.value_rows import short


class Result(NamedTuple):
    """One such result: what it overtakes, and what is written beside that."""

    owner: int  # the claim that brought it
    bed: str
    source: str
    code: str
    channel: str
    determined_at: datetime
    event_id: UUID
    replaced_by: UUID | None  # None: deleted or wrong
    number: float | None
    words: str | None
    at: datetime
    reason: str
    entry_id: str


def of(
    owner: int, entry_id: str, message: wire.Observed, told: wire.Observation, event: bytes
) -> Result:
    """The result of one observation whose status says that another one was told before."""
    assert told.determined_at is not None  # noqa: S101 - the caller asked
    own, number_words = UUID(bytes=event), number_and_text(told.value)
    return Result(
        owner, message.bed, message.source, short(told.code), short(told.channel),
        to_datetime(told.determined_at), own, own if told.status == "C" else None, *number_words,
        to_datetime(message.received_at), f"OBX-11 {told.status}", entry_id,
    )  # fmt: skip


def last(results: Iterable[Result], new: set[int]) -> list[Result]:
    """Of those that came for the first time the last word about each moment."""
    said = {one[1:6]: one for one in results if one.owner in new}
    return list(said.values())
