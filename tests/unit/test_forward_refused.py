"""A hospital that refuses for an hour, a line that is too narrow: nothing stays behind after."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from hospital_ops.clock import SECOND, ManualClock
from hospital_ops.forward.items import STORED, VALUE, WHO, Item
from hospital_ops.forward.sending import BULKY, Forwarder, Lane
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.store import Queue
from hospital_ops.forward.turned_away import FIRST_S, TurnedAwayItems
from hospital_ops.forward.uplink import LinkCut, Offset, TooMuch, TurnedAway, Uplink
from hospital_ops.sealing import Seal
from tests.fakes.bad_hospital import answering, says

NOON = 1_795_262_400_000_000
SEAL = Seal({"one": b"1" * 32})


def item(number: int, at: int = NOON, rank: int = VALUE, size: int = 300) -> Item:
    return Item(f"id-{number}", "events", "monitor", at, b"x" * size, rank)


def test_after_an_hour_of_refusals_everything_is_due_at_the_first_that_is_taken() -> None:
    clock = ManualClock(NOON)
    away = TurnedAwayItems(clock)
    who, value = item(1, rank=WHO), item(2)
    for _ in range(20):
        away.add(who)
        away.add(value)
        clock.advance(180)
    away.add(who)
    away.add(value)
    assert away.now() == {"id-1", "id-2"}
    away.went(["id-3"])
    assert away.now() == set()


def test_who_lies_where_is_never_passed_over_for_longer_than_a_minute() -> None:
    clock = ManualClock(NOON)
    away = TurnedAwayItems(clock)
    who, value = item(1, rank=WHO), item(2)
    for _ in range(10):  # others are taken in between: it is the message
        for one in (who, value):
            away.add(one)
        away.went(["id-3"])
        clock.advance(FIRST_S + 1)
    assert away.now() == {"id-2"}
    assert away.is_proven("id-1")


async def test_what_is_known_to_be_turned_away_is_asked_alone_and_slows_nobody() -> None:
    """Two messages are wrong: found once, each costs one request a time and no others wait."""
    clock, requests = ManualClock(NOON), list[list[str]]()
    wrong = {"id-0", "id-1"}

    async def deliver(items: Sequence[Item]) -> Mapping[str, str]:
        ids = [one.id for one in items]
        requests.append(ids)
        if wrong & set(ids):
            raise TurnedAway("HTTP 500")
        return dict.fromkeys(ids, STORED)

    shelf = Shelf(Queue(None, SEAL, 1 << 20))
    forwarder = Forwarder(shelf, deliver, deliver, clock)
    await shelf.put(*(item(n, rank=WHO if n in (0, 1) else VALUE) for n in range(4)))
    working = asyncio.create_task(forwarder.run())
    try:
        async with asyncio.timeout(30):
            while not all(map(forwarder.turned_away.is_proven, wrong)):
                await asyncio.sleep(0.005)
                if (await shelf.held()).items == 2:  # something that is taken
                    await shelf.put(item(100 + len(requests)))
            while (await shelf.held()).items > 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            before = len(requests)
            clock.advance(FIRST_S + 1)
            await shelf.put(*(item(1000 + n, clock.now_us()) for n in range(50)))
            while (await shelf.held()).items > 2:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await shelf.close()
    refused = [ids for ids in requests[before:] if wrong & set(ids)]
    assert refused == [["id-0"], ["id-1"]], "each alone"


@pytest.mark.parametrize("status", ["408 Request Timeout", "504 Gateway Timeout"])
async def test_what_the_hospital_found_too_slow_is_halved(status: str) -> None:
    async with answering(says(b'{"error": "too_slow"}', status)) as port:
        line = Uplink(f"http://127.0.0.1:{port}", "t", ManualClock(NOON), Offset())
        with pytest.raises(TooMuch) as raised:
            await line.deliver([item(1)])
        assert not isinstance(raised.value, TurnedAway)
        await line.close()


async def test_a_line_that_breaks_during_the_body_was_asked_too_much() -> None:
    """The hospital's deadline is over: it hangs up, and nobody reads why."""

    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)
        writer.transport.abort()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    line = Uplink(f"http://127.0.0.1:{port}", "t", ManualClock(NOON), Offset())
    with pytest.raises(TooMuch):
        await line.deliver([item(n, size=400_000) for n in range(2)])
    with pytest.raises(LinkCut) as raised:
        await line.devices()
    assert not isinstance(raised.value, TooMuch), "nothing was sent that could be less"
    await line.close()
    server.close()


async def test_a_line_that_the_hospital_closed_while_idle_is_no_lost_link() -> None:
    ended = list[asyncio.StreamWriter]()

    async def once(_: bytes, line: asyncio.StreamWriter) -> None:
        await says(b'{"devices": []}')(b"", line)
        line.close()
        ended.append(line)

    async with answering(once) as port:
        line = Uplink(f"http://127.0.0.1:{port}", "t", ManualClock(NOON), Offset())
        for _ in range(3):
            assert await line.devices() == []
            await ended[-1].wait_closed()
        await line.close()


async def test_on_a_narrow_line_one_large_message_holds_up_no_other_and_adt_none() -> None:
    """Each request above a size is cut off by the hospital, as on a line of a few KiB a second."""
    clock, came = ManualClock(NOON), list[str]()

    async def deliver(items: Sequence[Item]) -> Mapping[str, str]:
        if sum(len(one.body) for one in items) > BULKY:
            raise TooMuch("HTTP 408")
        came.extend(one.id for one in items)
        return {one.id: STORED for one in items}

    shelf = Shelf(Queue(None, SEAL, 4 << 20))
    old = NOON - 3600 * SECOND
    await shelf.put(item(1, old), item(2, old + 1, size=BULKY + 1), item(3, old, WHO))
    await shelf.put(*(item(n, size=4000) for n in range(10, 60)))
    forwarder = Forwarder(shelf, deliver, deliver, clock)
    working = asyncio.create_task(forwarder.run())
    try:
        async with asyncio.timeout(60):
            while (await shelf.held()).items > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await shelf.close()
    assert came[0] == "id-3", "who lies where goes before all"
    assert set(came) == {"id-1", "id-3", *(f"id-{n}" for n in range(10, 60))}


def test_a_slow_answer_is_no_reason_to_ask_for_more() -> None:
    async def deliver(_: object) -> Mapping[str, str]:
        return {}

    lane = Lane(deliver, 1000)
    lane.was_too_much(200)
    lane.went(25.0)
    assert lane.most == 100
    lane.went(0.3)
    assert lane.most == 200
