"""The first hours of sepsis: which elements are due, overdue, or were late. A clock, no order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.prose import bound, bounds
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_TABLE: Final = table("icu_indicators")["indicators"]["sepsis_bundle"]
_ELEMENTS: Final = {row["id"]: row for row in _TABLE["elements"]}
ELEMENTS: Final = tuple(_ELEMENTS)
CATEGORIES: Final = tuple(_ELEMENTS["antibiotic"]["deadline_min"])
SOURCE: Final = "; ".join(_TABLE["sources"].values())
_MUCH_LACTATE: Final = bound(_ELEMENTS["fluid_30ml_kg"]["when"])
FULL_FLUID_ML_KG: Final = float(
    "".join(filter(str.isdigit, _ELEMENTS["fluid_30ml_kg"]["id"].split("_")[1]))
)
_LOW_MAP: Final = bound(_ELEMENTS["vasopressor"]["when"])
_REPEAT: Final = bounds(_ELEMENTS["lactate_repeat"]["when"])[0]


def deadline_min(element: str, category: str) -> float:
    """Minutes from the recognition until an element is overdue."""
    deadline = _ELEMENTS[element]["deadline_min"]
    return float(deadline[category] if isinstance(deadline, dict) else deadline)


def sepsis_bundle(inputs: Mapping[str, Any]) -> Result:
    """`score sepsis_bundle`: due, overdue and late elements; minutes count from recognition."""
    sheet = Sheet(inputs)
    category = sheet.choice("category", CATEGORIES)
    if category is None:
        raise CannotScore("missing_input", f"category must be one of {', '.join(CATEGORIES)}")
    now = sheet.need("now_min")
    lactate = sheet.number("lactate_mmol_l", optional=True)
    done = {
        name: sheet.number(f"{name}_min", optional=True)
        for name in ("lactate", "cultures", "antibiotic", "vasopressor", "lactate_repeat")
    }
    due: list[tuple[float, str]] = []
    overdue: list[tuple[float, str]] = []
    late: list[tuple[float, str]] = []
    for name in _wanted(sheet, lactate):
        limit = deadline_min(name, category)
        finished = done.get(name)
        if finished is not None:
            if finished > limit:
                late.append((limit, name))
        elif name == "fluid_30ml_kg" and _fluid_given(sheet):
            continue
        else:
            (overdue if now > limit else due).append((limit, name))
            sheet.because(f"sepsis_{name}", now, limit, _TABLE["sources"]["guideline"], None)
    return sheet.answer(
        {
            key: [name for _, name in sorted(rows)]
            for key, rows in (("due", due), ("overdue", overdue), ("late", late))
        }
        | {"category": category}
    )


def _fluid_given(sheet: Sheet) -> bool:
    given = sheet.number("fluid_ml_kg", optional=True)
    return given is not None and given >= FULL_FLUID_ML_KG


def _wanted(sheet: Sheet, lactate: float | None) -> list[str]:
    """The elements that apply to this patient, of the six."""
    wanted = ["lactate", "cultures", "antibiotic"]
    hypotension = sheet.flag("hypotension", optional=True)
    if hypotension or (lactate is not None and _MUCH_LACTATE.met(lactate)):
        wanted.append("fluid_30ml_kg")
    pressure = sheet.number("map_mmhg", optional=True)
    if pressure is not None and _LOW_MAP.met(pressure):
        wanted.append("vasopressor")
    if lactate is not None and _REPEAT.met(lactate):
        wanted.append("lactate_repeat")
    return wanted
