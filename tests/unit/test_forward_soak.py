"""A box over many hours: cuts, kills in the middle of a commit, starts with a wrong clock.

Time is virtual and nothing waits. Each start of the box is a process of its own that kills itself
at a statement of SQLite which the seed chooses; what senders were told and what the hospital has
got stands in files that outlive it. HOSPITAL_OPS_LONG plays for a minute.
"""

from __future__ import annotations

import asyncio
import os
import random
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from hospital_ops.clock import SECOND
from hospital_ops.errors import NotStored
from hospital_ops.forward.items import ALARM, CURVE, STORED, VALUE, WHO, Item
from hospital_ops.forward.sending import Deliver, Forwarder
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.store import Queue
from hospital_ops.forward.uplink import LinkCut, TooMuch
from hospital_ops.sealing import Seal

NOON: Final = 1_795_262_400
LONG_S: Final = 60.0 if os.environ.get("HOSPITAL_OPS_LONG") else 0.0
HOURS: Final = 2  # at least
TICK_S: Final = 20
BEDS: Final = 4
ROOM: Final = 1 << 20
WAL_BYTES: Final = 6 << 20  # what SQLite keeps beside the file until it puts it in
SEAL: Final = Seal({"one": b"1" * 32})
BYTES_PER_S: Final = 25_000  # what the line carries
SOON_S: Final = 10  # after the line has been up for so long, live values arrive within so long
SIZES: Final = {WHO: 300, ALARM: 400, VALUE: 600, CURVE: 3000}


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waiting moves the clock at once; threads are done on the spot."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        super().__init__(_Jumping(self))
        self._clock_resolution = 1e-6  # a float of this size knows no nanoseconds

    def time(self) -> float:
        return self.now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # as a thread hands it on
            future.set_exception(error)
        return future


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout:
            self._loop.now_s += timeout
        return super().select(0)


class World:
    """What is so whatever the box does: when the line is up, and what the monitors send."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.cuts: list[tuple[float, float]] = []
        at = NOON + 0.0
        while at < NOON + 400 * 3600:
            at += chance.choice((40, 300, 1800))
            end = at + chance.choice((5, 60, 600, 5400)) * chance.uniform(0.5, 1.5)
            self.cuts.append((at, end))
            at = end

    def is_cut(self, at: float) -> bool:
        return any(begin <= at < end for begin, end in self.cuts)

    def steady(self, at: float) -> bool:
        """The line has been up for a while, and stays up for a while."""
        return not any(begin < at + 2 * SOON_S and at - 120 < end for begin, end in self.cuts)

    def tick(self, number: int, box_us: int) -> list[Item]:
        """What comes in a tick, with the box's time of receipt; the same whenever it is sent."""
        ranks = [rank for _ in range(BEDS) for rank in (VALUE, CURVE)]
        ranks += [ALARM] * (number % 15 == 0) + [WHO] * (number % 90 == 0)
        return [
            Item(f"{number}-{n}-{rank}", "events", "m", box_us, os.urandom(SIZES[rank]), rank)
            for n, rank in enumerate(ranks)
        ]


class Box:
    """One start of the box, from a tick on, until it is killed or the last tick has been sent."""

    def __init__(self, folder: Path, seed: int, first: int, last: int, off_s: float) -> None:
        self.folder, self.world = folder, World(seed)
        self.first, self.last, self.off_s = first, last, off_s
        self.loop = VirtualLoop(NOON + first * TICK_S)
        self.told = os.open(folder / "told", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        self.hospital = os.open(folder / "hospital", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def now_us(self) -> int:
        """By the box's clock, which may be wrong."""
        return round((self.loop.time() + self.off_s) * SECOND)

    def monotonic_s(self) -> float:
        return self.loop.time()

    def line(self, lane: str) -> Deliver:
        async def deliver(items: Sequence[Item]) -> Mapping[str, str]:
            await asyncio.sleep(0.05 + sum(len(one.body) for one in items) / BYTES_PER_S)
            if self.world.is_cut(self.loop.time()):
                raise LinkCut("cut")
            for one in items:
                line = f"{lane} {one.id.replace(' ', '-')} {self.loop.time():.2f}\n"
                os.write(self.hospital, line.encode())
            if random.random() < 0.02:  # the answer is lost
                raise TooMuch("no answer in time")
            return {one.id: STORED for one in items}

        return deliver

    async def run(self, statements: int, clock: str) -> None:
        """Works; at the statement of this number it is killed. 0: it works until all is gone."""
        queue = Queue(self.folder / "q" / "queue.sqlite", SEAL, ROOM, clock=clock, began_at=0)
        left = [statements]

        def executed(_: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        if statements:
            queue._db.set_trace_callback(executed)
        shelf = Shelf(queue)
        forwarder = Forwarder(shelf, self.line("live"), self.line("backlog"), self)
        working = asyncio.create_task(forwarder.run())
        for number in range(self.first, self.last):
            await asyncio.sleep(max(0.0, NOON + number * TICK_S - self.loop.time()))
            items = self.world.tick(number, self.now_us())
            said = await asyncio.gather(*map(shelf.put, items), return_exceptions=True)
            for item, answer in zip(items, said, strict=True):
                word = "no" if isinstance(answer, NotStored) else "yes"
                os.write(self.told, f"{word} {item.id} {self.loop.time():.2f}\n".encode())
            held = queue.held()
            assert held.bytes <= ROOM
        while statements == 0 and (await shelf.held()).items:  # noqa: ASYNC110
            await asyncio.sleep(1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def started(folder: Path, seed: int, first: int, last: int, start: int) -> tuple[bool, int]:
    """(whether it was killed, kB of memory at most) of one start of the box."""
    chance = random.Random(f"{seed} {start}")
    off_s = chance.choice((0, 0, 3600, -3600, -31_536_000)) if start else 0
    statements = 0 if first >= last else round(chance.expovariate(1 / 6000)) + 20
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            random.seed(f"{seed} {start}")
            box = Box(folder, seed, first, last, off_s)
            asyncio.set_event_loop(box.loop)
            box.loop.run_until_complete(box.run(statements, f"clock {start}"))
            code = 0
        finally:
            os._exit(code)
    _, status, used = os.wait4(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status), used.ru_maxrss


def lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def memory_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that needs no disk, where there is one: a kill leaves what was written."""
    shared = Path("/dev/shm")
    if not shared.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


@pytest.mark.parametrize("seed", [1])
def test_hours_of_cuts_kills_and_wrong_clocks_lose_nothing_and_hold_up_nothing_live(
    memory_disk: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path = memory_disk
    began, first, start, kills, memory = time.monotonic(), 0, 0, 0, list[int]()
    disk, last = 0, HOURS * 3600 // TICK_S
    while first < last:
        killed, used = started(tmp_path, seed, first, last, start)
        kills, start = kills + killed, start + 1
        memory.append(used)
        disk = max(disk, sum(file.stat().st_size for file in (tmp_path / "q").iterdir()))
        # The tick in which it was killed is sent again: nobody has told its sender yes.
        tried = [int(name.partition("-")[0]) for _, name, _ in lines(tmp_path / "told")[-1:]]
        first = last if not killed else max(first, *tried, 0)
        if not killed and time.monotonic() - began < LONG_S:
            last += HOURS * 3600 // TICK_S
    started(tmp_path, seed, last, last, start)  # until all is gone

    told, came = lines(tmp_path / "told"), lines(tmp_path / "hospital")
    yes = {name for said, name, _ in told if said == "yes"}
    got = {name for _, name, _ in came if not name.startswith("full")}
    assert kills >= 2
    assert yes - got == set(), "what was confirmed has come"
    assert {name for _, name, _ in told} >= {
        name for name in got if int(name.partition("-")[0]) < first
    } - _underway(came, told)
    world = World(seed)
    first_came: dict[str, tuple[str, float]] = {}
    for lane, name, at in came:
        first_came.setdefault(name, (lane, float(at)))
    late = live = 0
    for said, name, at in told:
        if said == "yes" and world.steady(float(at)) and not name.endswith(str(CURVE)):
            live += 1
            late += first_came[name][1] - float(at) > SOON_S
    with capsys.disabled():
        hours = last * TICK_S / 3600
        print(
            f"\nbox: {hours:.0f} h, {start} starts, {kills} kills, {len(yes)} confirmed,"
            f" {len(yes - got)} lost, {len(came) - len(got)} sent again,"
            f" {sum(said == 'no' for said, *_ in told)} refused, {live} live of which late {late},"
            f" queue at most {disk / 1e6:.1f} MB on disk, {max(memory) / 1e3:.0f} MB of memory,"
            f" {time.monotonic() - began:.0f} s"
        )
    assert live > 50
    assert late <= live * 0.01
    assert disk < 2 * ROOM + WAL_BYTES


def _underway(came: list[list[str]], told: list[list[str]]) -> set[str]:
    """On disk when the box was killed, and so sent on, though their sender was told nothing."""
    return {name for _, name, _ in came} - {name for _, name, _ in told}
