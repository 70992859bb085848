"""A shard is a unit of a hospital; all its keys share one hash tag, so they lie in one slot."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Keys(NamedTuple):
    """The keys of one shard (DESIGN.md section 1)."""

    incoming: str  # stream: what was sent, and ticks
    waves: str  # stream: waveform pieces
    out: str  # stream: board changes, alarms, proposals
    board: str  # hash: cells by bed or case, and the fields of `Meta`
    state: str  # hash: snapshot of the live state and its position
    lease: str
    epoch: str


@lru_cache(4096)  # shards: every append and every reading asks
def keys(shard: str) -> Keys:
    """The keys of `shard`, for example `{h1-icu-1}:in`."""
    tag = f"{{{shard}}}"
    return Keys(
        f"{tag}:in",
        f"{tag}:waves",
        f"{tag}:out",
        f"{tag}:board",
        f"{tag}:state",
        f"{tag}:lease",
        f"{tag}:epoch",
    )


class Meta:
    """Fields of the board hash that are not cells; no bed or case begins with `#`."""

    REV = "#rev"
    OUT = "#out"
    POSITION = "#position"


START = "0-0"


def hall(hospital: str) -> str:
    """The shard for what has no unit: unroutable messages, sign-ins."""
    return f"{hospital}-hall"


def order(entry_id: str) -> tuple[int, int]:
    """A stream id as a pair that sorts as Redis sorts it."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def at_us(entry_id: str) -> int:
    """The moment at which Redis took the entry, microseconds since 1970: one clock for a shard."""
    return _at_us(entry_id.partition("-")[0])


@lru_cache(256)  # entries that came within one millisecond
def _at_us(milliseconds: str) -> int:
    return int(milliseconds) * 1000


def seen_at(entry_id: str) -> int:
    """The same, rising from entry to entry of one stream: its number counts as microseconds."""
    milliseconds, number = order(entry_id)
    return milliseconds * 1000 + min(number, 999)


def hospital_of(shard: str) -> str:
    """The hospital of a unit, bed or hall: ids begin with it (`h1-icu-1-07` is of `h1`)."""
    return shard.partition("-")[0]
