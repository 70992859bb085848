"""Results that their sender corrects or takes back (OBX-11 C, D, W), in the archive: pure.

What was told of the same moment gets a row in `correction`, as when a person takes a value back,
whether it comes before the result or, overtaken on its way, after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.row_words import number_and_text, said
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
    # Deleted or wrong: what a message says that was made after this (microseconds, MSH-7) is a new
    # result, as on the board. None: nothing is.
    gone_at: int | None = None

    @property
    def about(self) -> tuple[Any, ...]:
        """Which results of the bed it is about: (source, code, channel, moment)."""
        return about(self.source, self.code, self.channel, self.determined_at)


def about(source: str, code: str, channel: str, at: datetime) -> tuple[Any, ...]:
    """How results of a sender about one moment are found at a bed."""
    return source, short(code), short(channel), at


def of(
    owner: int, entry_id: str, message: wire.Observed, told: wire.Observation, event: bytes, at: int
) -> Result:
    """The result of one observation of the moment `at` whose status says that another one was told
    before."""
    own, number_words = UUID(bytes=event), number_and_text(said(told))
    gone_at = message.sent_at if told.status in GONE else None
    return Result(
        owner, message.bed, message.source, short(told.code), short(told.channel),
        to_datetime(at), own, own if told.status == "C" else None, *number_words,
        to_datetime(message.received_at), f"OBX-11 {told.status}", entry_id, gone_at,
    )  # fmt: skip


Words = dict[tuple[Any, ...], Result]  # the last word about each moment, by `Result.about`
GONE: Final = ("D", "W")
KEPT: Final = 256  # of one bed, as the board


@dataclass(slots=True)
class Said:
    """What senders have said last about results of the beds: of a batch, on what was known."""

    known: dict[str, Words] = field(default_factory=dict)  # before the batch; never changed
    fresh: dict[str, Words] = field(default_factory=dict)
    spared: list[UUID] = field(default_factory=list)  # of the batch: told anew

    def told(
        self,
        owner: int,
        entry_id: str,
        message: wire.Observed,
        told: wire.Observation,
        event: bytes,
        at: int,
    ) -> Result | None:
        """What takes other results of the moment `at` back: this one, or one that overtook it."""
        if told.status:
            result = of(owner, entry_id, message, told, event, at)
            self.take(result)
            return result
        name = about(message.source, told.code, told.channel, to_datetime(at))
        word = self.of(message.bed).get(name)
        if word is None:
            return None
        if _is_new(word, message):
            self.spared.append(UUID(bytes=event))
            return None
        return word._replace(owner=owner)

    def take(self, result: Result) -> None:
        """One more such result."""
        words = self.fresh.setdefault(result.bed, dict(self.known.get(result.bed, {})))
        words.pop(result.about, None)
        words[result.about] = result
        while len(words) > KEPT:
            del words[next(iter(words))]

    def of(self, bed: str) -> Words:
        """The words about results of a bed; of most there are none."""
        return self.fresh.get(bed) or self.known.get(bed, {})


def _is_new(word: Result, message: wire.Observed) -> bool:
    """Whether a message was made after its result was deleted or called wrong."""
    sent_at = message.sent_at
    return word.gone_at is not None and sent_at is not None and sent_at > word.gone_at


def last(results: Iterable[Result], new: set[int]) -> list[Result]:
    """Of those that came for the first time the last word about each moment."""
    said = {one[1:6]: one for one in results if one.owner in new}
    return list(said.values())
