"""Readiness before arrival: checklists with owners and times, places, phrases with read-back."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.board import CaseCell, case_json, decode_case
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived
from triage.pathways import PATHWAYS
from triage.phrases import PHRASES
from triage.readiness import checklists
from triage.unit import EdUnit
from web.routes.readiness import checked_item

CASE = str(derived("test", "ready"))
NOON = from_iso("2026-11-21T12:00:00Z")
UNIT = "h1-ed"


def facts(**more: Any) -> wire.CaseFacts:
    eta = iso(NOON + 900 * SECOND)
    said = {"age_years": 61, "signs": ["ecg_acute_ischaemia"], "eta": eta} | more
    return wire.CaseFacts(UNIT, CASE, "tablet", "m", NOON, "Demo", said)


def note(kind: str, key: str = "", name: str = "", **more: Any) -> wire.CaseNote:
    role = more.pop("role", "ed_physician")
    return wire.CaseNote(
        UNIT, CASE, name or str(derived(kind, key)), kind, key, NOON + 60 * SECOND, "Hale", role,
        "web", NOON, "Demo", **more,
    )  # fmt: skip


def place(state: str, which: str = "h1-ed-cath_lab-1") -> wire.PlaceGiven:
    return wire.PlaceGiven(
        UNIT, CASE, which, "cath_lab", "Cath 1", "B", state, NOON, "Hale", "Demo"
    )


def after(*entries: wire.Entry) -> CaseCell:
    unit = EdUnit(UNIT)
    unit.decide([Stamped(NOON, entry) for entry in entries])
    unit = EdUnit(UNIT, unit.dump())
    encoded = unit.cell(CASE)
    assert encoded is not None
    return decode_case(encoded)


def item(cell: CaseCell, name: str, pathway: str = "stemi") -> dict[str, Any]:
    found = next(row for row in checklists(cell) if row["pathway"] == pathway)
    return next(row for row in found["items"] if row["id"] == name)


def test_an_infarct_opens_its_checklist_with_owner_target_and_source() -> None:
    activate = item(after(facts()), "activate")
    assert (activate["owner"], activate["target_min"]) == ("ed_physician", 10)
    assert activate["due_at"] == iso(NOON + 600 * SECOND)
    assert activate["source"]
    assert activate["done_at"] is None


def test_what_counts_from_the_door_counts_from_the_expected_arrival_until_there_is_one() -> None:
    coming = after(facts(signs=["acute_focal_neuro"]))
    assert item(coming, "ct", "stroke")["due_at"] == iso(NOON + (900 + 1200) * SECOND)
    arrival = wire.CaseStep(UNIT, CASE, "arrival", NOON, "crew", "tablet", NOON, "Demo")
    here = after(facts(signs=["acute_focal_neuro"]), arrival)
    assert item(here, "ct", "stroke")["due_at"] == iso(NOON + 1200 * SECOND)


def test_a_tick_keeps_who_and_when_and_the_first_one_stands() -> None:
    done = note("readiness", "stemi:activate", text="entrance B")
    later = note("readiness", "stemi:activate", "another", text="entrance C")
    ticked = item(after(facts(), done, later), "activate")
    assert (ticked["done_by"], ticked["note"]) == ("Hale", "entrance B")
    assert ticked["done_at"] == iso(NOON + 60 * SECOND)
    undone = note("readiness", "stemi:activate", "third", done=False)
    assert item(after(facts(), done, undone), "activate")["done_at"] is None


def test_a_checklist_that_somebody_closed_is_not_opened_by_the_next_value() -> None:
    closed = after(facts(), note("pathway", "stemi", done=False), facts(on_oxygen=True))
    assert checklists(closed) == []
    again = after(facts(), note("pathway", "stemi", done=False), note("pathway", "stemi", "x"))
    assert [row["pathway"] for row in checklists(again)] == ["stemi"]


def test_a_checklist_stays_open_when_the_reason_for_it_is_taken_back() -> None:
    assert [row["pathway"] for row in checklists(after(facts(), facts(signs=[])))] == ["stemi"]


def test_an_item_that_nobody_knows_or_that_is_off_is_not_ticked() -> None:
    cell = after(facts(), note("readiness", "stemi:defib"), note("readiness", "luck:more"))
    assert checklists(cell)[0]["done"] == 0


def test_a_place_is_held_then_ready_and_none_is_held_after_the_end() -> None:
    ready = case_json(after(facts(), place("held"), place("ready")), NOON)["places"]
    assert [(one["label"], one["state"], one["entrance"]) for one in ready] == [
        ("Cath 1", "ready", "B")
    ]
    assert after(facts(), place("held"), place("free")).places == ()
    end = wire.CaseStep(UNIT, CASE, "cancellation", NOON, "crew", "tablet", NOON, "Demo")
    assert after(facts(), place("held"), end).places == ()
    assert after(facts(), end, place("held")).places == ()


def test_a_phrase_is_read_back_once_and_a_repeat_changes_nothing() -> None:
    said = note("message", "ct_direct", "m1", about="crew")
    read = note("read_back", "", "r1", about="m1", role="tablet")
    own = note("read_back", "", "r2", about="m1")
    cell = after(facts(), said, said, read, own)
    (message,) = cell.messages
    assert (message["phrase"], message["read_back"]["by"]) == ("ct_direct", "Hale")
    assert after(facts(), said, own).messages[0]["read_back"] is None, "it was for the crew"


def test_every_phrase_speaks_both_languages_and_to_one_side() -> None:
    for row in PHRASES.values():
        assert row["en"]
        assert row["ru"]
        assert row["to"] in ("crew", "hospital")


@pytest.mark.parametrize("item", [[], {}, 7, "no such item"])
def test_an_item_that_is_none_of_the_checklist_is_refused_in_words(item: Any) -> None:
    with pytest.raises(MessageError):
        checked_item(next(iter(PATHWAYS)), item)
