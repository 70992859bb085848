"""Numbers that come out the same for the same seed, whatever was asked before.

Nothing here is secret or random in earnest: a ward that is played twice from one seed has to send
the same values, so each number is a function of what it belongs to and not of the order of calls.
"""

from __future__ import annotations

import hashlib
import random
from uuid import UUID

_MASK = (1 << 64) - 1


def number(*parts: str | int) -> int:
    """A number of 64 bits that belongs to these parts."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def stream(*parts: str | int) -> random.Random:
    """A random stream that begins at the same place for the same parts."""
    return random.Random(number(*parts))


def mixed(key: int, step: int) -> float:
    """A number in [-1, 1) for a step of the stream `key`: splitmix64, cheap enough for each value.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    z = (key + (step + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) / (1 << 63) - 1.0


def seeded_uuid7(at_us: int, *parts: str | int) -> UUID:
    """A UUID version 7 of that moment (microseconds) whose random bits belong to the parts."""
    tail = number("uuid7", *parts) << 16 | number("uuid7 tail", *parts) & 0xFFFF
    whole = (at_us // 1000 & (1 << 48) - 1) << 80 | tail
    whole = whole & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=whole & ~(0x3 << 62) | (0x2 << 62))
