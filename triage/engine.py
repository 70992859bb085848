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
from triage import chart, complaints, net, severity
from triage.chart import INCOMPLETE, RANK, RED, Verdict
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
    known = patient.ages.known
    verdicts: list[Verdict] = []
    caught: list[Caught] = []
    distance = 0.0
    for age in patient.ages.ages:
        verdicts.append(chart.judge(patient, age, flags, bool(missing)))
        caught.append(net.judge(patient, age, known=known))
        distance = max(distance, severity.of_vitals(patient, age))
    colour = _colour_at_every_age(verdicts, known)
    if colour == INCOMPLETE and (len(verdicts) > 1 and _differ(verdicts, known)):
        missing.append("age")
    red, yellow, vitals = _common(verdicts)
    criteria = red or yellow
    net_reasons, score = _net_at_every_age(caught)
    net_colour = max((r["colour"] for r in net_reasons), key=RANK.__getitem__, default=None)
    proposed = colour if net_colour is None else max(colour, net_colour, key=RANK.__getitem__)
    if_normal = max((v.colour_if_normal for v in verdicts), key=RANK.__getitem__)
    reasons = criteria + vitals
    if colour == INCOMPLETE:
        reasons.append(_incomplete(missing))
    reasons += net_reasons
    scores, unscored = _scores(patient, score)
    weight = distance + _weight(patient, verdicts, len(missing) + len(unscored))
    return Assessment(
        colour=colour,
        net_colour=net_colour,
        net_reasons=net_reasons,
        proposed=proposed,
        criteria=[reason["code"] for reason in criteria],
        review_required=bool(
            vitals or net_reasons or patient.ecg_ischaemia or patient.contradiction
        ),
        urgency=severity.urgency(proposed, known != "none", weight),
        colour_if_normal=max(if_normal, proposed, key=RANK.__getitem__)
        if proposed != INCOMPLETE
        else if_normal,
        reasons=reasons,
        missing=missing + unscored,
        scores=scores,
        warnings=_warnings(patient),
    )


def _colour_at_every_age(verdicts: list[Verdict], known: str) -> str:
    """The colour if it is the same at every age allowed; without any age only RED is certain."""
    first = verdicts[0].colour
    if len(verdicts) == 1:
        return first
    if any(verdict.colour != first for verdict in verdicts):
        return INCOMPLETE
    return first if known != "none" or first == RED else INCOMPLETE


def _differ(verdicts: list[Verdict], known: str) -> bool:
    return known == "none" or len({verdict.colour_if_normal for verdict in verdicts}) > 1


def _common(verdicts: list[Verdict]) -> tuple[list[Reason], list[Reason], list[Reason]]:
    """The reasons that hold at every age allowed (all of the first age's where none does)."""
    first = verdicts[0]
    if len(verdicts) == 1:
        return first.red, first.yellow, first.vitals
    red = _shared([verdict.red for verdict in verdicts])
    if not red and all(verdict.red for verdict in verdicts):
        red = list({r["code"]: r for verdict in verdicts for r in verdict.red}.values())
    return (
        red,
        _shared([verdict.yellow for verdict in verdicts]),
        _shared([verdict.vitals for verdict in verdicts]),
    )


def _shared(lists: list[list[Reason]]) -> list[Reason]:
    codes = set.intersection(*({reason["code"] for reason in reasons} for reasons in lists))
    return [reason for reason in lists[0] if reason["code"] in codes]


def _net_at_every_age(caught: list[Caught]) -> tuple[list[Reason], news2.Score | None]:
    first = caught[0]
    if len(caught) == 1:
        return first.reasons, first.score
    return _shared([each.reasons for each in caught]), None


def _incomplete(missing: list[str]) -> Reason:
    return {
        "code": "incomplete",
        "text": words("incomplete"),
        "value": None,
        "threshold": list(missing),
        "source": "IITT 2020: GREEN needs every step-3 vital sign (project decision)",
    }


def _scores(
    patient: Patient, score: news2.Score | None
) -> tuple[dict[str, Any], list[str]]:
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
            "risk": news2.RISK[score.total, score.single],
            "partial": score.partial,
        }
    }, unscored


def _weight(patient: Patient, verdicts: list[Verdict], missing: int) -> float:
    weights = severity.W
    most = 0.0
    for verdict in verdicts:
        here = (
            weights["red_criterion"] * len(verdict.red)
            + weights["yellow_criterion"] * len(verdict.yellow)
            + weights["step_3_vital"] * len(verdict.vitals)
        )
        most = max(most, here)
    return (
        most
        + weights["not_measurable"] * len(patient.not_measurable)
        + weights["missing"] * missing
        + complaints.weight(patient.complaint)
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


