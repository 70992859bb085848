"""Pairing of crews' tablets: a long code as a picture or in letters, once, for ten minutes.

The code is 60 random bits, so nobody guesses one; the token is made when it is handed in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from hospital_ops import wire
from hospital_ops.tokens import token_hash
from streams.pipe import Pipe

CODE_LIFE_S: Final = 600
# Letters and digits that nobody mistakes for another (Crockford's base 32).
LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
_ALIKE: Final = str.maketrans("OIL", "011", " -")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A tablet that may be paired: which, where, and who allowed it."""

    device: str
    hospital: str
    by: str


class TabletPairing:
    """Codes that wait to be handed in, in Redis, under their hash."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def begin(self, waiting: Waiting) -> str:
        """A new code for a device, `K7QM-2R9X-WDT4`."""
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        row = wire.to_json([waiting.device, waiting.hospital, waiting.by])
        await self.pipe.call("SET", _key(code), row, "EX", CODE_LIFE_S)
        return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))

    async def take(self, typed: str) -> Waiting | None:
        """Whom the code was made for, once."""
        code = typed.upper().translate(_ALIKE)
        row = await self.pipe.call("GETDEL", _key(code)) if len(code) == LENGTH else None
        return Waiting(*wire.from_json(row)) if row else None


def _key(code: str) -> str:
    return f"pairing:tablet:{token_hash(code).hex()}"
