"""What a nurse writes down at a bed each whole hour: volumes, and now and then how awake, how much
pain, what weight.

The entries belong to (seed, bed, hour): charted twice they are the same events. Simulation only.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops.clock import SECOND, iso
from simulators import seeds
from simulators.course import Course

HOUR_US: Final = 3600 * SECOND
LOOKS_EACH: Final = 4  # hours: consciousness, sedation, pain
WEIGHED_EACH: Final = 24  # hours
DRIP_ML: Final = (60, 85)  # each hour: without and with a pressor
BOLUS_ML: Final = 250
BOLUS_EACH: Final = 9  # hours, about
# Eyes, voice, movement of somebody who is not sedated: mostly awake.
AWAKE: Final = ((4, 5, 6), (4, 5, 6), (4, 5, 6), (3, 5, 6))

MUCH_ML: Final = 150  # of urine in an hour: from there on most of it is replaced
REPLACED: Final = 0.8
ALERT, TO_VOICE = "A", "V"  # of AVPU: eyes that are open, eyes that open when spoken to

Entry = tuple[str, float | str]  # key of codes.json, value in the unit of its table


def hourly(course: Course, seed: int, bed: str, at_us: int, t_s: float) -> list[Entry]:
    """What is charted at the whole hour `at_us` (UTC), `t_s` seconds into the play."""
    hour = at_us // HOUR_US
    urine = course.value_at("urine", t_s)
    found: list[Entry] = [("fluid_in", _given(course, seed, bed, hour, urine or 0.0))]
    if urine is not None:
        found.append(("urine", urine))
    phase = seeds.number("round", seed, bed)
    if (hour + phase) % LOOKS_EACH == 0:
        found += looked(course, seed, bed, at_us, t_s)
    if (hour + phase) % WEIGHED_EACH == 0 and course.person.weight_kg:
        found.append(("weight", course.person.weight_kg))
    return found


def looked(course: Course, seed: int, bed: str, at_us: int, t_s: float) -> list[Entry]:
    """How somebody is found: sedation or pain, and where no device tells it, the coma scale."""
    found: list[Entry] = [
        (key, value) for key in ("rass", "pain") if (value := course.value_at(key, t_s)) is not None
    ]
    if "rass" not in course.series and "gcs" not in course.series:
        parts = seeds.stream("awake", seed, bed, at_us // HOUR_US).choice(AWAKE)
        found += zip(("gcs_e", "gcs_v", "gcs_m"), map(float, parts), strict=True)
        found.append(("gcs", float(sum(parts))))
        found.append(("avpu", ALERT if parts == AWAKE[0] else TO_VOICE))
    return found


def measured(course: Course) -> list[Entry]:
    """The body, as it was measured when its patient came."""
    person = course.person
    found: list[Entry] = []
    for key, value in (("weight", person.weight_kg), ("height", person.height_cm)):
        if value:
            found.append((key, value))
    return found


def as_events(entries: list[Entry], seed: int, bed: str, at_us: int) -> list[dict[str, Any]]:
    """The entries as EVENTs of the public interface; units are those of the house's table."""
    return [
        {
            "event_id": str(seeds.seeded_uuid7(at_us, "chart", bed, key, seed)),
            "code": key,
            "value": value,
            "determined_at": iso(at_us),
        }
        for key, value in entries
    ]


def _given(course: Course, seed: int, bed: str, hour: int, urine_ml: float) -> float:
    """Drips of the hour in mL, sometimes a bag on top, and much urine replaced."""
    drip = DRIP_ML["norepinephrine" in course.series]
    chance = seeds.stream("given", seed, bed, hour)
    bag = BOLUS_ML if chance.randrange(BOLUS_EACH) == 0 else 0
    lost = REPLACED * max(urine_ml - MUCH_ML, 0.0)
    return float(drip + chance.randrange(-2, 3) * 5 + bag + round(lost / 10) * 10)
