"""A nurse of the simulated ward: signs in as a person does and charts each bed at whole hours.

What could not be handed over is charted as soon as it can be, with the time for which it holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from hospital_ops.clock import SECOND, Clock, SystemClock
from hospital_ops.forward.backoff import BackOff
from simulators import chart, seeds
from simulators.course import Course

_log = logging.getLogger("simulators.nurse")


class NotCharted(Exception):
    """The house did not take it, or nobody knows: the same is sent again."""


class ChartLine:
    """Calls of one person, signed in by name and password when it is needed."""

    def __init__(self, http: str, name: str, password: str, timeout_s: float = 10.0) -> None:
        self._said = {"name": name, "password": password}
        # No proxy from the environment: a ward talks to its hospital.
        self._client = httpx2.AsyncClient(
            base_url=http.rstrip("/"), timeout=timeout_s, trust_env=False
        )
        self._signed_in = False

    async def chart(self, bed: str, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Charts events of a bed; answers what was refused of them. NotCharted: try again."""
        sent = {"events": list(events)}
        answer = await self._call("POST", f"/api/v1/icu/beds/{bed}/chart", sent)
        rejected: list[dict[str, Any]] = answer["rejected"]
        return rejected

    async def board(self, unit: str) -> dict[str, Any]:
        """The board of a unit as it is now. NotCharted: it could not be looked at."""
        return await self._call("GET", f"/api/v1/boards/{unit}")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        if not self._signed_in:
            answer = await self._ask("POST", "/api/v1/session", self._said)
            self._client.headers["Authorization"] = f"Bearer {answer['token']}"
            self._signed_in = True
        return await self._ask(method, path, body)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, json=body)
            if answer.status_code == httpx2.codes.UNAUTHORIZED:
                self._signed_in = False
            answer.raise_for_status()
            content: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise NotCharted(type(error).__name__) from None
        return content


@dataclass(frozen=True, slots=True)
class Cared:
    """A bed that the nurse looks after."""

    bed: str
    course: Course


class Nurse:
    """One nurse of a hospital; `run` charts until it is cancelled."""

    def __init__(
        self,
        line: ChartLine,
        beds: Sequence[Cared],
        seed: int,
        speed: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        self._line, self._beds, self._seed, self._speed = line, beds, seed, speed
        self._clock = clock or SystemClock()
        self._back_off = BackOff(seeds.stream("nurse", seed, len(beds)))
        self._started_us = self._clock.now_us()

    async def run(self) -> None:
        """A first look at everybody, then each whole hour."""
        try:
            at_us = self._started_us
            while True:
                for one in self._beds:
                    await self._send(one.bed, self.events(one, at_us))
                now = self._clock.now_us()
                at_us = now - now % chart.HOUR_US + chart.HOUR_US
                await asyncio.sleep((at_us - now) / SECOND + 1.0)
        finally:
            await self._line.close()

    def events(self, one: Cared, at_us: int) -> list[dict[str, Any]]:
        """What is charted of a bed at this moment."""
        t_s = (at_us - self._started_us) / SECOND * self._speed
        if at_us == self._started_us:
            entries = chart.looked(one.course, self._seed, one.bed, at_us, t_s)
            entries += chart.measured(one.course)
        else:
            entries = chart.hourly(one.course, self._seed, one.bed, at_us, t_s)
        return chart.as_events(entries, self._seed, one.bed, at_us)

    async def _send(self, bed: str, events: list[dict[str, Any]]) -> None:
        while events:
            try:
                for row in await self._line.chart(bed, events):
                    _log.warning("%s: not charted: %s", bed, row["error"])
            except NotCharted as error:
                _log.info("%s: not charted yet (%s)", bed, error)
                await asyncio.sleep(self._back_off.next_s())
            else:
                self._back_off.reset()
                return
