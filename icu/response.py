"""Order and response: what the signals did after a dose or a setting was changed. Pure.

"Followed by", never "caused": the level before the change is compared with the furthest level of
the minutes after it. Nothing is said where another dose, another setting, a zeroing or an artefact
lies in the window, where the signal was already moving that way, or where too little was measured;
what lies there is listed. The rules are those of `response_rules.json`.

Signals come as bins of some seconds: the median of what was valid, and whether anything was not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import chain, pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import SECOND
from icu.limits import FLAT_MMHG

RULES: Final[dict[str, Any]] = json.loads(
    files("icu").joinpath("response_rules.json").read_text("utf-8")
)
BEFORE_US: Final = RULES["before_s"] * SECOND
AFTER_US: Final = RULES["after_s"] * SECOND
BIN_US: Final = RULES["bin_s"] * SECOND
TOGETHER_US: Final = RULES["together_s"] * SECOND
FOLLOWED, STEADY, SILENT, PENDING = "followed", "steady", "silent", "pending"
SYSTOLIC, DIASTOLIC, MEAN = "abp_sys", "abp_dia", "abp_mean"
# Everything that is read for one change: the signals, and what shows a zeroing of the line.
READ: Final = tuple(
    dict.fromkeys([*chain.from_iterable(RULES["signals"].values()), SYSTOLIC, DIASTOLIC])
)


class Change(NamedTuple):
    """A dose or setting that became another, or a medicine that was given."""

    at: int  # microseconds UTC
    what: str  # key of codes.json, or what was ordered
    kind: str  # dose, setting, given
    before: float | None = None
    after: float | None = None
    unit: str = ""
    order: str = ""  # the order that was carried out, where it is known

    @property
    def direction(self) -> str:
        """up, down, or given."""
        if self.before is None or self.after is None:
            return "given"
        return "up" if self.after > self.before else "down"


class Disturbance(NamedTuple):
    """Something else that lies in the window."""

    at: int
    what: str  # dose, setting, given, zeroing, artefact, technical, already_moving, too_little
    detail: str = ""


class Bin(NamedTuple):
    """Some seconds of one signal."""

    at: int  # where it begins
    value: float | None  # median of what was valid; None: nothing was
    bad: bool = False  # something in it was invalid or questionable


class Response(NamedTuple):
    """What one signal did after one change."""

    signal: str  # key of codes.json
    state: str  # followed, steady (no change beyond its own spread), silent, pending
    delta: float | None = None  # in the signal's unit
    seconds: int = 0  # until 90 % of it was reached
    base: float | None = None
    because: tuple[Disturbance, ...] = ()


Signals = Mapping[str, Sequence[Bin]]


def together(changes: Iterable[Change]) -> list[Change]:
    """Changes in order; steps of one thing within a minute are one change, from first to last."""
    found: list[Change] = []
    for change in sorted(changes):
        last = next((i for i, c in enumerate(found) if _one_ramp(c, change)), None)
        if last is None:
            found.append(change)
        else:
            found[last] = found[last]._replace(after=change.after)
    return [change for change in found if change.kind == "given" or change.before != change.after]


def _one_ramp(first: Change, then: Change) -> bool:
    if first.kind == "given" or (first.kind, first.what) != (then.kind, then.what):
        return False
    return bool(then.at - first.at <= TOGETHER_US)


def responses(
    change: Change,
    signals: Signals,
    others: Iterable[Change],
    technical: Iterable[Disturbance],
    now: int,
) -> list[Response]:
    """What each signal of this kind of change did, in the order of the table."""
    beside = [
        Disturbance(other.at, other.kind, other.what)
        for other in others
        if other != change and _in_window(change, other.at)
    ]
    beside += _zeroings(change, signals)
    technical = [each for each in technical if _in_window(change, each.at)]
    return [
        _response(change, signal, signals.get(signal, ()), beside, technical, now)
        for signal in RULES["signals"][change.kind]
    ]


def _in_window(change: Change, at: int) -> bool:
    return bool(change.at - BEFORE_US <= at < change.at + AFTER_US)


def _zeroings(change: Change, signals: Signals) -> list[Disturbance]:
    """The line shows no pulse: zeroed, flushed or damped (`line_damped` of alarms.json)."""
    diastolic = {each.at: each.value for each in signals.get(DIASTOLIC, ())}
    for each in signals.get(SYSTOLIC, ()):
        below = diastolic.get(each.at)
        if each.value is None or below is None or not _in_window(change, each.at):
            continue
        if each.value - below < FLAT_MMHG:
            return [Disturbance(each.at, "zeroing")]
    return []


def _response(
    change: Change,
    signal: str,
    bins: Sequence[Bin],
    beside: Sequence[Disturbance],
    technical: Sequence[Disturbance],
    now: int,
) -> Response:
    theirs = sorted(each for each in bins if _in_window(change, each.at))
    vital = codes.by_key[signal]
    because = [
        *(each for each in beside if each.what != "zeroing" or signal.startswith("abp")),
        *(each for each in technical if each.detail in ("", vital.code)),
    ]
    because += [Disturbance(each.at, "artefact", signal) for each in theirs if each.bad][:1]
    if because:
        return Response(signal, SILENT, because=tuple(sorted(because)))
    if now < change.at + AFTER_US:
        return Response(signal, PENDING)
    earlier = [e.value for e in theirs if e.at < change.at and e.value is not None]
    later = [each for each in theirs if each.at >= change.at and each.value is not None]
    if not _enough(earlier, BEFORE_US) or not _enough(later, AFTER_US):
        return Response(signal, SILENT, because=(Disturbance(change.at, "too_little", signal),))
    return _compared(change, signal, earlier, later, vital.resolution or 0.0)


def _enough(measured: Sequence[object], span_us: int) -> bool:
    return bool(len(measured) >= RULES["coverage"] * span_us / BIN_US)


def _compared(
    change: Change, signal: str, earlier: list[float], later: list[Bin], resolution: float
) -> Response:
    """The furthest smoothed level after the change against the level before it."""
    base = median(earlier)
    spread = max(abs(value - base) for value in earlier)
    levels = _smoothed(later)
    furthest, level = max(levels, key=lambda each: abs(each[1] - base))
    delta = level - base
    if abs(delta) < max(RULES["spreads"] * spread, 2 * resolution):
        return Response(signal, STEADY, base=base)
    if _already_moving(earlier, delta, furthest - change.at):
        moving = Disturbance(change.at, "already_moving", signal)
        return Response(signal, SILENT, base=base, because=(moving,))
    reached = RULES["reached"]
    at = next(at for at, level in levels if (level - base) / delta >= reached)
    return Response(signal, FOLLOWED, delta, (at - change.at) // SECOND, base)


def _already_moving(earlier: list[float], delta: float, after_us: int) -> bool:
    """Whether the drift of the time before, gone on, would make up half of the change."""
    half = len(earlier) // 2
    first, second = earlier[:half], earlier[half:]
    drift = median(second) - median(first)
    spread = max(abs(v - median(part)) for part in (first, second) for v in part)
    gone_on = drift * (after_us + BEFORE_US / 2) / (BEFORE_US / 2)
    clear = abs(drift) >= RULES["spreads"] * spread
    return bool(clear and gone_on * delta > 0 and abs(gone_on) >= abs(delta) / 2)


def _smoothed(bins: Sequence[Bin]) -> list[tuple[int, float]]:
    """(end of the bins, their median) as a window of some bins moves along."""
    width = RULES["smooth_bins"]
    values = [(each.at + BIN_US, each.value) for each in bins if each.value is not None]
    return [
        (values[end - 1][0], median(value for _, value in values[end - width : end]))
        for end in range(width, len(values) + 1)
    ]


class Summary(NamedTuple):
    """The same change again and again: how often a signal followed, and how far."""

    what: str
    direction: str
    signal: str
    times: int  # followed in this direction
    of: int  # changes about which something could be said
    silent: int  # changes about which nothing is said
    delta: float | None  # median of those that followed
    seconds: int


def summaries(found: Iterable[tuple[Change, Sequence[Response]]]) -> list[Summary]:
    """One line for each thing, direction and signal; those that followed most often first."""
    groups: dict[tuple[str, str, str], list[Response]] = {}
    for change, each in found:
        for response in each:
            key = (change.what, change.direction, response.signal)
            groups.setdefault(key, []).append(response)
    made = [_summary(*key, responses) for key, responses in groups.items()]
    return sorted(made, key=lambda summary: (-summary.times, summary[:3]))


def _summary(what: str, direction: str, signal: str, found: Sequence[Response]) -> Summary:
    told = [each for each in found if each.state in (FOLLOWED, STEADY)]
    ups = [each for each in told if each.delta is not None and each.delta > 0]
    downs = [each for each in told if each.delta is not None and each.delta < 0]
    same = max(ups, downs, key=len)
    deltas = [each.delta for each in same if each.delta is not None]
    return Summary(
        what=what,
        direction=direction,
        signal=signal,
        times=len(same),
        of=len(told),
        silent=sum(each.state == SILENT for each in found),
        delta=median(deltas) if deltas else None,
        seconds=round(median(each.seconds for each in same)) if same else 0,
    )


def drug_of(text: str) -> str:
    """The key of a drug whose pump sends its dose, as an order may name it; empty: none."""
    said = text.casefold()
    return next((key for key, names in RULES["doses"].items() if any(n in said for n in names)), "")


def steps(values: Iterable[tuple[int, float]], what: str, kind: str, unit: str) -> list[Change]:
    """The changes in a series of doses or settings, oldest first."""
    least = RULES["settings"].get(what, 0.0)
    return [
        Change(at, what, kind, before, after, unit)
        for (_, before), (at, after) in pairwise(sorted(values))
        if after != before and abs(after - before) >= least
    ]
