"""The triage engine: the chart, the net and the order of patients, as one explained proposal.

`assess` is pure and never raises for a patient's data: same input, same answer, for ever. The
colour of the chart and the proposal (the higher of chart and net) are both kept; a physician
decides. What would change the proposal is asked of `triage/counterfactuals.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hospital_ops.clinical import news2
from hospital_ops.clinical.tables import words
from triage import chart, net, severity
from triage.chart import GREEN, INCOMPLETE, RANK, RED, YELLOW, Verdict
from triage.net import Caught
from triage.patient import SIGNS, Patient, read

Reason = dict[str, Any]


@dataclass(slots=True)
class Assessment:
    """One proposal with everything that led to it; `as_json` is the answer of `triage`."""

    colour: str
    net_colour: str | None
    net_reasons: list[Reason]
    proposed: str
    criteria: list[str]
    review_required: bool
    urgency: float
    colour_if_normal: str
    reasons: list[Reason]
    missing: list[str]
    scores: dict[str, Any]
    warnings: list[dict[str, Any]]
    would_change: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The keys of the public answer, and `warnings`."""
        return {
            "colour": self.colour,
            "safety_net": {"colour": self.net_colour, "reasons": self.net_reasons},
            "proposed": self.proposed,
            "criteria": self.criteria,
            "review_required": self.review_required,
            "urgency": self.urgency,
            "colour_if_normal": self.colour_if_normal,
            "reasons": self.reasons,
            "missing": self.missing,
            "would_change": self.would_change,
            "scores": self.scores,
            "warnings": self.warnings,
        }


def assess(inputs: Mapping[str, Any]) -> Assessment:
    """The proposal for these inputs (keys as the vectors of `iitt` and `safety_net`).

    Besides: `age_band`, `age_sub_band`, `adult` (a tick: at least 16), `sex`, `complaint`,
    `ecg_findings`, `not_measurable`, `spo2_scale`, `pews_brighton`.
    """
    return judge(read(inputs))


def judge(patient: Patient) -> Assessment:
    """The proposal for a patient already read."""
    flags = chart.flags_of(patient)
    missing = chart.missing_for_green(patient)
    ages, known = patient.ages.ages, patient.ages.known
    if len(ages) == 1:
        age = ages[0]
        verdict = chart.judge(patient, age, flags, bool(missing))
        caught = net.judge(patient, age, known=known)
        weight = severity.of_vitals(patient, age) + _weight_of(verdict)
    else:
        verdict, caught, weight = _at_every_age(patient, flags, missing)
    colour, if_normal = verdict.colour, verdict.colour_if_normal
    criteria = verdict.red or verdict.yellow
    net_reasons = caught.reasons
    net_colour, proposed = None, colour
    for reason in net_reasons:
        if net_colour is None or RANK[reason["colour"]] > RANK[net_colour]:
            net_colour = reason["colour"]
    if net_colour is not None and RANK[net_colour] > RANK[colour]:
        proposed = net_colour
    if proposed != INCOMPLETE and RANK[proposed] > RANK[if_normal]:
        if_normal = proposed
    if patient.contradiction and GREEN in (colour, proposed):
        # A ticked sign of pregnancy and "not pregnant": one of them is wrong, so nothing is green.
        missing.append("pregnant")
        colour = INCOMPLETE if colour == GREEN else colour
        proposed = INCOMPLETE if proposed == GREEN else proposed
    reasons = criteria + verdict.vitals
    if colour == INCOMPLETE:
        reasons.append(_incomplete(missing))
    reasons += net_reasons
    scores, unscored = _scores(patient, caught.score)
    weight += severity.W["not_measurable"] * len(patient.not_measurable) + severity.W["missing"] * (
        len(missing) + len(unscored)
    )
    return Assessment(
        colour=colour,
        net_colour=net_colour,
        net_reasons=net_reasons,
        proposed=proposed,
        criteria=[reason["code"] for reason in criteria],
        review_required=bool(
            verdict.vitals or net_reasons or patient.ecg_ischaemia or patient.contradiction
        ),
        urgency=severity.urgency(proposed, known != "none", weight),
        colour_if_normal=if_normal,
        reasons=reasons,
        missing=missing + unscored,
        scores=scores,
        warnings=_warnings(patient),
    )


def _at_every_age(
    patient: Patient, flags: set[str], missing: list[str]
) -> tuple[Verdict, Caught, float]:
    """Judged at every age allowed: what holds at all of them, and the worst weight.

    Where the colours differ the age is noted as missing. Without any age only RED is certain.
    """
    ages, known = patient.ages.ages, patient.ages.known
    verdicts = [chart.judge(patient, age, flags, bool(missing)) for age in ages]
    caught = [net.judge(patient, age, known=known) for age in ages]
    weight = max(
        severity.of_vitals(patient, age) + _weight_of(verdict)
        for age, verdict in zip(ages, verdicts, strict=True)
    )
    colours = {verdict.colour for verdict in verdicts}
    colour = colours.pop() if len(colours) == 1 else INCOMPLETE
    if known == "none" and colour != RED:
        colour = INCOMPLETE
    if_normal = {verdict.colour_if_normal for verdict in verdicts}
    if colour == INCOMPLETE and (known == "none" or len(if_normal) > 1):
        missing.append("age")
    red = _shared([verdict.red for verdict in verdicts], every=colour == RED)
    yellow = _shared([verdict.yellow for verdict in verdicts])
    vitals = _shared([verdict.vitals for verdict in verdicts])
    if colour == YELLOW and not (yellow or vitals):
        yellow = _shared([verdict.yellow for verdict in verdicts], every=True)
        vitals = _shared([verdict.vitals for verdict in verdicts], every=True)
    common = Verdict(colour, max(if_normal, key=RANK.__getitem__), red, yellow, vitals)
    return common, Caught(_shared([each.reasons for each in caught]), None), weight


def _shared(lists: list[list[Reason]], *, every: bool = False) -> list[Reason]:
    """The reasons in all lists; with `every`, where none is, those in any of them."""
    codes = set.intersection(*({reason["code"] for reason in reasons} for reasons in lists))
    if every and not codes:
        return list({r["code"]: r for reasons in lists for r in reasons}.values())
    return [reason for reason in lists[0] if reason["code"] in codes]


def _incomplete(missing: list[str]) -> Reason:
    return {
        "code": "incomplete",
        "text": words("incomplete"),
        "value": None,
        "threshold": list(missing),
        "source": "IITT 2020: GREEN needs every step-3 vital sign (project decision)",
    }


def _scores(patient: Patient, score: news2.Score | None) -> tuple[dict[str, Any], list[str]]:
    """The scores shown beside the colour, and what they lack that the chart does not ask for."""
    if score is None:
        lacks = (
            [key for key in ("sbp_mmhg", "dbp_mmhg") if patient.numbers[key] is None]
            if patient.pregnant
            else []
        )
        return {}, lacks
    unscored = []
    if patient.numbers["sbp_mmhg"] is None:
        unscored.append("sbp_mmhg")
    if patient.on_oxygen is None:
        unscored.append("on_oxygen")
    parts = {
        part: points
        for part, points in zip(news2.PARTS, score.points, strict=True)
        if points is not None
    }
    return {
        "news2": {
            "total": score.total,
            "components": parts,
            "risk": news2.risk_of(score),
            "partial": score.partial,
        }
    }, unscored


def _weight_of(verdict: Verdict) -> float:
    weights = severity.W
    return (
        weights["red_criterion"] * len(verdict.red)
        + weights["yellow_criterion"] * len(verdict.yellow)
        + weights["step_3_vital"] * len(verdict.vitals)
    )


def _warnings(patient: Patient) -> list[dict[str, Any]]:
    """What was given but not used; signs of the other chart are named, never dropped silently."""
    if patient.ages.known == "none" or not patient.signs:
        return patient.warnings
    name = "adult" if patient.ages.ages[0].adult_chart else "child"
    for sign in sorted(patient.signs):
        if name not in SIGNS[sign] and not (patient.pregnant and sign.startswith("preg")):
            patient.warnings.append(
                {"code": "sign_of_other_chart", "input": sign, "text": words("sign_of_other_chart")}
            )
    return patient.warnings
