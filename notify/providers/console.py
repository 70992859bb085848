"""The console: messages go into a file of the data directory and are delivered at once."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from notify.providers.base import DELIVERED, REFUSED, Outcome, Outgoing


class Console:
    """Writes one JSON line a message; shows the last two digits of the number only."""

    name = "console"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sms-console.jsonl"

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Appends the message; a disk that does not take it refuses it."""
        line = {"message": outgoing.message, "to": outgoing.to[-2:], "words": outgoing.words}
        try:
            await asyncio.to_thread(self._append, json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            return Outcome(REFUSED, code=type(error).__name__)
        return Outcome(DELIVERED, provider_id=outgoing.attempt)

    async def find(self, outgoing: Outgoing, since_us: int) -> Outcome | None:
        """Whether the message stands in the file."""
        try:
            text = await asyncio.to_thread(self.path.read_text, "utf-8")
        except OSError:
            return None
        found = any(json.loads(line)["message"] == outgoing.message for line in text.splitlines())
        return Outcome(DELIVERED, provider_id=outgoing.attempt) if found else None

    async def close(self) -> None:
        """Nothing is open."""

    def _append(self, line: str) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line)
