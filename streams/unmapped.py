"""What is known of a code that came without a mapping."""

from __future__ import annotations

from typing import NamedTuple


class Sender(NamedTuple):
    """Whose code it is, and the code."""

    hospital: str
    source: str
    model: str
    code: str
    unit: str


class Seen(NamedTuple):
    """What was seen of an unmapped code since the last flush."""

    times: int
    text: str
    example: str
    at: int
