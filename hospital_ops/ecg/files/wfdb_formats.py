"""The ways in which WFDB packs samples into bytes (PhysioNet, signal(5)).

Each function takes bytes and a count, and gives that many integers; NaN marks stay integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def _signed(values: NDArray[np.int64], bits: int) -> Integers:
    half = 1 << (bits - 1)
    return ((values & ((1 << bits) - 1)) ^ half) - half


def _plain(dtype: str) -> Callable[[bytes, int], Integers]:
    def unpack(data: bytes, count: int) -> Integers:
        return np.frombuffer(data, dtype, count).astype(np.int64)

    return unpack


def _format_80(data: bytes, count: int) -> Integers:
    return np.frombuffer(data, "u1", count).astype(np.int64) - 128


def _format_24(data: bytes, count: int) -> Integers:
    parts = np.frombuffer(data, "u1", count * 3).reshape(-1, 3).astype(np.int64)
    return _signed(parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16, 24)


def _format_212(data: bytes, count: int) -> Integers:
    """Two samples of 12 bits in three bytes."""
    parts = _padded(data, count, 2, 3).reshape(-1, 3)
    first = parts[:, 0] | (parts[:, 1] & 0x0F) << 8
    second = parts[:, 2] | (parts[:, 1] & 0xF0) << 4
    return _signed(np.stack([first, second], axis=1).reshape(-1)[:count], 12)


def _format_310(data: bytes, count: int) -> Integers:
    """Three samples of 10 bits in two words; the third is split over the tops of both."""
    parts = _padded(data, count, 3, 4).reshape(-1, 4)
    low, high = parts[:, 0] | parts[:, 1] << 8, parts[:, 2] | parts[:, 3] << 8
    third = low >> 11 & 0x1F | (high >> 11 & 0x1F) << 5
    return _signed(np.stack([low >> 1, high >> 1, third], axis=1).reshape(-1)[:count], 10)


def _format_311(data: bytes, count: int) -> Integers:
    """Three samples of 10 bits in one 32-bit word, lowest first."""
    parts = _padded(data, count, 3, 4).reshape(-1, 4)
    word = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16 | parts[:, 3] << 24
    return _signed(np.stack([word, word >> 10, word >> 20], axis=1).reshape(-1)[:count], 10)


def _padded(data: bytes, count: int, samples: int, size: int) -> Integers:
    """The bytes of `count` samples; the last group may be cut behind its last sample."""
    wanted = -(-count // samples) * size
    return np.frombuffer(data[:wanted].ljust(wanted, b"\0"), "u1").astype(np.int64)


UNPACK: Final[dict[int, Callable[[bytes, int], Integers]]] = {
    16: _plain("<i2"),
    24: _format_24,
    32: _plain("<i4"),
    61: _plain(">i2"),
    80: _format_80,
    212: _format_212,
    310: _format_310,
    311: _format_311,
}
BITS: Final = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 212: 12, 310: 10, 311: 10}


def bytes_of(fmt: int, count: int) -> int:
    """How many bytes `count` samples need at least."""
    if fmt == 212:
        return count * 3 // 2 + count % 2
    if fmt in (310, 311):
        # A group may be cut: two bytes hold the first sample, all four the second and third.
        return count // 3 * 4 + (0, 2, 4)[count % 3]
    return count * BITS[fmt] // 8


def missing_mark(fmt: int) -> int:
    """The value that means "nothing was measured": the lowest of the format."""
    return -(1 << (BITS[fmt] - 1))
