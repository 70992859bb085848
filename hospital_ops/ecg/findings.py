"""Findings on twelve leads, each with its evidence, its source, or why it was not assessed.

"not_found" is never "excluded"; nothing here starts anything: a finding proposes a review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hospital_ops.clinical.ecg_rules import sgarbossa_modified, stemi
from hospital_ops.clinical.tables import table
from hospital_ops.ecg.measure import LeadMeasures, Measures
from hospital_ops.ecg.quality import RULES

_ECG: Final = table("ecg")
_EQUIVALENTS: Final = RULES["equivalents"]
_CHEST: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
NOT_EXCLUDED: Final = "not found, not excluded"


@dataclass(slots=True)
class Finding:
    """One finding; `evidence` marks it on the trace: lead, seconds from the start, mV."""

    code: str
    state: str  # "found", "not_found", "not_assessed"
    text: str
    source: str
    evidence: list[dict[str, Any]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """As the command prints it."""
        return {
            "code": self.code,
            "state": self.state,
            "text": self.text,
            "evidence": self.evidence,
            "source": self.source,
        }


def marks(measures: Measures, leads: Sequence[str], offset: int, kind: str) -> list[dict[str, Any]]:
    """Evidence at `offset` samples from R of the first whole beat, with the level of that lead."""
    rate = measures.rate_hz
    at = round(float(measures.beats[min(1, len(measures.beats) - 1)] + offset) / rate, 3)
    return [
        {"lead": lead, "time_s": at, "mv": round(getattr(measures.leads[lead], kind), 3)}
        for lead in leads
        if lead in measures.leads
    ]


def conduction(measures: Measures) -> Finding:
    """Left or right bundle branch block by duration and shape, else none found."""
    rule = RULES["conduction"]
    duration = measures.ms(measures.qrs_off - measures.qrs_on) or 0.0
    lead = measures.leads
    if duration >= rule["wide_ms"] and {"I", "V1", "V6"} <= lead.keys():
        if lead["V1"].net_mv < 0 and lead["I"].net_mv > 0 and lead["V6"].net_mv > 0:
            small = lead["V6"].q_mv < rule["small_q_mv"] and lead["I"].q_mv < rule["small_q_mv"]
            if small and lead["V6"].r_ms >= rule["lbbb_r_ms"]:
                return _found(
                    "lbbb",
                    f"QRS {duration:.0f} ms, left bundle branch block",
                    rule,
                    marks(measures, ["I", "V1", "V6"], 0, "net_mv"),
                )
        if (lead["V1"].r_after_s or lead["V1"].net_mv > 0) and lead["I"].s_ms >= rule["rbbb_s_ms"]:
            return _found(
                "rbbb",
                f"QRS {duration:.0f} ms, right bundle branch block",
                rule,
                marks(measures, ["I", "V1"], 0, "net_mv"),
            )
        return _found(
            "wide_qrs",
            f"QRS {duration:.0f} ms",
            rule,
            marks(measures, ["II", "V1"], measures.qrs_off, "j_mv"),
        )
    return Finding("bundle_branch_block", "not_found", NOT_EXCLUDED, rule["source"])


def _found(
    code: str, text: str, rule: Mapping[str, Any], evidence: list[dict[str, Any]]
) -> Finding:
    return Finding(code, "found", text, rule["source"], evidence)


def hypertrophy(measures: Measures, sex: str | None) -> Finding:
    """Voltage of left ventricular hypertrophy: Sokolow-Lyon or Cornell (unknown sex: lower)."""
    rule, lead = RULES["lvh"], measures.leads
    sokolow = cornell = 0.0
    if {"V1", "V5"} <= lead.keys():
        tall = max(lead[name].r_mv for name in ("V5", "V6") if name in lead)
        sokolow = max(lead["V1"].s_mv, lead["V1"].q_mv) + tall
    if {"aVL", "V3"} <= lead.keys():
        cornell = lead["aVL"].r_mv + max(lead["V3"].s_mv, lead["V3"].q_mv)
    limit = rule["cornell_men_mv"] if sex == "M" else rule["cornell_women_mv"]
    if sokolow >= rule["sokolow_mv"] or cornell > limit:
        text = f"Sokolow-Lyon {sokolow:.1f} mV, Cornell {cornell:.1f} mV"
        return _found(
            "lvh_voltage", text, rule, marks(measures, ["V1", "V5", "aVL", "V3"], 0, "net_mv")
        )
    return Finding("lvh_voltage", "not_found", NOT_EXCLUDED, rule["source"])


def swapped(measures: Measures) -> Finding | None:
    """Right and left arm exchanged: everything in I points down while aVR and V6 point up."""
    rule, lead = RULES["swapped"], measures.leads
    if not {"I", "aVR", "V6"} <= lead.keys():
        return None
    one = lead["I"]
    down = one.net_mv < 0 and one.t_mv < 0 and (one.p_mv is None or one.p_mv < 0)
    if not (down and lead["aVR"].net_mv > 0 and lead["V6"].net_mv > 0):
        return None
    return _found(
        "limb_leads_swapped",
        "right and left arm electrodes may be exchanged: check and record again",
        rule,
        marks(measures, ["I", "aVR"], 0, "net_mv"),
    )


def elevation(measures: Measures, sex: str | None, years: float | None) -> Finding:
    """ST elevation criteria (4th UDMI), by the table's limits for sex and age."""
    given = {
        "j_point_mV": {name: round(lead.j_mv, 4) for name, lead in measures.leads.items()},
        "sex": sex,
        "age_years": years,
    }
    answer = stemi(given)
    source = _ECG["stemi"]["source"]
    if not answer["stemi_criteria"]:
        return Finding("stemi_criteria", "not_found", NOT_EXCLUDED, source)
    leads = sorted({name.removeprefix("-") for pair in answer["pairs"] for name in pair})
    marked = "" if sex in ("F", "M") and years is not None else " (lower limit: sex or age unknown)"
    text = f"ST elevation in {', '.join(leads)}{marked}"
    evidence = marks(measures, leads, measures.qrs_off, "j_mv")
    return Finding("stemi_criteria", "found", text, source, evidence)


def equivalents(measures: Measures) -> list[Finding]:
    """What stands for an occlusion without the elevation: posterior, de Winter, left main."""
    lead, rule, found = measures.leads, _EQUIVALENTS, []
    low = [
        name
        for name in ("V1", "V2", "V3")
        if name in lead
        and lead[name].j_mv <= -rule["posterior_depression_mv"]
        and lead[name].t_mv > 0
        and lead[name].st60_mv <= -rule["posterior_depression_mv"]
    ]
    if len(low) >= 2:
        found.append(
            _found(
                "posterior_mi",
                "ST depression V1-V3, upright T: record V7-V9",
                rule,
                marks(measures, low, measures.qrs_off, "j_mv"),
            )
        )
    winter = [
        name
        for name in _CHEST
        if name in lead
        and lead[name].j_mv <= -rule["de_winter_depression_mv"]
        and lead[name].upsloping
        and lead[name].t_mv >= rule["de_winter_t_mv"]
    ]
    if len(winter) >= 2:
        found.append(
            _found(
                "de_winter",
                "upsloping ST depression with tall T",
                rule,
                marks(measures, winter, measures.qrs_off, "j_mv"),
            )
        )
    down = [name for name, one in lead.items() if one.j_mv <= -rule["avr_depression_mv"]]
    if (
        "aVR" in lead
        and lead["aVR"].j_mv >= rule["avr_elevation_mv"]
        and len(down) >= rule["avr_leads"]
    ):
        found.append(
            _found(
                "left_main_pattern",
                "aVR elevation with wide ST depression",
                rule,
                marks(measures, ["aVR", *down], measures.qrs_off, "j_mv"),
            )
        )
    return found


def sgarbossa(measures: Measures) -> Finding:
    """Smith-modified Sgarbossa, for left bundle branch block or pacing."""
    rule = _EQUIVALENTS
    agree = [
        n
        for n, one in measures.leads.items()
        if one.net_mv > 0 and one.j_mv >= rule["concordant_mv"]
    ]
    below = [
        n
        for n in ("V1", "V2", "V3")
        if n in measures.leads
        and measures.leads[n].net_mv < 0
        and measures.leads[n].j_mv <= -rule["concordant_mv"]
    ]
    against = [n for n, one in measures.leads.items() if _discordant(one)]
    answer = sgarbossa_modified(
        {
            "concordant_ste_ge_1mm": bool(agree),
            "concordant_std_v1_v3": bool(below),
            "discordant_ste_ge_25pct_s": bool(against),
        }
    )
    source = "Smith-modified Sgarbossa (ecg.json, stemi.equivalents)"
    if not answer["positive"]:
        return Finding("sgarbossa_modified", "not_found", NOT_EXCLUDED, source)
    leads = sorted({*agree, *below, *against})
    return Finding(
        "sgarbossa_modified",
        "found",
        f"positive in {', '.join(leads)}",
        source,
        marks(measures, leads, measures.qrs_off, "j_mv"),
    )


def _discordant(one: LeadMeasures) -> bool:
    depth = max(one.s_mv, one.q_mv)
    return (
        one.net_mv < 0
        and one.j_mv >= _EQUIVALENTS["discordant_least_mv"]
        and depth > 0
        and one.j_mv / depth >= _EQUIVALENTS["discordant_ratio"]
    )


def shape(measures: Measures) -> Finding:
    """Anterior infarction by shape alone: QS in V2 and V3 with inverted T or a plateau.

    Needs no millivolts, so it also speaks where the gains of the leads do not agree.
    """
    rule, lead = RULES["shape"], measures.leads
    none = Finding("acute_ischaemia", "not_found", NOT_EXCLUDED, rule["source"])
    if not {"V2", "V3"} <= lead.keys():
        return none
    if any(
        _size(lead[n]) <= 0 or lead[n].r_mv > rule["r_share_max"] * _size(lead[n])
        for n in ("V2", "V3")
    ):
        return none
    inverted = [
        n
        for n in _CHEST[1:]
        if n in lead and lead[n].t_mv <= -rule["t_inverted_share"] * _size(lead[n])
    ]
    plateau = [
        n
        for n in _CHEST[1:4]
        if n in lead
        and lead[n].t_mv > 0
        and lead[n].st60_mv >= rule["plateau_share"] * lead[n].t_mv
        and lead[n].st60_mv >= rule["plateau_level_share"] * _size(lead[n])
    ]
    leads = inverted if len(inverted) >= 2 else plateau
    if len(leads) < 2:
        return none
    text = "QS in V2 and V3 with " + ("inverted T" if leads is inverted else "raised ST plateau")
    return _found(
        "acute_ischaemia",
        text,
        rule,
        marks(measures, ["V2", "V3"], 0, "net_mv")
        + marks(measures, leads, measures.t_off or measures.qrs_off, "t_mv"),
    )


def _size(one: LeadMeasures) -> float:
    return one.r_mv + max(one.s_mv, one.q_mv)
