"""What a crew did and typed for the wrong patient: taken back, moved, joined, never doubled."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.board import CaseCell, case_json, decode_case
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import Stamped
from hospital_ops.identity import derived
from streams import case_rows
from triage.unit import EdUnit

NOON = from_iso("2026-11-21T12:00:00Z")
ANNA, BORIS = str(derived("test", "anna")), str(derived("test", "boris"))
HR = "8867-4"


class Street:
    """A department with two cases of one vehicle, moved by a test's hand."""

    def __init__(self) -> None:
        self.unit, self.at = EdUnit("h1-ed"), NOON
        for case, age in ((ANNA, 30), (BORIS, 62)):
            self.take(wire.CaseFacts("h1-ed", case, "tablet", "m", NOON, "Demo", _facts(age)))

    def take(self, entry: wire.Entry) -> None:
        """One entry, a second after the last."""
        self.at += SECOND
        self.unit.decide([Stamped(self.at, entry)])

    def value(self, case: str, name: str, number: float, at: int = 0) -> str:
        """A heart rate under an id of its own."""
        event = str(derived("event", name))
        observed = wire.Observation(HR, number, "/min", at or self.at, event_id=event)
        self.take(
            wire.Observed("h1-ed", "tablet", name, b"", self.at, "Demo", (observed,), case=case)
        )
        return event

    def item(self, case: str, name: str, kind: str, **said: Any) -> str:
        """Something that the crew did."""
        item = str(derived("item", name))
        self.take(
            wire.CaseItem("h1-ed", case, item, kind, self.at, "tablet", self.at, "Demo", said)
        )
        return item

    def move(self, case: str, to: str, *items: str) -> None:
        """Items go to the other case; none: all of it."""
        move = str(derived("move", case, to))
        self.take(
            wire.CaseMoved(
                "h1-ed", case, to, move, items, self.at, "tablet", "tablet", self.at, "Demo"
            )
        )

    def cell(self, case: str) -> CaseCell:
        """The case as the board has it."""
        encoded = self.unit.cell(case)
        assert encoded is not None
        return decode_case(encoded)


def _facts(age: int) -> dict[str, Any]:
    return {"destination": "h1-ed", "age_years": age, "signs": [], "on_oxygen": False}


@pytest.fixture
def street() -> Street:
    return Street()


def test_a_value_typed_by_mistake_gives_way_to_the_one_before(street: Street) -> None:
    street.value(ANNA, "first", 82)
    wrong = street.value(ANNA, "second", 182)
    assert street.cell(ANNA).triage["proposed"] == "red"
    street.item(ANNA, "back", "withdrawal", of=wrong)
    assert street.cell(ANNA).values[HR].value == 82
    assert street.cell(ANNA).triage["proposed"] != "red"
    street.value(ANNA, "second", 182)  # a tablet that did not hear the answer sends it again
    assert street.cell(ANNA).values[HR].value == 82


def test_what_was_typed_for_the_wrong_patient_makes_the_right_one_red(street: Street) -> None:
    street.value(ANNA, "hers", 80)
    his = street.value(ANNA, "his", 170)
    drug = street.item(ANNA, "drug", "treatment", what="aspirin", dose="300 mg")
    street.move(ANNA, BORIS, his, drug)
    assert street.cell(ANNA).values[HR].value == 80
    assert street.cell(ANNA).triage["proposed"] != "red"
    assert street.cell(BORIS).values[HR].value == 170
    assert street.cell(BORIS).triage["proposed"] == "red"
    assert [item["what"] for item in street.cell(BORIS).items] == ["aspirin"]
    assert street.cell(ANNA).items == ()


def test_a_value_that_comes_after_its_move_lands_at_the_right_patient(street: Street) -> None:
    event = str(derived("event", "late"))
    street.move(ANNA, BORIS, event)
    assert street.value(ANNA, "late", 171) == event
    assert HR not in street.cell(ANNA).values
    assert street.cell(BORIS).values[HR].value == 171


def test_an_unknown_man_who_turns_out_to_be_another_case_is_one_case(street: Street) -> None:
    street.value(ANNA, "a", 120)
    street.item(ANNA, "limit", "limit", what="no intubation", who="daughter")
    street.move(ANNA, BORIS)
    assert street.unit.cell(ANNA) is None
    joined = street.cell(BORIS)
    assert joined.joined == (ANNA,)
    assert joined.facts["age_years"] == 62
    assert joined.values[HR].value == 120
    assert joined.items[0]["who"] == "daughter"
    street.value(ANNA, "later", 155)  # what is still under way for the old name
    assert street.cell(BORIS).values[HR].value == 155
    assert street.unit.cell(ANNA) is None


def test_an_item_sent_twice_is_there_once(street: Street) -> None:
    for _ in range(3):
        street.item(ANNA, "drug", "treatment", what="adrenaline")
    assert len(street.cell(ANNA).items) == 1
    entry = wire.CaseItem("u", ANNA, str(derived("i")), "note", 5, "t", 9, "Demo", {"text": "x"})
    again = wire.CaseItem("u", ANNA, str(derived("i")), "note", 5, "t", 77, "Demo", {"text": "x"})
    other = wire.CaseItem("u", ANNA, str(derived("i")), "note", 5, "t", 9, "Demo", {"text": "y"})
    assert case_rows.claim(entry) == case_rows.claim(again) != case_rows.claim(other)


def test_a_move_stands_in_the_records_of_both_patients() -> None:
    move = wire.CaseMoved("h1-ed", ANNA, BORIS, str(derived("m")), (), 5, "t", "t", 5, "Demo")
    assert [(row[2], row[3]) for row in case_rows.rows(move, "h1-ed", "1-0")] == [
        (ANNA, "moved_out"), (BORIS, "moved_in"),
    ]  # fmt: skip


def test_the_crew_sees_up_to_where_a_physician_has_read(street: Street) -> None:
    street.value(ANNA, "read", 90)
    upto = street.cell(ANNA).changed_at
    street.value(ANNA, "unread", 91)
    seen = wire.CaseSeen("h1-ed", ANNA, upto, street.at, "Dr Ray", "Dr Ray", street.at, "Demo")
    street.take(seen)
    cell = street.cell(ANNA)
    assert cell.seen == {"by": "Dr Ray", "at": iso(seen.at), "upto": iso(upto)}
    assert cell.changed_at > upto, "being read is no news about the patient"
    assert case_json(cell, street.at)["seen"] == cell.seen


def test_an_ecg_before_its_file_is_shown_and_an_ecg_moved_takes_its_findings_along(
    street: Street,
) -> None:
    ecg = str(derived("ecg"))

    def stage(name: str, *findings: str, preview: tuple[int, ...] = ()) -> None:
        street.take(
            wire.EcgReceived(
                unit="h1-ed", case=ANNA, ecg=ecg, source="t", message_id=ecg, identity=b"",
                received_at=street.at, mode="Demo", stage=name, at=NOON, findings=findings,
                preview=preview,
            )
        )  # fmt: skip

    stage("preview", preview=(1, 2, 3))
    assert street.cell(ANNA).ecgs[0]["stage"] == "preview"
    stage("coarse")
    stage("preview")  # came late: the better one stays
    line = street.cell(ANNA).ecgs[0]
    assert (line["stage"], line["preview"], line["complete"]) == ("coarse", [1, 2, 3], False)
    stage("stored", "acute_ischaemia")
    assert street.cell(ANNA).triage["proposed"] == "red"
    street.move(ANNA, BORIS, ecg)
    assert street.cell(ANNA).triage["proposed"] != "red"
    assert street.cell(BORIS).triage["proposed"] == "red"
    assert street.cell(BORIS).ecgs[0]["case"] == ANNA


def test_a_snapshot_of_the_former_version_goes_on(street: Street) -> None:
    street.value(ANNA, "before", 88)
    before = street.unit.state.cases[ANNA]
    before.recent, before.items, before.gone = {}, (), {}
    loaded = EdUnit("h1-ed", street.unit.dump())
    street.unit = loaded
    street.value(ANNA, "after", 89)
    assert street.cell(ANNA).values[HR].value == 89


def test_an_allergy_that_the_crew_was_told_of_stands_on_the_case_and_goes_where_the_case_goes(
    street: Street,
) -> None:
    wrong = street.item(ANNA, "latex", "allergy", what="latex", role="tablet")
    street.item(ANNA, "drug", "allergy", what="penicillin", who="wife", role="tablet")
    street.item(ANNA, "back", "withdrawal", of=wrong)
    (kept,) = street.cell(ANNA).items
    assert (kept["what"], kept["who"], kept["role"]) == ("penicillin", "wife", "tablet")
    assert kept["by"], "who heard it"
    street.move(ANNA, BORIS)
    assert [item["what"] for item in street.cell(BORIS).items] == ["penicillin"]
