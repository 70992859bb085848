"""From an observation to what the board shows: newest by event time, with its ages to come."""

from __future__ import annotations

from functools import lru_cache
from operator import sub

from hospital_ops import codes, wire
from hospital_ops.board import Shown
from hospital_ops.clock import SECOND
from icu import probes
from icu.state import BedState

FUTURE_US = 60 * SECOND  # further ahead than this is not "now" (SAFETY rule 6)
INTERVALS_KEPT = 6  # five intervals give the cycle (clinical/observation_classes.json)
READINGS_FOR_A_CYCLE = 3
UNMAPPED_MOST = 128  # names of a sender's own on one bed; more than a device has is a broken one


# Our own words, each once for all beds: every message brings its own.
_WORDS = {
    word: word
    for word in (
        *(word for vital in codes.VITALS for word in (vital.code, vital.ucum)),
        *("Vld", "Qst", "Inv", "monitor", "typed", "setting", "laboratory"),
    )
}
TIMELESS_KEPT = 4096  # messages without a time whose first receipt is remembered


def first_receipt(known: dict[bytes, int], message: wire.Observed) -> int:
    """A message without a time keeps its first receive time, however often it is sent."""
    if None not in [o.determined_at for o in message.observations]:
        return message.received_at
    first = known.setdefault(message.identity, message.received_at)
    while len(known) > TIMELESS_KEPT:
        del known[next(iter(known))]
    return first


def name_of(bed: BedState, observation: wire.Observation) -> str:
    """Under which name the board shows it: the code, or the sender's own words if unmapped.

    Words that are one of our codes, or that another private code has taken, are no name: an
    unmapped value never stands in the place of a vital sign or of another value.
    """
    if observation.mapped:
        return observation.code
    name = observation.text or observation.code
    known = bed.values.get(name)
    taken = known is not None and known.code not in ("", observation.code)
    return f"{name} ({observation.code})" if taken or name in codes.by_code else name


def take(
    bed: BedState,
    message: wire.Observed,
    observation: wire.Observation,
    name: str,
    at: int,
    sender: str,
) -> str:
    """Puts an observation of `sender` on the bed.

    Answers shown, same, late, beside (a monitor tells it), future or too_many.

    Late data never replace a newer value (SAFETY I10); what comes from the future stays away from
    the board, and so do ever new names of a broken sender (the archive has them). `at` is the
    event time: the device's, or the receive time where it gave none.
    """
    if at > message.received_at + FUTURE_US:
        return "future"
    name = _WORDS.get(name, name)
    if observation.mapped and observation.text:  # a codebook maps it now: not twice on the bed
        bed.values.pop(observation.text, None)
        bed.times.pop(observation.text, None)
    known = bed.values.get(name)
    if known is None and not observation.mapped and _is_full(bed):
        return "too_many"
    beside = probes.of(bed, name, known, message, observation, sender, at)
    sensor = probes.sensor_of(sender, observation.channel) if beside is not None else ""
    if beside is not None:
        known = beside.get(sensor)
    if known is not None and at < known.at:
        return "late"
    if known is not None and observation.origin == "typed" and _lives(known, at):
        return "beside"
    if known is not None and at == known.at and _same(known, observation):
        return "same"
    _remember_time(bed, name, at)
    bed.values[name] = shown = _shown(bed, message, observation, name, at)
    if beside is not None:
        beside[sensor] = shown
    return "shown"


def _lives(known: Shown, at: int) -> bool:
    """Whether a monitor tells this value: what is typed beside it takes neither its place nor
    its alarms."""
    return known.origin == "monitor" and known.kind == codes.CONTINUOUS and at < known.gone_at


def _is_full(bed: BedState) -> bool:
    return sum(not shown.mapped for shown in bed.values.values()) >= UNMAPPED_MOST


def _same(known: Shown, observation: wire.Observation) -> bool:
    return known.value == observation.value and known.validity == observation.validity


def _remember_time(bed: BedState, name: str, at: int) -> None:
    times = bed.times.get(name, ())
    if not times or at > times[-1]:
        bed.times[name] = (*times[1 - INTERVALS_KEPT :], at)


@lru_cache(maxsize=256)  # values that a message brings together came together before
def _period_s(times: tuple[int, ...]) -> float | None:
    """The usual distance of readings in seconds, once there are enough of them."""
    if len(times) < READINGS_FOR_A_CYCLE:
        return None
    # Their median, by hand.
    gaps: list[int] = sorted(map(sub, times[1:], times))
    middle = len(gaps) // 2
    return (gaps[middle] + gaps[-middle - 1]) / (2 * SECOND)


def _shown(
    bed: BedState, message: wire.Observed, observation: wire.Observation, name: str, at: int
) -> Shown:
    kind, amber_s, gone_s = codes.ages(
        observation.code, observation.origin, _period_s(bed.times[name])
    )
    # A device whose clock runs ahead does not make its values live for longer.
    amber_at, gone_at = _ends(min(at, message.received_at), amber_s, gone_s)
    return Shown(
        value=observation.value,
        unit=_WORDS.get(observation.unit, observation.unit),
        at=at,
        kind=kind,
        amber_at=amber_at,
        gone_at=gone_at,
        validity=_WORDS.get(observation.validity, observation.validity),
        mapped=observation.mapped,
        text=observation.text,
        mode=message.mode,
        reason=observation.reason,
        origin=_WORDS.get(observation.origin, observation.origin),
        channel=observation.channel,
        code="" if observation.mapped else observation.code,
    )


@lru_cache(maxsize=64)  # the values of a message mostly share them
def _ends(since: int, amber_s: float, gone_s: float) -> tuple[int, int]:
    """From when on a value is stale, and withdrawn; 0: never."""
    return (
        since + round(amber_s * SECOND) if amber_s else 0,
        since + round(gone_s * SECOND) if gone_s else 0,
    )


def next_change(bed: BedState, now: int) -> int:
    """The next moment at which some value turns stale or is withdrawn; 0 when none will."""
    shown = bed.values.values()
    moments = {one.amber_at for one in shown} | {one.gone_at for one in shown}
    return min([moment for moment in moments if moment > now], default=0)
