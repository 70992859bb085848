"""Curves of a made-up patient, half a second at a time, through the analysis into a unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.ecg.synthetic import heart_loops
from hospital_ops.ecg.ward import WardRhythm
from tests.alarm_ward import BED, UNIT, Ward

Signal = np.ndarray[Any, Any]
RATE, PLETH_RATE = 250, 125
ECG_II, ECG_V1, PLETH = "131330", "131331", "150452"
PIECE_S = 0.5


def heart(per_min: int, seconds: float, rate: int = RATE) -> Signal:
    """Lead II in mV, or the pulse at the finger where `rate` is that of the pleth."""
    loop = heart_loops(per_min)[0 if rate == RATE else 1]
    return np.resize(np.frombuffer(loop.samples, "<i2") * loop.scale, round(seconds * rate))


def fibrillating(seconds: float) -> Signal:
    """A coarse fibrillation, mV."""
    at = np.arange(round(seconds * RATE)) / RATE
    return 0.35 * np.sin(2 * np.pi * 5.2 * at + 0.8 * np.sin(2 * np.pi * 0.6 * at))


def still(seconds: float) -> Signal:
    """A connected lead without a heart beat: a little noise, mV."""
    return 0.01 * np.random.default_rng(7).standard_normal(round(seconds * RATE))


def off(seconds: float) -> Signal:
    """A lead that has come off: nothing moves."""
    return np.zeros(round(seconds * RATE))


def piece(bed: str, code: str, rate: float, values: Signal, started_at: int, now: int) -> Any:
    """A piece of curve as the intake appends it."""
    raw = np.rint(values / 0.005).astype("<i2").tobytes()
    unit = "mV" if code.startswith("131") else "1"
    return wire.Waved(
        UNIT, "device:mon", "1", b"", now, "Test", code, "", started_at, rate, 0.005, 0.0, unit,
        raw, bed=bed, device="mon",
    )  # fmt: skip


class CurveWard(Ward):
    """A ward whose beds also have curves."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.analysis = WardRhythm(UNIT)
        self.found: list[wire.Rhythm] = []
        self.shapes: list[wire.BeatShape] = []
        self.clock_off_us = 0  # of the device

    def play(self, curves: dict[str, Signal], bed: str = BED, drop: slice | None = None) -> None:
        """Curves by code, all of one length; the pieces in `drop` are lost on the way."""
        rates = {code: PLETH_RATE if code == PLETH else RATE for code in curves}
        code = next(iter(curves))
        count = round(len(curves[code]) / rates[code] / PIECE_S)
        lost = range(count)[drop] if drop else ()
        for number in range(count):
            began, self.now = self.now, self.now + round(PIECE_S * SECOND)
            for code, values in curves.items():
                first, end = (round(n * PIECE_S * rates[code] + 1e-6) for n in (number, number + 1))
                if number not in lost:
                    self.analysis.take(
                        piece(
                            bed, code, rates[code], values[first:end],
                            began - self.clock_off_us, self.now,
                        )
                    )  # fmt: skip
            self.hear()

    def hear(self) -> None:
        """Lets the analysis come to this moment, and the unit decide."""
        for found in self.analysis.advance(self.now):
            if isinstance(found, wire.BeatShape):
                self.shapes.append(found)
            else:
                self.found.append(found)
            self.give(found)
        self.give(wire.Tick(self.now))
