"""A case goes to another department on its way: known is known, hearing and deciding begin anew."""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.board import CaseCell
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.identity import derived
from tests.unit.test_triage_unit import CASE, NOON, cell_after, decided, facts, values
from triage.unit import EdUnit

OTHER = str(derived("test", "other case"))


def step(name: str, at: int = NOON, **more: Any) -> wire.CaseStep:
    return wire.CaseStep(
        unit="h1-ed", case=CASE, step=name, at=at, by="Hale", source="Hale", received_at=at,
        mode="Demo", **more,
    )  # fmt: skip


def entered(cell: CaseCell, at: int = NOON, by: str = "Hale") -> wire.CaseEntered:
    return wire.CaseEntered(
        unit="h2-ed", case=CASE, came_from="h1-ed", cell=wire.encode(cell), at=at, by=by,
        source=by, received_at=at, mode="Demo", reason="no bed", where="City 2",
    )  # fmt: skip


def red() -> EdUnit:
    unit = EdUnit("h1-ed")
    cell_after(
        unit,
        facts(complaint="chest_pain", signs=["ecg_acute_ischaemia"]),
        values(NOON, c8480_6=70.0),
    )
    return unit


def test_the_new_department_knows_all_that_was_known_and_rings_for_it_anew() -> None:
    unit = red()
    cell_after(unit, decided("yellow"), step("acknowledgement"))
    before = cell_after(unit, step("reroute", to="h2-ed", where="City 2", note="no bed"))
    assert (before.step, before.rerouted["where"], before.ended_for) == (
        "rerouted", "City 2", "no bed",
    )  # fmt: skip
    new = EdUnit("h2-ed")
    after = cell_after(new, entered(before), entered(before, NOON + SECOND))
    assert after.step == "coming"
    assert (after.facts["complaint"], after.facts["destination"]) == ("chest_pain", "h2-ed")
    assert after.values["8480-6"].value == 70.0
    assert after.values["8480-6"].at == before.values["8480-6"].at, "under its own time"
    assert after.triage["proposed"] == "red"
    assert (after.decision, after.acknowledgements) == (None, ())
    assert after.call is not None, "nobody there has heard"
    assert after.rerouted["decided"] == {
        "colour": "yellow", "by": "Dr Ray", "at": after.rerouted["decided"]["at"],
    }  # fmt: skip
    assert after.version == 1, "decisions of a case are numbered once"
    (told,) = after.messages
    assert (told["phrase"], told["to"], told["text"]) == ("rerouted", "crew", "City 2: no bed")
    read = wire.CaseNote(
        unit="h2-ed", case=CASE, note="n", kind="read_back", key="", at=NOON, by="device:t",
        role="tablet", source="device:t", received_at=NOON, mode="Demo", about=told["id"],
    )  # fmt: skip
    assert cell_after(new, read).messages[0]["read_back"]


def test_what_the_crew_sent_to_the_new_department_first_is_not_overwritten_by_the_old() -> None:
    before = cell_after(red(), step("reroute", to="h2-ed", where="City 2", note="no bed"))
    new = EdUnit("h2-ed")
    later = values(NOON + 60 * SECOND, c8480_6=118.0)
    after = cell_after(new, later, entered(before, NOON), at=NOON + 60 * SECOND)
    assert after.values["8480-6"].value == 118.0
    assert after.facts["age_years"] == 40


def test_a_case_that_is_sent_back_comes_back_and_an_echo_of_the_first_way_does_nothing() -> None:
    first, second = red(), EdUnit("h2-ed")
    there = cell_after(first, step("reroute", to="h2-ed", where="City 2", note="no bed"))
    here = cell_after(second, entered(there, NOON))
    back = step("reroute", NOON + 90 * SECOND, to="h1-ed", where="City 1", note="CT is free")
    gone = cell_after(second, back, at=NOON + 90 * SECOND)
    assert gone.step == "rerouted"
    echo = cell_after(second, entered(there, NOON), at=NOON + 95 * SECOND)
    assert echo.step == "rerouted"
    again = cell_after(first, entered(here, NOON + 90 * SECOND), at=NOON + 91 * SECOND)
    assert (again.step, again.rerouted["reason"]) == ("coming", "no bed")


def test_outside_of_the_installation_the_case_ends_and_the_crew_reads_where_to() -> None:
    cell = cell_after(red(), step("reroute", where="Regional hospital", note="burns"))
    assert cell.step == "rerouted"
    assert [m["text"] for m in cell.messages] == ["Regional hospital: burns"]


def test_a_crew_that_chose_another_department_itself_is_not_told_of_it() -> None:
    assert cell_after(EdUnit("h2-ed"), entered(cell_after(red()), by="device:t")).messages == ()


def joined(**more: Any) -> CaseCell:
    unit = EdUnit("h1-ed")
    other: wire.Entry = wire.replaced(facts(), case=OTHER)
    kept = wire.PlaceGiven(
        unit="h1-ed", case=OTHER, place="r1", kind="bay", label="R1", entrance="", state="held",
        at=NOON, by="Hale", mode="Demo",
    )  # fmt: skip
    of_other = wire.replaced(decided("red"), case=OTHER, at=NOON + SECOND)
    moved = wire.CaseMoved(
        unit="h1-ed", case=OTHER, to=CASE, move="m", items=(), at=NOON, by="t", source="t",
        received_at=NOON, mode="Demo",
    )  # fmt: skip
    own = [decided("yellow", version=2)] if more.get("decided") else []
    entries: list[wire.Entry] = [facts(), *own, other, kept, of_other, moved]
    unit.decide([Stamped(NOON, entry) for entry in entries])
    return cell_after(unit)


def test_two_cases_that_are_one_person_keep_the_place_and_the_later_decision() -> None:
    cell = joined()
    assert [place.place for place in cell.places] == ["r1"]
    assert cell.decision is not None
    assert (cell.decision.colour, cell.decision.by, cell.version) == ("red", "Dr Ray", 0)
    both = joined(decided=True)
    assert both.decision is not None
    assert (both.decision.colour, both.version) == ("red", 2), "under the number of this case"
