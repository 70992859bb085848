"""The last hours of a bed as small curves on its page, drawn by the server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import from_datetime
from web.trends.steps import HOUR, MINUTE, Point, Row, Trend
from web.views.trendpage import LANES
from web.views.values import Frame, clock, decimals_of, unit_words

SPANS: Final = {"1h": HOUR, "6h": 6 * HOUR, "24h": 24 * HOUR}
USUAL: Final = "6h"
WIDTH, HEIGHT = 1000, 44  # of a lane's drawing, stretched to its place
EDGE: Final = 4  # above and below the curve
STEPS: Final = 180
SHOWN: Final = ("map", "hr", "spo2", "rr", "norepinephrine", "fio2")
STILL: Final = ("norepinephrine", "fio2")  # set by hand: steps, not lines
CODES: Final = [code for key, _, sent in LANES if key in SHOWN for code in sent]


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
    """The lanes that have a value, in the order of the page of trends."""
    made = []
    for key, tint, sent in sorted(
        (lane for lane in LANES if lane[0] in SHOWN), key=lambda lane: SHOWN.index(lane[0])
    ):
        code = next((code for code in sent if code in found and found[code].points), None)
        if code is not None:
            made.append(_lane(key, tint, code, found[code], (start, end, step), frame))
    return made


def _lane(
    key: str, tint: str, code: str, trend: Trend, when: tuple[int, int, int], frame: Frame
) -> Lane:
    points, words = trend.points, frame.words
    low, high = min(p.lowest for p in points), max(p.highest for p in points)
    vital = codes.by_code.get(code)
    # A straight line is no noise: at least ten steps of the device from edge to edge.
    room = max(high - low, 10 * (vital.resolution or 1) if vital else 0.0) or 1.0
    middle = (low + high) / 2

    def y(value: float) -> float:
        return round(HEIGHT / 2 - (value - middle) / room * (HEIGHT - 2 * EDGE), 1)

    start, end, step = when
    runs = _runs(points, max(2 * step, 2 * MINUTE))

    def x(at: int) -> float:
        return round((at - start) / (end - start) * WIDTH, 1)

    decimals = decimals_of(code, trend.unit)
    return Lane(
        key=key,
        tint=tint,
        label=words.t(f"value.{key}"),
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
