"""Orders: the life cycle after FHIR (ServiceRequest and Task) as one table, and recurring ones.

request: draft, active, on-hold, completed, revoked, entered-in-error
task:    requested, accepted, in-progress, completed, rejected

An act leads from one pair of states to the next; what the table does not hold cannot happen, so a
repeated or late event never moves an order back. A recurring order asks for one task after the
other: when one has ended, the next is requested as the next occurrence of the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from hospital_ops.errors import Conflict


class Stage(NamedTuple):
    """Where an order stands: its request and its task."""

    request: str
    task: str


DRAFT: Final = Stage("draft", "requested")  # written down, asked of nobody until it is signed
REQUESTED: Final = Stage("active", "requested")
ACCEPTED: Final = Stage("active", "accepted")
RUNNING: Final = Stage("active", "in-progress")
DONE: Final = Stage("completed", "completed")
REJECTED: Final = Stage("active", "rejected")
OPEN: Final = (REQUESTED, ACCEPTED, RUNNING)
HELD: Final = tuple(Stage("on-hold", stage.task) for stage in OPEN)
_MISTAKEN: Final = (*OPEN, *HELD, REJECTED, DONE)

# (act, from) to: everything that can happen.
ACTS: Final[dict[tuple[str, Stage], Stage]] = {
    ("sign", DRAFT): REQUESTED,
    ("accept", REQUESTED): ACCEPTED,
    ("start", REQUESTED): RUNNING,
    ("start", ACCEPTED): RUNNING,
    ("complete", REQUESTED): DONE,
    ("complete", ACCEPTED): DONE,
    ("complete", RUNNING): DONE,
    ("reject", REQUESTED): REJECTED,
    ("reject", ACCEPTED): REJECTED,
    **{("hold", stage): held for stage, held in zip(OPEN, HELD, strict=True)},
    **{("resume", held): stage for stage, held in zip(OPEN, HELD, strict=True)},
    **{
        ("revoke", stage): Stage("revoked", stage.task) for stage in (DRAFT, *OPEN, *HELD, REJECTED)
    },
    # A physician of the unit has looked at an order that came along from another one.
    **{("review", stage): stage for stage in (DRAFT, *OPEN, *HELD)},
    # What was taken for done was not: it is due again. An order that had ended by it is an error.
    **{("undo", stage): stage for stage in (*OPEN, *HELD)},
    ("undo", DONE): Stage("entered-in-error", DONE.task),
    # Another rate or goal of what goes on; the order is the same.
    **{("adjust", stage): stage for stage in (*OPEN, *HELD)},
    **{("mistake", stage): Stage("entered-in-error", stage.task) for stage in _MISTAKEN},
}
ACT_NAMES: Final = frozenset(act for act, _ in ACTS)
BY_PHYSICIAN: Final = frozenset({"sign", "hold", "resume", "revoke", "mistake", "review", "adjust"})
DOSED: Final = frozenset({"start", "complete"})  # acts whose moment may be told: it was earlier
NEEDS_REASON: Final = frozenset({"reject", "revoke", "mistake"})
_ENDS_TASK: Final = frozenset({"complete", "reject"})


def after(act: str, stage: Stage) -> Stage:
    """The stage that `act` leads to; Conflict in words where it cannot happen from here."""
    following = ACTS.get((act, stage))
    if following is None:
        raise Conflict(f"An order that is {stage.request}, {stage.task}, cannot be: {act}.")
    return following


def acts_from(stage: Stage) -> list[str]:
    """What can be done with an order at this stage."""
    return [act for act, start in ACTS if start == stage]


def reachable(start: Stage) -> frozenset[Stage]:
    """Every stage that acts can lead to from here, itself included."""
    found, waiting = {start}, [start]
    while waiting:
        stage = waiting.pop()
        for following in _steps(stage):
            if following not in found:
                found.add(following)
                waiting.append(following)
    return frozenset(found)


def _steps(stage: Stage) -> Iterable[Stage]:
    return (to for (_, start), to in ACTS.items() if start == stage)


REACHABLE: Final = {
    stage: reachable(stage) for stage in {*(start for _, start in ACTS), *ACTS.values()}
}


class Plan(NamedTuple):
    """When an order is to be carried out again; all times in microseconds."""

    every_us: int = 0  # 0: once
    times: int = 0  # how often in all; 0: without a number
    ends_at: int = 0  # nothing is due after this; 0: no end
    spaced: bool = False  # the next is due a whole distance after the last, never at once again


class Standing(NamedTuple):
    """Where an order stands, at which of its occurrences, and when that is due."""

    stage: Stage
    occurrence: int = 1
    due_at: int = 0  # 0: no time was set
    missed: int = 0  # due times that passed undone with this act


def step(act: str, standing: Standing, plan: Plan, at: int, before: int = 0) -> Standing:
    """The standing after `act` at the moment `at`; Conflict where it cannot happen.

    The task of a recurring order that has ended, done or rejected, is followed by the next one at
    the next time of its grid that is still to come: times that have passed by then are counted as
    missed, never as done. A dose (`plan.spaced`) that was given late moves the grid: the next one
    is due a whole distance after it. A pause moves the due time, and counts nothing. What is taken
    back is due again when it was due `before`.
    """
    stage = after(act, standing.stage)
    occurrence, due, _ = standing[1:]
    if act in _ENDS_TASK and plan.every_us and due:
        given = plan.spaced and act == "complete"
        following, missed = _next_time(due, plan.every_us, at, spaced=given)
        goes_on = not plan.times or occurrence + 1 + missed <= plan.times
        if goes_on and (not plan.ends_at or following <= plan.ends_at):
            return Standing(REQUESTED, occurrence + 1 + missed, following, missed)
        return Standing(stage, occurrence, due, 0)
    if act == "resume" and plan.every_us and due and due < at:
        passed = -(-(at - due) // plan.every_us)
        due += passed * plan.every_us
    if act == "undo":
        due = before or due
    return Standing(stage, occurrence, due, 0)


def _next_time(due: int, every_us: int, at: int, *, spaced: bool) -> tuple[int, int]:
    """The first time of the grid after both `due` and `at`, and how many lie between.

    `spaced`: no earlier than a whole distance after `at`, also where that leaves the grid.
    """
    steps = max(1, (at - due) // every_us + 1)
    following = max(due, at) + every_us if spaced else due + steps * every_us
    return following, steps - 1
