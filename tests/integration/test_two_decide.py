"""Two physicians decide a case at the same moment: one wins, the other is told what holds."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any
from uuid import uuid4

from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.database import Connection, Database
from hospital_ops.errors import Conflict
from tests.integration.two_hospitals import NOW
from triage import store
from triage.decision import WantedDecision

RACES = 1000 if os.environ.get("HOSPITAL_OPS_LONG") else 60
AT_ONCE = 4  # races; each has two who decide
UNIT, SEED = "h1-ed", 20_261_122


def physician(name: str) -> Principal:
    return Principal(
        actor=name, role=Role.ED_PHYSICIAN, hospital="h1", units=ALL_UNITS, key=f"key of {name}"
    )


async def race(app: Database, chance: random.Random, number: int) -> None:
    """Two decide within ten milliseconds on top of what both have seen; twice, for the next too."""
    case = str(uuid4())

    async def decided(name: str, colour: str, version: int, after_s: float) -> tuple[bool, Any]:
        """Whether it was saved, and what holds."""
        await asyncio.sleep(after_s)
        wanted = WantedDecision(colour=colour, version=version, proposed="yellow", reason="seen")
        try:
            return True, await store.decide(app, physician(name), UNIT, case, wanted, NOW + number)
        except Conflict as conflict:
            return False, conflict.current

    for version in range(2):
        (first, holds), (second, also) = await asyncio.gather(
            decided("ed.one", "red", version, chance.uniform(0, 0.01)),
            decided("ed.two", "green", version, chance.uniform(0, 0.01)),
        )
        assert (first, second) in ((True, False), (False, True))
        assert holds == also, "the loser sees who decided, and what"
        winner = ("ed.one", "red") if first else ("ed.two", "green")
        assert (holds["by"], holds["colour"], holds["version"]) == (*winner, version + 1)


async def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(
    app: Database, superuser: Connection, two_hospitals: None
) -> None:
    chance = random.Random(SEED)
    for first in range(0, RACES, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, RACES))
        await asyncio.gather(*(race(app, chance, number) for number in numbers))
    rows = await superuser.fetchrow(
        "select count(*) as decisions, count(distinct (case_id, version)) as numbers,"
        " (select count(*) from outbox) as told from triage_decision"
    )
    assert rows is not None
    assert (rows["decisions"], rows["numbers"], rows["told"]) == (2 * RACES,) * 3
