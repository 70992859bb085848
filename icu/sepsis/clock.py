"""What of the sepsis bundle is due, overdue or was late, from the marks and the archive. Pure.

Elements and their minutes stand in `icu_indicators.json` (`sepsis_bundle`), judged by
`hospital_ops.clinical.sepsis`. A lactate and a vasopressor count from the archive, the others as
somebody marks them; a mark wins over the archive. What was done before the recognition counts where
somebody marks it: the table names no time before it within which it would count by itself. Only a
vasopressor that ran at the recognition does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.scores import score
from hospital_ops.clinical.sepsis import ELEMENTS, FULL_FLUID_ML_KG, deadline_min
from hospital_ops.clock import SECOND, iso

FLUID: Final = "fluid_30ml_kg"
LONGEST_US: Final = 24 * 3600 * SECOND  # a recognition that is older is no clock of first hours
_MINUTE_US: Final = 60 * SECOND


class Mark(NamedTuple):
    """An element that was done: when, and who said so (empty: the archive)."""

    at: int
    by: str = ""


class Clock(NamedTuple):
    """A clock that runs; `zero` is the recognition, microseconds since 1970 UTC."""

    clock: str
    category: str
    hypotension: bool
    zero: int
    by: str
    marks: Mapping[str, Mark]


class Seen(NamedTuple):
    """What the archive and the board know since the recognition."""

    lactates: Sequence[tuple[int, float]] = ()  # (time, mmol/L), rising
    vasopressor_at: int | None = None
    map_mmhg: float | None = None  # of now
    earlier: tuple[int, float] | None = None  # the newest lactate before the recognition


def told(clock: Clock, seen: Seen, now: int) -> dict[str, Any]:
    """The elements in their order: what each waits for, or when it was done."""
    done = _done(clock, seen)
    minutes = {name: max(0.0, (m.at - clock.zero) / _MINUTE_US) for name, m in done.items()}
    first = _first_lactate(clock, seen)
    found = score(
        "sepsis_bundle",
        {
            "category": clock.category,
            "now_min": (now - clock.zero) / _MINUTE_US,
            "hypotension": clock.hypotension,
            "lactate_mmol_l": first,
            "map_mmhg": seen.map_mmhg,
            "fluid_ml_kg": FULL_FLUID_ML_KG if FLUID in done else None,
            **{f"{name}_min": at for name, at in minutes.items() if name != FLUID},
        },
    )
    return {
        "clock": clock.clock,
        "category": clock.category,
        "hypotension": clock.hypotension,
        "zero_at": iso(clock.zero),
        "started_by": clock.by,
        "minutes": int((now - clock.zero) // _MINUTE_US),
        "elements": [_element(name, clock, done, found) for name in ELEMENTS],
        "earlier_lactate": {"at": iso(seen.earlier[0]), "mmol_l": seen.earlier[1]}
        if seen.earlier and "lactate" not in done
        else None,
    }


def _drawn_before(clock: Clock) -> bool:
    """Whether somebody has said that the first lactate was drawn before the recognition."""
    mark = clock.marks.get("lactate")
    return mark is not None and mark.at < clock.zero


def _first_lactate(clock: Clock, seen: Seen) -> float | None:
    if _drawn_before(clock) and seen.earlier:
        return seen.earlier[1]
    return seen.lactates[0][1] if seen.lactates else None


def _done(clock: Clock, seen: Seen) -> dict[str, Mark]:
    done: dict[str, Mark] = {}
    names = ("lactate_repeat",) if _drawn_before(clock) else ("lactate", "lactate_repeat")
    for name, row in zip(names, seen.lactates, strict=False):
        done[name] = Mark(row[0])
    if seen.vasopressor_at is not None:
        done["vasopressor"] = Mark(seen.vasopressor_at)
    return done | dict(clock.marks)


def _element(
    name: str, clock: Clock, done: Mapping[str, Mark], found: Mapping[str, Any]
) -> dict[str, Any]:
    deadline = deadline_min(name, clock.category)
    mark = done.get(name)
    late = name in found["late"] or (
        name == FLUID and mark is not None and mark.at > clock.zero + deadline * _MINUTE_US
    )
    if mark is not None:
        state = "late" if late else "done"
    else:
        state = next((one for one in ("overdue", "due") if name in found[one]), "not_asked")
    return {
        "element": name,
        "state": state,
        "deadline_at": iso(round(clock.zero + deadline * _MINUTE_US)),
        "deadline_min": deadline,
        "at": iso(mark.at) if mark else None,
        "by": mark.by if mark else "",
        "before": mark is not None and mark.at < clock.zero,
    }
