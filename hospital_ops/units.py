"""Units as senders write them, brought to UCUM and to the unit of the table; never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hospital_ops.codes import Vital

# UCUM unit -> (dimension, factor to the dimension's base unit). Temperature is apart below.
_FACTORS: Final[Mapping[str, tuple[str, float]]] = {
    "mm[Hg]": ("pressure", 1.0),
    "kPa": ("pressure", 7.50062),  # codes.json: 1 kPa = 7.50062 mmHg
    "hPa": ("pressure", 0.750062),
    "mbar": ("pressure", 0.750062),
    "Pa": ("pressure", 0.00750062),
    "cm[H2O]": ("pressure", 0.750062 / 1.01972),  # 1 mbar = 1.01972 cm[H2O]
    "/min": ("rate", 1.0),
    "/s": ("rate", 60.0),
    "Hz": ("rate", 60.0),
    "/h": ("rate", 1 / 60),
    "%": ("share", 1.0),
    "1": ("share", 100.0),
    "mL": ("volume", 1.0),
    "L": ("volume", 1000.0),
    "L/min": ("flow", 1.0),
    "mL/min": ("flow", 0.001),
    "mL/h": ("flow", 0.001 / 60),
    "L/h": ("flow", 1 / 60),
    "kg": ("mass", 1.0),
    "g": ("mass", 0.001),
    "[lb_av]": ("mass", 0.45359237),
    "cm": ("length", 1.0),
    "m": ("length", 100.0),
    "mm": ("length", 0.1),
    "[in_i]": ("length", 2.54),
    "s": ("time", 1.0),
    "ms": ("time", 0.001),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "mmol/L": ("molar", 1.0),
    "umol/L": ("molar", 0.001),
    "meq/L": ("charge", 1.0),
    "g/L": ("mass_conc", 1.0),
    "g/dL": ("mass_conc", 10.0),
    "mg/dL": ("mass_conc", 0.01),
    "mg/L": ("mass_conc", 0.001),
    "ug/L": ("mass_conc", 1e-6),
    "ng/mL": ("mass_conc", 1e-6),
    "ng/L": ("mass_conc", 1e-9),
    "pg/mL": ("mass_conc", 1e-9),
    "10*9/L": ("count", 1.0),
    "10*3/uL": ("count", 1.0),
    "ug/kg/min": ("dose", 1.0),
    "mg/kg/min": ("dose", 1000.0),
    "ug/kg/h": ("dose", 1 / 60),
    "U/kg/min": ("dose_units", 1.0),
    "mV": ("voltage", 1.0),
    "uV": ("voltage", 0.001),
    "{score}": ("score", 1.0),
    "{ratio}": ("ratio", 1.0),
    "[pH]": ("ph", 1.0),
    "code": ("code", 1.0),
    "{bool}": ("bool", 1.0),
}
# Multiply to come from the first unit to the second, for one substance (codes.md, Conversions).
_SUBSTANCE: Final[Mapping[tuple[str, str, str], float]] = {
    ("glucose", "mg/dL", "mmol/L"): 1 / 18.016,
    ("lactate", "mg/dL", "mmol/L"): 1 / 9.008,
    ("bilirubin", "mg/dL", "umol/L"): 17.1,
    ("creatinine", "mg/dL", "umol/L"): 88.42,
    ("k", "meq/L", "mmol/L"): 1.0,
    ("na", "meq/L", "mmol/L"): 1.0,
    ("hco3", "meq/L", "mmol/L"): 1.0,
    ("be", "meq/L", "mmol/L"): 1.0,
    ("fio2", "{ratio}", "%"): 100.0,
    ("inr", "1", "{ratio}"): 1.0,
    ("ph_art", "1", "[pH]"): 1.0,
    **{(key, "1", "{score}"): 1.0 for key in ("gcs", "gcs_e", "gcs_m", "gcs_v", "rass", "pain")},
}
AS_RECEIVED: Final = frozenset({"creatinine"})  # codes.json: score in the unit received

# MDC partition 4 numbers: codes.json, Philips IntelliVue unit codes (mdpnp), 11073-10417.
_MDC: Final[Mapping[int, str]] = {
    262656: "1",
    262688: "%",
    263441: "cm",
    263424: "m",
    263744: "L",
    263762: "mL",
    263872: "g",
    263875: "kg",
    264256: "g/dL",
    264274: "mg/dL",
    264320: "s",
    264338: "ms",
    264608: "/s",
    264640: "Hz",
    264864: "/min",
    264928: "/min",
    265216: "L/min",
    265234: "mL/min",
    265266: "mL/h",
    265987: "kPa",
    266016: "mm[Hg]",
    266048: "cm[H2O]",
    266098: "mbar",
    266418: "mV",
    266419: "uV",
    266560: "[degF]",
    266866: "mmol/L",
    268160: "[degF]",  # as one monitor's capture shows it
    268192: "Cel",
}
_SPELLED: Final[Mapping[str, str]] = {
    spelling: unit
    for unit, spellings in {
        "mm[Hg]": "mmhg mm(hg) mm[hg] torr мм.рт.ст. мм.рт.ст ммрт.ст. ммрт.ст ммртст",
        "cm[H2O]": "cmh2o cm(h2o) cm[h2o] cmh20 смвод.ст. смвод.ст смh2o",
        "mbar": "mbar мбар",
        "hPa": "hpa гпа",
        "kPa": "kpa кпа",
        "Pa": "pa",
        "/min": "bpm rpm 1/min /min min-1 min^-1 #/min beats/min beat/min {beat}/min {beats}/min "
        "[beat]/min breaths/min breath/min {breath}/min {breaths}/min brpm resp/min {resp}/min "
        "{rpm} {bpm} pulse/min уд/мин уд./мин 1/мин /мин дых/мин дых./мин вд/мин",
        "/s": "/s 1/s",
        "Hz": "hz",
        "/h": "/h 1/h /hr",
        "%": "% percent pct %spo2 проц.",
        "1": "1 {1} dimless",
        "{ratio}": "fraction {fraction} {ratio} ratio",
        "Cel": "cel °c degc c ℃ °с град.с deg.c celsius",
        "[degF]": "[degf] °f degf f ℉ deg.f fahrenheit",
        "mL": "ml cc мл",
        "L": "l л",
        "L/min": "l/min lpm л/мин",
        "mL/min": "ml/min мл/мин",
        "mL/h": "ml/h ml/hr мл/ч мл/час",
        "L/h": "l/h",
        "kg": "kg кг",
        "g": "g г",
        "[lb_av]": "[lb_av] lb lbs",
        "cm": "cm см",
        "m": "m м",
        "mm": "mm мм",
        "[in_i]": "[in_i] in inch",
        "s": "s sec с сек",
        "ms": "ms msec мс",
        "min": "min мин",
        "h": "h hr ч",
        "mmol/L": "mmol/l ммоль/л",
        "umol/L": "umol/l мкмоль/л",
        "meq/L": "meq/l",
        "g/L": "g/l г/л",
        "g/dL": "g/dl г/дл",
        "mg/dL": "mg/dl мг/дл",
        "mg/L": "mg/l мг/л",
        "ug/L": "ug/l mcg/l мкг/л",
        "ng/mL": "ng/ml нг/мл",
        "ng/L": "ng/l нг/л",
        "pg/mL": "pg/ml пг/мл",
        "10*9/L": "10*9/l 10^9/l x10^9/l x10e9/l 10e9/l 10*9/л 10^9/л",
        "10*3/uL": "10*3/ul 10^3/ul x10^3/ul x10e3/ul k/ul",
        "ug/kg/min": "ug/kg/min mcg/kg/min мкг/кг/мин",
        "mg/kg/min": "mg/kg/min",
        "ug/kg/h": "ug/kg/h mcg/kg/h ug/kg/hr mcg/kg/hr мкг/кг/ч",
        "U/kg/min": "u/kg/min iu/kg/min",
        "mV": "mv мв",
        "uV": "uv мкв",
        "{score}": "{score} score points",
        "[pH]": "[ph] ph",
        "code": "code",
        "{bool}": "{bool}",
    }.items()
    for spelling in spellings.split()
}
_REF_ID: Final[Mapping[str, str]] = {
    "MDC_DIM_PERCENT": "%",
    "MDC_DIM_DIMLESS": "1",
    "MDC_DIM_BEAT_PER_MIN": "/min",
    "MDC_DIM_RESP_PER_MIN": "/min",
    "MDC_DIM_PULS_PER_MIN": "/min",
    "MDC_DIM_PER_MIN": "/min",
    "MDC_DIM_PER_SEC": "/s",
    "MDC_DIM_HZ": "Hz",
    "MDC_DIM_MMHG": "mm[Hg]",
    "MDC_DIM_KILO_PASCAL": "kPa",
    "MDC_DIM_CM_H2O": "cm[H2O]",
    "MDC_DIM_MILLI_BAR": "mbar",
    "MDC_DIM_DEGC": "Cel",
    "MDC_DIM_FAHR": "[degF]",
    "MDC_DIM_MILLI_L": "mL",
    "MDC_DIM_L_PER_MIN": "L/min",
    "MDC_DIM_MILLI_L_PER_HR": "mL/h",
    "MDC_DIM_MILLI_VOLT": "mV",
    "MDC_DIM_MICRO_VOLT": "uV",
    "MDC_DIM_CENTI_M": "cm",
    "MDC_DIM_KILO_G": "kg",
    "MDC_DIM_MILLI_G_PER_DL": "mg/dL",
    "MDC_DIM_MILLI_MOLE_PER_L": "mmol/L",
    "MDC_DIM_G_PER_DL": "g/dL",
}
_ALIKE: Final = str.maketrans({"₂": "2", "º": "°", "µ": "u", "μ": "u", " ": None, "\u00a0": None})
_HEX: Final = re.compile(r"([0-9a-fA-F]{4})-([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a number in `unit` (UCUM) is reached: value * factor + shift; or why it is not."""

    unit: str
    factor: float = 1.0
    shift: float = 0.0
    problem: str = ""
    to_table: float = 1.0  # from `unit` to the table's, for its limits, where the unit is kept

    def __call__(self, value: float) -> float:
        """The converted value; a number that needs no conversion stays exactly as it was."""
        if self.factor == 1.0 and self.shift == 0.0:
            return value
        return float(f"{value * self.factor + self.shift:.6g}")


FAHRENHEIT: Final = Conversion("Cel", 5 / 9, -160 / 9)


def mdc_number(text: str) -> int | None:
    """The MDC number of `264864`, or of `0004-0220` (partition and term in hexadecimal)."""
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        return int(text)
    match = _HEX.fullmatch(text)
    return int(match[1], 16) * 65536 + int(match[2], 16) if match else None


@lru_cache(maxsize=1024)
def to_ucum(text: str) -> str | None:
    """The UCUM unit of a vendor's spelling, an MDC unit number or a reference id, else None."""
    if text in _FACTORS or text in ("Cel", "[degF]", "K"):
        return text
    if (number := mdc_number(text)) is not None and number in _MDC:
        return _MDC[number]
    return _REF_ID.get(text) or _SPELLED.get(text.translate(_ALIKE).lower())


@lru_cache(maxsize=1024)
def conversion(vital: Vital, sent: str | None) -> Conversion:
    """From the unit `sent` (UCUM; None: unknown; empty: none was sent) to the table's unit.

    A unit that is missing where two are in use, unknown or of another dimension is a problem in
    words; the caller stores the value as Inv.
    """
    goal = vital.ucum
    if sent == "":
        if vital.one_unit or goal in ("{score}", "code", "{bool}", "[pH]", "{ratio}"):
            return Conversion(goal)
        return Conversion(goal, problem=f"no unit was sent; {goal} is not guessed")
    if sent is None:
        return Conversion(goal, problem="unknown unit; map it or send UCUM")
    if sent == goal:
        return Conversion(goal)
    substance = _SUBSTANCE.get((vital.key, sent, goal))
    if vital.key in AS_RECEIVED and substance is not None:
        return Conversion(sent, to_table=substance)
    if substance is not None:
        return Conversion(goal, substance)
    if goal == "Cel" and sent == "[degF]":
        return FAHRENHEIT
    if goal == "Cel" and sent == "K":
        return Conversion(goal, 1.0, -273.15)
    own, wanted = _FACTORS.get(sent), _FACTORS.get(goal)
    if own is None or wanted is None or own[0] != wanted[0]:
        return Conversion(goal, problem=f"{sent} cannot be a unit of {vital.name}; {goal} expected")
    return Conversion(goal, own[1] / wanted[1])


def known() -> list[str]:
    """Every UCUM unit that is converted here."""
    return [*_FACTORS, "Cel", "[degF]", "K"]


def in_range(value: float, limits: tuple[float, float] | None) -> bool:
    """Whether `value` lies within `limits`, both ends included; no limits hold everything."""
    return limits is None or limits[0] <= value <= limits[1]
