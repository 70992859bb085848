"""A box at work: the link is cut and comes back, and what is live never waits for the backlog."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from hospital_ops.clock import SECOND, ManualClock, iso
from hospital_ops.errors import ConfigurationError, NotStored
from hospital_ops.forward.items import AGAIN, CURVE, STORED, VALUE, Item
from hospital_ops.forward.sending import Deliver, Forwarder
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.store import Queue
from hospital_ops.forward.uplink import LinkCut, Offset, Uplink
from hospital_ops.sealing import Seal

NOON = 1_795_262_400_000_000
SEAL = Seal({"one": b"1" * 32})


class Hospital:
    """Answers each item; may be cut off, lose its answers, or have no room for curves."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str]] = []  # lane, id
        self.cut = self.deaf = self.full = False

    def line(self, lane: str) -> Deliver:
        async def deliver(items: Sequence[Item]) -> Mapping[str, str]:
            await asyncio.sleep(0)
            if self.cut:
                raise LinkCut("ConnectionRefusedError")
            refused = {one.id for one in items if self.full and one.rank == CURVE}
            self.came += [(lane, one.id) for one in items if one.id not in refused]
            if self.deaf:
                self.deaf = False
                raise LinkCut("RemoteDisconnected")
            return {one.id: AGAIN if one.id in refused else STORED for one in items}

        return deliver


def item(number: int, at: int, rank: int = VALUE) -> Item:
    return Item(f"id-{number}", "events", "monitor", at, b"x" * 300, rank)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    opened = Shelf(Queue(None, SEAL, 1 << 20))
    yield opened
    await opened.close()


async def forwarded(
    shelf: Shelf, hospital: Hospital, clock: ManualClock, came: int, left: int = 0
) -> None:
    """The box works until so many have come and so many are left."""
    forwarder = Forwarder(shelf, hospital.line("live"), hospital.line("backlog"), clock)
    working = asyncio.create_task(forwarder.run())
    try:
        async with asyncio.timeout(30):
            while len(hospital.came) < came or (await shelf.held()).items > left:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_when_the_link_is_back_the_live_values_are_there_before_the_backlog(
    shelf: Shelf,
) -> None:
    clock, hospital = ManualClock(NOON), Hospital()
    await shelf.put(*(item(n, NOON + n) for n in range(900)))
    clock.advance(3600)
    await shelf.put(*(item(1000 + n, clock.now_us()) for n in range(3)))
    hospital.cut = True
    asyncio.get_running_loop().call_later(0.3, setattr, hospital, "cut", False)
    await forwarded(shelf, hospital, clock, 903)
    assert hospital.came[:3] == [("live", f"id-{1000 + n}") for n in range(3)]
    assert [lane for lane, _ in hospital.came[3:]] == ["backlog"] * 900
    assert hospital.came[3][1] == "id-700", "the newest of the backlog first, in its order"
    held = await shelf.held()
    assert (held.items, held.figures) == (0, {"stored": 903})


async def test_an_answer_that_was_lost_makes_the_same_bytes_go_again(shelf: Shelf) -> None:
    clock, hospital = ManualClock(NOON), Hospital()
    hospital.deaf = True
    await shelf.put(*(item(n, NOON) for n in range(3)))
    await forwarded(shelf, hospital, clock, 6)
    assert hospital.came[:3] == hospital.came[3:]


async def test_what_the_hospital_has_no_room_for_stays_and_holds_up_no_value(
    shelf: Shelf,
) -> None:
    clock, hospital = ManualClock(NOON), Hospital()
    hospital.full = True
    await shelf.put(item(1, NOON, CURVE), item(2, NOON))
    await forwarded(shelf, hospital, clock, 1, left=1)
    assert hospital.came == [("live", "id-2")]
    assert (await shelf.held()).items == 1


async def test_without_room_the_sender_is_told_no(shelf: Shelf) -> None:
    small = Shelf(Queue(None, SEAL, 1000))
    with pytest.raises(NotStored, match="no room"):
        await small.put(item(1, NOON), item(2, NOON))
    assert small.refused_at == NOON
    await small.close()


async def test_what_comes_in_one_turn_is_one_commit_and_each_sender_is_answered(
    shelf: Shelf,
) -> None:
    await asyncio.gather(*(shelf.put(item(n, NOON + n * SECOND)) for n in range(50)))
    assert (await shelf.held()).items == 50


@pytest.mark.parametrize("url", ["ftp://ops", "https://", "ops.example", "https://ops/x", ""])
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(ConfigurationError, match="--upstream"):
        Uplink(url, "secret", ManualClock(NOON), Offset())


def test_patients_data_go_over_https_alone() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        Uplink("http://ops.example", "secret", ManualClock(NOON), Offset())
    Uplink("http://127.0.0.1:8000", "secret", ManualClock(NOON), Offset())


def test_the_box_finds_how_far_its_clock_is_off_from_the_quickest_answer() -> None:
    offset = Offset()
    assert Offset().us is None
    for took_s, off_s in ((8, 64), (0.2, 60), (5, 57)):
        sent = NOON
        answered = sent + round(took_s * SECOND)
        offset.heard(sent, answered, iso((sent + answered) // 2 + round(off_s * SECOND)))
    assert offset.us == 60 * SECOND
    offset.heard(NOON, NOON + 1, "yesterday")
    offset.heard(NOON, NOON - 1, iso(NOON))
    assert offset.us == 60 * SECOND
