"""The time machine over the whole way: what boards showed is stored, found again, and guarded."""

import hashlib
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.board import HEAD, BedCell, Head, Shown
from hospital_ops.clock import SECOND, ManualClock, from_datetime, iso
from hospital_ops.database import Connection, Database
from hospital_ops.migrations.keeper import forget_days, keep_partitions
from hospital_ops.servers.valkey import Valkey
from streams.pipe import Pipe
from streams.shard import keys, seen_at
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
from web.boards import IcuBoard

NOON = from_datetime(
    datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
) - 3600 * (SECOND)


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


def digest(snapshot: Mapping[str, Any]) -> str:
    return hashlib.sha256(wire.to_json(snapshot)).hexdigest()


def course(seed: int) -> list[tuple[str, wire.Changed]]:
    """Forty minutes of two beds, with a whole board now and then."""
    chance, shown, entries, moment = random.Random(seed), dict[str, bytes](), [], NOON
    for rev in range(1, 801):
        moment += chance.randrange(1, 6) * SECOND
        cells = {HEAD: wire.encode(Head(UNIT, probe_at=moment))}
        bed = chance.choice((BED, OTHER_BED))
        value = float(chance.randrange(30, 200))
        pulse = Shown(
            value, "/min", moment, "continuous", moment + 5 * SECOND, moment + 15 * SECOND
        )
        cell = BedCell(bed=bed, label=bed[-1], patient=None, values={"8867-4": pulse})
        cells[bed] = wire.encode(cell)
        whole = rev == 1 or rev % 60 == 0
        others = {name: c for name, c in shown.items() if name not in cells} if whole else {}
        shown |= cells
        entries.append((f"{moment // 1000}-0", wire.Changed(rev, moment, cells, (), whole, others)))
    return entries


async def test_the_snapshot_of_twenty_past_seconds_is_what_was_recorded_then(
    pipe: Pipe,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    entries = course(5)
    chance, clock = random.Random(5), ManualClock(NOON)
    last = seen_at(entries[-1][0]) // SECOND
    async with web_process(pipe.url, app) as running:
        live = IcuBoard(
            "", running.web.places.units[UNIT], running.web.places, running.web.renderer, clock
        )
        recorded, waiting = {}, list(entries)
        for second in sorted(chance.sample(range(NOON // SECOND + 10, last), 20)):
            while waiting and seen_at(waiting[0][0]) <= second * SECOND:
                live._apply(waiting.pop(0)[1])
            clock.advance(second - clock.monotonic_s())
            recorded[second * SECOND] = digest(live.snapshot_json())
        for part in (entries[:300], entries[300:310], entries[310:]):
            # The store reader dies and another goes on: nothing of the past is lost between.
            for entry_id, change in part:
                await pipe.call("XADD", keys(UNIT).out, entry_id, "d", wire.encode(change))
            async with storing(pipe.url, writer, shards=(UNIT,)):
                await stored_up_to_the_end(pipe, superuser, stream="out")
        found = {at: digest(await _board(running, "h1-nurse", at)) for at in recorded}
    assert found == recorded
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
    async with httpx2.AsyncClient(base_url=running.address) as client:
        path = path.replace("+", "%2B")
        return await client.get(path, headers=running.bearer(who))


async def _board(running: Running, who: str, at: int) -> dict[str, Any]:
    answer = await _get(running, who, f"/api/v1/boards/{UNIT}?at={iso(at)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
