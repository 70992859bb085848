"""An independent list of calls: from the times of `alarms.json` and who is on duty.

Second by second, from when the alarm begins to ring to when somebody takes it on; it shares no
code with the engine. What docs/alarms.md adds: a step that finds nobody takes the next at once; a
red that no board confirms within the delay of `board_lost` takes one step early; where nobody is
on duty the unit is called; whoever comes later is called for the steps under way.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle.alarm_oracle import ALARMS, SECOND

RULES = {row["id"]: row for row in ALARMS["rules"]}
TIMES = ALARMS["project_defaults"]["escalation_s"]
LETHAL_S = ALARMS["rule_defaults"]["escalate_physician_s"]["lethal_apnoea_arrest"]
UNSEEN_S = RULES["board_lost"]["delay_s"]


class Person(NamedTuple):
    """Somebody on duty until `ends`."""

    name: str
    post: str
    bed: bool  # a nurse of this bed
    second: bool  # the second nurse of this bed
    ends: int


class Alarm(NamedTuple):
    """When it began to ring, was painted by a board (None: never), and was taken on."""

    rule: str
    rang: int
    painted: int | None
    taken_on: int


def reached(step: int, here: list[Person]) -> list[tuple[str, str]]:
    """Whom a step reaches."""
    if step == 0:
        return [("nurse", p.name) for p in here if p.post == "nurse" and p.bed]
    if step == 1:
        named = [("second", p.name) for p in here if p.post == "nurse" and p.second]
        charge = [("charge", p.name) for p in here if p.post == "charge"]
        others = [("second", p.name) for p in here if p.post == "nurse" and not p.bed]
        return named or charge or others
    return [(p.post, p.name) for p in here if p.post in ("physician", "charge")]


def expected_calls(alarm: Alarm, people: list[Person]) -> set[tuple[str, str, int]]:
    """(post, person, moment) of every call."""
    row = RULES[alarm.rule]
    kind = "lethal" if row["escalate_physician_s"] == LETHAL_S else row["priority"]
    calls: dict[str, tuple[str, int]] = {}
    taken = 0
    hurried = False
    for moment in range(alarm.rang, alarm.taken_on + 1, SECOND):
        here = [p for p in people if moment < p.ends]
        age = (moment - alarm.rang) / SECOND
        due = max(taken, len([t for t in TIMES[kind] if age >= t]))
        if alarm.painted is None and age >= UNSEEN_S and not hurried:
            hurried, due = True, max(due, taken + 1)
        somebody = False
        step = 0
        while step < min(due, len(TIMES[kind])):
            found = reached(step, here)
            for post, name in found:
                calls.setdefault(name, (post, moment))
            somebody = somebody or bool(found)
            step += 1
            if not found and step == due:
                due += 1
        taken = step
        if not somebody:
            calls.setdefault("", ("unit", moment))
    return {(post, name, moment) for name, (post, moment) in calls.items()}
