"""What is known of a patient, read with care from the inputs of `triage`.

Nothing raises here: what cannot be used counts as not given and is named in `warnings`; a sign
this house does not know is kept and named too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.clinical.bounds import BOUNDS, IMPLAUSIBLE, INFINITY, NOT_A_NUMBER, OUT_OF_RANGE
from hospital_ops.clinical.news2 import ACVPU
from hospital_ops.clinical.tables import own, table, words
from triage import age

NUMBERS: Final = ("hr_bpm", "rr_bpm", "temp_c", "spo2_pct", "sbp_mmhg", "dbp_mmhg", "gcs")
_BOUNDS: Final = tuple((key, *BOUNDS[key]) for key in NUMBERS)
_OTHER_VITALS: Final = frozenset({"avpu", "on_oxygen"})
SIGNS: Final = {row["id"]: frozenset(row["charts"]) for row in table("iitt")["signs"]}
PREGNANCY_SIGNS: Final = frozenset(row["id"] for row in table("iitt")["adult"]["red_pregnant"])
_ISCHAEMIA: Final = frozenset(own("inputs")["ecg_acute_ischaemia"])
_LISTS: Final = (list, tuple, set, frozenset)
_NOT_FOUND: Final = frozenset(own("inputs")["ecg_not_found"])


@dataclass(slots=True)
class Patient:
    """The facts that rules ask for; `numbers` holds NUMBERS and, while judged, the age."""

    ages: age.Ages
    numbers: dict[str, float | None]
    avpu: str | None
    on_oxygen: bool | None
    signs: set[str]
    signs_asked: bool
    pregnant: bool
    not_measurable: frozenset[str]
    spo2_scale: int
    pews: Mapping[str, Any] | None
    ecg_ischaemia: bool
    adult_ticked: bool
    complaint: str | None
    warnings: list[dict[str, Any]]
    contradiction: bool


def read(inputs: Mapping[str, Any]) -> Patient:
    """The patient of these inputs (keys as in the vectors of `iitt` and `safety_net`)."""
    warnings: list[dict[str, Any]] = []

    def warn(code: str, key: str) -> None:
        warnings.append({"code": code, "input": key, "text": f"{key}: {words(code)}"})

    vitals = inputs.get("vitals")
    if not isinstance(vitals, Mapping):
        if vitals is not None:
            warn("not_an_object", "vitals")
        vitals = {}
    numbers = _numbers(vitals, warn)
    avpu = vitals.get("avpu")
    if avpu is not None and (type(avpu) is not str or avpu not in ACVPU):
        warn("unknown_word", "avpu")
        avpu = None
    on_oxygen = vitals.get("on_oxygen", inputs.get("on_oxygen"))
    if on_oxygen is not None and type(on_oxygen) is not bool:
        warn("not_yes_or_no", "on_oxygen")
        on_oxygen = None
    for key in vitals:
        if key not in numbers and key not in _OTHER_VITALS:
            warn("not_used", str(key))
    signs, asked = _signs(inputs.get("signs"), warn)
    pregnant, contradiction = _pregnant(inputs, signs, warn)
    scale = inputs.get("spo2_scale", vitals.get("spo2_scale", 1))
    if type(scale) is not int or scale not in (1, 2):
        warn("unknown_word", "spo2_scale")
        scale = 1
    pews = inputs.get("pews_brighton")
    complaint = inputs.get("complaint")
    ages = age.read(inputs, warn)
    return Patient(
        ages=ages,
        numbers=numbers,
        avpu=avpu,
        on_oxygen=on_oxygen,
        signs=signs,
        signs_asked=asked,
        pregnant=pregnant,
        not_measurable=_names(inputs.get("not_measurable"), "not_measurable", warn),
        spo2_scale=scale,
        pews=pews if isinstance(pews, Mapping) else None,
        ecg_ischaemia=_ischaemia(inputs.get("ecg_findings"), warn),
        adult_ticked=inputs.get("adult") is True,
        complaint=complaint if isinstance(complaint, str) else None,
        warnings=warnings,
        contradiction=contradiction,
    )


def _numbers(vitals: Mapping[str, Any], warn: Any) -> dict[str, float | None]:
    """As `bounds.checked`, written out: this runs for each value of each assessment."""
    numbers: dict[str, float | None] = {}
    for key, low, high, plausible_low, plausible_high, _ in _BOUNDS:
        value = vitals.get(key)
        if value is None:
            numbers[key] = None
            continue
        kind = type(value)
        if kind is not int and kind is not float:
            warn(NOT_A_NUMBER, key)
            numbers[key] = None
        elif plausible_low <= value <= plausible_high:
            numbers[key] = value
        elif low <= value <= high:
            warn(IMPLAUSIBLE, key)
            numbers[key] = value
        else:
            warn(OUT_OF_RANGE if abs(value) < INFINITY else NOT_A_NUMBER, key)
            numbers[key] = None
    return numbers


def _signs(given: Any, warn: Any) -> tuple[set[str], bool]:
    if given is None:
        return set(), False
    if not isinstance(given, _LISTS):
        warn("not_a_list", "signs")
        return set(), False
    signs: set[str] = set()
    for sign in given:
        if isinstance(sign, str) and sign in SIGNS:
            signs.add(sign)
        else:
            warn("unknown_sign", str(sign)[:80])
    return signs, True


def _pregnant(inputs: Mapping[str, Any], signs: set[str], warn: Any) -> tuple[bool, bool]:
    """Pregnant or not, and whether a ticked pregnancy sign contradicts a "no"."""
    said = inputs.get("pregnant")
    if said is not None and type(said) is not bool:
        warn("not_yes_or_no", "pregnant")
        said = None
    if said or not signs or PREGNANCY_SIGNS.isdisjoint(signs):
        return said is True, False
    if said is None:
        return True, False  # who ticks "active labour" has said that she is pregnant
    warn("pregnancy_contradiction", "pregnant")
    return False, True


def _names(given: Any, key: str, warn: Any) -> frozenset[str]:
    if given is None:
        return frozenset()
    if not isinstance(given, _LISTS):
        warn("not_a_list", key)
        return frozenset()
    return frozenset(str(name) for name in given)


def _ischaemia(given: Any, warn: Any) -> bool:
    """Whether an ECG finding says acute ischaemia or infarction (a name, or {"code", ...})."""
    if given is None:
        return False
    if not isinstance(given, _LISTS):
        warn("not_a_list", "ecg_findings")
        return False
    for finding in given:
        code, state = finding, None
        if isinstance(finding, Mapping):
            code = finding.get("code")
            state = finding.get("state", finding.get("status", finding.get("present")))
        if state is False or (isinstance(state, str) and state in _NOT_FOUND):
            continue
        if isinstance(code, str) and code.casefold() in _ISCHAEMIA:
            return True
    return False
