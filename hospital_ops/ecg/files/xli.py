"""Philips' XLI packing of curves: LZW of ten bits, high and low bytes apart, second differences.

The form is described by the open sierra-ecg-tools. One chunk is one lead: its length (32 bits), a
mark (16 bits), the first difference (16 bits), then the packed bytes. Pure.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hospital_ops.ecg.files.recording import MOST_LEADS, check_count

_HEAD: Final = struct.Struct("<iHh")
_BITS: Final = 10
_LAST_CODE: Final = (1 << _BITS) - 2
_MOST_BYTES_OF_A_LEAD: Final = 2 * 1_000_000
_ZERO: Final = 64  # what a difference of nothing is written as


def unpack(data: bytes) -> list[NDArray[np.int64]]:
    """The samples of each chunk. ValueError where it is no XLI, or cut."""
    leads: list[NDArray[np.int64]] = []
    at = 0
    while at + _HEAD.size <= len(data):
        length, _, first = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if not 0 < length <= len(data) - at or len(leads) >= MOST_LEADS:
            raise ValueError("a chunk lies outside the data")
        leads.append(_summed(_paired(_decompressed(data[at : at + length])), first))
        at += length
    check_count(sum(len(lead) for lead in leads))
    return leads


def whole_limb_leads(leads: dict[str, NDArray[np.int64]]) -> None:
    """Puts III, aVR, aVL and aVF back, of which only the rest beside I and II is stored."""
    if not {"I", "II", "III", "aVR", "aVL", "aVF"} <= leads.keys():
        return
    one, two = leads["I"], leads["II"]
    three = leads["III"] = two - one - leads["III"]
    leads["aVR"] = -leads["aVR"] - _half(one + two)
    leads["aVL"] = _half(one - three) - leads["aVL"]
    leads["aVF"] = _half(two + three) - leads["aVF"]


def _half(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.trunc(values / 2).astype(np.int64)


def _decompressed(data: bytes) -> bytes:
    """LZW with codes of ten bits, most significant first; the table fills once and stays."""
    known: list[bytes] = [bytes([byte]) for byte in range(256)]
    out = bytearray()
    before, held, bits = b"", 0, 0
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        if bits < _BITS:
            continue
        bits -= _BITS
        code, held = held >> bits, held & ((1 << bits) - 1)
        if code > _LAST_CODE:
            break
        if code < len(known):
            piece = known[code]
        elif before and code == len(known):
            piece = before + before[:1]
        else:
            raise ValueError("a code that was never made")
        if before and len(known) <= _LAST_CODE:
            known.append(before + piece[:1])
        out += piece
        if len(out) > _MOST_BYTES_OF_A_LEAD:
            raise ValueError("a lead without end")
        before = piece
    return bytes(out)


def _paired(data: bytes) -> NDArray[np.int64]:
    """The high bytes come first, then all the low ones."""
    numbers = np.frombuffer(data + b"\0" * (len(data) % 2), np.uint8).astype(np.int64)
    count = len(numbers) // 2
    return ((numbers[:count] << 8 | numbers[count:]) ^ 0x8000) - 0x8000


def _summed(values: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    if len(values) < 2:
        raise ValueError("a lead of one sample")
    numbers = values.tolist()
    before, now, last = numbers[0], numbers[1], first
    for k in range(2, len(numbers)):
        following = 2 * now - before - last
        last = numbers[k] - _ZERO
        numbers[k] = (following + 0x8000 & 0xFFFF) - 0x8000
        before, now = now, numbers[k]
    return np.array(numbers, dtype=np.int64)
