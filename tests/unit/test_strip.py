"""A strip on paper: a second is 25 mm, a millivolt 10 mm, as read from the drawing itself."""

from __future__ import annotations

import re
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hospital_ops.clock import SECOND
from hospital_ops.ecg.files.traces import Trace
from hospital_ops.waveform import NO_SAMPLE
from web.views.strip import Sheet, pulse, sheets
from web.views.values import Frame
from web.words import words_of

START = 1_780_000_000 * SECOND
FRAME = Frame(words=words_of("en"), now_us=START, zone=ZoneInfo("UTC"))
NUMBER = re.compile(r"-?\d+\.?\d*")


def points(path: str) -> list[tuple[float, float]]:
    """The points of an absolute path."""
    numbers = [float(text) for text in NUMBER.findall(path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def of(samples: list[int], rate_hz: float, unit: str, scale: float = 0.001) -> list[Sheet]:
    """The sheets of one curve."""
    trace = Trace(
        name="ECG II", unit=unit, rate_hz=rate_hz, scale=scale, offset=0.0,
        samples=np.array(samples, np.int16),
    )  # fmt: skip
    end = START + round(len(samples) / rate_hz) * SECOND
    return sheets([trace], START, end, FRAME)


@pytest.mark.parametrize(("rate_hz", "unit", "scale"), [(250.0, "mV", 0.001), (1000.0, "uV", 1.0)])
def test_a_second_is_25_mm_and_a_millivolt_10_mm(rate_hz: float, unit: str, scale: float) -> None:
    beat = [0] * int(rate_hz * 0.5) + [1000] + [0] * int(rate_hz * 0.5 - 1)
    (sheet,) = of(beat * 10, rate_hz, unit, scale)
    (line,) = sheet.lines
    drawn = points(line.path)
    top = min(y for _, y in drawn)
    assert max(y for _, y in drawn) - top == pytest.approx(10.0)
    peaks = [x for x, y in drawn if y == top]
    assert len(peaks) == 10
    assert all(after - before == pytest.approx(25.0) for before, after in pairwise(peaks))
    assert all(after[0] - before[0] == 25.0 for before, after in pairwise(sheet.seconds))
    assert line.said == "10 mm/mV"
    assert line.scale == pulse(line.y)
    assert "v-10.0h5.0v10.0" in line.scale  # 1 mV for 0.2 s


def test_a_minute_stands_on_six_sheets_and_a_gap_stays_a_gap() -> None:
    samples = [100] * 6000
    samples[250:300] = [NO_SAMPLE] * 50
    found = of(samples, 100.0, "mV")
    assert len(found) == 6
    assert found[0].lines[0].path.count("M") == 2
    assert found[1].lines[0].path.count("M") == 1
    assert found[1].seconds[0][1] == "20:26:50"


def test_a_pressure_has_its_own_scale_in_words_and_nothing_is_drawn_where_nothing_was() -> None:
    (sheet,) = of([60, 120] * 500, 100.0, "mm[Hg]", 1.0)
    assert sheet.lines[0].said.startswith("20 mm = 60\u2013120")
    drawn = points(sheet.lines[0].path)
    assert max(y for _, y in drawn) - min(y for _, y in drawn) == pytest.approx(20.0)
    assert of([NO_SAMPLE] * 1000, 100.0, "mV") == []
