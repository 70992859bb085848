"""Mappings on the way in, and what came without one: counted here, shown to administrators."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from hospital_ops import log, wire
from hospital_ops.clock import Clock
from hospital_ops.codebook.rules import understood
from hospital_ops.deciding import PROBE_BED
from hospital_ops.wire import Observation
from streams.pipe import ReplyError
from streams.projections import Places, Projections
from streams.unmapped import Seen, Sender

FLUSH_S: Final = 2.0
MOST: Final = 500  # codes that wait to be told; a ward's unknown ones are some dozens
EXAMPLE: Final = 60  # characters

logger = log.get("codes")


class Codebooks:
    """Reads messages by the hospital's mappings, and remembers what had none."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self.places, self.clock = places, clock
        self._seen: dict[Sender, Seen] = {}

    def read(self, hospital: str, message: wire.Observed) -> wire.Observed:
        """The message under our codes as far as they are known."""
        if message.bed == PROBE_BED or all(map(understood, message.observations)):
            return message
        device = self.places.device(hospital, message.device)
        model = device.model if device else ""
        book = self.places.codebooks.get(hospital)
        read = book.read(message, model) if book else message
        for row in read.observations:
            if not understood(row) and row.origin != "setting":
                self._note(hospital, message.source, model, row)
        return read

    def _note(self, hospital: str, source: str, model: str, row: Observation) -> None:
        sender = Sender(hospital, source, model, row.code, row.unit)
        known = self._seen.get(sender)
        if known is None and len(self._seen) >= MOST:
            return
        times = known.times + 1 if known else 1
        value = row.value if row.sent is None else row.sent
        example = "" if value is None else str(value)[:EXAMPLE]
        self._seen[sender] = Seen(times, row.text, example, self.clock.now_us())

    def taken(self) -> Mapping[Sender, Seen]:
        """What was seen since the last call."""
        seen, self._seen = self._seen, {}
        return seen

    async def run(self, projections: Projections) -> None:
        """Tells what was seen, again and again; while Redis is away it is counted on."""
        while True:
            await asyncio.sleep(FLUSH_S)
            seen = self.taken()
            try:
                for sender, what in seen.items():
                    await projections.note_unmapped(sender, what)
            except (OSError, ReplyError) as error:
                logger.warning("not_told", error=type(error).__name__)
