"""The sepsis clock of a bed: what the archive and people's marks make of the bundle."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.clinical.sepsis import ELEMENTS, SOURCE
from hospital_ops.clock import SECOND, iso
from icu.sepsis.clock import FLUID, Clock, Mark, Seen, told
from web.render import Renderer
from web.views.sepsis import view

ZERO = 1_772_359_337 * SECOND
MINUTE = 60 * SECOND


def states(
    now_min: float,
    *,
    category: str = "shock",
    hypotension: bool = False,
    marks: dict[str, float] | None = None,
    **seen: Any,
) -> dict[str, str]:
    found = told(running(category, hypotension, marks or {}), Seen(**seen), at(now_min))
    return {one["element"]: one["state"] for one in found["elements"]}


def running(category: str, hypotension: bool, marks: dict[str, float]) -> Clock:
    marked = {name: Mark(at(minute), "nurse") for name, minute in marks.items()}
    return Clock("c", category, hypotension, ZERO, "doctor", marked)


def at(minute: float) -> int:
    return ZERO + round(minute * MINUTE)


def test_each_element_is_due_until_its_deadline_and_overdue_after_it() -> None:
    assert states(60)["cultures"] == "due"
    assert states(61)["cultures"] == "overdue"
    assert states(61)["antibiotic"] == "overdue"
    assert states(61, category="possible_no_shock")["antibiotic"] == "due"


def test_what_nothing_asks_for_is_not_called_due() -> None:
    found = states(10)
    assert {found[name] for name in (FLUID, "vasopressor", "lactate_repeat")} == {"not_asked"}
    assert states(10, hypotension=True)[FLUID] == "due"
    assert states(10, map_mmhg=58.0)["vasopressor"] == "due"
    much = states(30, lactates=[(at(20), 4.6)])
    assert (much["lactate"], much[FLUID], much["lactate_repeat"]) == ("done", "due", "due")


def test_a_lactate_and_a_pump_count_from_the_archive_and_a_mark_wins() -> None:
    seen: dict[str, Any] = {"lactates": [(at(75), 3.0), (at(200), 2.2)], "vasopressor_at": at(40)}
    found = states(210, map_mmhg=60.0, **seen)
    assert (found["lactate"], found["lactate_repeat"], found["vasopressor"]) == (
        "late", "done", "done",
    )  # fmt: skip
    assert states(210, marks={"lactate": 20}, **seen)["lactate"] == "done"


@pytest.mark.parametrize(("minute", "state"), [(59, "done"), (61, "late")])
def test_what_was_done_after_its_deadline_is_called_late(minute: float, state: str) -> None:
    assert states(90, marks={"cultures": minute})["cultures"] == state


def test_the_fluid_is_late_after_three_hours_though_the_score_asks_no_time_for_it() -> None:
    assert states(200, hypotension=True, marks={FLUID: 170})[FLUID] == "done"
    assert states(200, hypotension=True, marks={FLUID: 190})[FLUID] == "late"


def test_what_was_given_or_drawn_before_the_recognition_is_not_asked_for_again() -> None:
    assert states(70, marks={"antibiotic": -15})["antibiotic"] == "done"
    before = (at(-20), 4.6)
    assert states(70, earlier=before)["lactate"] == "overdue"  # no table says that it counts
    found = states(70, marks={"lactate": -20}, earlier=before)
    assert (found["lactate"], found[FLUID], found["lactate_repeat"]) == ("done", "due", "due")
    again = states(210, marks={"lactate": -20}, earlier=before, lactates=[(at(120), 2.0)])
    assert again["lactate_repeat"] == "done"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_lies_before_the_recognition_says_so(language: str) -> None:
    frame = Renderer("UTC").frame(language, at(30))
    seen = Seen(vasopressor_at=at(-2), earlier=(at(-20), 3.1))
    shown = view(told(running("shock", False, {"antibiotic": -15}), seen, at(30)), frame)
    said = {one.id: one.text for one in shown.elements}
    word = frame.words.t("sepsis.done_before", time="").strip()[-12:]
    assert word in said["antibiotic"]
    assert word in said["vasopressor"]
    drawn = frame.words.number(3.1)
    assert drawn in said["lactate"]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_panel_says_who_when_and_after_which_source(language: str) -> None:
    frame = Renderer("UTC").frame(language, at(61))
    found = told(running("shock", False, {"cultures": 5}), Seen(), at(61))
    shown = view(found, frame)
    assert [one.id for one in shown.elements] == list(ELEMENTS)
    assert "nurse" in next(one.text for one in shown.elements if one.id == "cultures")
    assert "doctor" in shown.head
    assert shown.source == SOURCE
    assert not any("sepsis." in text for one in shown.elements for text in (one.name, one.text))
    assert found["zero_at"] == iso(ZERO)
