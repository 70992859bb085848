"""Waveforms packed without loss: differences of the fitting order, as bytes, through bzip2.

Measured against FLAC and zstd -19 in docs/decisions/0033. A differenced sample is zigzagged; one
byte holds it below 255, and what is larger stands apart in four. Also: the lowest and highest
sample of each second, the finest step of the pyramid that wide views are drawn from.
"""

from __future__ import annotations

import bz2
import struct
from typing import Final

import numpy as np
import numpy.typing as npt

ORDERS: Final = (0, 1, 2, 3)
NO_SAMPLE: Final = -32768  # as hospital_ops/waveform.py
_ESCAPE: Final = 255
_HEAD: Final = struct.Struct("<BII")  # order, samples, bytes of the first part
Samples = npt.NDArray[np.int64]


def pack(samples: bytes) -> bytes:
    """The samples (int16 little-endian) packed."""
    values = np.frombuffer(samples, "<i2").astype(np.int64)
    order, differences = min(
        ((order, _differences(values, order)) for order in ORDERS),
        key=lambda each: float(np.log2(1 + np.abs(each[1])).sum()),  # about the bits they need
    )
    zigzag = np.where(differences >= 0, 2 * differences, -2 * differences - 1)
    small = np.minimum(zigzag, _ESCAPE).astype(np.uint8).tobytes()
    large = zigzag[zigzag >= _ESCAPE].astype("<u4").tobytes()
    first = bz2.compress(small)
    rest = bz2.compress(large) if large else b""
    return _HEAD.pack(order, len(values), len(first)) + first + rest


def unpack(packed: bytes) -> bytes:
    """The samples again, byte for byte."""
    order, count, length = _HEAD.unpack_from(packed)
    first, rest = packed[_HEAD.size : _HEAD.size + length], packed[_HEAD.size + length :]
    zigzag = np.frombuffer(bz2.decompress(first), np.uint8).astype(np.int64)
    if rest:
        zigzag[zigzag == _ESCAPE] = np.frombuffer(bz2.decompress(rest), "<u4")
    values = np.where(zigzag & 1, -(zigzag + 1) // 2, zigzag // 2)
    for _ in range(order):
        values = np.cumsum(values)
    if len(values) != count:
        raise ValueError("a packed waveform has not the length it says")
    return values.astype("<i2").tobytes()


def seconds(
    pieces: list[tuple[int, float, bytes]], start_us: int, count: int
) -> tuple[bytes, bytes]:
    """The lowest and highest sample of `count` seconds from `start_us`, int16 little-endian.

    `pieces` are (first sample's time in microseconds, rate in Hz, samples). A second without a
    sample has `NO_SAMPLE` in both.
    """
    low = np.full(count, 32767, np.int64)
    high = np.full(count, -32768, np.int64)
    for started_us, rate_hz, samples in pieces:
        values = np.frombuffer(samples, "<i2").astype(np.int64)
        at = ((started_us - start_us) + np.arange(len(values)) * (1e6 / rate_hz)) // 1_000_000
        usable = (values != NO_SAMPLE) & (at >= 0) & (at < count)
        index = at[usable].astype(np.int64)
        np.minimum.at(low, index, values[usable])
        np.maximum.at(high, index, values[usable])
    none = low > high
    low[none] = high[none] = NO_SAMPLE
    return low.astype("<i2").tobytes(), high.astype("<i2").tobytes()


def columns(
    parts: list[tuple[int, bytes, bytes]], start_us: int, end_us: int, width: int
) -> tuple[list[int | None], list[int | None]]:
    """The lowest and highest sample of each of `width` columns from `start_us` to `end_us`.

    `parts` are (start in microseconds, lows, highs) by seconds, as `seconds` gives them; None
    where a column has no sample.
    """
    low = np.full(width, 32767, np.int64)
    high = np.full(width, -32768, np.int64)
    for started_us, lows, highs in parts:
        lowest = np.frombuffer(lows, "<i2").astype(np.int64)
        highest = np.frombuffer(highs, "<i2").astype(np.int64)
        middle = started_us + np.arange(len(lowest)) * 1_000_000 + 500_000
        index = (middle - start_us) * width // max(1, end_us - start_us)
        usable = (lowest != NO_SAMPLE) & (index >= 0) & (index < width)
        np.minimum.at(low, index[usable], lowest[usable])
        np.maximum.at(high, index[usable], highest[usable])
    found = (low <= high).tolist()
    return (
        [value if there else None for value, there in zip(low.tolist(), found, strict=True)],
        [value if there else None for value, there in zip(high.tolist(), found, strict=True)],
    )


def _differences(values: Samples, order: int) -> Samples:
    for _ in range(order):
        values = np.diff(values, prepend=0)
    return values
