"""The walk-in page in the reader's words: what is asked, the proposal, the sheet for downtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import CaseCell
from hospital_ops.case_steps import ENDS
from hospital_ops.clinical.tables import table
from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.errors import MessageError
from triage.complaints import signs_to_ask
from triage.namesakes import Same
from triage.targets import measure_by, see_by
from web.views.case import arrivals, case_view, present
from web.views.edcard import initials
from web.views.values import Frame, clock

# Field of the page -> (LOINC code, unit).
VITALS: Final = {
    key: (codes.by_key[vital].code, codes.by_key[vital].ucum)
    for key, vital in (
        ("hr", "hr"), ("rr", "rr"), ("spo2", "spo2"), ("temp", "temp"), ("sys", "nibp_sys"),
        ("dia", "nibp_dia"),
    )
}  # fmt: skip
# How many digits a field takes before the page goes on to the next by itself.
DIGITS: Final = {"hr": 3, "rr": 2, "spo2": 3, "temp": 4, "sys": 3, "dia": 3}
AVPU: Final = ("A", "V", "P", "U")
AVPU_CODE: Final = codes.by_key["avpu"].code
FREQUENT: Final = (
    "chest_pain", "breathless", "abdominal_pain", "limb_injury", "fever_adult", "headache_c",
    "dizziness", "back_pain_c", "wound_bleeding", "vomiting_c", "weakness_one_side", "fever_child",
)  # fmt: skip
USUAL_SIGNS: Final = (
    "respiratory_distress", "heavy_bleeding", "acute_chest_pain", "altered_mental_status",
    "acute_focal_neuro", "severe_pain", "high_risk_trauma", "other_trauma_or_burns",
)  # fmt: skip
SIGNS_FIRST: Final = 8
BLANK_LINES: Final = 12
OLDEST: Final = 130.0
AGES: Final = ("age_years", "age_days")
DAYS_OF_A_MONTH: Final = 30.4375
INFANT_YEARS: Final = 2  # by a birth date: younger than this in days, as the charts ask


def form_view(complaint: str, language: str) -> dict[str, Any]:
    """What the page asks: complaints, the signs to ask first, all others behind them."""
    rows = {row["id"]: row["label"][language] for row in table("complaints")["complaints"]}
    known = [row["id"] for row in table("iitt")["signs"]]
    asked = signs_to_ask(complaint, adult=True) if complaint else []
    first = list(dict.fromkeys([*asked, *USUAL_SIGNS]))[:SIGNS_FIRST]
    rest = [sign for sign in known if sign not in first]
    return {
        "frequent": [(each, rows[each]) for each in FREQUENT],
        "others": sorted(
            ((each, label) for each, label in rows.items() if each not in FREQUENT),
            key=lambda row: row[1],
        ),
        "first_signs": [(sign, clinical_words(sign, language)) for sign in first],
        "other_signs": [(sign, clinical_words(sign, language)) for sign in rest],
        "vitals": [(key, unit, DIGITS[key]) for key, (_, unit) in VITALS.items()],
        "avpu": AVPU,
    }


def age_of(text: Mapping[str, str], today: date) -> dict[str, Any]:
    """The age as facts: years, or days of whoever is told in months; else by the birth date.

    Both keys are there, one of them None: a correction replaces what was said before.
    """
    years, months = _age(text.get("age", ""), OLDEST), _age(text.get("months", ""), OLDEST * 12)
    if years:
        return {"age_years": years, "age_days": None}
    if months is not None:
        return {"age_years": None, "age_days": round(months * DAYS_OF_A_MONTH)}
    if years is not None:
        return {"age_years": years, "age_days": None}
    try:
        born = date.fromisoformat(text.get("birth_date", ""))
    except ValueError:
        return {}
    past = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if born > today or past > OLDEST:
        raise MessageError("bad_age", "the birth date is no age of anybody")
    if past < INFANT_YEARS:
        return {"age_years": None, "age_days": (today - born).days}
    return {"age_years": past, "age_days": None}


def _age(text: str, oldest: float) -> float | None:
    try:
        value = number_of(text, "age")
    except MessageError as error:
        raise MessageError("bad_age", "the age is a number of years or months") from error
    if value is not None and not 0 <= value <= oldest:
        raise MessageError("bad_age", "the age is a number of years or months")
    return value


def number_of(text: str, key: str) -> float | None:
    """The number in a field, a comma as a point; None where it is empty."""
    if not text:
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise MessageError("bad_number", f"{key} is a number") from error


def proposal_view(cell: CaseCell, same: Iterable[Same], frame: Frame) -> dict[str, Any]:
    """The proposal with its reasons, until when to be seen, and the warnings about names."""
    words = frame.words
    return {
        "view": case_view(cell, frame),
        "see": see_by(cell),
        "measure": measure_by(cell),
        "same": [
            (
                each.case,
                words.t(
                    f"walkin.{each.kind}",
                    who=_who(each.facts, frame),
                    time=_day(each.at, frame),
                ),
            )
            for each in same
        ],
    }


def downtime_view(cells: Iterable[CaseCell], frame: Frame) -> dict[str, Any]:
    """Who is here and who comes, most urgent first, with the newest values and their time."""
    views = [case_view(cell, frame) for cell in cells if cell.step not in ENDS]
    return {
        "made": clock(frame.now_us, frame.zone),
        "here": present(views),
        "coming": arrivals(views),
        "blank": range(BLANK_LINES),
        "time_of": lambda at: clock(at, frame.zone) if at else "",
    }


def _who(facts: Mapping[str, Any], frame: Frame) -> str:
    sex = str(facts.get("sex", "unknown"))
    age = facts.get("age_years")
    parts = [
        str(facts.get("family") or ""),
        initials({"given": facts.get("given")}),
        frame.words.t(f"sex.{sex}") if sex in ("F", "M") else "",
        frame.words.number(float(age), 0) if isinstance(age, int | float) else "",
    ]
    return " ".join(part for part in parts if part)


def _day(at: int, frame: Frame) -> str:
    from_day = frame.words.t("walkin.ago", age=frame.words.duration((frame.now_us - at) / 1e6))
    return f"{clock(at, frame.zone)}, {from_day}"
