"""How much one message may bring (SAFETY.md section 3): more is refused, and kept."""

from __future__ import annotations

from typing import Final

from hospital_ops.errors import MessageError

MAX_OBX: Final = 2000  # each of the values of one OBX counts
SEGMENTS_MAX: Final = 10_000  # a laboratory sends five for each of its 2,000 values
TOO_MANY: Final = "too_many"


def within(what: str, number: int, most: int) -> None:
    """MessageError where one message holds more of something than a message may."""
    if number > most:
        reason = f"{number} {what} in one message, at most {most}: send several messages"
        raise MessageError(TOO_MANY, reason)
