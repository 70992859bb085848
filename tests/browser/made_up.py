"""Invented beds and cases for the look of the boards: one of every state a tile can be in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hospital_ops.board import (
    AlarmCell,
    BedCell,
    CallCell,
    CaseCell,
    DecisionCell,
    NextOrder,
    PatientCell,
    QuietCell,
    Shown,
)
from hospital_ops.board_ed import RingCell
from hospital_ops.clock import SECOND
from hospital_ops.wire import replaced

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
INITIALS = ("К.А.М.", "Д.Л.С.", "П.И.Г.", "С.Н.В.", "Б.О.Р.", "Ф.Е.К.", "Л.В.Т.", "М.Р.А.")


def live(value: float, unit: str, now: int, age_s: float = 1) -> Shown:
    """A continuous value: amber at 5 s, withdrawn at 15 s."""
    at = now - round(age_s * SECOND)
    return Shown(value, unit, at, amber_at=at + 5 * SECOND, gone_at=at + 15 * SECOND)


def cyclic(value: float, unit: str, now: int, age_min: float = 8) -> Shown:
    """A cuff reading with a cycle of ten minutes."""
    at = now - round(age_min * MINUTE)
    return Shown(
        value, unit, at, kind="cyclic", amber_at=at + 15 * MINUTE, gone_at=at + 30 * MINUTE
    )


def spot(value: float | str, unit: str, now: int, age_min: float = 47) -> Shown:
    """A typed value."""
    return Shown(value, unit, now - round(age_min * MINUTE), kind="spot", origin="typed")


def person(n: int, now: int) -> PatientCell:
    """An invented patient."""
    return PatientCell(
        patient_id=f"p{n}",
        mrn=f"m{n}",
        initials=INITIALS[n % len(INITIALS)],
        sex="F" if n % 2 else "M",
        birth_date=f"{1935 + n * 7 % 70}-03-01",
        admitted_at=now - (n * 3 % 11) * DAY - 5 * MINUTE,
    )


def known(n: int, now: int) -> dict[str, Any]:
    """A patient with every flag, and an order that is overdue."""
    flagged = replaced(person(n, now), isolation=("airborne", "contact"), allergy=True)
    flagged = replaced(flagged, limits=("no_cpr", "no_intubation"))
    late = NextOrder("laboratory", "Lactate, blood gases", now - 20 * MINUTE)
    orders = {"due": 1, "overdue": 1}
    return {
        "patient": flagged, "flags": ("treatment_limits",), "next_order": late, "orders": orders,
    }  # fmt: skip


def values(n: int, now: int, age_s: float = 1) -> dict[str, Shown]:
    """A full set of values, with an arterial line."""
    mean = 74 + n * 5 % 25
    return {
        "8867-4": live(64 + n * 17 % 50, "/min", now, age_s),
        "59408-5": live(93 + n * 3 % 7, "%", now, age_s),
        "76214-6": live(mean, "mm[Hg]", now, age_s),
        "76215-3": live(mean + 38, "mm[Hg]", now, age_s),
        "76213-8": live(mean - 20, "mm[Hg]", now, age_s),
        "9279-1": live(12 + n % 9, "/min", now, age_s),
        "8310-5": live(36.4 + n % 13 / 10, "Cel", now, age_s),
        "3150-0": live(40, "%", now, age_s),
        "76248-4": live(6, "cm[H2O]", now, age_s),
        "9269-2": spot(13 + n % 3, "{score}", now),
        "32693-4": spot(1.4 + n % 5 / 10, "mmol/L", now, 64),
    }


def total(points: int, name: str) -> dict[str, Any]:
    """A score as the unit finds it; of every third SOFA a part is missing."""
    gaps = ["bilirubin"] if name == "sofa" and points % 3 == 0 else []
    return {
        "state": "incomplete" if gaps else "complete", "value": points, "total": points,
        "unit": "{score}", "inputs": {}, "missing": gaps,
    }  # fmt: skip


def bed(n: int, now: int, **changes: Any) -> BedCell:
    """Bed `n`, quiet unless `changes` say otherwise."""
    given: dict[str, Any] = {
        "bed": f"h1-icu-1-{n:02d}",
        "label": str(n),
        "patient": person(n, now),
        "values": values(n, now),
        "indicators": {"news2": total(n * 3 % 8, "news2"), "sofa": total(n * 5 % 15, "sofa")},
    }
    return BedCell(**{**given, **changes})


def alarm(priority: str, code: str, about: str, text: str, since: int, **more: Any) -> AlarmCell:
    """An alarm condition, active unless told otherwise."""
    given = {"id": f"{code}-{since}", "state": "active", **more}
    return AlarmCell(priority=priority, code=code, about=about, text=text, since=since, **given)


def ward(count: int, now: int) -> list[BedCell]:
    """`count` beds; among the first ones each state once."""
    beds = [bed(n, now) for n in range(1, count + 1)]
    low = {**values(7, now), "8867-4": live(128, "/min", now), "76214-6": live(48, "mm[Hg]", now)}
    low["59408-5"] = live(100, "%", now)
    red = alarm("high", "map_low", "76214-6", "MAP 48 < 60", now - 42 * SECOND)
    yellow = alarm("medium", "spo2_low", "59408-5", "SpO2 87 < 90", now - 70 * SECOND)
    seen = alarm(
        "medium", "hr_high", "8867-4", "HR 133 > 120", now - 130 * SECOND, state="acknowledged"
    )
    silent = alarm("medium", "silent_sensor", "59408-5", "", now - 48 * SECOND)
    cuff = {k: v for k, v in values(9, now).items() if k not in ("76214-6", "76215-3", "76213-8")}
    cuff |= {
        "8478-0": cyclic(81, "mm[Hg]", now),
        "8480-6": cyclic(127, "mm[Hg]", now),
        "8462-4": cyclic(58, "mm[Hg]", now),
        "8310-5": spot(38.1, "Cel", now, 22),
        "XYZ^vendor": Shown(4.0, "", now, mapped=False, text="XYZ"),
    }
    invalid = {**values(12, now), "59408-5": Shown(None, "%", now, validity="Inv")}
    special = {
        2: bed(2, now, values={**values(2, now), "59408-5": live(87, "%", now)}, alarms=(yellow,)),
        4: bed(4, now, values=values(4, now, 9)),
        5: bed(5, now, flags=("check_patient",)),
        6: bed(
            6, now, values={**values(6, now), "59408-5": live(95, "%", now, 48)}, alarms=(silent,)
        ),
        7: bed(7, now, values=low, alarms=(red, seen)),
        8: bed(8, now, patient=None, flags=("patient_not_confirmed",)),
        9: bed(9, now, values=cuff),
        10: bed(10, now, patient=None, values={}, indicators={}),
        11: bed(11, now, values={}, indicators={}),
        12: bed(12, now, values=invalid, orders={"overdue": 2, "due": 1}),
        1: bed(1, now, **known(1, now)),
        3: bed(3, now, values={**values(3, now), "8867-4": live(133, "/min", now)}, alarms=(seen,)),
        13: bed(13, now, mode="Demo"),
    }
    return [special.get(n, each) for n, each in enumerate(beds, start=1)]


def case(n: int, now: int, colour: str, **changes: Any) -> CaseCell:
    """A case on its way, with values some minutes old."""
    given: dict[str, Any] = {
        "case": f"0190-{n}",
        "facts": {"age_years": 20 + n * 13 % 60, "sex": "FM"[n % 2], "crew": f"{200 + n}"},
        "values": {
            "8867-4": live(84 + n * 24, "/min", now, 40 * n),
            "8480-6": spot(124 - n * 9, "mm[Hg]", now, 3),
            "8462-4": spot(76 - n * 5, "mm[Hg]", now, 3),
            "59408-5": live(97 - n, "%", now, 40 * n),
            "9279-1": live(14 + n * 5, "/min", now, 40 * n),
            "8310-5": spot(36.8 + n / 2, "Cel", now, 6),
        },
        "triage": {"proposed": colour, "reasons": [], "missing": []},
        "eta": now + n * 3 * MINUTE + 1,
        "changed_at": now - 12 * MINUTE,
    }
    return CaseCell(**{**given, **changes})


def cases(now: int) -> list[CaseCell]:
    """Cases of each colour, proposed and decided, on their way and arrived."""
    why = [{"code": "made_up", "text": "HR 156 > 130", "value": 156, "threshold": 130}]
    hale = DecisionCell("red", "Dr Hale", now - 2 * MINUTE, 1)
    red = {"proposed": "red", "reasons": why, "missing": [], "review_required": True}
    chest = {"age_years": 61, "sex": "F", "complaint": "chest_pain", "crew": "214"}
    fall = {"age_years": 34, "sex": "M", "complaint": "Fall from 6 m <b>", "crew": "87"}
    heard = ({"by": "Dr Hale", "at": now - MINUTE},)
    return [
        case(1, now, "red", facts=chest, decision=hale, acknowledgements=heard),
        case(
            3, now, "red", facts=fall, triage=red, call=RingCell(now, 1, 1, now, now + 2 * MINUTE)
        ),
        case(2, now, "yellow"),
        case(4, now, "green", eta=now - 2 * MINUTE),
        case(5, now, "incomplete", values={}, eta=None, triage={"missing": ["hr_bpm"]}),
        case(6, now, "yellow", step="arrived", acknowledgements=heard),
        case(7, now, "red", step="arrived", decision=hale, facts=chest, mode="Demo"),
    ]


def ventilated(n: int, now: int, age_s: float = 1) -> dict[str, Shown]:
    """All that a ventilated patient on two pressors has at once; three digits where they can be."""
    return {
        **values(n, now, age_s),
        "8867-4": live(128, "/min", now, age_s),
        "59408-5": live(100, "%", now, age_s),
        "76214-6": live(105, "mm[Hg]", now, age_s),
        "76215-3": live(168, "mm[Hg]", now, age_s),
        "76213-8": live(104, "mm[Hg]", now, age_s),
        "19891-1": live(38, "mm[Hg]", now, age_s),
        "20124-4": Shown("SIMV+PS", "", now, kind="spot"),
        "76222-9": live(480, "mL", now, age_s),
        "norepinephrine": spot(0.28, "ug/kg/min", now, 12),
        "vasopressin": spot(0.03, "U/min", now, 12),
        "rass": spot(-3, "{score}", now, 47),
        "9187-6": spot(45, "mL/h", now, 47),
    }


def crowded(count: int, now: int) -> list[BedCell]:
    """`count` beds, each with many states at once: what a bad night puts on one screen."""
    standby = QuietCell("standby", now, now + 30 * MINUTE, "Hale", reason="procedure")
    unit, hale = CallCell("unit", "", now), CallCell("second", "Hale A. B.", now - MINUTE)
    fast = {"8867-4": "fast_up", "76214-6": "down"}

    def rings(n: int, state: str = "active") -> dict[str, Any]:
        low = alarm(
            "high", "map_low", "76214-6", "MAP 48 < 60", now - 42 * SECOND, state=state,
            called=(hale, unit), next_posts=("physician", "charge"), next_at=now + MINUTE,
        )  # fmt: skip
        quick = alarm("medium", "hr_high", "8867-4", "HR 133 > 120", now - 70 * SECOND)
        return {"alarms": (low, quick), "trends": fast}

    def asks(n: int) -> dict[str, Any]:
        seen = alarm("medium", "hr_high", "8867-4", "HR 133 > 120", now, called=(unit,))
        return {"alarms": (seen,), "quiets": (standby,)}

    def doubted(n: int) -> dict[str, Any]:
        return {**known(n, now), "flags": ("check_patient", "treatment_limits")}

    def next_due(n: int) -> dict[str, Any]:
        soon = NextOrder("medication", "Piperacillin/tazobactam 4.5 g", now + 20 * MINUTE)
        return {"next_order": soon, "orders": {"due": 3}}

    cuff = {
        "8478-0": cyclic(81, "mm[Hg]", now), "8480-6": cyclic(127, "mm[Hg]", now),
        "8462-4": cyclic(58, "mm[Hg]", now),
    }  # fmt: skip
    line = ("76214-6", "76215-3", "76213-8")
    states: list[Callable[[int], dict[str, Any]]] = [
        lambda n: {**known(n, now), **rings(n)},
        lambda n: {**known(n, now), **asks(n), "values": ventilated(n, now, 9)},
        lambda n: {**doubted(n), **rings(n)},
        lambda n: {**next_due(n), **rings(n, "acknowledged"), "mode": "Demo"},
        lambda n: {**known(n, now), "mode": "Demo", "values": ventilated(n, now, 60)},
        lambda n: {
            **known(n, now), **rings(n),
            "values": {k: v for k, v in ventilated(n, now).items() if k not in line} | cuff,
        },
        lambda n: {"alarms": rings(n)["alarms"][1:], "mode": "Demo"},
        lambda n: doubted(n),
        lambda n: {**next_due(n), **asks(n)},
        lambda n: {"patient": None, "flags": ("patient_not_confirmed",), **rings(n)},
        lambda n: {},
    ]  # fmt: skip
    numbers = range(1, count + 1)
    given = {n: {"values": ventilated(n, now), **states[n % len(states) - 1](n)} for n in numbers}
    return [bed(n, now, **changes) for n, changes in given.items()]
