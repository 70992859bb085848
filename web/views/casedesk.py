"""The desk of a case: its way, checklists, places, phrases, and what has to be ruled out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.board import CaseCell
from hospital_ops.case_steps import ARRIVED, COMING, ENDS
from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.identity import uuid7
from triage import complaints
from triage.entering import PHRASE as REROUTED
from triage.onset import onset_of, until
from triage.pathways import PATHWAYS
from triage.phrases import phrases_to, words_of
from triage.readiness import checklists
from web.views.caseitems import onset_words
from web.views.edboard import Room
from web.views.values import Frame, clock

# Acts of the hospital by where the case stands; those that end it ask for a reason.
ACTS: Final = {COMING: ("arrival", "takeover"), ARRIVED: ("takeover", "handover", "discharge")}
REASONED: Final = {COMING: ("cancellation", "reroute"), ARRIVED: ("left_unseen", "death_here")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a checklist: what, who, until when, or done by whom and when."""

    key: str
    text: str
    owner: str
    due: int
    done: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition to rule out: findings for and against, what to look for, its clocks."""

    name: str
    speaks_for: tuple[str, ...]
    against: tuple[str, ...]
    ask: tuple[tuple[str, str], ...]  # (finding, words)
    clocks: tuple[tuple[str, int], ...]  # (words, when it ends; 0: no clock runs)
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything beside triage that somebody at the desk of a case does."""

    case: str
    step: str
    ended: str
    taken_over: str
    acts: tuple[str, ...]
    reasoned: tuple[str, ...]
    lists: tuple[tuple[str, str, tuple[Item, ...]], ...]  # (id, name, items)
    closed: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str, str], ...]  # (place, words, state)
    free: tuple[tuple[str, str], ...]  # (place, label)
    messages: tuple[tuple[str, str, str, str, bool], ...]  # (id, words, by, read, may read)
    phrases: tuple[tuple[str, str], ...]
    view: str
    seen: bool  # the physician has said their own view, or decided
    rule_out: tuple[Condition, ...]
    label: str
    onset: str  # when the symptoms began, as it was said last
    onset_item: str  # the id of the next word about it
    rerouted: str = ""  # to or from where, by whom, why
    arrivals: str = ""  # when crew, position and department said that the patient was here
    elsewhere: tuple[tuple[str, str], ...] = ()  # (unit, name) of departments to reroute to


def desk_view(
    cell: CaseCell,
    frame: Frame,
    rooms: Sequence[Room],
    cells: Iterable[CaseCell],
    elsewhere: Iterable[tuple[str, str]] = (),
) -> Desk:
    """The desk of a case; `rooms` and `cells` are those of its department.

    `elsewhere` are the other departments of the installation, each (id, name).
    """
    words, language = frame.words, frame.words.language
    taken = {place.place for other in cells for place in other.places}
    lists = checklists(cell)
    shown = {row["pathway"] for row in lists}
    over = clock(cell.taken_over_at, frame.zone) if cell.taken_over_at else ""
    seen = bool(cell.view) or cell.decision is not None
    acts = ACTS.get(cell.step, ())
    began = onset_of(cell.items)
    return Desk(
        case=cell.case,
        step=cell.step,
        ended=words.t(f"desk.state.{cell.step}") if cell.step in ENDS else "",
        taken_over=words.t("desk.taken_over", by=cell.taken_over_by, time=over) if over else "",
        acts=tuple(act for act in acts if not (act == "takeover" and cell.taken_over_at)),
        reasoned=REASONED.get(cell.step, ()),
        lists=tuple(_list(row, frame) for row in lists),
        closed=tuple((k, row["name"][language]) for k, row in PATHWAYS.items() if k not in shown),
        kept=tuple((p.place, _kept(p, frame), p.state) for p in cell.places),
        free=tuple((room.place, room.label) for room in rooms if room.place not in taken),
        messages=tuple(_message(each, frame) for each in reversed(cell.messages)),
        phrases=tuple((row["id"], row[language]) for row in phrases_to("crew")),
        view=str(cell.view.get("text", "")),
        seen=seen,
        rule_out=_rule_out(cell, frame) if seen else (),
        label=complaints.LABEL[language],
        onset=onset_words(began, frame) if began else "",
        onset_item=str(uuid7()),
        rerouted=_rerouted(cell, frame),
        arrivals=_arrivals(cell, frame),
        elsewhere=tuple(elsewhere),
    )


def _list(row: Mapping[str, Any], frame: Frame) -> tuple[str, str, tuple[Item, ...]]:
    pathway, language = row["pathway"], frame.words.language
    items = tuple(
        Item(
            key=f"{pathway}:{item['id']}",
            text=item["text"][language],
            owner=frame.words.t(f"role.{item['owner']}"),
            due=from_iso(item["due_at"]) if item["due_at"] else 0,
            done=f"{item['done_by']} {clock(from_iso(item['done_at']), frame.zone)}"
            if item["done_at"]
            else "",
            note=item["note"],
        )
        for item in row["items"]
    )
    return pathway, row["name"][language], items


def _kept(place: Any, frame: Frame) -> str:
    words = frame.words
    said = words.t(f"place.{place.state}", place=place.label, time=clock(place.at, frame.zone))
    return f"{said}, {words.t('place.entrance', name=place.entrance)}" if place.entrance else said


def _arrivals(cell: CaseCell, frame: Frame) -> str:
    """`Arrived: position 14:02, crew 14:03`, the earliest first."""
    told = sorted(cell.arrivals.items(), key=lambda one: one[1])
    words = frame.words
    said = [f"{words.t(f'desk.by.{who}')} {clock(from_iso(at), frame.zone)}" for who, at in told]
    return words.t("desk.arrivals", said=", ".join(said)) if said else ""


def _rerouted(cell: CaseCell, frame: Frame) -> str:
    """`Rerouted from h1-ed by Ray 14:02: no bed; there: red, Ray 14:00`."""
    told, words = cell.rerouted, frame.words
    if not told:
        return ""
    at = clock(from_iso(told["at"]), frame.zone)
    if "from" in told:
        line = words.t("desk.rerouted_from", where=told["from"], by=told["by"], time=at)
    else:
        line = words.t("desk.rerouted_to", where=told["where"], by=told["by"], time=at)
    line = f"{line}: {told['reason']}" if told["reason"] else line
    if decided := told.get("decided"):
        time = clock(from_iso(decided["at"]), frame.zone)
        colour = words.t(f"colour.{decided['colour']}")
        line += f"; {words.t('desk.decided_there', colour=colour, by=decided['by'], time=time)}"
    return line


def _message(each: Mapping[str, Any], frame: Frame) -> tuple[str, str, str, str, bool]:
    words, read = frame.words, each["read_back"]
    at = clock(from_iso(each["at"]), frame.zone)
    back = (
        words.t("desk.read", by=read["by"], time=clock(from_iso(read["at"]), frame.zone))
        if read
        else ""
    )
    rerouted = each["phrase"] == REROUTED
    said = words.t("desk.new_place") if rerouted else words_of(each["phrase"], words.language)
    if each["text"]:
        said = f"{said}: {each['text']}"
    return each["id"], said, f"{each['by']} {at}", back, each["to"] == "hospital" and not read


def found_of(cell: CaseCell) -> set[str]:
    """What is present: signs, criteria that fired, findings that somebody looked for."""
    signs = cell.facts.get("signs") or ()
    return {
        *(sign for sign in signs if isinstance(sign, str)),
        *map(str, cell.triage.get("criteria", ())),
        *(finding for finding, present in cell.findings.items() if present),
    }


def _rule_out(cell: CaseCell, frame: Frame) -> tuple[Condition, ...]:
    facts, language = cell.facts, frame.words.language
    age = facts.get("age_years")
    rows = complaints.to_rule_out(
        str(facts.get("complaint") or ""),
        found_of(cell),
        sex=str(facts.get("sex", "unknown")),
        age_years=float(age) if isinstance(age, int | float) else None,
    )

    def named(finding: str) -> str:
        return complaints.name_of(finding, language) or clinical_words(finding, language)

    return tuple(
        Condition(
            name=row["name"][language],
            speaks_for=tuple(map(named, row["for"])),
            against=tuple(map(named, row["against"])),
            ask=tuple((f, named(f)) for f in row["ask"] if f not in cell.findings),
            clocks=_clocks(row, cell, frame),
            source=str(row["source"]),
        )
        for row in rows
    )


def _clocks(row: Mapping[str, Any], cell: CaseCell, frame: Frame) -> tuple[tuple[str, int], ...]:
    """The clocks of a window, each with its end (0: none runs): from onset, from first contact.

    `complaints.json`: where the window counts from onset both are shown.
    """
    minutes, words = row["window_min"], frame.words
    if not minutes:
        return ()
    clocks = []
    if row["window_from"] == "onset":
        onset = onset_of(cell.items)
        end = until(onset, minutes)
        known = "unsaid" if onset is None else onset.how
        at = clock(end, frame.zone) if end else ""
        clocks.append((words.t(f"onset.window.{known}", n=minutes, time=at), end))
    if cell.opened_at:
        end = cell.opened_at + int(minutes) * 60 * SECOND
        clocks.append((words.t("desk.window", n=minutes, time=clock(end, frame.zone)), end))
    return tuple(clocks)
