"""Whoever answers in the hospital's place, nothing leaves the box that the hospital has not got."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from hospital_ops import wire_forms
from hospital_ops.clock import SECOND, ManualClock, iso
from hospital_ops.commands import doctor_edge
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.items import STORED, VALUE, WHO, Item, Relay
from hospital_ops.forward.sending import Forwarder, Lane
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.steady import SteadyClock
from hospital_ops.forward.store import RESERVE_BYTES, ROW_BYTES, Queue
from hospital_ops.forward.turned_away import FIRST_S, KNOWN_MOST, MANY, TurnedAwayItems
from hospital_ops.forward.uplink import LinkCut, Offset, TooMuch, TurnedAway, Uplink, trust
from hospital_ops.sealing import Seal
from hospital_ops.settings import Settings
from tests.fakes.bad_hospital import (
    Answer,
    answering,
    certified,
    drips,
    hangs_up,
    is_silent,
    says,
    speaks_no_http,
)

NOON = 1_795_262_400_000_000
SEAL = Seal({"one": b"1" * 32})
_relay = wire_forms.decoder(Relay)


def item(number: int, at: int = NOON, rank: int = VALUE, body: bytes = b"x" * 300) -> Item:
    return Item(f"id-{number}", "events", "monitor", at, body, rank)


def line_to(port: int, clock: ManualClock, timeout_s: float = 0.2) -> Uplink:
    return Uplink(f"http://127.0.0.1:{port}", "t", clock, Offset(), timeout_s=timeout_s)


@asynccontextmanager
async def forwarding(port: int, shelf: Shelf, clock: ManualClock) -> AsyncIterator[Forwarder]:
    """A box at work for as long as the block lasts."""
    lines = [line_to(port, clock, 5.0) for _ in range(2)]
    forwarder = Forwarder(shelf, lines[0].deliver, lines[1].deliver, clock)
    working = asyncio.create_task(forwarder.run())
    try:
        async with asyncio.timeout(30):
            yield forwarder
        assert not working.done()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for line in lines:
            await line.close()


def as_the_hospital(ids_turned_away: set[str], taken: list[str]) -> Answer:
    """The hospital, but a request that holds one of these is answered 400."""

    async def answer(body: bytes, line: asyncio.StreamWriter) -> None:
        ids = [one.id for one in _relay(body).items]
        if ids_turned_away & set(ids):
            await says(b"{}", "400 Bad Request")(body, line)
            return
        taken.extend(ids)
        found = {"items": dict.fromkeys(ids, STORED), "server_time": iso(NOON)}
        await says(json.dumps(found).encode())(body, line)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        says(b"<html>Please sign in to the guest network</html>"),
        says(b"{}"),
        says(b"null"),
        says(b"[" * 200_000),
        says(b"\xff\xfe\x00"),
        says(b'{"items": ["id-1"]}'),
        says(b'{"items": {"id-1": ' + b" " * (1 << 20) + b'"stored"}}'),
        says(b'{"items": {"id-1": "stored"}}', "302 Found"),
        says(b'{"items": {"id-1": "stored"}}', "500 Internal Server Error"),
        speaks_no_http,
        hangs_up,
        is_silent,
        drips,
    ],
)
async def test_an_answer_that_is_not_the_hospitals_is_no_answer(answer: Answer) -> None:
    clock = ManualClock(NOON)
    async with answering(answer) as port, asyncio.timeout(20):
        line = line_to(port, clock)
        for _ in range(2):
            with pytest.raises(LinkCut) as raised:
                await line.deliver([item(1)])
            slow = answer in (is_silent, drips)
            assert isinstance(raised.value, TooMuch) or not slow, "of less it may be in time"
        await line.close()


@pytest.mark.parametrize("outcome", ["fine", "", None, ["stored"], {"stored": 1}, 1])
async def test_a_word_that_the_box_does_not_know_lets_nothing_go(outcome: object) -> None:
    shelf, clock = Shelf(Queue(None, SEAL, 1 << 20)), ManualClock(NOON)
    await shelf.put(item(1))
    body = json.dumps({"items": {"id-1": outcome, "id-2": "stored"}}).encode()
    async with answering(says(body)) as port:
        line = line_to(port, clock)
        await shelf.settle(await line.deliver([item(1)]))
        await line.close()
    assert (await shelf.held()).items == 1
    await shelf.close()


async def test_a_time_that_came_with_rubbish_does_not_move_the_boxs_times() -> None:
    offset = Offset()
    async with answering(says(b'{"server_time": "2031-01-01T00:00:00Z"}')) as port:
        line = Uplink(f"http://127.0.0.1:{port}", "t", ManualClock(NOON), offset)
        with pytest.raises(LinkCut):
            await line.deliver([item(1)])
        await line.close()
    assert offset.us is None


async def test_one_message_that_is_turned_away_each_time_holds_up_no_other() -> None:
    shelf, clock, taken = Shelf(Queue(None, SEAL, 1 << 20)), ManualClock(NOON), list[str]()
    wrong = {"id-17"}
    await shelf.put(*(item(n, NOON - 3600 * SECOND + n, WHO if n == 17 else VALUE)
                      for n in range(40)))  # fmt: skip
    async with (
        answering(as_the_hospital(wrong, taken)) as port,
        forwarding(port, shelf, clock) as forwarder,
    ):
        while len(taken) < 39:  # noqa: ASYNC110 - what comes is told by nobody
            await asyncio.sleep(0.01)
        assert len(forwarder.turned_away) == 1, "it is shown"
        assert (await shelf.held()).items == 1, "and it stays on the disk"
        wrong.clear()
        clock.advance(FIRST_S + 1)
        while len(taken) < 40:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while (await shelf.held()).items:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(forwarder.turned_away) == 0
    assert len(taken) == len(set(taken)) == 40
    await shelf.close()


def test_where_everything_is_turned_away_it_is_not_the_messages() -> None:
    clock = ManualClock(NOON)
    away = TurnedAwayItems(clock)
    for number in range(MANY + 1):
        away.add(item(number))
    assert away.now() == set()
    for number in range(3 * KNOWN_MOST):
        away.add(item(number))
        away.went(["another"])
    assert len(away) == KNOWN_MOST
    away.add(item(1))
    away.went(["another"])
    for _ in range(2):
        away.add(item(1))
        away.went(["another"])
        assert "id-1" in away.now(), "it is the message: others were taken before and after"
        clock.advance(FIRST_S + 1)
    assert "id-1" in away.now(), "twice as long the second time"


def test_a_line_that_carries_little_is_asked_for_little() -> None:
    async def deliver(_: object) -> Mapping[str, str]:
        return {}

    lane = Lane(deliver, 1000)
    sizes = []
    for size in (200, 40, 20, 10, 5, 2, 1, 1):
        lane.was_too_much(size)
        sizes.append(lane.most)
    assert sizes == [100, 20, 10, 5, 2, 1, 1, 1]
    for _ in range(9):
        lane.went()
    assert lane.most == 200


async def test_a_disk_that_takes_no_more_does_not_end_the_box() -> None:
    class FullDisk(Shelf):
        times = 0

        async def settle(self, outcomes: Mapping[str, str], off_us: int | None = None) -> None:
            self.times += 1
            if self.times < 3:
                raise sqlite3.OperationalError("database or disk is full")
            await super().settle(outcomes, off_us)

    shelf, clock, taken = FullDisk(Queue(None, SEAL, 1 << 20)), ManualClock(NOON), list[str]()
    await shelf.put(item(1), item(2))
    async with answering(as_the_hospital(set(), taken)) as port, forwarding(port, shelf, clock):
        while (await shelf.held()).items:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert set(taken) == {"id-1", "id-2"}
    await shelf.close()


def test_days_without_a_link_fill_the_room_and_no_more_of_the_disk(tmp_path: Path) -> None:
    room = 2 << 20
    queue = Queue(tmp_path / "queue.sqlite", SEAL, room)
    sizes = []
    for day in range(3):
        at = NOON + day * 86_400 * SECOND
        number = 0
        while queue.add([item(n, at, body=b"x" * 2000) for n in range(number, number + 50)])[-1]:
            number += 50
        assert number * (2000 + ROW_BYTES) > 0.8 * room
        sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
        while items := queue.backlog(at + 3600 * SECOND, 200):
            queue.settle({one.id: STORED for one in items})
        queue.add([item(10_000, at)])  # there is room again: a line about what was refused
        for lane in (queue.live, queue.backlog):
            queue.settle({one.id: STORED for one in lane(at + 3600 * SECOND, 200)})
    assert max(sizes) < 1.2 * room + (8 << 20), "with SQLite's log of what it writes"
    assert sizes[-1] <= sizes[0] + (1 << 20), "and it does not grow from outage to outage"
    assert queue.held().items == 0
    queue.close()


def test_where_others_have_filled_the_disk_the_box_says_no_before_it_is_too_late(
    tmp_path: Path,
) -> None:
    free = RESERVE_BYTES
    queue = Queue(tmp_path / "queue.sqlite", SEAL, 1 << 20, lambda _: free)
    assert queue.add([item(1)]) == [True]
    free -= 1
    assert queue.add([item(2), item(1)]) == [False, True], "what is kept already is kept"
    assert queue.held().figures["refused"] == 1
    free += 1
    assert queue.add([item(2)]) == [True]
    queue.close()


def test_a_clock_that_is_set_while_the_link_is_cut_moves_no_message(tmp_path: Path) -> None:
    """The wall clock was years behind, and is put right; the power stayed on."""
    wall = NOON * 1000
    first = SteadyClock(tmp_path / "clock", lambda: wall)
    before = first.now_us()
    wall += 5 * 365 * 86_400 * SECOND * 1000
    again = SteadyClock(tmp_path / "clock", lambda: wall)  # and the process was started again
    assert 0 <= again.now_us() - before < 60 * SECOND
    (tmp_path / "clock").write_text("another-start 12\n")
    assert SteadyClock(tmp_path / "clock", lambda: wall).now_us() > before + 10**14
    (tmp_path / "clock").write_bytes(b"\xff rubbish")
    assert SteadyClock(tmp_path / "clock", lambda: wall).now_us() > before + 10**14


async def test_only_the_certificate_that_the_site_has_named_is_believed(tmp_path: Path) -> None:
    pinned, context = certified(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = certified(tmp_path / "other")
    elsewhere, another_host = certified(tmp_path, "ops.example")

    async def asked(tls: Path | None, port: int) -> list[object]:
        url = f"https://127.0.0.1:{port}"
        line = Uplink(url, "t", ManualClock(NOON), Offset(), trust(tls))
        try:
            return list(await line.devices())
        finally:
            await line.close()

    async with answering(says(b'{"devices": []}'), context) as port:
        assert await asked(pinned, port) == []
        for wrong in (None, other):
            with pytest.raises(LinkCut, match="certificate not trusted"):
                await asked(wrong, port)
    async with answering(says(b'{"devices": []}'), another_host) as port:
        with pytest.raises(LinkCut, match="certificate not trusted"):
            await asked(elsewhere, port)
    with pytest.raises(ConfigurationError, match="HOSPITAL_OPS_EDGE_CA"):
        trust(tmp_path / "nothing")


async def test_what_only_the_line_can_mend_is_not_taken_for_the_message() -> None:
    for status in ("401 Unauthorized", "404 Not Found", "429 Too Many", "503 Unavailable"):
        async with answering(says(b"{}", status)) as port:
            line = line_to(port, ManualClock(NOON))
            with pytest.raises(LinkCut) as raised:
                await line.deliver([item(1)])
            assert not isinstance(raised.value, TurnedAway)
            await line.close()


async def test_the_doctor_says_what_is_wrong_with_a_box(tmp_path: Path) -> None:
    def of(*, token: bool = True, room_mib: int = 16, keys: str = "", ca: str = "") -> Settings:
        return Settings(
            data_dir=tmp_path,
            edge_token=SecretStr("t" * token),
            edge_room_mib=room_mib,
            edge_keys=SecretStr(keys),
            edge_ca=tmp_path / ca if ca else None,
        )

    async def said(answer: Answer, settings: Settings) -> str:
        async with answering(answer) as port:
            return " ".join(await doctor_edge.upstream(settings, f"http://127.0.0.1:{port}"))

    device = {
        "devices": [{"device": "m"}],
        "server_time": iso(SteadyClock(tmp_path / "c").now_us()),
    }
    wrong_clock = device | {"server_time": "2031-01-01T00:00:00Z"}
    assert await said(says(json.dumps(device).encode()), of()) == ""
    assert "clock differs" in await said(says(json.dumps(wrong_clock).encode()), of())
    assert "no device" in await said(says(b'{"devices": []}'), of())
    assert "token" in await said(says(b"{}", "401 Unauthorized"), of())
    assert "no Hospital Ops" in await said(says(b"{}", "404 Not Found"), of())
    assert "EDGE_TOKEN" in await said(says(b"{}"), of(token=False))
    assert "EDGE_CA" in await said(says(b"{}"), of(ca="nothing"))
    assert "https" in " ".join(await doctor_edge.upstream(of(), "http://ops.example"))

    assert await doctor_edge.queue(of()) == []
    queue = Queue(tmp_path / "edge" / "queue.sqlite", SEAL, 1 << 20)
    queue.add([item(1)])
    queue.close()
    one = "one:MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
    assert await doctor_edge.queue(of(keys=one)) == []
    assert "'one'" in " ".join(await doctor_edge.queue(of(keys=one.replace("one:", "two:"))))
    assert "make room" in " ".join(await doctor_edge.queue(of(room_mib=1 << 24, keys=one)))
