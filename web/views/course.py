"""The last hours of a bed as small curves on its page, drawn by the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import from_datetime
from web.trends.steps import HOUR, MINUTE, Point, Row, Trend
from web.views.trendpage import LANES, PUMPS
from web.views.values import Frame, clock, decimals_of, name_words, unit_words

SPANS: Final = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR}
USUAL: Final = "6h"
WIDTH, HEIGHT = 1000, 44  # of a lane's drawing, stretched to its place
EDGE: Final = 4  # above and below the curve
STEPS: Final = 180
STILL: Final = (*PUMPS, "fio2")  # set by hand: steps, not lines
# A lane has one value, under its own name: of a pressure the way it was measured last.
SHOWN: Final = (
    ("abp_mean", "nibp_mean"), ("hr",), ("spo2",), ("rr",), *((drug,) for drug in PUMPS), ("fio2",),
)  # fmt: skip
CODES: Final = [codes.by_key[key].code for keys in SHOWN for key in keys]
_TINTS: Final = {key: tint for tint, keys in LANES for key in keys}


class Lane(NamedTuple):
    """One value over the span."""

    key: str
    tint: str
    label: str
    unit: str
    line: str  # path of the mean, broken where nothing was measured
    band: str  # path round lowest and highest
    lowest: str
    highest: str
    last: str
    last_at: str  # its clock time: what is drawn each minute is never live (SAFETY I6)


class Mark(NamedTuple):
    """An alarm, an act on an order, a change of a device."""

    x: float
    kind: str
    tone: str
    said: str


def lanes(found: Mapping[str, Trend], start: int, end: int, step: int, frame: Frame) -> list[Lane]:
    """The lanes that have a value."""
    made = []
    for keys in SHOWN:
        measured = [
            (vital, found[vital.code])
            for vital in (codes.by_key[key] for key in keys)
            if vital.code in found and found[vital.code].points
        ]
        if measured:
            vital, trend = max(measured, key=lambda one: one[1].points[-1].at)
            made.append(_lane(vital, trend, (start, end, step), frame))
    return made


def _lane(vital: codes.Vital, trend: Trend, when: tuple[int, int, int], frame: Frame) -> Lane:
    points, words, key = trend.points, frame.words, vital.key
    low, high = min(p.lowest for p in points), max(p.highest for p in points)
    # A straight line is no noise: at least ten steps of the device from edge to edge.
    room = max(high - low, 10 * (vital.resolution or 1)) or 1.0
    middle = (low + high) / 2

    def y(value: float) -> float:
        return round(HEIGHT / 2 - (value - middle) / room * (HEIGHT - 2 * EDGE), 1)

    start, end, step = when
    runs = _runs(points, max(2 * step, 2 * MINUTE))

    def x(at: int) -> float:
        return round((at - start) / (end - start) * WIDTH, 1)

    decimals = decimals_of(vital.code, trend.unit)
    return Lane(
        key=key,
        tint=_TINTS[key],
        label=name_words(vital.code, words),
        unit=unit_words(trend.unit, words),
        line=" ".join(_line(run, x, y, step, still=key in STILL) for run in runs),
        band=" ".join(_band(run, x, y, step) for run in runs),
        lowest=words.number(low, decimals),
        highest=words.number(high, decimals),
        last=words.number(points[-1].mean, decimals),
        last_at=clock(points[-1].at, frame.zone),
    )


def _runs(points: Sequence[Point], longest: int) -> list[list[Point]]:
    """Points without a gap longer than `longest` between two of them."""
    runs: list[list[Point]] = []
    for point in points:
        if runs and point.at - runs[-1][-1].at <= longest:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _line(run: Sequence[Point], x: Any, y: Any, step: int, *, still: bool) -> str:
    path = f"M{x(run[0].at)} {y(run[0].mean)}"
    for point in run[1:]:
        path += f"H{x(point.at)}V{y(point.mean)}" if still else f"L{x(point.at)} {y(point.mean)}"
    return f"{path}H{x(run[-1].at + step)}"


def _band(run: Sequence[Point], x: Any, y: Any, step: int) -> str:
    upper = "L".join(f"{x(p.at)} {y(p.highest)}" for p in run)
    lower = "L".join(f"{x(p.at)} {y(p.lowest)}" for p in reversed(run))
    end = x(run[-1].at + step)
    return f"M{upper}L{end} {y(run[-1].highest)}L{end} {y(run[-1].lowest)}L{lower}Z"


def marks(rows: Iterable[Row], start: int, end: int, frame: Frame) -> list[Mark]:
    """What happened in the span, each at its place of the axis."""
    return [
        Mark(
            x=round((from_datetime(row["at"]) - start) / (end - start) * WIDTH, 1),
            kind=row["kind"],
            tone=row["tone"] or "",
            said=f"{clock(from_datetime(row['at']), frame.zone)} {row['said'] or ''}".strip(),
        )
        for row in rows
        if row["kind"] in ("alarm", "order", "device")
    ]


def hours(start: int, end: int, frame: Frame) -> list[tuple[float, str]]:
    """(place, clock time) of four lines that divide the span."""
    quarter = (end - start) // 4
    return [(round(n / 4 * WIDTH, 1), clock(start + n * quarter, frame.zone)) for n in range(1, 4)]
