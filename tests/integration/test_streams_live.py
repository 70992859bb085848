"""The live reader: one owner, nothing told twice, nothing old told, and a ward that goes on."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from hospital_ops import wire
from hospital_ops.board import HEAD, decode_bed, decode_head
from hospital_ops.clock import SystemClock
from hospital_ops.deciding import Decisions, Stamped
from hospital_ops.errors import Fenced
from hospital_ops.identity import patient_id
from hospital_ops.servers.valkey import Valkey
from streams import lease as leases
from streams.append import Appender
from streams.live import LiveReader
from streams.pipe import ConnectionLost, Pipe, ReplyError
from streams.publish import (
    load_snapshot,
    publish,
    read_board,
    save_snapshot,
    snapshot_position,
    tick,
)
from streams.shard import Meta, keys, order
from streams.trying import LARGE
from tests.integration.streams_help import (
    BED,
    HALL,
    PULSE,
    UNIT,
    SmallRoom,
    admitted,
    beside,
    icu_room,
    living,
    observed,
    revisions,
    shown,
    until,
    went_out,
)

OTHER = "h1-icu-9"
PATIENCE_S = 0.2


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


async def send(pipe: Pipe, *values: float, bed: str = BED) -> list[str]:
    """Appends a message for each value, in order; answers their ids."""
    entries = [(observed(value, bed=bed), b"") for value in values]
    return await Appender(pipe).append_many(UNIT, entries)


async def forget_owner(pipe: Pipe) -> None:
    """As if the owner's lease had run out."""
    await pipe.call("DEL", keys(UNIT).lease)


async def test_a_value_stands_on_the_board_with_its_position(pipe: Pipe) -> None:
    async with living(pipe.url, "one"):
        *_, last = await send(pipe, 80.0, 81.0)
        board = await shown(pipe, BED, [80.0, 81.0])
    assert order(board.position) >= order(last)
    assert board.rev == revisions(await went_out(pipe))[-1]


async def test_revisions_rise_by_one_over_owners_and_restarts(pipe: Pipe) -> None:
    sent: list[float] = []
    for turn in range(4):
        async with living(pipe.url, f"owner {turn}"):
            for value in range(5):
                sent.append(float(10 * turn + value))
                await send(pipe, sent[-1])
            await shown(pipe, BED, sent)
    found = revisions(await went_out(pipe))
    assert found == list(range(1, len(found) + 1))


async def test_a_successor_waits_for_the_lease_of_a_dead_owner_and_goes_on(pipe: Pipe) -> None:
    dead = await leases.acquire(pipe, UNIT, "killed")
    assert dead is not None
    await send(pipe, 80.0)
    async with living(pipe.url, "successor"):
        await shown(pipe, BED, [80.0])
        holder = (await pipe.call("GET", keys(UNIT).lease)).decode()
    assert holder == f"successor:{dead.epoch + 1}"


async def test_an_owner_that_lost_sight_of_redis_takes_its_own_lease_again(pipe: Pipe) -> None:
    first = await leases.acquire(pipe, UNIT, "one")
    again = await leases.acquire(pipe, UNIT, "one")
    assert first is not None
    assert again is not None
    assert again.epoch == first.epoch + 1
    assert await leases.acquire(pipe, UNIT, "on") is None  # the name of another, and a part of it
    assert not await leases.renew(pipe, first)


async def test_a_successor_reads_again_and_tells_nothing_twice(pipe: Pipe) -> None:
    async with living(pipe.url, "one"):
        await send(pipe, 1.0, 2.0)
        await shown(pipe, BED, [1.0, 2.0])
        old = await until(lambda: saved(pipe), "a snapshot is kept")
        await send(pipe, 3.0, 4.0)
        before = await shown(pipe, BED, [1.0, 2.0, 3.0, 4.0])
    told = [entry for entry in await went_out(pipe) if isinstance(entry, wire.Alerted)]
    position, state = old
    await pipe.call("HSET", keys(UNIT).state, "position", position, "state", state)
    async with living(pipe.url, "two"):
        await send(pipe, 5.0)
        after = await shown(pipe, BED, [1.0, 2.0, 3.0, 4.0, 5.0])
    told_now = [entry for entry in await went_out(pipe) if isinstance(entry, wire.Alerted)]
    assert told_now[:-1] == told
    assert len({entry.alarm for entry in told_now}) == 5
    assert after.rev == before.rev + 1


async def saved(pipe: Pipe) -> tuple[str, bytes] | None:
    """The last snapshot, once there is one that holds two values."""
    position, state = await load_snapshot(pipe, UNIT)
    return (position, state) if b"\x92" in state else None


async def test_what_was_decided_and_not_shown_is_shown_by_the_successor(pipe: Pipe) -> None:
    async with living(pipe.url, "one"):
        await send(pipe, 1.0)
        await shown(pipe, BED, [1.0])
        await until(lambda: snapshot_behind(pipe), "the snapshot holds it")
    await pipe.call("HSET", keys(UNIT).board, BED, wire.encode([9.0]))
    async with living(pipe.url, "two"):
        board = await shown(pipe, BED, [1.0])
    assert board.cells[BED] == wire.encode([1.0])


async def snapshot_behind(pipe: Pipe) -> bool:
    """Whether the snapshot has reached what is published."""
    board = await read_board(pipe, UNIT)
    return order(await snapshot_position(pipe, UNIT)) >= order(board.position)


async def test_the_snapshot_follows_under_a_load_that_never_lets_the_board_rest(
    pipe: Pipe,
) -> None:
    async def hammer() -> None:
        value = 0.0
        while True:
            await send(pipe, *(value + step for step in range(4)))
            value += 4
            await asyncio.sleep(0.005)

    position = "0-0"

    async def moved() -> str:
        now = await snapshot_position(pipe, UNIT)
        return now if order(now) > order(position) else ""

    async with living(pipe.url, "one"):
        load = asyncio.create_task(hammer())
        try:
            for _ in range(3):
                position = await until(moved, "a newer snapshot")
                assert not load.done(), "the load has let the board rest"
        finally:
            load.cancel()


async def test_an_owner_whose_lease_has_passed_on_publishes_nothing(pipe: Pipe) -> None:
    old = await leases.acquire(pipe, UNIT, "paused")
    assert old is not None
    await forget_owner(pipe)
    async with living(pipe.url, "new"):
        await send(pipe, 80.0)
        before = await shown(pipe, BED, [80.0])
        out = await went_out(pipe)
        late = observed(1.0)
        with pytest.raises(Fenced):
            await publish(pipe, old, position="1-0", rev=9, outputs=[late], cells={BED: b"old"})
        with pytest.raises(Fenced):
            await tick(pipe, old, 1)
        with pytest.raises(Fenced):
            await save_snapshot(pipe, old, "1-0", b"old")
        assert not await leases.renew(pipe, old)
        await leases.release(pipe, old)
        now = await read_board(pipe, UNIT)  # its position goes on with the ticks
        assert (now.cells, now.rev) == (before.cells, before.rev)
        assert await went_out(pipe) == out


async def test_a_walking_owner_stops_when_another_has_its_shard(pipe: Pipe) -> None:
    async with living(pipe.url, "one"):
        await send(pipe, 1.0)
        await shown(pipe, BED, [1.0])
        usurper = None
        while usurper is None:
            await forget_owner(pipe)
            usurper = await leases.acquire(pipe, UNIT, "usurper")
        # It holds, however slowly this machine goes on.
        await pipe.call("PEXPIRE", keys(UNIT).lease, 600_000)
        before = await went_out(pipe)
        await send(pipe, 2.0)
        for _ in range(20):
            await asyncio.sleep(0.05)
            assert await went_out(pipe) == before
        await leases.release(pipe, usurper)
        await shown(pipe, BED, [1.0, 2.0])  # and takes part again when it is free


async def test_an_entry_that_cannot_be_decoded_stops_nobody(pipe: Pipe) -> None:
    async with living(pipe.url, "one"):
        await send(pipe, 1.0)
        for junk in (b"", b"\xc1", b"\x93\x01\x02\x03", wire.encode({"no": "entry"})):
            await pipe.call("XADD", keys(UNIT).incoming, "*", "d", junk)
        await send(pipe, 2.0)
        board = await shown(pipe, BED, [1.0, 2.0])
    assert list(board.cells) == [BED], "what cannot be decoded is shown nowhere"


async def test_an_entry_on_which_the_rules_fail_is_found_and_passed_over(pipe: Pipe) -> None:
    entries = [(observed(value), b"") for value in (1.0, 2.0, 666.0, 3.0, 666.0, 4.0)]
    ids = await Appender(pipe).append_many(UNIT, entries)
    async with living(pipe.url, "one"):
        await send(pipe, 5.0)
        await shown(pipe, BED, [1.0, 2.0, 3.0, 4.0, 5.0])
    kept = [
        wire.decode(fields[1])
        for _, fields in await pipe.call("XRANGE", keys(HALL).incoming, "-", "+")
    ]
    assert [entry.code for entry in kept if isinstance(entry, wire.Kept)] == ["undecidable"] * 2
    reasons = " ".join(entry.reason for entry in kept if isinstance(entry, wire.Kept))
    assert ids[2] in reasons
    assert ids[4] in reasons
    told = [entry for entry in await went_out(pipe) if isinstance(entry, wire.Alerted)]
    assert len({entry.alarm for entry in told}) == len(told) == 5
    found = revisions(await went_out(pipe))
    assert found == list(range(1, len(found) + 1))


class Held(SmallRoom):
    """A room whose rules take far longer than anybody waits for, on the value 777."""

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        held = [e.entry for e in entries if isinstance(e.entry, wire.Observed)]
        if any(one.observations[0].value == 777.0 for one in held):
            time.sleep(4 * PATIENCE_S)
        return super().decide(entries)


async def test_an_entry_that_outlives_its_owners_is_passed_over_and_nobody_else_waits(
    pipe: Pipe,
) -> None:
    """Two owners do not come to its end: the third leaves it to the hall, and goes on."""
    large = wire.replaced(observed(777.0), message_id="x" * LARGE)
    reader = LiveReader(pipe.url, UNIT, "one", Held, SystemClock(), patience_s=PATIENCE_S)
    async with living(pipe.url, "one", shard=OTHER), beside(reader.run()):
        await send(pipe, 1.0)
        await shown(pipe, BED, [1.0])
        epoch = await pipe.call("GET", keys(OTHER).epoch)
        held = await Appender(pipe).append(UNIT, large)
        await send(pipe, 2.0)
        for value in (1.0, 2.0):
            await Appender(pipe).append(OTHER, observed(value))
        await shown(pipe, BED, [1.0, 2.0], unit=OTHER)
        await shown(pipe, BED, [1.0, 2.0])
        assert await pipe.call("GET", keys(OTHER).epoch) == epoch
    await reader.pipe.close()
    letters = await pipe.call("XRANGE", keys(HALL).incoming, "-", "+")
    (kept,) = [wire.decode(fields[1]) for _, fields in letters]
    assert isinstance(kept, wire.Kept)
    assert kept.code == "undecidable"
    assert held in kept.reason
    assert "outlived the lease 2 times" in kept.reason


async def test_a_position_beyond_the_stream_means_reading_again(pipe: Pipe) -> None:
    await send(pipe, 1.0, 2.0)
    far = "99999999999999-0"
    await pipe.call("HSET", keys(UNIT).state, "position", far, "state", wire.encode([{}]))
    await pipe.call("HSET", keys(UNIT).board, Meta.POSITION, far, Meta.REV, 7)
    async with living(pipe.url, "one"):
        board = await shown(pipe, BED, [1.0, 2.0])
    assert board.rev == 8


async def test_the_ward_goes_on_after_the_stream_server_was_killed(pipe: Pipe) -> None:
    async def stored(value: float) -> bool:
        try:
            await pipe.call("PING")
            await send(pipe, value)
        except (OSError, ReplyError):
            return False
        return True

    async with living(pipe.url, "one"):
        await send(pipe, 1.0)
        await shown(pipe, BED, [1.0])
        info = (await pipe.call("INFO", "server")).decode()
        killed = int(info.split("process_id:")[1].split()[0])
        os.kill(killed, signal.SIGKILL)
        await until(lambda: gone(pipe), "the server is gone")
        await until(lambda: stored(2.0), "the server is back")
        await shown(pipe, BED, [1.0, 2.0])
    found = revisions(await went_out(pipe))
    assert found == list(range(1, len(found) + 1))


async def gone(pipe: Pipe) -> bool:
    """Whether the server has gone."""
    try:
        await pipe.call("PING")
    except (ConnectionLost, ReplyError):
        return True
    return False


async def test_the_intensive_care_board_of_a_successor_is_the_same(pipe: Pipe) -> None:
    now = 1_760_000_000_000_000
    entries = [
        (
            observed(float(60 + n), now + n * 1_000_000, received_at=now + n * 1_000_000, bed=bed),
            b"",
        )
        for n in range(6)
        for bed in (BED, "h1-icu-1-02")
    ]
    async with living(pipe.url, "one", icu_room):
        await Appender(pipe).append_many(UNIT, entries)
        board = await until(lambda: pulse(pipe, 65.0), "the pulse is shown")
    await pipe.call("DEL", keys(UNIT).state)
    async with living(pipe.url, "two", icu_room):
        await Appender(pipe).append(UNIT, observed(66.0, now + 9_000_000))
        after = await until(lambda: pulse(pipe, 66.0), "the next pulse is shown")
    first, second = decode_bed(board["h1-icu-1-02"]), decode_bed(after["h1-icu-1-02"])
    assert first.values == second.values
    assert decode_head(after[HEAD]).unit == UNIT


async def pulse(pipe: Pipe, value: float) -> dict[str, bytes] | None:
    """The board's cells once the pulse of the first bed is `value`."""
    cells = (await read_board(pipe, UNIT)).cells
    if {BED, "h1-icu-1-02", HEAD} <= cells.keys():
        known = decode_bed(cells[BED]).values.get(PULSE)
        return cells if known and known.value == value else None
    return None


async def test_a_patient_whose_unit_falls_as_they_leave_is_in_the_other_one_whole_and_once(
    pipe: Pipe,
) -> None:
    there, goal = "h1-icu-2", "h1-icu-2-01"
    append = Appender(pipe).append
    who = patient_id("h1", "m1")
    order_told = wire.OrderChanged(
        UNIT, "o1", 1, BED, who, "nursing", "turn", "active", "requested", 0, "doctor", 1, "Test"
    )

    async def left() -> bool:
        cell = (await read_board(pipe, UNIT)).cells.get(BED)
        return cell is not None and decode_bed(cell).patient is None

    async def whole() -> bool:
        cell = (await read_board(pipe, there)).cells.get(goal)
        return cell is not None and decode_bed(cell).orders.get("active") == 1

    async with living(pipe.url, "first", icu_room), living(pipe.url, "two", icu_room, there):
        await append(UNIT, admitted("m1", 1_000_000))
        await append(UNIT, order_told)
        leaves = admitted("m1", 2_000_000, bed="", trigger="A02", prior_bed=BED)
        # Another owner has the lease for a moment: the first tells the other unit, and cannot
        # publish any more that the bed is empty.
        await pipe.call("SET", keys(UNIT).lease, "another", "PX", 300)
        await append(UNIT, wire.replaced(leaves, to_unit=there, to_bed=goal))
        await until(whole, "the patient is in the other unit with the order")
        await until(left, "a successor has told it again, and the bed is empty")
        board = await read_board(pipe, there)
        assert decode_bed(board.cells[goal]).orders == {
            "active": 1, "due": 0, "overdue": 0, "escalated": 0, "review": 1,
        }  # fmt: skip
        came = await pipe.call("XRANGE", keys(there).incoming, "-", "+")
        acts = [wire.decode(fields[1]) for _, fields in came]
        assert len({e.act for e in acts if isinstance(e, wire.StayEntered)}) == 1
