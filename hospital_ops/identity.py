"""Who is who: new ids that sort by time, and derived ids that come out the same every time."""

from __future__ import annotations

import hashlib
import os
import re
import time
from typing import Final
from uuid import UUID, uuid5

_WRITTEN: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as we write one
_HOUSE = UUID("6f0f6d6e-2b4e-5c0a-9d1b-6a1f3c1d7e20")  # namespace of all derived ids


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | (0x7 << 76)
    return UUID(int=number & ~(0x3 << 62) | (0x2 << 62))


def written(text: str) -> str:
    """A UUID as we write it, however its sender does; ValueError where it is none."""
    return text if _WRITTEN.fullmatch(text) else str(UUID(text))


def derived(*parts: str) -> UUID:
    """The same UUID (version 5) for the same parts: doing it again does nothing."""
    return uuid5(_HOUSE, "\x1f".join(parts))


def patient_id(hospital: str, mrn: str) -> str:
    """The patient's id in this house, derived from the hospital's own number."""
    return str(derived("patient", hospital, mrn))


def hospital_order(hospital: str, source: str, placer: str, filler: str) -> str:
    """The id here of an order of the hospital's own system, by its number there.

    The placer's number names it; the filler's only where no placer has given one. It is never that
    of a native order: those are made anew, this one is derived.
    """
    number = ("placer", placer) if placer else ("filler", filler)
    return str(derived("hospital order", hospital, source, *number))


def message_identity(source: str, control_id: str, raw: bytes) -> bytes:
    """sha256 over source, MSH-10 and the bytes: MSH-10 alone is not an identity (SAFETY rule 2)."""
    digest = hashlib.sha256(source.encode())
    digest.update(b"\x1f" + control_id.encode() + b"\x1f")
    digest.update(raw)
    return digest.digest()


def content(encoded: bytes) -> bytes:
    """sha256 of what stands under an id: the same id with another content is quarantined."""
    return hashlib.sha256(encoded).digest()


def event_id(identity: bytes, index: int) -> str:
    """The id of the index-th observation of a message, the same at every re-send."""
    return str(UUID(bytes=_event_stem(identity) + (index & 0xFFFF).to_bytes(2)))


def event_ids(identity: bytes, count: int) -> list[bytes]:
    """The ids of the first `count` observations of a message as `event_id` gives each, as bytes."""
    stem = _event_stem(identity)
    return [stem + (index & 0xFFFF).to_bytes(2) for index in range(count)]


def _event_stem(identity: bytes) -> bytes:
    """A UUID of version 8 (RFC 9562) without its last two bytes, which are the index."""
    stem = bytearray(identity[:14].rjust(14, b"\0"))
    stem[6] = 0x80 | stem[6] & 0x0F
    stem[8] = 0x80 | stem[8] & 0x3F
    return bytes(stem)
