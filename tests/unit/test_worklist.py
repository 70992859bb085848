"""The worklist: every order once where it is due, the overdue first, coming times as plans."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import SECOND, from_iso, iso
from icu import bedside_orders
from icu.orders import OPEN, Stage, acts_from
from web.views import worklist
from web.views.values import Frame
from web.words import words_of

NOW = from_iso("2026-11-21T12:10:00Z")
MINUTE = 60 * SECOND
PLACES = {"p1": (0, "h1-icu-1-01", "1"), "p2": (1, "h1-icu-1-02", "2")}


def frame(language: str = "en") -> Frame:
    return Frame(words_of(language), NOW, ZoneInfo("Europe/Moscow"))


def row(number: int, due_min: int | None, patient: str = "p1", **more: Any) -> dict[str, Any]:
    due = NOW + due_min * MINUTE if due_min is not None else 0
    stage = Stage(more.pop("request", "active"), more.pop("task", "requested"))
    step, _ = bedside_orders.escalation("nursing", "routine", stage, due, 0, NOW)
    return {
        "id": f"o{number}", "version": 1, "kind": "nursing", "text": f"urine {number}",
        "request": stage.request, "task": stage.task, "patient_id": patient, "target": None,
        "due_at": iso(due) if due else None, "priority": "routine", "set": None, "checks": [],
        "urgency": bedside_orders.urgency("nursing", stage, due, NOW), "repeat": None,
        "escalation": {"step": step} if step else None, "occurrence": 1, "signed_by": "Ray",
        "signed_at": iso(NOW), "placed_by": "Ray", "placed_at": iso(NOW),
        "acts": acts_from(stage), "details": {},
    } | more  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-300, 3000), st.sampled_from(["p1", "p2", "gone"]),
            st.sampled_from(OPEN),
        ),
        max_size=12,
    ),
    st.sampled_from(worklist.BY),
)  # fmt: skip
def test_every_order_stands_in_the_list_exactly_once_however_it_is_sorted(
    orders: list[tuple[int | None, str, Stage]], by: str
) -> None:
    rows = [
        row(number, due, patient, task=stage.task)
        for number, (due, patient, stage) in enumerate(orders)
    ]
    listed = [
        item.view.id
        for section in worklist.sections(rows, PLACES, frame(), by)
        for group in section.groups
        for item in group.items
    ]
    assert sorted(listed) == sorted(one["id"] for one in rows)


def test_beds_stand_in_board_order_with_the_overdue_first_and_those_who_left_last() -> None:
    rows = [row(1, 30, "p2"), row(2, 70), row(3, -5), row(4, None), row(5, 10, "gone")]
    found = worklist.sections(rows, PLACES, frame())
    assert [section.title for section in found] == ["Bed 1", "Bed 2", "In no bed of the unit now"]
    assert [group.title for group in found[0].groups] == ["Overdue", "16:00–17:00", "No time set"]
    assert found[0].late
    assert not found[1].late


def test_by_hour_the_overdue_of_all_beds_stand_together() -> None:
    rows = [row(1, -10, "p2"), row(2, -5), row(3, 5)]
    found = worklist.sections(rows, PLACES, frame("ru"), "hour")
    assert [section.title for section in found] == ["Просрочено", "15:00–16:00"]
    assert [group.title for group in found[0].groups] == ["Место 1", "Место 2"]


def test_a_recurring_order_shows_its_coming_times_which_cannot_be_pressed() -> None:
    repeat = {"every_min": 120, "times": 4, "until": None}
    found = worklist.sections([row(1, 20, repeat=repeat, occurrence=2)], PLACES, frame())
    items = [item for group in found[0].groups for item in group.items]
    assert [(item.time, item.planned) for item in items] == [
        ("15:30", False), ("17:30", True), ("19:30", True),
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_totals_count_what_is_late_and_what_has_been_passed_on(language: str) -> None:
    rows = [row(1, -100), row(2, -5), row(3, 5), row(4, None, request="draft")]
    assert worklist.totals(rows) == {"due": 1, "overdue": 2, "escalated": 1, "drafts": 1}
    assert worklist.sections(rows, PLACES, frame(language))


def test_the_hour_that_comes_twice_has_a_heading_of_its_own_each_time() -> None:
    now = from_iso("2026-10-24T23:10:00Z")
    berlin = Frame(words_of("en"), now, ZoneInfo("Europe/Berlin"))
    due = [iso(now + hours * 60 * MINUTE) for hours in (1, 2)]
    rows = [row(n, 0) | {"due_at": at, "urgency": "open"} for n, at in enumerate(due)]
    [bed] = worklist.sections(rows, PLACES, berlin)
    titles = [group.title for group in bed.groups]
    assert titles == ["02:00 +02:00–02:00 +01:00", "02:00 +01:00–03:00"]
