"""bench archive, its curves: how small they are, and how fast a day and a beat are read."""

from __future__ import annotations

import importlib
import io
import shutil
import subprocess
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.ecg_sets import folder
from benchmarks.stage import Stage, bed_of
from hospital_ops import database
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.curves import blocks, store
from hospital_ops.curves.columns import columns
from hospital_ops.ecg import packed
from hospital_ops.ecg.files.wfdb import read_record
from web.store import waveforms

SETS: Final = ("mitdb", "icu_waveform_samples")
RATE_HZ, PIECE_S, DAY_S, WIDTH = 250.0, 0.5, 86_400, 1920
CODE: Final = "131330"
Row = dict[str, Any]


def recorded() -> list[tuple[float, bytes]]:
    """(rate, int16) of every signal of the two sets."""
    found = []
    for name in SETS:
        for path in folder(name):
            for signal in read_record(path).signals:
                steps = np.round(signal.values / signal.step)
                steps = np.where(np.isnan(steps), packed.NO_SAMPLE, steps - np.nanmin(steps))
                kept = np.clip(steps, -32768, 32767).astype("<i2").tobytes()
                found.append((signal.rate_hz, kept))
    return found


def size(*, quick: bool = False) -> Row:
    """Bytes of all signals in blocks of ten minutes, beside the better of zstd -19 and FLAC.

    The short form takes every eighth signal.
    """
    ours = theirs = n = 0
    peers: dict[str, int] = {}
    for rate_hz, samples in recorded()[:: 8 if quick else 1]:
        step = round(rate_hz * blocks.BLOCK_US / SECOND) * 2
        edges = [*range(0, len(samples), step), len(samples)]
        ours += sum(len(packed.pack(samples[a:b])) for a, b in pairwise(edges))
        n += len(samples) // 2
        for peer, length in _peers(rate_hz, samples).items():
            peers[peer] = peers.get(peer, 0) + length
    theirs = min(peers.values()) if peers else 0
    note = ", ".join(f"{peer} {length}" for peer, length in peers.items())
    note += "" if "flac" in peers else "; FLAC was not measured: it comes with the extra `bench`"
    if not (ours and theirs):
        note = "no recordings, or neither zstd nor FLAC: nothing to compare"
        return {"id": "archive.size", "value": None, "limit": None, "n": n, "note": note}
    return {"id": "archive.size", "value": ours, "limit": theirs, "n": n, "note": note}


def _peers(rate_hz: float, samples: bytes) -> dict[str, int]:
    found = {}
    zstd = shutil.which("zstd")
    if zstd:
        done = subprocess.run(
            [zstd, "-19", "-c", "-q"], input=samples, capture_output=True, check=True
        )
        found["zstd"] = len(done.stdout)
    try:
        soundfile = importlib.import_module("soundfile")
    except ImportError:
        return found
    target = io.BytesIO()
    steps = np.frombuffer(samples, "<i2")
    soundfile.write(
        target, steps, round(rate_hz), format="FLAC", subtype="PCM_16", compression_level=1.0
    )
    found["flac"] = len(target.getvalue())
    return found


async def read_back(on: Stage, unit: str, rounds: int, span_s: int = DAY_S) -> list[Row]:
    """Seconds for a day of one lead at screen width, and for one beat of it as raw samples.

    `span_s` is how much of the day there is: the short form stores an hour of it.
    """
    bed = bed_of(unit, 1)
    hospital = unit.partition("-")[0]
    start = (SystemClock().now_us() // SECOND - 2 * DAY_S) * SECOND
    curve = blocks.Curve(
        hospital, unit, bed, None, "bench", CODE, "", RATE_HZ, 0.005, 0.0, "mV", "Test"
    )
    found_signals = recorded()
    recording = found_signals[0][1] if found_signals else bytes(2 * 100_000)
    length = round(RATE_HZ * PIECE_S) * 2
    own = await database.connect(on.database_url, "owner", name="bench")
    app = await database.connect(on.database_url, "app", name="bench")
    scope = Scope(hospital, ("*",), "nurse", "bench")
    try:
        for window in range(span_s // 600):
            pieces = [
                blocks.Piece(
                    start + round((window * 600 + number * PIECE_S) * SECOND),
                    start,
                    number,
                    "0-1",
                    recording[(at := number * length % (len(recording) - length)) : at + length],
                )
                for number in range(round(600 / PIECE_S))
            ]
            async with own.transaction() as connection:
                for block in blocks.packed_up((curve, piece) for piece in pieces):
                    await store.put(connection, block)
        day, beat = list[float](), list[float]()
        for number in range(rounds):
            begun = perf_counter()
            found = await columns(app, scope, bed, CODE, start, start + DAY_S * SECOND, WIDTH)
            day.append(perf_counter() - begun)
            assert len(found[0]["low"]) == WIDTH
            at = start + (number * 3571 % span_s) * SECOND
            begun = perf_counter()
            raw = [p async for p in waveforms(app, scope, bed, CODE, at, at + SECOND, binary=True)]
            beat.append(perf_counter() - begun)
            assert raw
    finally:
        await own.close()
        await app.close()
    note = f"{span_s // 600} blocks of {round(span_s / PIECE_S)} pieces, as stored after packing"
    return [
        {"id": "archive.day", "value": median(day), "n": rounds, "note": note},
        {"id": "archive.beat", "value": median(beat), "n": rounds, "note": note},
    ]
