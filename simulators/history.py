"""The past of a whole ward, delivered once, as late data: more slowly than the house takes it.

Each message waits for its answer, and after it the sender rests for longer than the answer took:
what is live goes first everywhere. How far it came is kept in a file; a second start goes on
there, and what it says again is what the house has already.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from hospital_ops.clock import from_iso
from hospital_ops.errors import NotStored
from hospital_ops.forward.backoff import BackOff
from simulators import past, seeds
from simulators.clients import TRY_AGAIN, MllpClient
from simulators.courses import course_for, recordings_folder
from simulators.nurse import ChartLine, NotCharted
from simulators.past import PastPlan
from simulators.vocabulary import sign
from simulators.ward import Bed, WardPlan, socket_address

FIRST_HOURS: Final = 6
REST: Final = 3.0  # times what an answer took
REST_LEAST_S: Final = 0.02
SHOWN: Final = ("hr", "nibp_mean")  # a cuff is the last that a monitor measures
LOOK_S: Final = 2.0
GIVES_UP_S: Final = 180.0  # without any answer: the house has been ended

_log = logging.getLogger("simulators.history")

Piece = tuple[str, int, int]  # what, number of the bed, hour
Again = (*TRY_AGAIN, NotCharted, WebSocketException)


@dataclass(slots=True)
class Kept:
    """`PATH`: of which past, how many pieces are done, of how many."""

    path: Path
    until_us: int
    done: int = 0
    of: int = 0

    @classmethod
    def read(cls, path: Path, until_us: int) -> Kept:
        """What the file says of this past; nothing done where there is none."""
        try:
            known = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return cls(path, until_us)
        if known.get("until_us") != until_us:
            return cls(path, until_us)
        return cls(path, until_us, int(known["done"]), int(known["of"]))

    @property
    def whole(self) -> bool:
        """Nothing is left to be sent."""
        return 0 < self.of <= self.done

    def write(self) -> None:
        """Writes the file anew, in one step."""
        new = self.path.with_suffix(".new")
        new.write_text(
            json.dumps({"until_us": self.until_us, "done": self.done, "of": self.of}), "utf-8"
        )
        new.replace(self.path)


def pieces(beds: int) -> list[Piece]:
    """All of a ward's past in the order in which it is told: what is charted and results, then
    numerics hour by hour backwards, so that the newest of every bed comes before the oldest of
    any; pumps and ventilators after the hours that a page shows first."""
    order: list[Piece] = [(what, bed, 0) for what in ("charted", "results") for bed in range(beds)]
    for hour in range(1, past.HOURS + 1):
        order += [("numerics", bed, hour) for bed in range(beds)]
        if hour == FIRST_HOURS:
            order += [("machines", bed, 0) for bed in range(beds)]
    return order


class History:
    """Sends the past of a plan's beds; `run` ends when everything is acknowledged."""

    def __init__(self, plan: WardPlan, seed: int, kept: Kept) -> None:
        folder = recordings_folder()
        self._plan, self.kept = plan, kept
        self._beds: Sequence[Bed] = [bed for bed in plan.beds if bed.mrn]
        self._pasts = [
            PastPlan(
                bed.bed,
                bed.device,
                bed.mrn,
                course_for(seed, bed.bed, folder),
                seed,
                kept.until_us,
            )
            for bed in self._beds
        ]
        self._order = pieces(len(self._beds))
        self._mllp = MllpClient(plan.mllp_host, plan.mllp_port, timeout_s=30.0)
        self._charts = {
            hospital: ChartLine(plan.http, *known, timeout_s=30.0)
            for hospital, known in plan.nurses.items()
        }
        self._back_off = BackOff(seeds.stream("history", seed))
        kept.of = len(self._order)

    async def run(self) -> None:
        """Goes on where it was; NotStored where the house answers no more."""
        live = False
        try:
            while not self.kept.whole:
                what, number, hour = self._order[self.kept.done]
                if what == "numerics" and not live:
                    await self._until_live()
                    live = True
                for say in self._saying(what, number, hour):
                    await self._until_stored(say)
                self.kept.done += 1
                self.kept.write()
        finally:
            await self._mllp.close()
            for line in self._charts.values():
                await line.close()

    async def _until_live(self) -> None:
        """Waits until every bed shows what was measured after its past: what comes then is late,
        never the newest that is known."""
        for hospital, line in self._charts.items():
            units = {bed.unit for bed in self._beds if bed.hospital == hospital}
            for unit in sorted(units):
                await self._until_stored(partial(self._look, line, unit))

    async def _look(self, line: ChartLine, unit: str) -> str:
        ours = {bed.bed for bed in self._beds}
        for bed in (await line.board(unit))["beds"]:
            for key in SHOWN:
                shown = bed["values"].get(sign(key).code) or {}
                at = shown.get("determined_at")
                if bed["bed"] in ours and (not at or from_iso(at) < self.kept.until_us):
                    await asyncio.sleep(LOOK_S)
                    raise OSError(f"{key} of the present is not there yet")
        return ""

    def _saying(self, what: str, number: int, hour: int) -> Iterator[Callable[[], Awaitable[str]]]:
        """What has to be said for one piece; each call answers why it was refused, or nothing."""
        bed, plan = self._beds[number], self._pasts[number]
        if what == "charted" and bed.hospital in self._charts:
            for events in past.charted(plan):
                yield partial(self._chart, bed, events)
        elif what == "results":
            for raw in past.results(plan):
                yield partial(self._message, raw)
        elif what == "machines" and bed.token:
            batches = list(past.machines(plan))
            if batches:
                yield partial(self._line, bed, batches)
        elif what == "numerics":
            for raw in past.numerics(plan, hour):
                yield partial(self._message, raw)

    async def _until_stored(self, say: Callable[[], Awaitable[str]]) -> None:
        last_s = time.monotonic()
        while True:
            begun_s = time.monotonic()
            try:
                refused = await say()
            except Again as error:
                if begun_s - last_s > GIVES_UP_S:
                    raise NotStored("the past was not taken: does the house still run?") from error
                await asyncio.sleep(self._back_off.next_s())
                continue
            if refused:
                _log.warning("a piece of the past was refused: %s", refused)
            self._back_off.reset()
            await _rest(begun_s)
            return

    async def _message(self, raw: bytes) -> str:
        answer = await self._mllp.send(raw)
        if not (answer.stored or answer.refused):
            raise OSError(answer.code)
        return "" if answer.stored else answer.text

    async def _chart(self, bed: Bed, events: list[dict[str, Any]]) -> str:
        rejected = await self._charts[bed.hospital].chart(bed.bed, events)
        return str(rejected[0]["error"]) if rejected else ""

    async def _line(self, bed: Bed, batches: list[list[dict[str, Any]]]) -> str:
        """Pumps and ventilator by the device's own line, one message after the other."""
        refused = ""
        async with connect(
            socket_address(self._plan.http),
            additional_headers={"Authorization": f"Bearer {bed.token}"},
            compression=None,
            proxy=None,
        ) as line:
            for events in batches:
                begun_s = time.monotonic()
                await line.send(json.dumps({"type": "events", "bed": bed.bed, "events": events}))
                async with asyncio.timeout(30.0):
                    answer = json.loads(await line.recv())
                if answer["type"] != "ack":
                    if answer.get("error") == "not_stored":
                        raise OSError(answer["error"])
                    refused = str(answer.get("detail"))
                await _rest(begun_s)
        return refused


async def _rest(begun_s: float) -> None:
    await asyncio.sleep(max(REST_LEAST_S, REST * (time.monotonic() - begun_s)))
