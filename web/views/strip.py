"""A strip of stored curves on paper: 25 mm a second, 10 mm a millivolt, a pulse before it.

One user unit of the drawing is one millimetre. Every sheet holds ten seconds of up to five curves;
what is no voltage fills twenty millimetres between a lowest and a highest value that stand there.
Pure: curves in, paths out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from statistics import median
from typing import Final

from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.ecg.files.traces import Trace
from hospital_ops.waveform import NO_SAMPLE
from web.render import Renderer
from web.views.curves import FREE
from web.views.page import Page
from web.views.paper import drawable, drawn
from web.views.values import Frame, clock, unit_words

SPEED, GAIN = 25.0, 10.0  # mm/s, mm/mV
SHEET_S: Final = 10
ROWS_MOST: Final = 5  # of an A4 sheet across
PULSE_MM, ROW_MM, TOP_MM, FOOT_MM = 13.0, 32.0, 6.0, 8.0
WIDTH_MM: Final = 265.0
FREE_MM: Final = 20.0  # the height of a curve that is no voltage
MILLIVOLTS: Final = {"mV": 1.0, "uV": 0.001, "V": 1000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve of a sheet: its path, the scale before it (a pulse, or a bar) and in words."""

    name: str
    y: float  # of its middle
    path: str
    scale: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Ten seconds: `height` in mm, its lines, and the clock at each second (x, text)."""

    height: float
    lines: tuple[Line, ...]
    seconds: tuple[tuple[float, str], ...]


def sheets(traces: Sequence[Trace], start_us: int, end_us: int, frame: Frame) -> list[Sheet]:
    """The sheets of a range, oldest first; voltages before everything else."""
    ordered = sorted(traces, key=lambda trace: (trace.unit not in MILLIVOLTS, trace.name))
    found = []
    for start_s in range(0, ceil((end_us - start_us) / SECOND), SHEET_S):
        for first in range(0, len(ordered), ROWS_MOST):
            lines = tuple(
                line
                for row, trace in enumerate(ordered[first : first + ROWS_MOST])
                if (line := _line(trace, start_s, TOP_MM + (row + 0.5) * ROW_MM, frame))
            )
            if lines:
                height = TOP_MM + len(ordered[first : first + ROWS_MOST]) * ROW_MM + FOOT_MM
                seconds = _seconds(start_us + start_s * SECOND, end_us, frame)
                found.append(Sheet(height=height, lines=lines, seconds=seconds))
    return found


def _named(name: str, frame: Frame) -> str:
    """The lead, or what the curve is called on the page of the bed; else its code."""
    code, _, more = name.removeprefix("ECG ").removeprefix("MDC ").partition(" ")
    key = next((f"wave.{key}" for key, _, codes, _ in FREE if code in codes), "")
    return " ".join((frame.words.t(key) if key else code, more)).strip()


def _seconds(start_us: int, end_us: int, frame: Frame) -> tuple[tuple[float, str], ...]:
    shown = min(SHEET_S, ceil((end_us - start_us) / SECOND))
    return tuple(
        (
            PULSE_MM + second * SPEED,
            clock(start_us + second * SECOND, frame.zone, seconds=True)
            if not second % 2 and second < SHEET_S
            else "",
        )
        for second in range(shown + 1)
    )


def _line(trace: Trace, start_s: int, y: float, frame: Frame) -> Line | None:
    first = round(start_s * trace.rate_hz)
    piece: list[int] = trace.samples[first : first + round(SHEET_S * trace.rate_hz) + 1].tolist()
    values = [n * trace.scale + trace.offset for n in piece if n != NO_SAMPLE]
    if not values:
        return None
    name = _named(trace.name, frame)
    volts = MILLIVOLTS.get(trace.unit)
    if volts is not None:
        middle, mm_a_unit = median(values), GAIN * volts
        said = "10 " + frame.words.t("ecg.mm_mv")
        scale = pulse(y)
    else:
        low, high = _round_range(min(values), max(values))
        middle, mm_a_unit = (low + high) / 2, FREE_MM / (high - low)
        unit = unit_words(trace.unit, frame.words)
        numbers = "\u2013".join(frame.words.number(edge) for edge in (low, high))
        said = frame.words.t("strip.free", range=f"{numbers} {unit}".strip())
        scale = f"M{PULSE_MM - 3:.2f} {y + FREE_MM / 2:.2f}v{-FREE_MM}"
    path = _path(piece, trace, (PULSE_MM, y), middle, mm_a_unit)
    return Line(name=name, y=y, path=path, scale=scale, said=said)


def pulse(y: float) -> str:
    """The calibration pulse before a voltage whose middle is `y`: 1 mV for 0.2 s."""
    wide, flat = 0.2 * SPEED, 1.0
    start = PULSE_MM - wide - 2 * flat - 1
    return f"M{start:.2f} {y + GAIN / 2:.2f}h{flat}v{-GAIN}h{wide}v{GAIN}h{flat}"


def _path(
    piece: list[int],
    trace: Trace,
    origin: tuple[float, float],
    middle: float,
    mm_a_unit: float,
) -> str:
    """The path of the samples; gaps are gaps."""
    lines: list[list[tuple[float, float]]] = [[]]
    for index, number in drawable(piece, trace.rate_hz):
        if number == NO_SAMPLE:
            lines.append([])
            continue
        value = number * trace.scale + trace.offset
        x = origin[0] + index * SPEED / trace.rate_hz
        lines[-1].append((x, origin[1] - (value - middle) * mm_a_unit))
    return drawn(lines)


def _round_range(low: float, high: float) -> tuple[float, float]:
    """Round numbers around what is drawn."""
    wide = max(high - low, abs(high) * 0.01, 1e-6)
    step = 10.0 ** floor(log10(wide))
    step = step if wide / step > 3 else step / 2
    return floor(low / step) * step, ceil(high / step) * step or step


def render(
    renderer: Renderer,
    frame: Frame,
    *,
    cell: BedCell,
    unit: str,
    traces: Sequence[Trace],
    start_us: int,
    end_us: int,
    simulated: bool,
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The page of a strip, for print."""
    words = frame.words
    page = Page(
        words=words,
        title=words.t("strip.title", bed=cell.label),
        user=user,
        demo=demo,
        unit=unit,
        units=tuple(units),
        now_us=frame.now_us,
        zone=str(frame.zone),
    )
    return renderer.fill(
        "strip.html",
        page=page,
        cell=cell,
        sheets=sheets(traces, start_us, end_us, frame),
        width=WIDTH_MM,
        pulse_x=PULSE_MM,
        day=f"{to_datetime(start_us).astimezone(frame.zone):%d.%m.%Y}",
        first=clock(start_us, frame.zone, seconds=True),
        last=clock(end_us, frame.zone, seconds=True),
        printed=clock(frame.now_us, frame.zone),
        span=f"from={start_us}&to={end_us}",
        simulated=simulated,
    )
