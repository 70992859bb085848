"""The page of one pre-arrival case: why, what is missing, what would change it, the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hospital_ops.board import PERSON, CaseCell
from hospital_ops.case_steps import ENDS
from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import from_iso
from hospital_ops.identity import uuid7
from triage.decision import CARE
from triage.pathways import PATHWAYS
from triage.reopening import codes_of
from triage.suggestions import suggest
from web.render import Renderer
from web.views import ecg12
from web.views.bedchoice import Ward
from web.views.case import CaseView, case_view, complaint_words
from web.views.caseallergies import told as told_allergies
from web.views.casedesk import Desk
from web.views.caseitems import ItemView, items
from web.views.page import Page
from web.views.values import Frame, clock

COLOURS: Final = ("red", "yellow", "green")
SAID: Final = (
    "complaint", "mechanism", "injuries", "notify", "crew_colour", "crew", "code_word",
)  # fmt: skip
REASONS: Final = ("wrong_sign", "seen_otherwise", "limits", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason in the reader's words: what, against which limit, by which rule."""

    title: str
    limit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """What the page shows beside the card's own view."""

    view: CaseView
    proposal: CaseView  # the same case as the house proposes it, drawn dashed
    proposed: str
    why: tuple[Reason, ...]
    missing: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]  # (what would have to be, the colour then)
    scores: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    heard: tuple[tuple[str, str], ...]  # (who, when)
    warnings: tuple[str, ...]
    decided: str  # words about the present decision, empty before
    version: int
    seen: str  # the reasons shown, as a decision names them (triage/reopening.py)
    other_colours: tuple[str, ...]
    suggested: tuple[tuple[str, str], ...] = ()  # (care, why)
    ecgs: tuple[ecg12.Small, ...] = ()
    items: tuple[ItemView, ...] = ()
    joined: int = 0  # cases that turned out to be this one
    transfer: bool = False  # from another hospital, whose record can be read
    care: tuple[str, ...] = CARE
    reasons: tuple[str, ...] = REASONS


def case_page(cell: CaseCell, frame: Frame, changes: list[dict[str, Any]]) -> CasePage:
    """The page's view of a case; `changes` are the counterfactuals of its inputs."""
    undecided = CaseCell(
        case=cell.case, facts=cell.facts, values=cell.values, triage=cell.triage, mode=cell.mode
    )
    proposed = str(cell.triage.get("proposed", "incomplete"))
    return CasePage(
        transfer=cell.facts.get("origin") == "transfer",
        view=case_view(cell, frame),
        proposal=case_view(undecided, frame),
        proposed=proposed,
        why=tuple(_reason(reason, frame) for reason in cell.triage.get("reasons", ())),
        missing=tuple(_named(str(code), frame) for code in cell.triage.get("missing", ())),
        changes=tuple(_change(change, frame) for change in changes),
        scores=_scores(cell, frame),
        facts=told(cell.facts, frame),
        heard=tuple(
            (str(each.get("by", "")), str(each.get("at", ""))) for each in cell.acknowledgements
        ),
        warnings=(*cell.warnings, *_not_shown(cell, frame)),
        decided=_decided(cell, frame),
        version=cell.version,
        seen=",".join(sorted(codes_of(cell.triage))),
        other_colours=tuple(colour for colour in COLOURS if colour != proposed),
        suggested=tuple(_suggestion(row, frame) for row in suggest(cell.triage, cell.facts)),
        ecgs=tuple(ecg12.small(ecg, frame) for ecg in reversed(cell.ecgs)),
        items=items(cell, frame),
        joined=len(cell.joined),
    )


def _named(code: str, frame: Frame) -> str:
    return clinical_words(code, frame.words.language)


def _value(value: Any, frame: Frame) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return frame.words.number(float(value))
    if isinstance(value, list | tuple):
        return ", ".join(_named(str(item), frame) for item in value)
    return str(value) if value is not None else ""


def _reason(reason: dict[str, Any], frame: Frame) -> Reason:
    code, value = str(reason.get("code", "")), _value(reason.get("value"), frame)
    named = _named(code, frame)
    title = str(reason.get("text") or code) if named == code else named
    threshold = reason.get("threshold")
    # A rule's own formula says nothing to a reader: its title is the rule in words.
    printed = str(threshold)[:1] in tuple("<>=≤≥-0123456789")
    limit = frame.words.t("case.limit", limit=threshold) if printed else ""
    return Reason(
        title=f"{title}: {value}" if value else title,
        limit=limit,
        source=str(reason.get("source", "")),
    )


def _change(change: dict[str, Any], frame: Frame) -> tuple[str, str]:
    words = frame.words
    what = _named(str(change.get("input", "")), frame)
    becomes = _value(change.get("to"), frame) or str(change.get("to", ""))
    colour = str(change.get("colour", "incomplete"))
    return words.t("case.if", what=what, value=becomes), words.t(f"colour.{colour}")


def _suggestion(row: dict[str, Any], frame: Frame) -> tuple[str, str]:
    """(care, why) of what the house suggests; nothing of it is chosen in advance."""
    code = str(row["code"])
    pathway = PATHWAYS.get(code)
    said = pathway["name"][frame.words.language] if pathway else ""
    known = f"case.because.{code}"
    why = said or (frame.words.t(known) if frame.words.has(known) else _named(code, frame))
    return str(row["care"]), why


def _scores(cell: CaseCell, frame: Frame) -> tuple[tuple[str, str], ...]:
    news2 = cell.triage.get("scores", {}).get("news2")
    if not isinstance(news2, dict) or news2.get("total") is None:
        return ()
    total = frame.words.number(float(news2["total"]))
    if news2.get("partial"):
        total = frame.words.t("case.at_least", value=total)
    return (("NEWS2", total),)


def _said(key: str, text: str, frame: Frame) -> str:
    """A fact in the reader's words where its code is known, else as the crew wrote it."""
    if key in ("complaint", "mechanism"):
        return complaint_words(text, frame)
    known = f"colour.{text}" if key == "crew_colour" else f"case.{key}.{text}"
    return frame.words.t(known) if frame.words.has(known) else text


def told(facts: Mapping[str, Any], frame: Frame) -> tuple[tuple[str, str], ...]:
    """What the crew said, in an order that does not change; nothing is left out."""
    words = frame.words
    rows = []
    for key in (*PERSON, *SAID):
        if facts.get(key):
            rows.append((words.t(f"case.fact.{key}"), _said(key, str(facts[key]), frame)))
    for key in ("on_oxygen", "pregnant"):
        if isinstance(facts.get(key), bool):
            said = words.t("case.yes") if facts[key] else words.t("case.no")
            rows.append((words.t(f"case.fact.{key}"), said))
    signs = facts.get("signs")
    if isinstance(signs, list):
        named = ", ".join(_named(str(sign), frame) for sign in signs) or words.t("case.none")
        rows.append((words.t("case.fact.signs"), named))
    return tuple(rows)


def _not_shown(cell: CaseCell, frame: Frame) -> tuple[str, ...]:
    """How many values are kept and not shown, and why."""
    return tuple(
        frame.words.t(f"case.not_shown.{why}", n=number)
        for why, number in sorted(cell.not_shown.items())
        if frame.words.has(f"case.not_shown.{why}")
    )


def _decided(cell: CaseCell, frame: Frame) -> str:
    decision = cell.decision
    if decision is None:
        return ""
    return frame.words.t(
        "case.decided",
        by=decision.by,
        colour=frame.words.t(f"colour.{decision.colour}"),
        time=clock(decision.at, frame.zone),
    )


def render(
    renderer: Renderer,
    language: str,
    *,
    cell: CaseCell,
    changes: list[dict[str, Any]],
    now_us: int,
    user: str,
    demo: bool,
    unit: str,
    may_decide: bool,
    may_acknowledge: bool,
    said: str = "",
    lost: dict[str, Any] | None = None,
    wards: Sequence[Ward],
    desk: Desk,
    may_acknowledge_any: bool,
    entry: dict[str, Any] | None = None,
) -> str:
    """One case with its decision; `lost` is the one that came first, with `mine`, the other.

    `entry` fills the form for new values; None: there is none.
    """
    frame = renderer.frame(language, now_us)
    words = frame.words
    page = Page(words=words, title=words.t("case.title"), user=user, demo=demo, unit=unit)
    case, first = case_page(cell, frame, changes), ""
    if lost:
        # Whoever decides again has read of the first decision, though the board has it not yet.
        case = replace(case, version=max(case.version, int(lost["version"])))
        first = words.t(
            "case.lost_race",
            by=lost["by"],
            colour=words.t(f"colour.{lost['colour']}"),
            time=clock(from_iso(lost["at"]), frame.zone),
            mine=words.t(f"colour.{lost['mine']}"),
        )
    return renderer.fill(
        "case.html",
        page=page,
        case=case,
        w=words,
        now_us=now_us,
        may_decide=may_decide,
        may_acknowledge=may_acknowledge,
        said=said,
        lost=first,
        wards=wards,
        desk=desk,
        allergies=told_allergies(cell, frame),
        allergy_item=str(uuid7()),
        may_acknowledge_any=may_acknowledge_any,
        entry=entry,
        ended=cell.step in ENDS,
    )
