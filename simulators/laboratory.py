"""The laboratory: the results of each bed's patient, one after the other, over one connection.

The ward's own analyser tells the blood gases some minutes after each round of the laboratory.
"""

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
from simulators.therapy import GASES, RESULTS, RESULTS_EACH_S

ANALYSIS_US = 20 * 60 * SECOND  # from the sample to its result
GASES_AFTER_S = 240.0  # a round of the laboratory
GASES_US = 2 * 60 * SECOND  # from the sample to what the analyser of the ward says

_log = logging.getLogger("simulators.laboratory")


@dataclass(frozen=True, slots=True)
class Sampled:
    """A bed whose patient's blood is looked at."""

    bed: str
    mrn: str
    course: Course


def result_of(one: Sampled, taken_us: int, t_s: float, keys: Sequence[str] = RESULTS) -> bytes:
    """The results of a sample that was taken `t_s` seconds into the play."""
    unit = one.bed.rpartition("-")[0]
    readings = [Reading(key, one.course.value_at(key, t_s)) for key in keys]
    control_id = f"LAB.{one.bed}.{taken_us // 1000:x}"
    return messages.results(control_id, unit, one.bed, one.mrn, taken_us, readings)


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
                await asyncio.sleep(GASES_AFTER_S)
                for one in self._beds:
                    await self._send(self.gases(one))
                await asyncio.sleep(RESULTS_EACH_S / self._speed)
        finally:
            await self._client.close()

    def message(self, one: Sampled) -> bytes:
        """The results of the sample that was taken twenty minutes ago."""
        return self._of(one, ANALYSIS_US, RESULTS)

    def gases(self, one: Sampled) -> bytes:
        """What the analyser of the ward says of a sample of just now."""
        return self._of(one, GASES_US, GASES)

    def _of(self, one: Sampled, age_us: int, keys: Sequence[str]) -> bytes:
        taken_us = self._clock.now_us() - age_us
        t_s = max(0.0, (taken_us - self._started_us) / SECOND * self._speed)
        return result_of(one, taken_us, t_s, keys)

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
