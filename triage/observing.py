"""Values of a case as they come in: which are its own, at what time, and which are not shown. Pure.

What is not shown is kept in the archive all the same, and counted at the case by why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hospital_ops import wire
from hospital_ops.board import Shown
from hospital_ops.clock import SECOND
from triage.items import add_value
from triage.state import CaseState

FUTURE_US: Final = 60 * SECOND  # SAFETY rule 6
# A clock so far ahead is set right by its offset; further ahead nobody knows the time of a value.
CORRECTED_US: Final = 300 * SECOND  # SAFETY rule 6
CLOCK, MODE = "clock", "mode"  # why a value is not shown


def take(
    case: CaseState, message: wire.Observed, home_of: Callable[[CaseState, str], CaseState]
) -> list[CaseState]:
    """Takes the values in; answers the cases they became part of, which is this one mostly.

    `home_of` is the case that something belongs to now, by its id.
    """
    if not (case.facts or case.values):
        case.mode = message.mode
    if message.mode != case.mode:  # nothing simulated stands at a real patient (SAFETY I18)
        _not_shown(case, MODE, len(message.observations))
        return [case]
    homes = {case.case: case}
    times = [one.determined_at or message.received_at for one in message.observations]
    offset = _offset(times, message.received_at)
    for observation, told in zip(message.observations, times, strict=True):
        ahead = told - message.received_at
        if ahead > CORRECTED_US:
            _not_shown(case, CLOCK, 1)
            continue
        shown = Shown(
            value=observation.value,
            unit=observation.unit,
            at=told - offset if ahead > 0 else told,
            kind="spot",
            validity=observation.validity,
            mapped=observation.mapped,
            text=observation.text,
            mode=message.mode,
            reason=observation.reason,
            origin=observation.origin,
            event=observation.event_id,
        )
        home = home_of(case, observation.event_id)
        name = observation.code if observation.mapped else observation.text or observation.code
        add_value(home, name, observation.event_id, shown)
        homes[home.case] = home
    return list(homes.values())


def became(case: CaseState, mode: str) -> None:
    """The crew's own word says what a case is: values of another mode do not stay at it."""
    if mode == case.mode:
        return
    case.mode = mode
    for name, known in list(case.recent.items()):
        own = tuple(one for one in known if one.shown.mode == mode)
        _not_shown(case, MODE, len(known) - len(own))
        case.recent[name] = own
        if own:
            case.values[name] = own[-1].shown
        else:
            del case.recent[name], case.values[name]


def _offset(times: list[int], received_at: int) -> int:
    """By how much the sender's clock is ahead, as far as its latest value shows; 0: within bounds.

    The times between its values stay what they are, so that the newest stays the newest.
    """
    latest = max((at for at in times if at <= received_at + CORRECTED_US), default=0)
    return latest - received_at if latest > received_at + FUTURE_US else 0


def _not_shown(case: CaseState, why: str, number: int) -> None:
    if number:
        case.not_shown = {**case.not_shown, why: case.not_shown.get(why, 0) + number}
