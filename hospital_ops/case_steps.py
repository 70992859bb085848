"""The way of a case: which step leads from where to where, and the sentence of whoever may not.

One table for the way in (it refuses) and for the live reader (it passes over what came too late).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops.errors import Conflict

COMING, ARRIVED = "coming", "arrived"


class Step(NamedTuple):
    """A step: the states it may be taken from, the state after it, who may take it."""

    sources: tuple[str, ...]
    target: str  # empty: the state stays
    crew: bool = False  # a crew may, for a case of its own
    reason: bool = False  # somebody has to say why


STEPS: Final[dict[str, Step]] = {
    "acknowledgement": Step((), ""),
    "arrival": Step((COMING,), ARRIVED, crew=True),
    "takeover": Step((COMING, ARRIVED), ARRIVED),
    "handover": Step((COMING, ARRIVED), "handed_over"),
    "cancellation": Step((COMING,), "cancelled", crew=True),
    "refusal": Step((COMING,), "refused", crew=True),
    "left_on_scene": Step((COMING,), "left_on_scene", crew=True),
    "death": Step((COMING,), "died", crew=True),
    "reroute": Step((COMING,), "rerouted", crew=True, reason=True),
    "left_unseen": Step((ARRIVED,), "left_unseen"),
    "discharge": Step((ARRIVED,), "discharged"),
    "death_here": Step((ARRIVED,), "died_here"),
}
ENDS: Final = frozenset(step.target for step in STEPS.values()) - {"", ARRIVED}
NEVER_CAME: Final = frozenset(("cancelled", "refused", "left_on_scene", "died", "rerouted"))
# Ends of which the board says nothing more.
OFF_THE_BOARD: Final = NEVER_CAME | {"left_unseen", "discharged", "died_here"}
# What may be said of the moment at which symptoms began; the last is an answer, not a gap.
ONSET_KINDS: Final = ("exact", "estimated", "last_known_well", "unknown")
_ARRIVED: Final = (
    "The patient has arrived: hand over, discharge, or say that the patient left unseen."
)
_COMING: Final = "The patient has not arrived yet: record the arrival first, or cancel the case."
_ENDED: Final = "This case has ended ({state}): open a new one."


def after(step: str, state: str) -> str:
    """The state after `step`; Conflict in a sentence where it leads nowhere from `state`.

    What has been done already may be said again: a sender that heard no answer repeats itself.
    """
    row = STEPS[step]
    if not row.target or row.target == state or state in row.sources:
        return row.target or state
    if step == "arrival" and state in ENDS and state not in NEVER_CAME:
        return state  # the crew's word comes after the house's
    if state in ENDS:
        raise Conflict(_ENDED.format(state=state.replace("_", " ")))
    raise Conflict(_ARRIVED if state == ARRIVED else _COMING)


def follows(step: str, state: str) -> str:
    """The state after `step`; the present one where the step comes too late to count."""
    try:
        return after(step, state)
    except (Conflict, KeyError):
        return state
