"""The course of a day from what the archive holds: SOFA of two windows, then the shared rule.

Window: worst value in the 24 h to the report time against the 24 h before (clinical/dynamics.md).
An organ without a value in a window is unknown there, never 0; so is one whose support fell silent
without anybody having written that it was stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hospital_ops.clinical.dynamics import ORGANS, dynamics
from hospital_ops.clinical.organ_failure import sofa
from hospital_ops.clock import SECOND
from notify.condition import GCS, UNVENTILATED, VENT, sedated_at
from notify.figures import Reading, Readings

DAY: Final = 24 * 3600 * SECOND
PAO2, FIO2 = "2703-7", "3150-0"
MEAN: Final = ("76214-6", "8478-0")
PRESSORS: Final = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
PLATELETS, BILIRUBIN, CREATININE = "777-3", "14631-6", "14682-9"


def assess(
    readings: Readings,
    now: int,
    admitted_at: int,
    *,
    treatment_limited: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The proposal: the answer of the shared rule, with `organs_prev` and `organs_today` beside.

    `readings` are usable ones of the last 48 h and the RASS before them; `facts` are further inputs
    of the rule that a person documented (`cardiac_arrest` ...). Microseconds UTC.
    """
    earlier = [r for r in readings if now - 2 * DAY < r.at <= now - DAY]
    latest = [r for r in readings if now - DAY < r.at <= now]
    awake = [r for r in readings if r.code == GCS and not sedated_at(readings, r.at)]
    before, today = organs(earlier, awake), organs(latest, awake)
    today |= dict.fromkeys(_silent(earlier, latest))
    inputs: dict[str, Any] = {
        "organs_prev": before,
        "organs_today": today,
        "first_24h": now - admitted_at < DAY,
        "treatment_limited": treatment_limited,
        "new_organ_support": _new_support(earlier, latest),
        "organ_support": any(_ventilates(r) or _running(r) for r in (*earlier, *latest)),
        "support_stopped_documented": _stopped(earlier, latest),
        "gcs_drop_unsedated": _fall(earlier, latest, awake),
        **(facts or {}),
    }
    return dynamics(inputs) | {"organs_prev": before, "organs_today": today}


def organs(readings: Readings, awake: Readings) -> dict[str, int | None]:
    """SOFA points of a window by organ from its worst values; None where nothing is known.

    `awake` are the GCS that were not taken under sedation: no other says anything of the brain.
    """
    inputs = _worst([r for r in readings if r.code != GCS or r in awake])
    points = sofa(inputs)["components"]
    known = {
        "resp": "pf_mmhg" in inputs,
        "coag": "platelets_10e9_l" in inputs,
        "liver": "bilirubin_umol_l" in inputs,
        "cv": "map_mmhg" in inputs or any(drug in inputs for drug in PRESSORS),
        "cns": "gcs" in inputs,
        "renal": "creatinine_umol_l" in inputs,
    }
    return {organ: points[organ] if known[organ] else None for organ in ORGANS}


def _worst(readings: Readings) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    values: dict[str, list[tuple[int, float]]] = {}
    for reading in readings:
        if isinstance(reading.value, int | float):
            values.setdefault(reading.code, []).append((reading.at, float(reading.value)))
    for name, code, pick in (
        ("platelets_10e9_l", PLATELETS, min),
        ("bilirubin_umol_l", BILIRUBIN, max),
        ("creatinine_umol_l", CREATININE, max),
        ("gcs", GCS, min),
        *((drug, drug, max) for drug in PRESSORS),
    ):
        if code in values:
            inputs[name] = pick(value for _, value in values[code])
    means = [value for code in MEAN for _, value in values.get(code, ())]
    if means:
        inputs["map_mmhg"] = min(means)
    ratios = _ratios(values.get(PAO2, []), values.get(FIO2, []))
    if ratios:
        inputs["pf_mmhg"] = min(ratios)
        inputs["resp_support"] = any(_ventilates(r) for r in readings)
    return inputs


def _ratios(oxygen: list[tuple[int, float]], fractions: list[tuple[int, float]]) -> list[float]:
    """P/F with the oxygen fraction (per cent) that held when the sample was taken."""
    found = []
    for at, pressure in oxygen:
        earlier = [part for part in fractions if part[0] <= at]
        if earlier:
            found.append(pressure / (max(earlier)[1] / 100))
    return found


def _silent(earlier: Readings, latest: Readings) -> list[str]:
    """Organs whose support ran when it was last heard of the day before, and is unheard today."""
    heard = {r.code for r in latest}
    lasts = [last for last in _lasts(earlier).values() if last.code not in heard]
    lost = []
    if any(_ventilates(last) for last in lasts):
        lost.append("resp")
    if any(_running(last) for last in lasts):
        lost.append("cv")
    return lost


def _stopped(earlier: Readings, latest: Readings) -> bool:
    """Whether somebody wrote today that a support of the day before was ended, and it stayed so."""
    today = _lasts(latest)
    for code, last in _lasts(earlier).items():
        now = today.get(code)
        if now is None or now.origin != "typed":
            continue  # what a device says, or no longer says, is no decision
        if (_ventilates(last) and _word(now) in UNVENTILATED) or (
            _running(last) and isinstance(now.value, int | float) and now.value == 0
        ):
            return True
    return False


def _fall(earlier: Readings, latest: Readings, awake: Readings) -> float:
    """By how many points the worst unsedated GCS fell, where it is known of both days."""
    worst = [
        min((float(r.value or 0) for r in window if r.code == GCS and r in awake), default=None)
        for window in (earlier, latest)
    ]
    if worst[0] is None or worst[1] is None:
        return 0.0
    return max(0.0, worst[0] - worst[1])


def _new_support(earlier: Readings, latest: Readings) -> bool:
    """Ventilation or a vasopressor documented today that was documented absent the day before."""
    if not earlier:
        return False
    ventilated = any(map(_ventilates, latest)) and not any(map(_ventilates, earlier))
    pressors = {r.code for r in latest if _running(r)} - {r.code for r in earlier if _running(r)}
    return ventilated or bool(pressors)


def _lasts(readings: Sequence[Reading]) -> dict[str, Reading]:
    """The newest entry of each support in a window."""
    wanted = (VENT, *PRESSORS)
    return {r.code: r for r in sorted(readings, key=lambda r: r.at) if r.code in wanted}


def _word(reading: Reading) -> str:
    return str(reading.value).lower()


def _ventilates(reading: Reading) -> bool:
    return reading.code == VENT and _word(reading) in ("invasive", "niv")


def _running(reading: Reading) -> bool:
    value = reading.value
    return reading.code in PRESSORS and isinstance(value, int | float) and value > 0
