"""SOFA of a bed: the worst of 24 h of each organ, its age, and what is missing; and P/F. Pure.

Respiration without a gas is estimated from SpO2/FiO2 after Pandharipande 2009 and says so
(scores.md). Consciousness is judged by readings that were not taken under sedation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.bands import falling
from hospital_ops.clinical.scores import score
from hospital_ops.clinical.tables import table
from icu import fluids
from icu.record import DAY, PRESSURES, Reading, Readings, Record
from icu.windows import DAY as DAY_SET
from icu.windows import NEAR_DRAW_US, held_at, sedated, supported_at, sustained, window_us

Figure = dict[str, Any]
Figures = Callable[..., Figure]
ORGANS: Final = ("resp", "coag", "liver", "cv", "cns", "renal")
_PRESSORS: Final = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
_ESTIMATE: Final = sorted(
    (limit, int(name.removeprefix("score")))
    for name, limit in table("scores")["sf_pf"]["pandharipande_2009"]["sofa_resp"].items()
)
_SOFA: Final = table("scores")["sofa"]
_CAP: Final[int] = _SOFA["pf_without_support_cap"]
_PERCENT: Final = 100
UNKNOWN_OXYGEN: Final = "fio2_at_draw"
_LACKING: Final = {
    "resp": "pao2", "coag": "platelets", "liver": "bilirubin", "cv": "map", "cns": "gcs",
    "renal": "creatinine",
}  # fmt: skip


class Gas(NamedTuple):
    """An arterial gas with the FiO2 near its draw, and whether the lungs were supported then."""

    oxygen: Reading  # PaO2
    fio2: Reading
    ratio: float  # mmHg
    supported: bool

    @property
    def points(self) -> int:
        """Points of SOFA; without support P/F gives at most the cap of the table."""
        points = falling(_SOFA["respiration_pf_mmhg"], self.ratio)
        return points if self.supported else min(points, _CAP)


def gases(record: Record, now: int) -> list[Gas]:
    """Each gas that counts and was drawn near a known FiO2, oldest first."""
    window = window_us("pao2", DAY_SET)
    found = []
    for gas in record.spots.get("pao2", ()):
        if gas.at <= now - window or isinstance(gas.value, str):
            continue
        oxygen = held_at(record, "fio2", gas.at, NEAR_DRAW_US)
        if oxygen is None or not oxygen.value or isinstance(oxygen.value, str):
            continue
        ratio = gas.value / (oxygen.value / _PERCENT)
        found.append(Gas(gas, oxygen, ratio, supported_at(record, gas.at)))
    return found


def sofa(record: Record, now: int, figure: Figures) -> tuple[Figure | None, Figure | None]:
    """(SOFA, P/F) as figures; None where nothing of it is known."""
    drawn = gases(record, now)
    ratio = None
    if drawn:
        gas = drawn[-1]
        ratio = figure(gas.ratio, "mm[Hg]", {"pao2": gas.oxygen, "fio2": gas.fio2})
    inputs: dict[str, Any] = {}
    parts: dict[str, Reading] = {}  # organ to the reading that decided it
    shown: dict[str, Reading] = {}
    if drawn:
        gas = max(drawn, key=lambda one: (one.points, -one.ratio))
        inputs["pf_mmhg"], inputs["resp_support"] = gas.ratio, gas.supported
        parts["resp"], shown["pao2"], shown["fio2"] = gas.oxygen, gas.oxygen, gas.fio2
    for organ, keys, take_worst in (
        ("coag", ("platelets",), min), ("liver", ("bilirubin_umol_l", "bilirubin_mg_dl"), max),
        ("renal", ("creatinine_umol_l", "creatinine_mg_dl"), max),
    ):  # fmt: skip
        for key in keys:
            row = _worst(_of_day(record.spots.get(key, ()), key, now), take_worst)
            if row is not None:
                inputs[f"{key}_10e9_l" if key == "platelets" else key] = row.value
                parts[organ] = shown[key] = row
    _circulation(record, now, inputs, parts, shown)
    awake = _awake(record, now)
    if awake is not None:
        inputs["gcs"] = awake.value
        parts["cns"] = shown["gcs"] = awake
    urine = fluids.urine_of_a_day(record, now)
    if urine is not None:
        inputs["urine_ml_24h"] = urine.value
        shown["urine"] = urine
        parts.setdefault("renal", urine)
    estimate = None if drawn else _estimated(record, now)
    if not parts and estimate is None:
        return None, ratio
    lacking = [fluids.EARLIER] if record.known_from > now - DAY else []  # the worst may be there
    if not drawn and _of_day(record.spots.get("pao2", ()), "pao2", now):
        lacking.insert(0, UNKNOWN_OXYGEN)  # the gas is there; at which oxygen it was drawn is not
    if fluids.urine_in_doubt(record, now):
        lacking.append("urine")
    return _told(score("sofa", inputs), parts, shown, estimate, lacking, figure), ratio


def _told(
    found: dict[str, Any],
    parts: dict[str, Reading],
    shown: dict[str, Reading],
    estimate: tuple[Reading, int] | None,
    lacking: list[str],
    figure: Figures,
) -> Figure:
    components = {o: found["components"][o] if o in parts else None for o in ORGANS}
    named = [o for o in ORGANS if o != "resp" or UNKNOWN_OXYGEN not in lacking]
    missing = [_LACKING[organ] for organ in named if organ not in parts] + lacking
    if estimate is not None:
        shown["sf"], components["resp"] = estimate
    known = [points for points in components.values() if points is not None]
    total = sum(known)
    more = {"estimated": ["resp"]} if estimate is not None else {}
    return figure(total, "{score}", shown, missing, total=total, components=components, **more)


def _of_day(rows: Readings, key: str, now: int) -> list[Reading]:
    window = window_us(key, DAY_SET)
    return [row for row in rows if row.at > now - window and not isinstance(row.value, str)]


def _worst(rows: list[Reading], choose: Callable[[Iterable[float]], float]) -> Reading | None:
    """The reading with the worst value; of equals the newest."""
    if not rows:
        return None
    extreme = choose(float(row.value) for row in rows)
    return next(row for row in reversed(rows) if row.value == extreme)


def _circulation(
    record: Record,
    now: int,
    inputs: dict[str, Any],
    parts: dict[str, Reading],
    shown: dict[str, Reading],
) -> None:
    """The lowest mean pressure of the day, and doses held for as long as SOFA asks."""
    lowest = [
        (float(row.value), name, row)
        for name in PRESSURES
        for row in record.lowest.get(name, ())
        if row.at > now - DAY and not isinstance(row.value, str)
    ]
    if lowest:
        value, name, row = min(lowest, key=lambda one: one[0])
        inputs["map_mmhg"] = value
        parts["cv"] = shown[name] = row
    for drug in _PRESSORS:
        dose = sustained(record.held.get(drug, ()), window_us(drug, DAY_SET), now - DAY, now)
        if dose is not None:
            inputs[drug] = dose.value
            parts["cv"] = shown[drug] = dose


def _awake(record: Record, now: int) -> Reading | None:
    """The worst GCS of the day that was not taken under sedation, else the last one before it."""
    rows = _of_day(record.spots.get("gcs", ()), "gcs", now)
    awake = [row for row in rows if not sedated(record, row.at)]
    if awake:
        return _worst(awake, min)
    return record.awake_gcs if rows else None


def last_awake(record: Record) -> Reading | None:
    """The newest GCS that was not taken under sedation, for the days when there is none."""
    rows = [row for row in record.spots.get("gcs", ()) if not sedated(record, row.at)]
    return rows[-1] if rows else record.awake_gcs


def _estimated(record: Record, now: int) -> tuple[Reading, int] | None:
    """The lowest SpO2/FiO2 of the day and its points; None where there is none."""
    rows = [row for row in record.lowest.get("sf", ()) if row.at > now - DAY]
    if not rows:
        return None
    worst = rows[0]
    points = next((p for limit, p in _ESTIMATE if float(worst.value) < limit), 0)
    return worst, points if supported_at(record, worst.at) else min(points, _CAP)
