"""What can be ordered: nine kinds, each with fields of its own, checked with clear errors. Pure.

The first field of a kind is what is ordered. An order of words alone is taken as well: then the
fields are empty, and the checks say what they could not look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError
from icu import order_targets
from icu.bedside_orders import MINUTE_US, RULES
from icu.orders import Plan

TEXT_MAX: Final = 500
PRIORITIES: Final = ("routine", "urgent", "stat")
ROUTES: Final = ("iv", "po", "im", "sc", "inhaled", "ng", "pr", "topical", "epidural", "other")
DOSE_UNITS: Final = ("mg", "g", "ug", "mL", "U", "mmol", "mg/kg", "ug/kg", "mL/kg", "U/kg")
RATE_UNITS: Final = (
    "ug/kg/min", "ug/min", "mg/h", "mg/kg/h", "mL/h", "mL/kg/h", "U/h", "U/kg/h", "U/min",
    "U/kg/min", "mmol/h",
)  # fmt: skip


class Field(NamedTuple):
    """One field of a kind."""

    name: str
    form: str = "text"  # text, number, choice
    required: bool = False
    choices: tuple[str, ...] = ()
    vital: str = ""  # key of codes.json whose physical limits the number obeys
    unit: str = ""


KINDS: Final[dict[str, tuple[Field, ...]]] = {
    "medication": (
        Field("drug", required=True),
        Field("dose", "number"),
        Field("dose_unit", "choice", choices=DOSE_UNITS),
        Field("route", "choice", required=True, choices=ROUTES),
    ),
    "infusion": (
        Field("drug", required=True),
        Field("rate", "number"),
        Field("rate_unit", "choice", choices=RATE_UNITS),
        Field("concentration"),
        Field("max_rate", "number"),
    ),
    "ventilation": (
        Field("mode"),
        Field("fio2_percent", "number", vital="fio2", unit="%"),
        Field("peep_cmh2o", "number", vital="peep", unit="cm[H2O]"),
        Field("vt_ml", "number", vital="vt", unit="mL"),
        Field("rate_per_min", "number", vital="rr", unit="/min"),
    ),
    "laboratory": (Field("test", required=True), Field("specimen")),
    "imaging": (Field("study", required=True), Field("region"), Field("question")),
    "procedure": (Field("procedure", required=True), Field("site"), Field("indication")),
    "nursing": (Field("action", required=True),),
    "diet": (
        Field("diet", required=True),
        Field("energy_kcal", "number", unit="kcal"),
        Field("rate_ml_h", "number", unit="mL/h"),
    ),
    "consult": (Field("specialty", required=True), Field("question")),
}
PAIRS: Final = (("dose", "dose_unit"), ("rate", "rate_unit"), ("max_rate", "rate_unit"))
TARGETED: Final = tuple(kind for kind in KINDS if kind not in ("imaging", "diet", "consult"))


class Wanted(NamedTuple):
    """An order as somebody wants it, understood."""

    kind: str
    text: str
    details: dict[str, Any]
    target: dict[str, Any] | None = None
    priority: str = "routine"
    due_at: int = 0
    plan: Plan = Plan()
    item: int = -1  # of an order set


def wanted(sent: Mapping[str, Any], now: int) -> Wanted:
    """What `POST .../orders` asks for; MessageError says which field is wrong and how it is right.

    `kind`, then `text` or `details`; `target`, `priority`, `due_at`, `repeat` {every_min, times,
    until} where they apply. A recurring order without `due_at` is due now.
    """
    kind = sent.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    text = sent.get("text") or ""
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise MessageError("bad_text", "`text` says what is ordered, in at most 500 characters")
    details = _details(kind, sent.get("details"))
    target = order_targets.checked(sent.get("target"))
    if target is not None and kind not in TARGETED:
        raise MessageError("bad_target", f"an order of kind {kind} has no target")
    if not text.strip() and not details and target is None:
        raise MessageError("bad_text", "say what is ordered: `text`, or `details` of the kind")
    priority = sent.get("priority") or "routine"
    if not isinstance(priority, str) or priority not in PRIORITIES:
        raise MessageError("bad_priority", f"`priority` is one of {', '.join(PRIORITIES)}")
    due = moment(sent.get("due_at"), "due_at") or 0
    plan = _plan(sent.get("repeat"))
    if plan.every_us and not due:
        due = now
    words = text.strip() or said(kind, details, target)
    return Wanted(kind, words, details, target, priority, due, plan)


def moment(text: Any, name: str) -> int | None:
    """Microseconds of an ISO 8601 time with a zone; None where nothing was sent."""
    if text is None or text == "":
        return None
    try:
        return from_iso(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError("bad_time", f"`{name}` is ISO 8601 with a zone") from error


def _details(kind: str, sent: Any) -> dict[str, Any]:
    if sent is None or sent == {}:
        return {}
    if not isinstance(sent, Mapping):
        raise MessageError("bad_details", "`details` is an object with the fields of the kind")
    fields = {field.name: field for field in KINDS[kind]}
    unknown = sorted(str(name) for name in sent if name not in fields)
    if unknown:
        known = ", ".join(fields)
        raise MessageError("unknown_field", f"{kind} has no `{unknown[0][:40]}`; it has: {known}")
    found = {
        name: value for name, field in fields.items() if (value := _value(kind, field, sent)) != ""
    }
    for field in fields.values():
        if field.required and field.name not in found:
            raise MessageError("missing_field", f"{kind} needs `{field.name}`")
    for number, unit in PAIRS:
        if number in found and unit not in found:
            raise MessageError("missing_field", f"`{number}` needs `{unit}`")
    if kind == "ventilation" and not found:
        raise MessageError("missing_field", "ventilation needs a mode or one of its settings")
    return found


def _value(kind: str, field: Field, sent: Mapping[str, Any]) -> Any:
    value = sent.get(field.name)
    if value is None or value == "":
        return ""
    if field.form == "number":
        return _number(kind, field, value)
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise MessageError("bad_field", f"{kind}: `{field.name}` is text of at most 500 characters")
    if field.form == "choice" and value not in field.choices:
        choices = ", ".join(field.choices)
        raise MessageError("bad_field", f"{kind}: `{field.name}` is one of {choices}")
    return value.strip()


def _number(kind: str, field: Field, value: Any) -> float:
    if not order_targets.is_number(value):
        raise MessageError("bad_field", f"{kind}: `{field.name}` is a number")
    limits = codes.by_key[field.vital].reject_outside if field.vital else None
    if limits and not limits[0] <= value <= limits[1]:
        raise MessageError(
            "bad_field", f"{kind}: `{field.name}` lies from {limits[0]:g} to {limits[1]:g}"
        )
    if not limits and value <= 0:
        raise MessageError("bad_field", f"{kind}: `{field.name}` is above 0")
    return float(value)


def _plan(sent: Any) -> Plan:
    if sent is None or sent == {}:
        return Plan()
    if not isinstance(sent, Mapping):
        raise MessageError("bad_repeat", "`repeat` is {every_min, times or until}")
    shortest, longest = RULES["repeat_min"]
    every, times = sent.get("every_min"), sent.get("times", 0)
    if isinstance(every, bool) or not isinstance(every, int) or not shortest <= every <= longest:
        raise MessageError("bad_repeat", f"`every_min` is a number from {shortest} to {longest}")
    if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= 1000:
        raise MessageError("bad_repeat", "`times` says how often in all, at most 1000")
    return Plan(every * MINUTE_US, times, moment(sent.get("until"), "until") or 0)


def said(kind: str, details: Mapping[str, Any], target: Mapping[str, Any] | None) -> str:
    """The order in one line: `noradrenaline 0.1 ug/kg/min, MAP 65–75 mm[Hg]`."""
    parts = [str(details[KINDS[kind][0].name])] if KINDS[kind][0].name in details else []
    for field in KINDS[kind][1:]:
        value = details.get(field.name)
        if value is None or field.name in ("dose_unit", "rate_unit"):
            continue
        parts.append(_part(field, value, details))
    if target is not None:
        parts.append(order_targets.words(target))
    return ", ".join(parts)[:TEXT_MAX]


def _part(field: Field, value: Any, details: Mapping[str, Any]) -> str:
    if field.form != "number":
        return str(value)
    unit = field.unit or str(details.get("dose_unit" if field.name == "dose" else "rate_unit", ""))
    label = {"fio2_percent": "FiO2 ", "peep_cmh2o": "PEEP ", "vt_ml": "VT ", "rate_per_min": "f ",
             "max_rate": "≤ "}.get(field.name, "")  # fmt: skip
    return f"{label}{value:g} {unit}".strip()


def main_word(kind: str, text: str, details: Mapping[str, Any]) -> str:
    """What is ordered, without dose and time: the drug, the test, the study."""
    return str(details.get(KINDS[kind][0].name) or text)
