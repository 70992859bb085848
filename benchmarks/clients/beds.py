"""A ward of monitors: each bed ten numerics a second and five waves at 250 Hz in two pieces.

Settings: redis, units ({unit: beds}), seconds, waves (bool), least (bool: the limit's bytes in the
limit's streams), optional `mllp` (a port: the numerics come as ORU^R01, over fifty connections),
optional `slow_hearts` (from, to: the hearts of these beds, counted over all, beat at 35 once, at an
even rate). The beds are spread evenly over the second. Every message carries its moment:
`determined_at` in whole milliseconds and the rest in the temperature, for the viewers.
Answers `{"sent", "pieces", "late_ms"}`; the entries go in by the appender, as a gateway's do.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections import Counter, defaultdict
from time import perf_counter, time_ns
from typing import Any, Final, cast

from benchmarks.limits.raw import Raw, pack
from benchmarks.messages import numerics, oru, waves
from benchmarks.program import answer, main, ready, told
from benchmarks.stage import bed_of
from hospital_ops import wire
from streams.append import Appender
from streams.pipe import Pipe

PIECES: Final = 2  # a second
LINES: Final = 50
SLOW: Final = 35.0  # a heart rate below every limit of a grown-up
TICK_S: Final = 0.01
PART: Final = 512  # commands of the limit in one write
VITALS: Final = struct.Struct("<Hq10f")  # bed, microseconds, values
PIECE: Final = struct.Struct("<HqHH")  # bed, microseconds, rate, waves; then the samples
ANSWERED_WITHIN_S: Final = 30.0

Event = tuple[float, str, int]  # moment within the second, unit, bed


class House:
    """Sends what the product's gateways would append."""

    def __init__(self, redis: str, slow: dict[tuple[str, int], int]) -> None:
        self.appender = Appender(Pipe(redis, timeout_s=30.0))
        self.slow = slow  # the second in which a bed's heart is slow

    async def send(self, vitals: list[Event], pieces: list[Event], second: int) -> None:
        """All that is due, a unit's in one append."""
        now = time_ns() // 1000
        into: dict[tuple[str, str], list[tuple[wire.Entry, bytes]]] = defaultdict(list)
        again: Counter[tuple[str, int]] = Counter()
        for _, unit, bed in vitals:
            # A ward that is late sends two messages of a bed at once: each has its own moment.
            moment = now + 1000 * again[unit, bed]
            again[unit, bed] += 1
            heart = 0.0
            if self.slow.get((unit, bed), second + 1) <= second:
                del self.slow[unit, bed]
                heart = SLOW
            entry = numerics(unit, bed_of(unit, bed), moment, second, stamped=True, heart=heart)
            into[unit, "in"].append((entry, b""))
        for _, unit, bed in pieces:
            curves = wire.together(waves(unit, bed_of(unit, bed), now, second))
            into[unit, "waves"] += [(entry, b"") for entry in curves]
        await asyncio.gather(
            *(
                self.appender.append_many(unit, items, stream)
                for (unit, stream), items in into.items()
            )
        )


class Monitors(House):
    """As above, but the numerics come over MLLP, as from gateways with twenty monitors each."""

    def __init__(self, redis: str, lines: list[Line]) -> None:
        super().__init__(redis, {})
        self.lines, self.number = lines, 0

    async def send(self, vitals: list[Event], pieces: list[Event], second: int) -> None:
        """Writes the messages; their acknowledgements come when they are stored."""
        for _, unit, bed in vitals:
            self.number += 1
            line = self.lines[self.number % len(self.lines)]
            line.send(oru(unit, bed_of(unit, bed), self.number, values=10))
        await super().send([], pieces, second)

    async def answered(self) -> int:
        """Waits until every message was taken; answers how many were."""
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            await asyncio.gather(*(line.idle.wait() for line in self.lines))
        return sum(line.taken for line in self.lines)


class Line(asyncio.Protocol):
    """One connection; messages may be under way."""

    def __init__(self) -> None:
        self.sent, self.taken, self.rest = 0, 0, b""
        self.idle = asyncio.Event()
        self.idle.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, text: str) -> None:
        """A framed message."""
        self.sent += 1
        self.idle.clear()
        self.transport.write(b"\x0b" + text.encode() + b"\x1c\r")

    def data_received(self, data: bytes) -> None:
        """Counts what was taken."""
        *whole, self.rest = (self.rest + data).split(b"\x1c\r")
        self.taken += sum(b"MSA|CA|" in answer or b"MSA|AA|" in answer for answer in whole)
        if self.taken == self.sent:
            self.idle.set()


async def connected(port: int) -> list[Line]:
    """As many connections as a source may have, and some to spare (SAFETY.md)."""
    loop = asyncio.get_running_loop()
    opening = (loop.create_connection(Line, "127.0.0.1", port) for _ in range(LINES))
    return [line for _, line in await asyncio.gather(*opening)]


class Least:
    """Sends the limit's bytes."""

    def __init__(self, raw: Raw, units: list[str]) -> None:
        self.raw, self.number = raw, {unit: index for index, unit in enumerate(units)}
        self.samples = os.urandom(2500 // PIECES)

    async def send(self, vitals: list[Event], pieces: list[Event], second: int) -> None:
        """All that is due, in parts."""
        now = time_ns() // 1000
        values = [80.0 + second % 7 + index for index in range(10)]
        packed = []
        for _, unit, bed in vitals:
            payload = VITALS.pack(self.number[unit] * 50 + bed, now, *values)
            packed.append(pack(b"XADD", b"v", b"MAXLEN", b"~", b"50000", b"*", b"d", payload))
        for _, unit, bed in pieces:
            payload = PIECE.pack(self.number[unit] * 50 + bed, now, 250, 5) + self.samples
            packed.append(pack(b"XADD", b"w", b"MAXLEN", b"~", b"50000", b"*", b"d", payload))
        for start in range(0, len(packed), PART):
            part = packed[start : start + PART]
            await self.raw.ask(b"".join(part), len(part))


async def run(given: dict[str, Any]) -> None:
    """Plays the ward for `seconds`."""
    units: dict[str, int] = given["units"]
    beds = [(unit, number) for unit, count in units.items() for number in range(1, count + 1)]
    # Beds next to each other in time belong to different units, as in a house.
    beds.sort(key=lambda bed: (bed[1], bed[0]))
    sender: House | Least
    if given["least"]:
        sender = Least(await Raw.open(given["redis"]), list(units))
    elif given.get("mllp"):
        sender = Monitors(given["redis"], await connected(given["mllp"]))
    else:
        first, last = given.get("slow_hearts", (0, 0))
        whole = max(1, int(given["seconds"]) - 1)
        sender = House(given["redis"], {bed: n % whole for n, bed in enumerate(beds[first:last])})
    vitals = [(index / len(beds), *bed) for index, bed in enumerate(beds)]
    pieces = sorted(
        ((index / len(beds) + part / PIECES) % 1, *bed)
        for index, bed in enumerate(beds)
        for part in range(PIECES if given["waves"] else 0)
    )
    ready()
    await told()
    begun, late, done = perf_counter(), 0.0, 0.0
    sent = sent_pieces = 0
    while done < given["seconds"]:
        now = min(perf_counter() - begun, given["seconds"])
        due, due_pieces = _due(vitals, done, now), _due(pieces, done, now)
        await sender.send(due, due_pieces, int(now))
        sent, sent_pieces, done = sent + len(due), sent_pieces + len(due_pieces), now
        took = perf_counter() - begun - now
        late = max(late, took)
        await asyncio.sleep(max(0.001, TICK_S - took))
    if isinstance(sender, Monitors):
        assert await sender.answered() == sent
    answer(sent=sent, pieces=sent_pieces, late_ms=round(late * 1e3))


def _due(events: list[Event], after: float, until: float) -> list[Event]:
    """Events of a second that repeats, with after <= moment < until."""
    found = []
    for second in range(int(after), int(until) + 1):
        found += [event for event in events if after <= second + event[0] < until]
    return found


if __name__ == "__main__":
    main(run)
