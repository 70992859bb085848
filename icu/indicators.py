"""The indicators of a bed: each with its inputs, their times, and what is missing. Pure.

A figure is a plain object, as the board and the API carry it (times in ISO 8601, UTC):

    {"state": "complete" | "incomplete" | "not_applicable", "value": number or null, "unit": UCUM,
     "inputs": {key: {"value", "at", "few"?}}, "missing": [keys], ...}

What has no input at all is left out. Formulas and limits stand in `clinical/tables/`, windows in
`windows.py`; nothing here is a default for what was not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clinical.scores import score
from hospital_ops.clock import iso
from icu import fluids
from icu.record import DAY as DAY_US
from icu.record import DRUGS, HOUR, MINUTE, READABLE, Reading, Record
from icu.sofa import last_awake, sofa
from icu.windows import (
    DAY,
    NEAR_HOLD_US,
    WARD,
    fresh,
    held_at,
    rate_now,
    sedated,
    supported_at,
    window_us,
)

Figure = dict[str, Any]
_YEARS: Final = 16  # news2.json, population: "age >=16 y"
_PERCENT: Final = 100
_ROOM_AIR_PCT: Final = (codes.by_key["fio2"].plausible or (0.0, 0.0))[0]
_LACTATES_US: Final = 8 * HOUR  # icu_indicators.json, lactate clearance: "hours <= 8"


class Person(NamedTuple):
    """What the scores ask of a person: years (None: not known) and sex."""

    years: float | None
    sex: str
    weight: Reading | None = None  # told before the hospital: an estimate


class Bedside(NamedTuple):
    """One bed at one moment."""

    record: Record
    person: Person
    now: int

    def fresh(self, key: str, which: str = WARD) -> Reading | None:
        """The newest value that still counts."""
        return fresh(self.record, key, which, self.now)

    def held(self, key: str) -> Reading | None:
        """What is held now; None where it fell silent longer than it counts."""
        spans = self.record.held.get(key, ())
        window = window_us(key, DAY if key == "vent_mode" else WARD)
        return spans[-1] if spans and spans[-1].until > self.now - window else None


def figures(record: Record, person: Person, now: int) -> dict[str, Figure]:
    """Every indicator that has at least one input, by its name; notes when they change next."""
    bed = Bedside(record, person, now)
    record.awake_gcs = last_awake(record)
    whole, ratio = sofa(record, now, figure)
    found = {"sofa": whole, "news2": _news2(bed), "pf": ratio}
    found |= {name: make(bed) for name, make in FIGURES.items()}
    record.found_at, record.next_at = now, next_moment(record, now)
    return {name: figure for name, figure in found.items() if figure is not None}


def next_moment(record: Record, now: int) -> int:
    """When the figures change by time alone: an input leaves its window, an hour begins."""
    moments = [
        reading.at + window
        for key, reading in record.newest.items()
        for window in {window_us(key, WARD), window_us(key, DAY)}
    ]
    moments += [row.at + window_us(key, DAY) for key, rows in record.spots.items() for row in rows]
    moments += [row.at + DAY_US for rows in record.lowest.values() for row in rows]
    if record.hours or record.held:
        moments.append((now // HOUR + 1) * HOUR)
    return min((moment for moment in moments if moment > now), default=0)


def figure(
    value: float | None,
    unit: str,
    inputs: Mapping[str, Reading | None],
    missing: list[str] | None = None,
    **more: Any,
) -> Figure:
    """A figure with the inputs that are there; those that are not are named."""
    lacking = missing if missing is not None else [k for k, r in inputs.items() if r is None]
    return {
        "state": "incomplete" if lacking or value is None else "complete",
        "value": None if value is None else round(value, 4),
        "unit": unit,
        "inputs": {key: _input(reading) for key, reading in inputs.items() if reading},
        "missing": lacking,
        **more,
    }


def _input(reading: Reading) -> Figure:
    shown: Figure = {"value": reading.value, "at": iso(reading.until or reading.at)}
    if reading.few:
        shown["few"] = True  # the median of fewer than 30 samples
    return shown


def _pressure(bed: Bedside) -> tuple[str, Reading | None]:
    """Systolic pressure: of the line while it is heard, else of the cuff."""
    line, cuff = bed.fresh("abp_sys"), bed.fresh("nibp_sys")
    if line is not None and (cuff is None or line.at >= cuff.at - MINUTE):
        return "abp_sys", line
    return ("nibp_sys", cuff) if cuff is not None else ("sbp", None)


def _oxygen(bed: Bedside) -> Reading | None:
    """FiO2 in percent; of room air where somebody has charted that no oxygen is given."""
    held = bed.held("fio2")
    if held is not None:
        return held
    said = bed.fresh("on_oxygen")
    if said is not None and not said.value and not supported_at(bed.record, bed.now):
        return Reading(said.at, _ROOM_AIR_PCT)
    return None


def _shock_index(bed: Bedside) -> Figure | None:
    rate, (name, pressure) = bed.fresh("hr"), _pressure(bed)
    if rate is None or pressure is None:
        return figure(None, "1", {"hr": rate, name: pressure}) if rate or pressure else None
    found = score("shock_index", {"hr_bpm": rate.value, "sbp_mmhg": pressure.value})
    value = found.get("shock_index")
    return figure(value, "1", {"hr": rate, name: pressure}, band=found.get("band"))


def _sf(bed: Bedside) -> Figure | None:
    """SpO2 over FiO2: an estimate where there is no gas, and readable up to 97 % only."""
    saturation, oxygen = bed.fresh("spo2"), _oxygen(bed)
    if oxygen is None:
        return None
    inputs = {"spo2": saturation, "fio2": oxygen}
    if saturation is None or isinstance(saturation.value, str):
        return figure(None, "1", inputs)
    if not READABLE.met(saturation.value):
        return figure(None, "1", inputs, [], why="spo2_above_97") | {"state": "not_applicable"}
    ratio = saturation.value / (float(oxygen.value) / _PERCENT)
    return figure(ratio, "1", inputs, estimated=True)


def _rox(bed: Bedside) -> Figure | None:
    oxygen = _oxygen(bed)
    if oxygen is None or supported_at(bed.record, bed.now):
        return None
    inputs = {"spo2": bed.fresh("spo2"), "fio2": oxygen, "rr": bed.fresh("rr")}
    found = score(
        "rox",
        {
            "spo2_pct": _value(inputs["spo2"]), "rr_bpm": _value(inputs["rr"]),
            "fio2": float(oxygen.value) / _PERCENT,
        },
    )  # fmt: skip
    return figure(found.get("rox"), "1", inputs, low_risk=found.get("low_risk"))


def _driving_pressure(bed: Bedside) -> Figure | None:
    plateau = bed.fresh("pplat", DAY)
    if plateau is None:
        return None
    peep = held_at(bed.record, "peep", plateau.at, NEAR_HOLD_US)
    volume, height = bed.fresh("vt"), bed.fresh("height")
    found = score(
        "driving_pressure",
        {
            "pplat_cmh2o": plateau.value, "peep_cmh2o": _value(peep), "vt_ml": _value(volume),
            "height_cm": _value(height), "sex": bed.person.sex,
        },
    )  # fmt: skip
    shown = figure(
        found.get("driving_pressure_cmh2o"), "cm[H2O]", {"pplat": plateau, "peep": peep},
        above_15=found.get("above_15"), compliance=found.get("compliance"),
        vt_ml_kg_pbw=found.get("vt_ml_kg_pbw"),
    )  # fmt: skip
    extra = {"vt": volume, "height": height}
    shown["inputs"] |= {key: _input(reading) for key, reading in extra.items() if reading}
    return shown


def _vis(bed: Bedside) -> Figure | None:
    rates: dict[str, Reading | None] = {}
    given: dict[str, Any] = {}
    for drug in DRUGS:
        reading, known = rate_now(bed.record, drug, bed.now)
        if reading is None:
            continue
        rates[drug] = reading if known else None
        unit = "u_kg_min" if drug == "vasopressin" else "ug_kg_min"
        given[f"{drug}_{unit}"] = reading.value if known else None
    if not rates:
        return None
    missing = [drug for drug, reading in rates.items() if reading is None]
    found = {} if missing else score("vis", given)
    return figure(found.get("vis"), "1", rates, missing)


def _lactate(bed: Bedside) -> Figure | None:
    """The newest lactate against the first one of the hours before it."""
    later = bed.fresh("lactate", DAY)
    if later is None:
        return None
    rows = bed.record.spots.get("lactate", ())
    before = [r for r in rows if later.at - _LACTATES_US <= r.at < later.at]
    if not before:
        return figure(None, "%", {"later": later}, ["first"])
    first = before[0]
    found = score(
        "lactate_clearance",
        {
            "first_mmol_l": first.value, "later_mmol_l": later.value,
            "hours": (later.at - first.at) / HOUR,
        },
    )  # fmt: skip
    return figure(
        found.get("clearance_pct"), "%", {"first": first, "later": later},
        per_2h_pct=found.get("per_2h_pct"), nguyen_met=found.get("nguyen_met"),
        jansen_met=found.get("jansen_met"),
    )  # fmt: skip


def _kdigo(bed: Bedside) -> Figure | None:
    told = bed.person.weight if bed.fresh("weight") is None else None
    made = fluids.kdigo(bed.record, bed.now, told)
    if made is None:
        return None
    found, (urine, *weight) = made
    inputs = {"urine": urine, "weight": weight[0] if weight else None}
    shown = figure(
        found["stage"], "{stage}", inputs, found["missing"], ml_kg_h_6h=found["ml_kg_h_6h"]
    )
    if told is not None and weight:
        shown["inputs"]["weight"]["estimated"] = True
    return shown


def _balance(bed: Bedside) -> Figure | None:
    made = fluids.balance(bed.record, bed.now)
    if made is None:
        return None
    value, missing = made.pop("value"), made.pop("missing")
    shown = figure(value, "mL", {"volume": fluids.last_volume(bed.record)}, missing)
    since = bed.record.known_from or bed.record.began_at
    # Of a record that is younger than a day the sum of 24 h is the sum since then, and says so.
    young = iso(since) if since > bed.now - DAY_US else None
    return shown | made | {"since": iso(since), "day_since": young}


def _scale(key: str, which: str) -> Callable[[Bedside], Figure | None]:
    unit = codes.by_key[key].ucum

    def made(bed: Bedside) -> Figure | None:
        reading = bed.fresh(key, which)
        if reading is None or isinstance(reading.value, str):
            return None
        return figure(reading.value, unit, {key: reading})

    return made


def _gcs(bed: Bedside) -> Figure | None:
    reading = bed.fresh("gcs", DAY)
    if reading is None or isinstance(reading.value, str):
        return None
    asleep = sedated(bed.record, reading.at)
    return figure(reading.value, "{score}", {"gcs": reading}, sedated=asleep)


def _not_news2(bed: Bedside) -> list[str]:
    """Why NEWS2 says nothing here: news2.json, population, and ui/UI.md section 3."""
    reasons = []
    if supported_at(bed.record, bed.now):
        reasons.append("ventilated")
    rates = (rate_now(bed.record, drug, bed.now)[0] for drug in DRUGS)
    if any(rate is not None and rate.value for rate in rates):
        reasons.append("vasopressor")
    if sedated(bed.record, bed.now):
        reasons.append("sedated")
    pregnant = bed.record.newest.get("pregnant")
    if pregnant is not None and str(pregnant.value).lower() in ("yes", "true", "1"):
        reasons.append("pregnant")
    if bed.person.years is not None and bed.person.years < _YEARS:
        reasons.append("under_16")
    return reasons


def _news2(bed: Bedside) -> Figure | None:
    name, pressure = _pressure(bed)
    keys = ("rr", "spo2", "hr", "avpu", "temp")
    inputs = {key: bed.fresh(key) for key in keys} | {name: pressure}
    if not any(inputs.values()):
        return None
    reasons = _not_news2(bed)
    if reasons:
        empty = figure(None, "{score}", {}, [])
        return empty | {"state": "not_applicable", "because": reasons}
    oxygen, flow = bed.held("fio2"), bed.fresh("o2_flow")
    said = bed.fresh("on_oxygen") or bed.fresh("o2_device")
    given: bool | None = None
    if oxygen is not None:
        given = float(oxygen.value) > _ROOM_AIR_PCT
    elif flow is not None:
        given = bool(flow.value)
    elif said is not None:
        given = said.value not in (0, "air", "no", "false")
    inputs["on_oxygen"] = oxygen or flow or said
    found = score(
        "news2",
        {
            "rr_bpm": _value(inputs["rr"]), "spo2_pct": _value(inputs["spo2"]),
            "on_oxygen": given, "sbp_mmhg": _value(pressure), "hr_bpm": _value(inputs["hr"]),
            "acvpu": _value(inputs["avpu"]), "temp_c": _value(inputs["temp"]),
        },
    )  # fmt: skip
    missing = [key for key, reading in inputs.items() if reading is None]
    if bed.person.years is None:
        missing.append("age")
    return figure(
        found["total"], "{score}", inputs, missing, total=found["total"],
        components=found["components"], risk=found["risk"],
    )  # fmt: skip


def _value(reading: Reading | None) -> Any:
    return reading.value if reading else None


FIGURES: Final[dict[str, Callable[[Bedside], Figure | None]]] = {
    "sf": _sf,
    "rox": _rox,
    "shock_index": _shock_index,
    "driving_pressure": _driving_pressure,
    "balance": _balance,
    "kdigo_urine": _kdigo,
    "vis": _vis,
    "lactate_clearance": _lactate,
    "rass": _scale("rass", DAY),
    "gcs": _gcs,
    "pain": _scale("pain", WARD),
}
