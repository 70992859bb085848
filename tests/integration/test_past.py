"""The time machine over the whole way: what boards showed is stored, found again, and guarded."""

import hashlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, from_datetime, iso
from hospital_ops.database import Connection, Database
from hospital_ops.migrations.keeper import forget_days, keep_partitions
from hospital_ops.servers.valkey import Valkey
from streams.pipe import Pipe
from tests.integration.fast_ward import SOMEBODY, FastWard, code_of, fast_ward
from tests.integration.streams_help import (
    admitted,
    icu_room,
    living,
    observed,
    stored_up_to_the_end,
    storing,
    until,
    went_out,
)
from tests.integration.web_help import BED, OTHER_BED, UNIT, Running, web_process

NOON = from_datetime(
    datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
) - 3600 * (SECOND)


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


def digest(served: bytes) -> str:
    return hashlib.sha256(served).hexdigest()


async def a_while(ward: FastWard, chance: random.Random) -> None:
    """Some minutes of two beds: values that come in time, ring, grow old; one that comes late."""
    second = int(ward.clock.monotonic_s())
    for _ in range(5):
        second += chance.randrange(1, 30)
        pulse, pressure = (float(chance.randrange(30, 200)) for _ in range(2))
        events = [(second, "hr", pulse), (second, "abp_mean", pressure)]
        await ward.happens(second, {chance.choice((BED, OTHER_BED)): events})
    late = second - chance.randrange(5, 60)
    await ward.chart(BED, [(late, "urine", float(chance.randrange(200)))], at=late)


async def test_the_board_of_twenty_past_seconds_is_what_a_screen_was_served_in_them(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    """What was served then, byte by byte, against what the archive makes of those seconds."""
    chance, served = random.Random(5), dict[int, bytes]()
    url = fresh_valkey.url
    async with fast_ward(url, app, None, NOON, {"icu-1": 2}) as ward:
        await ward.admit({BED: SOMEBODY, OTHER_BED: SOMEBODY})
        for boards in (7, 6, 7):
            for _ in range(boards):
                await a_while(ward, chance)
                moment, body = await ward.seen(UNIT)
                served[moment] = body
            # The store reader dies and another goes on: nothing of the past is lost between.
            async with storing(url, writer, shards=(UNIT,), clock=ward.clock):
                await stored_up_to_the_end(ward.pipe, superuser, stream="out")
        # Charted now for a time before the last board: that board stays as it was.
        moment, body = max(served.items())
        known = moment // SECOND - 5
        await ward.chart(OTHER_BED, [(known, "weight", 81.5)], at=known)
        now, seen = await ward.seen(UNIT)
        for _ in range(3):  # a second is told once the two after it are stored
            await ward.settle()
        async with storing(url, writer, shards=(UNIT,), clock=ward.clock):
            await stored_up_to_the_end(ward.pipe, superuser, stream="in")
            await stored_up_to_the_end(ward.pipe, superuser, stream="out")
        weight = code_of("weight").encode()
        assert (weight in body, weight in seen) == (False, True)
        assert len({digest(one) for one in served.values()}) == 20
        assert sum(b'"priority"' in one for one in served.values()) > 10  # alarms are among them
        for at, one in (served | {now: seen}).items():
            then = await ward.get(f"/api/v1/boards/{UNIT}?at={iso(at)}")
            assert digest(then.content) == digest(one), then.text
    assert await superuser.fetchval("select count(*) from dead_letter") == 0


async def test_a_live_ward_keeps_what_it_showed_and_only_its_own_people_see_it(
    pipe: Pipe,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    async with (
        web_process(pipe.url, app) as running,
        living(pipe.url, "one", icu_room),
        storing(pipe.url, writer),
    ):
        feed = running.web.feeds[UNIT]
        now = running.web.clock.now_us
        appender = running.web.appender
        await appender.append(UNIT, admitted("4711", now()))
        await appender.append(UNIT, observed(83.0, now()))

        async def shows() -> bool:
            cell = feed.cells.get(BED)
            return isinstance(cell, BedCell) and "8867-4" in cell.values

        await until(shows, "the value is on the board")
        moment = now()
        await appender.append(UNIT, observed(41.0, now() + 2000))

        async def asked() -> dict[str, Any] | None:
            answer = await _get(running, "h1-nurse", f"/api/v1/boards/{UNIT}?at={iso(moment)}")
            assert answer.status_code in (200, 503)  # 503: that second is not stored yet
            return answer.json() if answer.status_code == 200 else None

        then = await until(asked, "the second is stored")
        (bed,) = [bed for bed in then["beds"] if bed["bed"] == BED]
        assert bed["values"]["8867-4"]["value"] == 83.0
        page = await _get(running, "h1-nurse", f"/icu/{UNIT}/past/frame?at={iso(moment)}&bed={BED}")
        assert "NOT LIVE" in page.text
        assert ">83<" in page.text
        for who in ("h2-nurse", "h1-wall", "h1-emergency"):
            refused = await _get(running, who, f"/api/v1/boards/{UNIT}?at={iso(moment)}")
            assert refused.status_code == 404
        future = await _get(running, "h1-nurse", f"/api/v1/boards/{UNIT}?at={iso(now() + 10**9)}")
        assert future.status_code == 400

        async def audited() -> bool:
            return bool(
                await superuser.fetchval(
                    "select count(*) from audit where action = 'read_past' and actor = 'h1-nurse'"
                )
            )

        await until(audited, "the reading is in the audit")
        wholes = [e for e in await went_out(pipe) if isinstance(e, wire.Changed) and e.whole]
        assert wholes[0].rev == 1


async def test_days_of_boards_that_are_kept_no_longer_go(owner: Database) -> None:
    await keep_partitions(owner, NOON)
    assert await forget_days(owner, NOON, "board_frame", 30) == []
    later = NOON + 33 * 86_400 * SECOND
    gone = await forget_days(owner, later, "board_frame", 30)
    assert len(gone) == 4
    assert all(name.startswith("board_frame_") for name in gone)
    assert await forget_days(owner, later, "board_frame", 30) == []


async def _get(running: Running, who: str, path: str) -> httpx2.Response:
    async with running.client() as client:
        path = path.replace("+", "%2B")
        return await client.get(path, headers=running.bearer(who))
