"""A pre-arrival case on the emergency board: the colour, the time left and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hospital_ops.board import CaseCell, Shown
from hospital_ops.clinical.tables import table
from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import SECOND, from_iso
from triage import age
from triage.chart import limits_at
from triage.targets import colour_of
from web.views.edcard import MORE, More, more_of
from web.views.values import Frame, ValueView, clock
from web.words import Words

ORDER: Final = {"red": 0, "yellow": 1, "incomplete": 2, "green": 3}
REASONS: Final = 2  # a card has room for so many
# slot, word, codes; a pair is shown as 98/61
SLOTS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("8867-4", "hr", ("8867-4",)),
    ("bp", "bp", ("8480-6", "8462-4")),
    ("59408-5", "spo2", ("59408-5",)),
    ("9279-1", "rr", ("9279-1",)),
    ("8310-5", "temp", ("8310-5",)),
    ("9269-2", "gcs", ("9269-2",)),
    ("80288-4", "avpu", ("80288-4",)),
)
# Code -> the vital's name in the chart (iitt.json) whose limits underline it.
CHART: Final = {
    "8867-4": "hr_bpm", "9279-1": "rr_bpm", "8310-5": "temp_c", "59408-5": "spo2_pct",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case as a card or a row; `shape` is everything but its values."""

    id: str
    case: str
    colour: str
    solid: bool  # decided by a physician; else a proposal, drawn dashed
    colour_word: str
    letter: str
    shape_label: str
    by: str
    suggested: str  # what the house had proposed, where the physician chose otherwise
    complaint: str
    person: str
    crew: str
    reasons: tuple[str, ...]
    missing: str
    review: bool
    heard: str
    eta: int
    since: int
    newest: int
    amber: int
    values: tuple[ValueView, ...]
    here: bool
    simulated: bool
    urgency: float
    ecg: bool = False  # a 12-lead is here
    reopened: str = ""  # what is new since the decision
    counts_as: str = ""  # the colour it is sorted and counted by: what was opened again has risen
    more: More = MORE

    @property
    def cells(self) -> tuple[ValueView, ...]:
        """All values of the card."""
        return self.values

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes the card what it is, apart from its values and their time."""
        return (
            self.colour, self.solid, self.shape_label, self.by, self.suggested, self.complaint,
            self.person, self.crew, self.reasons, self.missing, self.review, self.heard, self.eta,
            self.since, self.here, self.simulated, self.reopened, self.counts_as,
            self.ecg, self.more, tuple((cell.id, cell.label, cell.kind) for cell in self.values),
        )  # fmt: skip

    @property
    def times(self) -> tuple[int, int]:
        """Event time of the newest value, and when that turns amber."""
        return (self.newest, self.amber)


def case_view(cell: CaseCell, frame: Frame) -> CaseView:
    """The view of a case at a moment."""
    words, triage, decision = frame.words, cell.triage, cell.decision
    proposed = str(triage.get("proposed", "incomplete"))
    colour = decision.colour if decision else proposed
    colour = colour if colour in ORDER else "incomplete"
    named = words.t(f"colour.{colour}")
    newest = max(cell.values.values(), key=lambda shown: shown.at, default=None)
    if decision:
        at = clock(decision.at, frame.zone)
        by = f"{decision.by} {at}"
        label = words.t("ed.shape_decided", colour=named, by=decision.by, time=at)
    else:
        by, label = "", words.t("ed.shape", colour=named)
    other = decision is not None and proposed != colour and proposed in ORDER
    return CaseView(
        id=f"case-{cell.case}",
        case=cell.case,
        colour=colour,
        solid=decision is not None,
        colour_word=named,
        letter=words.t(f"letter.{colour}"),
        shape_label=label,
        by=by,
        suggested=words.t("ed.proposed_was", colour=words.t(f"colour.{proposed}")) if other else "",
        complaint=_complaint(cell.facts, frame),
        person=person_words(cell.facts, frame),
        crew=_crew(cell.facts, frame),
        reasons=_reasons(triage.get("reasons", ()), frame),
        missing=_missing(triage.get("missing", ()), frame),
        review=bool(triage.get("review_required")),
        heard=_heard(cell.acknowledgements),
        eta=cell.eta or 0,
        since=_arrived_at(cell),
        newest=newest.at if newest else 0,
        amber=newest.amber_at if newest else 0,
        values=_values(cell, frame),
        here=cell.step in ("arrived", "handed_over"),
        simulated=cell.mode != "Real",
        urgency=_number(triage.get("urgency")),
        ecg=any(ecg.get("complete") for ecg in cell.ecgs),
        reopened=_reopened(cell, frame),
        counts_as=pressing if (pressing := colour_of(cell)) in ORDER else "incomplete",
        more=more_of(cell, frame),
    )


def _reopened(cell: CaseCell, frame: Frame) -> str:
    """`new 14:10: heart rate`, where something new asks for more than was decided."""
    if not cell.reopened_at:
        return ""
    why = ", ".join(clinical_words(code, frame.words.language) for code in cell.reopened_for)
    return frame.words.t("ed.reopened", time=clock(cell.reopened_at, frame.zone), why=why)


def arrivals(views: Iterable[CaseView]) -> list[CaseView]:
    """The cases on their way: by colour, then by time of arrival, then by urgency."""
    coming = [view for view in views if not view.here]
    return sorted(
        coming, key=lambda v: (ORDER[v.counts_as], v.eta or float("inf"), -v.urgency, v.case)
    )


def present(views: Iterable[CaseView]) -> list[CaseView]:
    """The cases that have arrived: by colour, then by how long they have been here."""
    here = (view for view in views if view.here)
    return sorted(here, key=lambda v: (ORDER[v.counts_as], v.since, v.case))


def _values(cell: CaseCell, frame: Frame) -> tuple[ValueView, ...]:
    """The values of a card. The newest is current whatever its age (SAFETY.md I10)."""
    views = []
    for slot, word, codes in SLOTS:
        found = tuple((code, cell.values[code]) for code in codes if code in cell.values)
        if len(found) < len(codes):
            continue
        kind = "spot" if found[0][1].kind == "spot" else "newest"
        views.append(
            frame.value(
                f"case-{cell.case}",
                slot,
                "",
                found,
                label=frame.words.t(f"value.{word}"),
                kind=kind,
                simulated=cell.mode != "Real",
                outside=any(outside(code, shown, cell.facts) for code, shown in found),
            )
        )
    return tuple(views)


def outside(code: str, shown: Shown, facts: Mapping[str, Any]) -> bool:
    """Whether a value lies outside the chart's limits for this age (IITT, high-risk vitals).

    Of an estimated age: at every age that it may be. The adult chart where no age is known.
    """
    name = CHART.get(code)
    if name is None or isinstance(shown.value, str | bool | None):
        return False
    known = age.read(facts, lambda *_: None)
    ages = known.ages if known.known != "none" else (age.from_years(age.ADULT_CHART_FROM_YEARS),)
    return all(_beyond(shown.value, name, each) for each in ages)


def _beyond(value: float, name: str, at: age.Age) -> bool:
    low, high = next((low, high) for key, low, high in limits_at(at) if key == name)
    return (low is not None and value < low) or (high is not None and value > high)


def person_words(facts: Mapping[str, Any], frame: Frame) -> str:
    """`F 61`, as far as the crew knows it."""
    words, sex = frame.words, str(facts.get("sex", "unknown"))
    parts = [words.t(f"sex.{sex}")] if sex in ("F", "M") else []
    if old := _age(facts, words):
        parts.append(old)
    return " ".join(parts)


def _age(facts: Mapping[str, Any], words: Words) -> str:
    """`61`, `3 d`; `est. 61` or `est. under 12 years` where it is an estimate."""
    estimated = facts.get("age_estimated") is True
    if isinstance(facts.get("age_years"), int | float):
        said = words.number(float(facts["age_years"]), 0)
    elif isinstance(facts.get("age_days"), int | float):
        said = words.t("age.days", n=int(facts["age_days"]))
    else:
        known = f"tablet.band.{facts.get('age_band')}"
        estimated, said = True, words.t(known) if words.has(known) else ""
    return words.t("age.estimated", age=said) if estimated and said else said


def _crew(facts: Mapping[str, Any], frame: Frame) -> str:
    crew = facts.get("crew")
    return frame.words.t("ed.crew", name=crew) if isinstance(crew, str | int) and crew else ""


@cache
def _complaints() -> dict[str, dict[str, str]]:
    return {row["id"]: row["label"] for row in table("complaints")["complaints"]}


def _complaint(facts: Mapping[str, Any], frame: Frame) -> str:
    """The complaint in the reader's language where its code is known, else as the crew wrote it."""
    said = facts.get("complaint") or facts.get("mechanism")
    if not said:
        return frame.words.t("ed.complaint_unknown")
    return complaint_words(str(said), frame)


def complaint_words(said: str, frame: Frame) -> str:
    """A complaint in the reader's language where its code is known, else as it was written."""
    return _complaints().get(said, {}).get(frame.words.language, said)


def _reasons(reasons: Any, frame: Frame) -> tuple[str, ...]:
    """The first reasons: in the reader's words by their code, with the value where there is one."""
    said = []
    for reason in list(reasons)[:REASONS]:
        code, text = str(reason.get("code", "")), str(reason.get("text", ""))
        named = clinical_words(code, frame.words.language)
        value = reason.get("value")
        if named == code:
            said.append(text or code)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            said.append(f"{named} {frame.words.number(float(value))}")
        else:
            said.append(named)
    return tuple(said)


def _missing(missing: Any, frame: Frame) -> str:
    """What the proposal lacked, in words."""
    return ", ".join(clinical_words(str(code), frame.words.language) for code in list(missing)[:4])


def _heard(acknowledgements: tuple[dict[str, Any], ...]) -> str:
    """Who took the case first."""
    for each in acknowledgements:
        if each.get("by"):
            return str(each["by"])
    return ""


def _arrived_at(cell: CaseCell) -> int:
    """When an arrived case came, as far as the board knows."""
    if cell.arrived_at:
        return cell.arrived_at
    said = cell.facts.get("arrived_at")
    if isinstance(said, int):
        return said
    if isinstance(said, str):
        try:
            return from_iso(said)
        except ValueError:
            return cell.changed_at
    return cell.changed_at


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def minutes_left(eta_us: int, now_us: int) -> int:
    """Whole minutes until arrival, rounded up; negative once the time has passed."""
    return -((now_us - eta_us) // (60 * SECOND))
