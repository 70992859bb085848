"""A seeded ward with a virtual clock: courses that leave their limits, over a line that fails.

Messages are dropped, repeated, delayed and so reordered; a line may be cut for half a minute.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

SECOND = 1_000_000
START = 1_772_359_200 * SECOND
# Code: what is usual, how it wavers, and where an excursion goes.
CODES = {
    "8867-4": (85.0, 4.0, (35.0, 45.0, 130.0, 150.0, 0.0)),
    "8889-8": (85.0, 4.0, (40.0, 135.0)),
    "59408-5": (96.0, 1.2, (88.0, 85.0, 76.0)),
    "9279-1": (16.0, 2.0, (0.0, 6.0, 34.0)),
    "76214-6": (82.0, 4.0, (55.0, 45.0, 118.0)),
    "76215-3": (118.0, 5.0, (85.0, 170.0)),
    "19891-1": (38.0, 2.0, (22.0, 60.0)),
}
CUFF = {"8480-6": (119.0, 12.0), "8478-0": (78.0, 10.0)}
CUFF_EVERY_S = 150
TEMPERATURE = "8310-5"


class Message(NamedTuple):
    """What one device sends at once."""

    moment: int  # arrival at the unit
    at: int
    bed: int
    values: tuple[tuple[str, float, bool], ...]  # code, value, valid


@dataclass
class Excursion:
    """A time in which a value is elsewhere."""

    until: int
    goal: float


def messages(seed: int, beds: int, seconds: int) -> list[Message]:
    """All messages in the order in which they arrive."""
    chance = random.Random(seed)
    arrived = [message for bed in range(beds) for message in _bed(chance, bed, seconds)]
    return sorted(arrived, key=lambda message: (message.moment, message.bed, message.at))


def _bed(chance: random.Random, bed: int, seconds: int) -> Iterator[Message]:
    away: dict[str, Excursion] = {}
    missing: dict[str, int] = {}
    cut_until = 0
    for second in range(seconds):
        at = START + second * SECOND
        if chance.random() < 1 / 900:
            cut_until = at + chance.randint(10, 40) * SECOND
        values = tuple(_values(chance, bed, second, at, away, missing))
        if at < cut_until or chance.random() < 0.02 or not values:
            continue
        for _ in range(2 if chance.random() < 0.02 else 1):
            yield Message(at + _delay(chance), at, bed, values)


def _values(
    chance: random.Random, bed: int, second: int, at: int,
    away: dict[str, Excursion], missing: dict[str, int],
) -> Iterator[tuple[str, float, bool]]:  # fmt: skip
    for code, (usual, wavers, goals) in CODES.items():
        if chance.random() < 1 / 400:
            away[code] = Excursion(at + chance.randint(1, 70) * SECOND, chance.choice(goals))
        if chance.random() < 1 / 1500:
            missing[code] = at + chance.randint(5, 60) * SECOND
        if missing.get(code, 0) > at:
            continue
        excursion = away.get(code)
        goal = excursion.goal if excursion and excursion.until > at else usual
        wavering = 0.0 if goal == 0 else chance.gauss(0, wavers)
        yield code, round(max(0.0, goal + wavering), 1), chance.random() > 0.01
    if second % CUFF_EVERY_S == bed:
        for code, (usual, wavers) in CUFF.items():
            yield code, round(usual + chance.gauss(0, wavers * 2), 1), True
    if second % 10 == 3:
        yield TEMPERATURE, round(chance.gauss(38.8 if second % 2000 > 1000 else 37.0, 0.2), 1), True


def _delay(chance: random.Random) -> int:
    """Mostly some hundredths of a second, sometimes many seconds: then order is lost."""
    seconds = chance.uniform(0.01, 0.2) if chance.random() < 0.97 else chance.uniform(1, 20)
    return round(seconds * 1000) * 1000
