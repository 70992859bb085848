"""The ward sheet for paper: every bed of a unit, with what has to be known when all fails. Pure.

A clock time that is not of today's has its day. A number that may not be believed any more is not
on the paper, as it is on no board (SAFETY I6); the sheet's legend says what the marks mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hospital_ops.board import BedCell, PatientCell, Shown, state_of
from hospital_ops.clock import from_iso
from icu.alarms import SILENT
from icu.paper.forms import Paper
from web.views.alarms import alarm_text
from web.views.bedquiet import check_why
from web.views.orders import day_clock
from web.views.orderwords import plain_units
from web.views.values import INVALID, Frame, coded_words, name_words, unit_words
from web.words import Words

AGREED: Final = ("treatment_limits", "comfort_care")


def patients_of(beds: Sequence[BedCell]) -> list[str]:
    """Whom the board shows."""
    return [cell.patient.patient_id for cell in beds if cell.patient is not None]


def sheet(beds: Sequence[BedCell], paper: Paper | None, frame: Frame) -> list[dict[str, Any]]:
    """Every bed: who, what holds, values with their times, alarms, open orders.

    `paper`: what the record holds; None while it is away.
    """
    return [_bed(cell, paper, frame) for cell in beds]


def elsewhere(paper: Paper | None, frame: Frame) -> list[dict[str, Any]]:
    """Open orders of the unit for people who lie in none of its beds, each person on a line."""
    if paper is None:
        return []
    return [
        {"name": name, "orders": [_open(one, frame) for one in paper.orders.get(patient, ())]}
        for patient, name in paper.elsewhere.items()
    ]


def _bed(cell: BedCell, paper: Paper | None, frame: Frame) -> dict[str, Any]:
    words, patient = frame.words, cell.patient
    whose = patient.patient_id if patient else ""
    return {
        "label": cell.label,
        "name": patient.name if patient else "",
        "mrn": patient.mrn if patient else "",
        "born": patient.birth_date if patient else "",
        "note": "" if patient else _nobody(cell, words),
        "simulated": bool(cell.values or patient) and cell.mode != "Real",
        "check": _check(cell, words),
        "flags": _flags(cell, paper, words),
        "measured": [_value(code, shown, frame) for code, shown in cell.values.items()],
        "alarms": _alarms(cell, words),
        "orders": [_open(one, frame) for one in paper.orders.get(whose, ())] if paper else [],
    }


def _nobody(cell: BedCell, words: Words) -> str:
    used = cell.values or cell.device or cell.flags
    return words.t("tile.not_confirmed" if used else "tile.free")


def _check(cell: BedCell, words: Words) -> str:
    """Whether the values may be another person's, in words."""
    why = check_why(cell.flags)
    if why:
        return f"{words.t('tile.check')}: {words.t(why)}"
    if "patient_not_confirmed" in cell.flags and cell.patient is not None:
        return words.t("tile.not_confirmed")
    return ""


def _flags(cell: BedCell, paper: Paper | None, words: Words) -> list[str]:
    """Allergies, isolation, limits of treatment: which ones, where the record says."""
    patient = cell.patient
    if patient is None:
        return []
    found = [_allergies(patient, paper, words)]
    if patient.isolation:
        kinds = ", ".join(words.t(f"isolation.{kind}") for kind in patient.isolation)
        found.append(f"{words.t('isolation.title')}: {kinds}")
    agreed = paper.agreed.get(patient.patient_id, ()) if paper else ()
    found += [agreement(one, words) for one in agreed]
    told = {one["kind"] for one in agreed}
    for kind in AGREED:
        if kind in cell.flags and kind not in told:
            found.append(f"{words.t(f'care.{kind}')}: {words.t('wardsheet.which')}")
    return [line for line in found if line]


def _allergies(patient: PatientCell, paper: Paper | None, words: Words) -> str:
    if paper is None:
        title = words.t("ordering.allergies")
        return f"{title} {words.t('wardsheet.which')}" if patient.allergy else ""
    return allergies(paper.allergies.get(patient.patient_id, ()), words)


def allergies(substances: Sequence[str], words: Words) -> str:
    """`Allergies: penicillin, latex`; that none are known; or that nobody has recorded any."""
    if not substances:
        return words.t("ordering.allergy.not_recorded")
    named = ", ".join(one for one in substances if one)
    return f"{words.t('ordering.allergies')} {named or words.t('ordering.allergy.none_known')}"


def agreement(one: Mapping[str, Any], words: Words) -> str:
    """`Treatment limits: no resuscitation, no intubation`."""
    limits = ", ".join(words.t(f"care.limit.{limit}") for limit in one["limits"])
    kind = words.t(f"care.{one['kind']}")
    return f"{kind}: {limits}" if limits else kind


def _value(code: str, shown: Shown, frame: Frame) -> dict[str, Any]:
    state = state_of(shown, frame.now_us)
    gone = state == "invalid" or (state == "withdrawn" and shown.kind == "continuous")
    return {
        "name": name_words(code, frame.words),
        "value": INVALID if gone else _text(shown.value, frame),
        "unit": "" if gone else unit_words(shown.unit, frame.words),
        "at": day_clock(shown.at, frame),
        "old": not gone and (state in ("stale", "withdrawn") or shown.validity == "Qst"),
    }


def _text(value: float | str | None, frame: Frame) -> str:
    if isinstance(value, int | float):
        return frame.words.number(float(value))
    return coded_words(str(value), frame.words) if value else "–"


def _alarms(cell: BedCell, words: Words) -> list[str]:
    """Each alarm once; sensors that are silent in one line, by their names."""
    told = [alarm_text(one, words) for one in cell.alarms if one.code != SILENT or not one.about]
    silent = [one for one in cell.alarms if one.code == SILENT and one.about]
    if silent:
        names = dict.fromkeys(name_words(one.about, words) for one in silent)
        told.append(words.t("wardsheet.silent", names=", ".join(names)))
    return list(dict.fromkeys(told))


def _open(one: Mapping[str, Any], frame: Frame) -> str:
    words = frame.words
    line = f"{words.t('orders.kind.' + one['kind'])}: {plain_units(one['words'], words)}"
    if one["due_at"]:
        line += f" · {day_clock(from_iso(one['due_at']), frame)}"
    if one["held"]:
        line += f" ({words.t('report.held')})"
    return f"{line} ({words.t('wardsheet.theirs')})" if one["theirs"] else line
