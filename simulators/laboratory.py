"""The laboratory: the results of each bed's patient, one after the other, over one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from hospital_ops.clock import SECOND, Clock, SystemClock
from hospital_ops.forward.backoff import BackOff
from simulators import messages, seeds
from simulators.clients import TRY_AGAIN, MllpClient
from simulators.course import Course
from simulators.messages import Reading
from simulators.therapy import RESULTS, RESULTS_EACH_S

ANALYSIS_US = 20 * 60 * SECOND  # from the sample to its result

_log = logging.getLogger("simulators.laboratory")


@dataclass(frozen=True, slots=True)
class Sampled:
    """A bed whose patient's blood is looked at."""

    bed: str
    mrn: str
    course: Course


class Laboratory:
    """Sends everybody's results at the start, then each six hours of the courses."""

    def __init__(
        self,
        client: MllpClient,
        beds: Sequence[Sampled],
        seed: int,
        speed: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        self._client, self._beds, self._speed = client, beds, speed
        self._clock = clock or SystemClock()
        self._back_off = BackOff(seeds.stream("laboratory", seed))
        self._started_us = self._clock.now_us()

    async def run(self) -> None:
        """Plays until cancelled; a result that is not stored is sent again before the next."""
        try:
            while True:
                for one in self._beds:
                    await self._send(self.message(one))
                await asyncio.sleep(RESULTS_EACH_S / self._speed)
        finally:
            await self._client.close()

    def message(self, one: Sampled) -> bytes:
        """The results of the sample that was taken twenty minutes ago."""
        taken_us = self._clock.now_us() - ANALYSIS_US
        t_s = max(0.0, (taken_us - self._started_us) / SECOND * self._speed)
        unit = one.bed.rpartition("-")[0]
        readings = [Reading(key, one.course.value_at(key, t_s)) for key in RESULTS]
        control_id = f"LAB.{one.bed}.{taken_us // 1000:x}"
        return messages.results(control_id, unit, one.bed, one.mrn, taken_us, readings)

    async def _send(self, raw: bytes) -> None:
        while True:
            try:
                answer = await self._client.send(raw)
            except TRY_AGAIN as error:
                _log.info("results are not delivered (%s): sent again", type(error).__name__)
            else:
                if answer.refused:
                    _log.warning("results refused: %s", answer.text)
                if answer.stored or answer.refused:
                    self._back_off.reset()
                    return
            await asyncio.sleep(self._back_off.next_s())
