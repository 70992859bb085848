"""The Huffman table that SCP-ECG itself defines (EN 1064, section 2 with table 19999)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LITERAL_8, _LITERAL_16 = 8, 16
# After n ones and a zero: 0 for n = 0, else the value n+1//2 with its sign in the next bit; ten
# bits of ones (the last tells which) lead to a value written out in 8 or 16 bits.
_ONES_OF_LITERAL: Final = 9


def unpack(data: bytes, count: int) -> NDArray[np.int64]:
    """Up to `count` values; fewer when the bits end before."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).tolist()
    values: list[int] = []
    at, end = 0, len(bits)
    while len(values) < count and at < end:
        ones = 0
        while ones < _ONES_OF_LITERAL and at < end and bits[at]:
            ones += 1
            at += 1
        if ones == _ONES_OF_LITERAL:
            if at >= end:
                break
            width = _LITERAL_16 if bits[at] else _LITERAL_8
            at += 1
            if at + width > end:
                break
            values.append(_signed(bits[at : at + width]))
            at += width
            continue
        at += 1  # the zero that ends the ones
        if not ones:
            values.append(0)
        elif at < end:
            values.append(-ones if bits[at] else ones)
            at += 1
    return np.array(values, dtype=np.int64)


def _signed(bits: list[int]) -> int:
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value - (1 << len(bits)) if bits[0] else value
