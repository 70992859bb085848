"""What is done for an invented or recorded patient: ventilator, pressor, chart, laboratory.

Recorded series stay as they are; what a recording lacks is invented so that it fits the vital signs
it has. Simulation only: no figure here is a recommendation.
"""

from __future__ import annotations

import random

from simulators import seeds
from simulators.course import Series

LATEST_S = 48 * 3600.0  # a longer stay goes on with its first two days
HOUR_S = 3600.0
VENTILATED_SHARE = 0.5  # of the patients who get oxygen by a measured fraction
PRESSURE_AIM = 74.0  # mm[Hg]: below it the invented patient is on noradrenaline
DOSE_PER_MMHG = 0.015  # ug/kg/min
DOSE_STEP = 0.03  # smaller changes nobody makes
ANSWERED_S = 90.0  # from a pressure that was recorded to the dose that answers it
RESULTS_EACH_S = 6 * HOUR_S

# Usual value and spread of an invented result, and how it shifts in shock.
_RESULTS = {
    "lactate": (1.3, 0.3, 2.0),
    "pao2": (92.0, 9.0, -14.0),
    "paco2": (40.0, 2.5, 0.0),
    "ph_art": (7.39, 0.02, -0.06),
    "creatinine": (84.0, 12.0, 70.0),
    "bilirubin": (13.0, 3.0, 12.0),
    "platelets": (214.0, 25.0, -80.0),
    "k": (4.2, 0.25, 0.3),
    "na": (139.0, 1.5, 0.0),
}
RESULTS = tuple(_RESULTS)
GASES = ("lactate", "pao2", "paco2", "ph_art", "k", "na")  # by the analyser of the ward
MACHINES = ("peep", "vt", "ppeak", "norepinephrine")
CHARTED = ("rass", "pain", "urine")


def treated(series: dict[str, Series], seed: int, place: str) -> dict[str, Series]:
    """The series, and those of what is done for this patient."""
    chance = seeds.stream("therapy", seed, place)
    ventilated = "fio2" in series and chance.random() < VENTILATED_SHARE
    pressor = _pressor(series.get("abp_mean") or series["nibp_mean"])
    more = _ventilator(chance) if ventilated else {"pain": _steps(chance, (0, 1, 2, 3), 4 * HOUR_S)}
    if pressor is not None:
        more["norepinephrine"] = pressor
    if ventilated or pressor or "abp_sys" in series:  # whoever needs these has lines in
        more |= {f"abp_{part}": series[f"nibp_{part}"] for part in ("sys", "dia", "mean")}
        more["cvp"] = _walk(chance, 7.0, 1.2, HOUR_S)
    if "urine" not in series:
        more["urine"] = _walk(chance, 30.0 if pressor else 75.0, 12.0, HOUR_S, least=5.0)
    for key, (usual, spread, shock) in _RESULTS.items():
        if key not in series:
            middle = usual + (shock if pressor else 0.0)
            more[key] = _walk(chance, middle, spread, RESULTS_EACH_S)
    return {**more, **series}


def _ventilator(chance: random.Random) -> dict[str, Series]:
    peep = float(chance.choice((5, 6, 8, 10, 12)))
    volume = float(chance.choice((380, 400, 420, 450, 480)))
    return {
        "peep": _constant(peep),
        "vt": _constant(volume),
        "ppeak": _constant(peep + chance.uniform(10, 16)),
        "etco2": _walk(chance, 38.0, 1.5, HOUR_S / 2),
        "rass": _steps(chance, (-4, -3, -3, -2, -1), 4 * HOUR_S),
    }


def _pressor(mean: Series) -> Series | None:
    """A dose that answers the mean pressure, in steps; None: none is needed.

    It changes where the recorded pressure turns: what the recording did next came after the dose.
    """
    doses: list[tuple[float, float]] = []
    for time_s, value in zip(mean.times_s, mean.values, strict=True):
        wanted = round(max(0.0, PRESSURE_AIM - value) * DOSE_PER_MMHG, 2)
        if not doses or abs(wanted - doses[-1][1]) >= DOSE_STEP:
            doses.append((time_s + ANSWERED_S, wanted))
    if max(dose for _, dose in doses) < 2 * DOSE_STEP:
        return None
    times, values = [doses[0][0] - ANSWERED_S], [doses[0][1]]
    for time_s, dose in doses:
        if time_s - 1.0 > times[-1]:
            times += [time_s - 1.0, time_s]
            values += [values[-1], dose]
    return Series(tuple(times), tuple(values))


def _constant(value: float) -> Series:
    return Series((0.0,), (value,))


def _steps(chance: random.Random, values: tuple[int, ...], each_s: float) -> Series:
    """One of the values at a time, without a line between two of them."""
    times: list[float] = []
    shown: list[float] = []
    for start in range(int(LATEST_S / each_s)):
        value = float(chance.choice(values))
        times += [start * each_s, (start + 1) * each_s - 1.0]
        shown += [value, value]
    return Series(tuple(times), tuple(shown))


def _walk(
    chance: random.Random, middle: float, spread: float, each_s: float, least: float = 0.0
) -> Series:
    count = int(LATEST_S / each_s)
    value, values = middle, []
    for _ in range(count):
        value += (middle - value) * 0.4 + chance.uniform(-spread, spread)
        values.append(round(max(value, least), 2))
    return Series(tuple(step * each_s for step in range(count)), tuple(values))
