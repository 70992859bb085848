"""Pairing of wall screens: a short code on the screen, entered by somebody who may.

The screen keeps a secret and asks with it; the code alone opens nothing. Both live ten minutes.
"""

from __future__ import annotations

import secrets
from typing import Final

from hospital_ops.tokens import token_hash
from streams.pipe import Pipe

CODE_LIFE_S: Final = 600
TOKEN_LIFE_S: Final = 60
CODE_DIGITS: Final = 8  # ten minutes are too short to guess one of a hundred million


class Pairing:
    """Codes of screens that wait, in Redis."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def begin(self) -> tuple[str, str]:
        """(code to show, secret to keep) of a screen that wants to be paired."""
        secret = secrets.token_urlsafe(32)
        while True:
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
            held = token_hash(secret).hex()
            if await self.pipe.call("SET", f"pairing:{code}", held, "NX", "EX", CODE_LIFE_S):
                return code, secret

    async def waits(self, code: str) -> bool:
        """Whether a screen shows this code now."""
        return bool(await self.pipe.call("EXISTS", f"pairing:{code}"))

    async def give(self, code: str, token: str, unit: str) -> None:
        """Hands the session's token to the screen that shows `code`."""
        await self.pipe.call("SET", f"pairing:{code}:given", f"{unit} {token}", "EX", TOKEN_LIFE_S)

    async def take(self, code: str, secret: str) -> tuple[str, str] | None:
        """(unit, token) once they were given, to the screen that holds the secret; only once."""
        held = await self.pipe.call("GET", f"pairing:{code}")
        if held is None or held.decode() != token_hash(secret).hex():
            return None
        given = await self.pipe.call("GETDEL", f"pairing:{code}:given")
        if given is None:
            return None
        await self.pipe.call("DEL", f"pairing:{code}")
        unit, _, token = given.decode().partition(" ")
        return unit, token
