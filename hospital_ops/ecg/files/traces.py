"""Stored pieces of curves laid on one time axis, as files are written from. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from hospital_ops.ecg.files.recording import MOST_LEADS
from hospital_ops.errors import MessageError
from hospital_ops.waveform import NO_SAMPLE

MOST_SAMPLES: Final = 10_000_000  # of one export, all curves together: 20 MB
NAME_MOST: Final = 16  # characters of ASCII: what a label of EDF+ holds
_LEADS: Final = {str(row["mdc"]): f"ECG {row['lead']}" for row in table("codes")["ecg_leads"]}


class Key(NamedTuple):
    """What the pieces of one signal have in common: value = sample * scale + offset, in `unit`."""

    code: str  # MDC number, or the sender's own name
    channel: str
    device: str
    rate_hz: float
    scale: float
    offset: float
    unit: str  # UCUM


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """One signal over the whole of a range; `NO_SAMPLE` where nothing was measured."""

    name: str  # unique in its export, ASCII
    unit: str
    rate_hz: float
    scale: float
    offset: float
    samples: NDArray[np.int16]


def put_together(
    pieces: Iterable[tuple[Key, int, bytes]], start_us: int, end_us: int
) -> list[Trace]:
    """The signals of a range from (key, moment of the first sample, int16 little-endian).

    A sample stands at most half its distance from its own time. What lies outside the range is
    left out. MessageError `too_large` where that would be more than `MOST_SAMPLES`.
    """
    by_key: dict[Key, list[tuple[int, bytes]]] = defaultdict(list)
    for key, at, samples in pieces:
        by_key[key].append((at, samples))
    lengths = {key: math.ceil((end_us - start_us) * key.rate_hz / SECOND) for key in by_key}
    if len(by_key) > MOST_LEADS or sum(lengths.values()) > MOST_SAMPLES:
        raise MessageError("too_large", "more curves than one file may hold: ask for less time")
    names = _names(sorted(by_key))
    traces = []
    for key in sorted(by_key):
        whole = np.full(lengths[key], NO_SAMPLE, np.int16)
        for at, samples in by_key[key]:
            _lay(whole, round((at - start_us) * key.rate_hz / SECOND), samples)
        if (whole != NO_SAMPLE).any():
            traces.append(
                Trace(
                    name=next(names),
                    unit=key.unit,
                    rate_hz=key.rate_hz,
                    scale=key.scale,
                    offset=key.offset,
                    samples=whole,
                )
            )
        else:
            next(names)
    return traces


def gaps(trace: Trace) -> Iterator[tuple[int, int]]:
    """(first sample, number of samples) of every stretch in which nothing was measured."""
    missing = np.concatenate([[False], trace.samples == NO_SAMPLE, [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1])
    for first, behind in edges.reshape(-1, 2):
        yield int(first), int(behind - first)


def _lay(whole: NDArray[np.int16], first: int, samples: bytes) -> None:
    """Puts a piece in its place; a sample that says "none" hides nothing that is there."""
    piece = np.frombuffer(samples, "<i2")
    piece = piece[max(0, -first) :]
    first = max(0, first)
    piece = piece[: max(0, len(whole) - first)]
    there = piece != NO_SAMPLE
    whole[first : first + len(piece)][there] = piece[there]


def _names(keys: Iterable[Key]) -> Iterator[str]:
    """A name for each, unique: `ECG II`, `MDC 150452`, `ECG II 2` of a second sender."""
    taken: set[str] = set()
    for key in keys:
        written = _LEADS.get(key.code) or (f"MDC {key.code}" if key.code.isdigit() else key.code)
        text = " ".join(f"{written} {key.channel}".split())
        text = "".join(c if c.isascii() and c.isprintable() else "_" for c in text)[:NAME_MOST]
        name, number = text, 1
        while name in taken:
            number += 1
            name = f"{text[: NAME_MOST - 4]} {number}"
        taken.add(name)
        yield name
