"""Twice never, forbidden never: crashes between any two steps, and races with those who forbid.

The full counts run with HOSPITAL_OPS_LONG=1: 10,000 races instead of 500.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND
from hospital_ops.database import Connection, Database, DatabaseGone
from notify.contacts import store as contacts
from notify.desk import store as desk
from notify.patients import store as patients
from notify.providers.base import AGAIN, REFUSED, TAKEN, UNKNOWN, Outcome, Outgoing
from notify.providers.choose import Providers
from notify.sender import Sender
from notify.settling import store as settling
from tests.integration import relatives
from tests.integration.relatives import DOCTOR, KEYS, Ward

BED = "h1-icu-1-01"
RACES = 10_000 if os.environ.get("HOSPITAL_OPS_LONG") else 500
ACTS = ("death", "discharge by the archive", "withdrawal", "number change", "stop")


@pytest.fixture
async def ward(database_url: str, app: Database, two_hospitals: None) -> AsyncIterator[Ward]:
    async for one in relatives.ward(database_url, app):
        yield one


class Killed(BaseException):
    """The process is gone at this line."""


async def again(ward: Ward, state: str = "due") -> None:
    """The same message as on a new day, so that one patient serves many trials."""
    await ward.superuser.execute("set session_replication_role = replica")
    await ward.superuser.execute("delete from relative_step")
    await ward.superuser.execute("delete from relative_stop")
    await ward.superuser.execute(
        "update relative_message set state = $1, attempt = null, provider_id = '', reasons = '{}',"
        " not_before = null, lease_until = null, attempts = 0",
        state,
    )
    await ward.superuser.execute(
        "update contact set withdrawn_at = null, withdrawn_why = '', number_index ="
        " (select number_index from relative_message limit 1)"
    )
    await ward.superuser.execute("update stay set ended_at = null, end_reason = ''")
    await ward.superuser.execute("set session_replication_role = origin")
    await ward.archive_is_fresh()
    ward.provider.taken.clear()


async def forbid(ward: Ward, act: str) -> None:
    """One of those who forbid, in a transaction of its own."""
    now = ward.clock.now_us()
    if act == "discharge by the archive":
        await ward.event("A03", BED, hours_ago=0)
        return
    async with ward.app.transaction(DOCTOR) as connection:
        whose = await patients.open_stay_of_bed(connection, BED)
        (contact,) = await contacts.of_stay(connection, whose.stay)
        if act == "death":
            await connection.execute("select stay_end($1, now(), 'death')", whose.stay)
        elif act == "withdrawal":
            await contacts.withdraw(connection, DOCTOR, contact.contact, "asked", now)
        elif act == "number change":
            await connection.execute("select from stay where stay = $1 for no key update",
                                     whose.stay)  # fmt: skip
            await connection.execute("update contact set number_index = 'another'")
        else:
            await desk.stop(connection, DOCTOR, relatives.UNIT, relatives.UNIT, "test", now)


@pytest.mark.parametrize("act", ACTS)
async def test_whoever_forbids_first_is_obeyed(ward: Ward, act: str) -> None:
    """At the moment the provider is asked, the claim was committed before the forbidding was."""
    await ward.ready(BED)
    chance = random.Random(act)
    outcomes: Counter[str] = Counter()
    for _ in range(RACES // len(ACTS)):
        await again(ward)
        pause = chance.uniform(0, 0.006)

        async def later(pause: float = pause) -> None:
            await asyncio.sleep(pause)
            await forbid(ward, act)

        await asyncio.gather(ward.sender.step("h1"), later())
        asked = len(ward.provider.taken)
        assert asked <= 1
        (state,) = await ward.states()
        outcomes[state] += 1
        # Sent means claimed; everything else that forbids leaves the provider unasked.
        assert (state == "sent") == (asked == 1), (state, asked)
        await ward.sender.step("h1")
        assert len(ward.provider.taken) == asked
    assert sum(outcomes.values()) == RACES // len(ACTS)


@pytest.mark.parametrize("answer", [TAKEN, UNKNOWN, AGAIN, REFUSED])
async def test_a_sender_killed_at_any_await_sends_nothing_twice(ward: Ward, answer: str) -> None:
    """Killed at its first await, at its second, ... until it lives through the whole step."""
    await ward.ready(BED)
    survivor, ends = ward.sender, Counter[str]()
    for breaths in range(100):
        ward.clock.advance(relatives.MORNING / SECOND - ward.clock.now_us() / SECOND)
        await again(ward)
        life = Mortal(breaths, answer, ward)
        dying = Sender(life, KEYS, Providers(life, life), ward.clock)  # type: ignore[arg-type]
        with suppress(Killed):
            await dying.step("h1")
        for _ in range(4):
            ward.clock.advance(61)
            await ward.archive_is_fresh()
            await ward.planner.tidy()
            await survivor.step("h1")
        (state,) = await ward.states()
        assert life.accepted + len(ward.provider.taken) <= 1, life.reached
        # What a dead sender may have handed over is for the provider's list or a person.
        told = {TAKEN: "sent", UNKNOWN: "unknown", REFUSED: "failed", AGAIN: "sent"}
        commits = life.reached.count("commit")  # of the list, of the claim, of the answer
        assert state == ("sent", "sent", "unknown", told[answer])[commits], life.reached
        ends[state] += 1
        if life.left >= 0:
            break
    assert life.reached == POINTS
    assert ends["unknown"] >= 6


# Every await of one step: the list of what is due, the claim, the provider, the answer's commit.
POINTS = [
    "begin", "fetch", "commit", "committed",
    "begin", "fetch", "fetch", "fetch", "fetchrow", "execute", "commit", "committed",
    "asked", "taken",
    "begin", "fetchval", "commit", "committed",
]  # fmt: skip


class Mortal:
    """The database and the provider of a sender that has so many awaits to live."""

    name = "mortal"

    def __init__(self, breaths: int, answer: str, ward: Ward) -> None:
        self.left, self.answer, self.ward = breaths, answer, ward
        self.reached: list[str] = []
        self.accepted = 0

    def _breathe(self, at: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed
        self.reached.append(at)

    @asynccontextmanager
    async def transaction(self, scope: Any = None) -> AsyncIterator[Any]:
        self._breathe("begin")
        async with self.ward.app.transaction(scope) as connection:
            yield Line(connection, self._breathe)
            self._breathe("commit")
        self._breathe("committed")

    async def retrying(self, work: Callable[[Any], Awaitable[Any]], scope: Any = None) -> Any:
        async with self.transaction(scope) as connection:
            return await work(connection)

    async def send(self, outgoing: Outgoing) -> Outcome:
        self._breathe("asked")
        self.accepted += self.answer in (TAKEN, UNKNOWN)
        self._breathe("taken")
        return Outcome(self.answer, provider_id="SM1" if self.answer == TAKEN else "")


class Line:
    """A connection on which the sender may be killed before each statement."""

    def __init__(self, connection: Connection, breathe: Callable[[str], None]) -> None:
        self._connection, self._breathe = connection, breathe

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*given: Any) -> Any:
            self._breathe(name)
            return await getattr(self._connection, name)(*given)

        return ask


async def test_a_commit_that_nobody_heard_of_sends_nothing_twice(ward: Ward) -> None:
    """The line to PostgreSQL breaks while the claim is being committed."""
    await ward.ready(BED)
    pool = ward.app
    lost: list[bool] = []

    async def break_line(work: Callable[[Connection], Awaitable[Any]], scope: Any = None) -> Any:
        await Database.retrying(pool, work, scope)
        lost.append(True)
        raise DatabaseGone("the line broke")

    ward.sender.database = type("Cut", (), {
        "transaction": pool.transaction, "retrying": staticmethod(break_line)})()  # fmt: skip
    with pytest.raises(DatabaseGone):
        await ward.sender.step("h1")
    ward.sender.database = pool
    ward.clock.advance(61)
    await ward.archive_is_fresh()
    await ward.planner.tidy()
    await ward.send_all()
    assert lost == [True]
    assert (await ward.states(), ward.provider.taken) == (["unknown"], [])


ACTIONS = ("plan", "step", "tidy", "minute", "hour", "confirm", "crash", "red", "calm", "callback",
           "withdraw", "release", "day")  # fmt: skip


@settings(
    max_examples=200 if os.environ.get("HOSPITAL_OPS_LONG") else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), min_size=8, max_size=30),
    answers=st.lists(st.sampled_from([TAKEN, UNKNOWN, AGAIN, REFUSED]), max_size=6),
)
async def test_no_order_of_events_and_crashes_sends_twice_or_what_is_forbidden(
    ward: Ward, actions: list[str], answers: list[str]
) -> None:
    if not await ward.superuser.fetchval("select count(*) from relative_message"):
        await ward.ready(BED)
    ward.clock.advance(relatives.MORNING // 1_000_000 - ward.clock.now_us() / 1_000_000)
    await ward.superuser.execute("delete from alert_event")
    await again(ward)
    life = Life(ward, [Outcome(kind, code=kind) for kind in answers])
    for action in actions:
        await life.do(action)
        await life.promises()


class Life:
    """One patient's message through any order of events."""

    def __init__(self, ward: Ward, answers: list[Outcome]) -> None:
        self.ward = ward
        ward.provider.answers = answers
        self.settled: dict[tuple[str, str], set[str]] = {}

    async def do(self, action: str) -> None:
        ward = self.ward
        if action == "plan":
            await ward.planner.plan()
        elif action == "step":
            await ward.archive_is_fresh()
            await ward.sender.step("h1")
        elif action == "crash":
            await ward.archive_is_fresh()
            await ward.sender._claim("h1")
        elif action == "tidy":
            await ward.planner.tidy()
        elif action in ("minute", "hour", "day"):
            ward.clock.advance({"minute": 61, "hour": 3600, "day": 86_400}[action])
        elif action in ("red", "calm"):
            await ward.superuser.execute("delete from alert_event")
            if action == "red":
                await ward.red_alarm("active")
        else:
            await self._person(action)

    async def _person(self, action: str) -> None:
        ward, now = self.ward, self.ward.clock.now_us()
        rows = await ward.todays()
        async with ward.app.transaction(DOCTOR) as connection:
            for row in rows:
                message = str(row["message"])
                if action == "callback" and row["attempt"]:
                    await settling.told(
                        connection, message, str(row["attempt"]), "SM1", "delivered", "", now
                    )
                elif action == "withdraw":
                    await contacts.withdraw(connection, DOCTOR, str(row["contact"]), "asked", now)
                elif action == "release" and row["state"] == "held":
                    await desk.call_made(connection, DOCTOR, message, "told", now, send=True)
            held = any(row["state"] == "held" for row in rows)
            if action == "confirm" and held:
                whose = await patients.open_stay_of_bed(connection, BED)
                await self._confirm(connection, whose, now)

    async def _confirm(self, connection: Connection, whose: patients.Stay, now: int) -> None:
        waiting = await connection.fetchval(
            "select count(*) from relative_message where state = 'held' and kind = 'daily'"
            " and closes_at > to_timestamp($1)",
            now / 1_000_000,
        )
        if waiting:
            await desk.confirm(connection, DOCTOR, whose, now, severity="serious",
                               course="unchanged")  # fmt: skip

    async def promises(self) -> None:
        """Per message: one attempt at a time, and no second after the provider may have it."""
        taken = Counter(one.message for one in self.ward.provider.taken)
        rows = await self.ward.superuser.fetch(
            "select message, array_agg(to_state order by number) as way from relative_step"
            " group by message"
        )
        for row in rows:
            way = list(row["way"])
            again_after = way.count("due") - 1
            assert taken[str(row["message"])] <= way.count("sending")
            assert way.count("sending") <= max(1, again_after + 1)
            for final in ("unknown", "sent", "delivered", "failed", "cancelled", "expired"):
                if final in way:
                    assert "sending" not in way[way.index(final) :], way
