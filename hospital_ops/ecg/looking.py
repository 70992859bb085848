"""When the shape of a bed's beats is looked at: after an interruption, and now and then before one.

Nothing is done for a bed in between. What is looked at waits its turn, one bed at a time, so that a
ward that comes back all at once does not hold up the analysis.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.ecg.hops import Array
from hospital_ops.ecg.shape import shape

LENGTH_S: Final = 20  # of curve that a shape is made of
AGAIN_US: Final = 900 * SECOND  # what is known of a patient is never older than this
RETRY_US: Final = 60 * SECOND  # where nothing could be seen
TRIES: Final = 5  # after an interruption; then it is an ordinary look
AT_ONCE: Final = 16  # beds of a unit whose curves are kept for it: bounds the memory


@dataclass
class _Look:
    stopped_us: int = 0  # the curves or the leads have been off since; 0: they are not
    gap_us: int = 0  # the interruption that is to be told
    due_us: int = 0
    tries: int = 0
    device: str = ""
    mode: str = "Real"
    leads: tuple[str, ...] = ()
    rate_hz: float = 0.0
    pieces: list[Array] = field(default_factory=list)
    waits: bool = False  # its curves are whole and wait their turn


class Shapes:
    """The looks of one unit."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._looks: dict[str, _Look] = {}
        self._whole: deque[str] = deque()
        self._keeping = 0

    def stopped(self, bed: str, now_us: int) -> None:
        """No curve, or no lead that can be used."""
        look = self._looks.get(bed)
        if look is not None and not look.stopped_us:
            look.stopped_us = now_us
            self._drop(look)

    def sent_by(self, bed: str, device: str, now_us: int) -> None:
        """Which device's curve a bed has; another one than before may be somebody else's."""
        look = self._looks.setdefault(bed, _Look())
        if look.device and look.device != device:
            look.gap_us, look.due_us, look.tries = max(look.gap_us, 1), now_us, 0
            self._drop(look)
        look.device = device

    def played(
        self, bed: str, mode: str, leads: Sequence[str], rate_hz: float, chunk: Array, now_us: int
    ) -> None:
        """A piece of all leads of a bed, (leads, samples) in mV."""
        look = self._looks.setdefault(bed, _Look())
        if look.stopped_us:
            look.gap_us = max(look.gap_us, now_us - look.stopped_us)
            look.stopped_us, look.due_us, look.tries = 0, now_us, 0
        if look.waits or now_us < look.due_us:
            return
        if look.pieces and (look.leads, look.rate_hz) != (tuple(leads), rate_hz):
            self._drop(look)
        if not look.pieces:
            if self._keeping >= AT_ONCE:
                return
            self._keeping += 1
            look.leads, look.rate_hz = tuple(leads), rate_hz
        look.mode = mode
        look.pieces.append(chunk.astype(np.float32))
        if sum(piece.shape[1] for piece in look.pieces) >= LENGTH_S * rate_hz:
            look.waits = True
            self._whole.append(bed)

    def found(self, now_us: int) -> list[wire.BeatShape]:
        """What one waiting bed looks like; nothing where none waits or its curve tells nothing."""
        while self._whole:
            bed = self._whole.popleft()
            look = self._looks[bed]
            if look.waits:
                return self._look(bed, look, now_us)
        return []

    def _look(self, bed: str, look: _Look, now_us: int) -> list[wire.BeatShape]:
        curves = np.concatenate(look.pieces, axis=1)
        shapes = {
            lead: seen
            for lead, curve in zip(look.leads, curves, strict=True)
            if (seen := shape(curve, look.rate_hz))
        }
        self._drop(look)
        look.tries += 1
        if not shapes and look.tries < TRIES:
            look.due_us = now_us + RETRY_US
            return []
        gap_us, look.gap_us, look.tries = look.gap_us, 0, 0
        look.due_us = now_us + AGAIN_US
        if not shapes:
            return []
        return [wire.BeatShape(self.unit, bed, now_us, now_us, look.mode, shapes, gap_us)]

    def _drop(self, look: _Look) -> None:
        self._keeping -= bool(look.pieces)
        look.pieces, look.waits = [], False
