"""Stories: alarms of one bed that belong together are told as one, led by the most urgent.

What begins at a bed within two minutes of the first of them is one event of the patient (apnoea,
then desaturation, then bradycardia) or one trouble with the signals. A story is how alarms are
told: each keeps its own state, sound and calls, and none that rings is listed under one that does
not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hospital_ops.clock import SECOND
from icu import painting
from icu.rules import PRIORITIES, RULES
from icu.state import Alarm, BedState
from icu.states import ACKNOWLEDGED

TOGETHER_US: Final = 120 * SECOND  # a project figure, from the first alarm of the story


def stories(bed: BedState, merged: Mapping[str, str]) -> dict[str, str]:
    """Id of an alarm -> id of the one that leads its story; who leads or stands alone is left out.

    `merged`: alarms that another one rings for; they are in no story of their own.
    """
    told: dict[str, str] = {}
    own = [alarm for alarm in bed.alarms.values() if alarm.id not in merged]
    hides = [alarm for alarm in own if alarm.code == painting.RULE]
    for technical in (False, True):
        family = [a for a in own if a.technical == technical and a not in hides]
        family.sort(key=lambda alarm: (alarm.since, alarm.id))
        while family:
            end = family[0].since + TOGETHER_US
            story = [alarm for alarm in family if alarm.since <= end]
            family = family[len(story) :]
            lead = min(story, key=_urgency)
            told |= {alarm.id: lead.id for alarm in story if alarm is not lead}
    return told | _hidden(own, hides, told)


def _urgency(alarm: Alarm) -> tuple[object, ...]:
    """What rings before what was taken on, lethal before red before the others, then onset."""
    rank = PRIORITIES.index(alarm.priority)
    taken_on = alarm.state == ACKNOWLEDGED
    return taken_on, not RULES[alarm.code].lethal, rank, alarm.since, alarm.id


def _hidden(own: list[Alarm], hides: list[Alarm], told: Mapping[str, str]) -> dict[str, str]:
    """That no board shows a red is told with the red itself."""
    waiting = [alarm for alarm in own if painting.waits(alarm)]
    if not waiting:
        return {}
    lead = min(waiting, key=_urgency)
    return {alarm.id: told.get(lead.id, lead.id) for alarm in hides}
