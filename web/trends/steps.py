"""Steps of a trend: rows of both ways put together, of one mode, and what is read where. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from hospital_ops.clock import SECOND, from_datetime
from web.whereabouts.spans import STILL, Span

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
REAL: Final = "Real"


class Row(Protocol):
    """A row of the archive, or a dict of a test: values by name."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


R = TypeVar("R", bound=Row)
T = TypeVar("T")


class Lying(NamedTuple):
    """Who lies in a bed, or lay there last, as far as a trend asks."""

    since: datetime
    mode: str = ""  # Real, Test, Demo, Drill; empty: nobody said
    patient_id: UUID | None = None
    until: datetime | None = None  # they left, and nobody has come since
    earlier: tuple[Span, ...] = ()  # where they lay before in the same stay, the oldest first
    begun: datetime | None = None  # of the stay; None: nobody said

    def beds(self, place: str) -> list[Span]:
        """The beds of the stay, the oldest first; the last one is `place`, where they lie now."""
        earlier = [span for span in self.earlier if not span.is_case]
        return [*earlier, Span("", place, from_datetime(self.since), STILL)]

    @property
    def only(self) -> str | None:
        """The one mode that may be shown; None: any. Nothing simulated joins a real patient's."""
        return REAL if self.mode == REAL else None

    def own(self, things: Sequence[T], mode_of: Callable[[T], str]) -> Sequence[T]:
        """Simulated things and those of a patient never stand together (SAFETY I18).

        Of a real patient only real ones; of another patient all, and all pass as simulated. Where
        nobody said who lies there, real ones alone as soon as there is one.
        """
        if self.mode not in ("", REAL):
            return things
        real = [thing for thing in things if mode_of(thing) == REAL]
        return real if real or self.mode == REAL else things


class Point(NamedTuple):
    """One step of a trend."""

    at: int  # its beginning, microseconds since 1970 UTC
    lowest: float
    highest: float
    mean: float
    number: int


class Trend(NamedTuple):
    """One value over time."""

    unit: str
    points: list[Point]
    mode: str = ""  # Real, Test, Demo, Drill


def of_one_mode(rows: Sequence[R], lying: Lying) -> tuple[str, Sequence[R]]:
    """(mode, rows of it), from rows that have a `mode`."""
    own = lying.own(rows, lambda row: row["mode"])
    if lying.mode:
        return lying.mode, own
    return min((row["mode"] for row in own), default=""), own


def merged(rows: Iterable[R], mode: str = "") -> dict[str, Trend]:
    """The rows of both ways put together: a step that both know is one."""
    steps: dict[str, dict[int, tuple[float, float, float, int]]] = {}
    units: dict[str, str] = {}
    for row in rows:
        at, code = from_datetime(row["bin"]), row["code"]
        low, high = float(row["lowest"]), float(row["highest"])
        total, number = float(row["total"]), int(row["number"])
        known = steps.setdefault(code, {}).get(at)
        if known is not None:
            low, high = min(low, known[0]), max(high, known[1])
            total, number = total + known[2], number + known[3]
        steps[code][at] = (low, high, total, number)
        units[code] = row["unit"]
    return {
        code: Trend(
            units[code],
            [Point(at, s[0], s[1], s[2] / s[3], s[3]) for at, s in sorted(found.items())],
            mode,
        )
        for code, found in steps.items()
    }


def from_values(start: int, made: int, end: int, marked: Iterable[int]) -> list[tuple[int, int]]:
    """The pieces of [start, end) that are read from the values themselves, oldest first.

    What lies behind `made` has no minutes yet; a marked hour (its beginning) has minutes that no
    longer hold. Pieces that touch are one.
    """
    made = min(max(start, made), end)
    pieces = [(max(start, hour), min(made, hour + HOUR)) for hour in sorted(set(marked))]
    joined: list[tuple[int, int]] = []
    for first, past in [*pieces, (made, end)]:
        if first >= past:
            continue
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], past)
        else:
            joined.append((first, past))
    return joined


def from_minutes(
    start: int, made: int, end: int, barred: Iterable[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The pieces of [start, end) that are read by minutes, and those read value by value.

    Minutes do not say whose they are: only whole ones that are made and that touch nothing of
    `barred` (spans about which something was told late) are taken.
    """
    made = max(start, min(made, end) // MINUTE * MINUTE)
    first = min(-(-start // MINUTE) * MINUTE, made)
    holes = sorted((low // MINUTE * MINUTE, -(-high // MINUTE) * MINUTE) for low, high in barred)
    minutes: list[tuple[int, int]] = []
    for low, high in [*holes, (made, made)]:
        if first < min(low, made):
            minutes.append((first, min(low, made)))
        first = max(first, min(high, made))
    edges = [start, *(edge for piece in minutes for edge in piece), end]
    values = [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low < high]
    return minutes, values
