"""An ECG analysed: quality, rhythm, intervals, axis, ST and findings, as one plain answer."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from hospital_ops.clinical.ecg_rules import FORMULAS
from hospital_ops.clinical.tables import table
from hospital_ops.ecg.findings import (
    Finding,
    conduction,
    elevation,
    equivalents,
    hypertrophy,
    marks,
    sgarbossa,
    shape,
    swapped,
)
from hospital_ops.ecg.hops import Array
from hospital_ops.ecg.measure import LEADS, Measures, completed, measured
from hospital_ops.ecg.quality import RULES, Quality, calibrated, judge
from hospital_ops.ecg.rhythm import LETHAL, UnitRhythm, bigeminy

_ECG: Final = table("ecg")
_QTC: Final = _ECG["qtc"]
_RATES: Final = _ECG["rates"]


def analyse(
    leads: dict[str, Array],
    rate_hz: float,
    *,
    age_years: float | None = None,
    sex: str | None = None,
    reduced: str | None = None,
) -> dict[str, Any]:
    """Measurements, rhythm, findings with evidence and quality of leads in mV by name.

    `reduced` says why no ST statement may be made (low resolution, monitor filter), None if none.
    """
    whole = completed(leads) or leads
    quality = judge({name: leads[name] for name in whole if name in leads}, rate_hz)
    gains = calibrated(leads)
    trust = {name: quality.trust().get(name, 1.0) for name in whole}
    measures = measured(whole, rate_hz, trust)
    rhythm = _rhythm(measures, whole, rate_hz, trust)
    answer: dict[str, Any] = {
        "sampling_rate_hz": rate_hz,
        "leads": list(leads),
        "duration_s": round(len(next(iter(leads.values()))) / rate_hz, 3),
        "quality": _quality(quality, gains),
        "rhythm": rhythm,
    }
    if measures is None:
        return answer | {"beats": [], "measurements": {}, "findings": []}
    findings = _findings(measures, quality, gains, age_years, sex, reduced)
    return answer | {
        "beats": [int(beat) for beat in measures.beats],
        "measurements": _measurements(measures, sex),
        "findings": [finding.answer() for finding in findings],
    }


def _quality(quality: Quality, gains: bool) -> dict[str, Any]:
    reasons = list(quality.reasons)
    if not gains:
        reasons.append("I + III is not II: a gain or an electrode is wrong")
    return {
        "acceptable": quality.acceptable,
        "score": round(quality.score, 3),
        "reasons": reasons,
        "calibrated": gains,
        "leads": {name: lead.state for name, lead in quality.leads.items()},
    }


def _rhythm(
    measures: Measures | None, leads: dict[str, Array], rate_hz: float, trust: dict[str, float]
) -> dict[str, Any]:
    usable = [name for name in leads if trust.get(name, 1.0) > 0][:3]
    codes: list[str] = []
    if usable:
        unit = UnitRhythm(rate_hz, 1, len(usable))
        seen = unit.push(np.nan_to_num(np.stack([leads[name] for name in usable])))[0]
        codes = [code for code in LETHAL if any(code in each.codes for each in seen)]
    if measures is None:
        return {"codes": codes or ["not_assessed"], "heart_rate_per_min": None}
    intervals = np.diff(measures.beats) / rate_hz
    rate = 60 / float(np.median(intervals))
    if _wandering(intervals, measures):
        codes.append("atrial_fibrillation")
    elif bigeminy(intervals):
        codes.append("bigeminy")
    elif measures.p_on is not None and not codes:
        codes.append("sinus")
    if rate < _RATES["adult_brady_lt"]:
        codes.append("bradycardia")
    elif rate > _RATES["adult_tachy_gt"]:
        codes.append("tachycardia")
    if intervals.max() >= _ECG["lethal"]["monitor_defaults"]["pause_s"]:
        codes.append("pause")
    return {"codes": codes or ["regular"], "heart_rate_per_min": round(rate, 1)}


def _wandering(intervals: Array, measures: Measures) -> bool:
    """Irregularly irregular, as atrial fibrillation; on a short strip the P waves count too."""
    rule = RULES["strip"]
    if len(intervals) < rule["intervals_min"] or bigeminy(intervals):
        return False
    usual = float(np.median(intervals))
    share = float(np.mean(np.abs(np.diff(intervals)) / usual > rule["difference_min"]))
    spread = float(np.median(np.abs(intervals - usual))) / usual
    if share < rule["share_min"] or spread < rule["spread_min"]:
        return False
    return share >= rule["share_sure"] or not _clear_p(measures)


def _clear_p(measures: Measures) -> bool:
    """Whether most leads show a P wave that stands out, as no fibrillation does in the median."""
    if measures.p_on is None:
        return False
    least = RULES["clear_p_mv"]
    tall = [name for name, lead in measures.leads.items() if abs(lead.p_mv or 0.0) >= least]
    return 2 * len(tall) >= len(measures.leads)


def _measurements(measures: Measures, sex: str | None) -> dict[str, Any]:
    rr_s = measures.rr_s or 0.0
    qt = measures.ms(measures.t_off - measures.qrs_on) if measures.t_off is not None else None
    rate = 60 / rr_s if rr_s else None
    formula = "bazett"
    if rate is not None and not _RATES["adult_brady_lt"] <= rate <= _RATES["adult_tachy_gt"]:
        formula = "fridericia"  # ecg.json, qtc.use
    every = {name: round(rule(qt, rr_s)) for name, rule in FORMULAS.items()} if qt and rr_s else {}
    return {
        "heart_rate_per_min": round(rate, 1) if rate else None,
        "rr_ms": round(rr_s * 1000),
        "pr_ms": measures.ms(measures.qrs_on - measures.p_on)
        if measures.p_on is not None
        else None,
        "qrs_ms": measures.ms(measures.qrs_off - measures.qrs_on),
        "qt_ms": qt,
        "qtc_ms": every.get(formula),
        "qtc_formula": formula,
        "qtc_all_ms": every,
        "axis_deg": axis(measures),
        "leads": {
            name: {
                "r_mv": round(lead.r_mv, 3),
                "s_mv": round(max(lead.s_mv, lead.q_mv), 3),
                "j_mv": round(lead.j_mv, 3),
                "st60_mv": round(lead.st60_mv, 3),
                "t_mv": round(lead.t_mv, 3),
            }
            for name, lead in measures.leads.items()
        },
    }


def axis(measures: Measures) -> int | None:
    """The electrical axis of the QRS in the frontal plane, degrees from I towards aVF."""
    lead = measures.leads
    if not {"I", "aVF"} <= lead.keys():
        return None
    # aVF is a lead of 2 / sqrt(3) the length of I.
    up = lead["aVF"].net_mv * 2 / math.sqrt(3)
    return round(math.degrees(math.atan2(up, lead["I"].net_mv)))


def _findings(
    measures: Measures,
    quality: Quality,
    gains: bool,
    years: float | None,
    sex: str | None,
    reduced: str | None,
) -> list[Finding]:
    block, tall = conduction(measures), hypertrophy(measures, sex)
    exchanged = swapped(measures)
    swap = f"not assessed: {exchanged.text}" if exchanged else None
    otherwise = _not_assessed(measures, quality, years, reduced, block, tall) or swap
    why = otherwise or (None if gains else "not assessed: the gains of the leads do not agree")
    found = [block, tall, *([exchanged] if exchanged else [])]
    adult = years is None or years >= RULES["least_age"]
    if block.code == "lbbb" and adult and not reduced and quality.acceptable and gains:
        found.append(sgarbossa(measures))
    if why:
        found.append(Finding("stemi_criteria", "not_assessed", why, _ECG["stemi"]["source"]))
    else:
        found += [elevation(measures, sex, years), *equivalents(measures)]
    if not otherwise:  # shape needs no millivolts, and all else that a statement about ST needs
        found.append(shape(measures))
    found += _intervals(measures, sex)
    turn = axis(measures)
    rule = RULES["axis"]
    if turn is not None and not rule["left_below"] <= turn <= rule["right_above"]:
        code = "left_axis" if rule["left_below"] > turn > -90 else "right_axis"
        found.append(
            Finding(
                code,
                "found",
                f"axis {turn} degrees",
                rule["source"],
                marks(measures, ["I", "aVF"], 0, "net_mv"),
            )
        )
    return found


def _blocked(measures: Measures, block: Finding) -> bool:
    """Left bundle branch block, or as wide as only that and a pacemaker make it."""
    duration = measures.ms(measures.qrs_off - measures.qrs_on) or 0.0
    wide = block.code == "wide_qrs" and duration >= RULES["paced_like_ms"]
    return block.code == "lbbb" or wide


def _not_assessed(
    measures: Measures,
    quality: Quality,
    years: float | None,
    reduced: str | None,
    block: Finding,
    tall: Finding,
) -> str | None:
    """Why no ST statement is made, or None where one may be; the gains are asked for apart."""
    if reduced:
        return f"not assessed: {reduced}"
    present = sum(name in measures.leads for name in LEADS)
    if present < RULES["st_leads_min"]:
        return f"not assessed: {present} of twelve leads"
    if not quality.acceptable:
        return f"not assessed: quality ({'; '.join(quality.reasons)})"
    if years is not None and years < RULES["least_age"]:
        return f"not assessed: under {RULES['least_age']} years"
    if measures.rate_hz < RULES["adult_first_st_rate_hz"]:
        return f"not assessed: {measures.rate_hz:g} samples a second are too few"
    if _blocked(measures, block):
        return f"not assessed: {block.text}"
    if tall.state == "found":
        return f"not assessed: hypertrophy by voltage ({tall.text})"
    return None


def _intervals(measures: Measures, sex: str | None) -> list[Finding]:
    rule = _QTC["thresholds_ms"]
    numbers = _measurements(measures, sex)
    value = numbers["qtc_ms"]
    if value is None:
        return []
    limit = rule["prolonged_women"] if sex == "F" else rule["prolonged_men"]
    evidence = marks(measures, ["II", "V5"], measures.t_off or 0, "t_mv")
    text = f"QTc {value} ms ({numbers['qtc_formula']})"
    if value >= limit:
        code = "qtc_high_risk" if value >= rule["high_risk"] else "qtc_long"
        return [Finding(code, "found", text, rule["source"], evidence)]
    if value <= rule["short"]:
        return [Finding("qtc_short", "found", text, rule["source"], evidence)]
    return []
