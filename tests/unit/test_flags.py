"""Flags on a tile: isolation by kind and an allergy, and the next order, what and when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hospital_ops.board import BedCell, NextOrder, bed_json
from hospital_ops.clock import SECOND
from hospital_ops.errors import MessageError
from icu.bedside_orders import BedsideOrder, next_due
from icu.flags.kinds import KINDS, checked
from icu.unit import IcuUnit
from tests.browser.made_up import bed
from tests.two_units import ONE, TWO, WHO, House
from web.render import Renderer
from web.views import flags
from web.views.bed import tile_view

NOW = 1_772_359_337 * SECOND
MINUTE = 60 * SECOND
RENDER = Renderer("Europe/Moscow")


def flagged(cell: BedCell, **more: Any) -> BedCell:
    assert cell.patient is not None
    return msgspec.structs.replace(cell, patient=msgspec.structs.replace(cell.patient, **more))


def tile(cell: BedCell, lang: str = "en") -> str:
    return RENDER.icu_page(
        lang, beds=[cell], now_us=NOW, unit="h1-icu-1", unit_name="ICU 1", head=None, rev=1
    )


def test_isolation_and_an_allergy_stand_on_the_tile_in_words_until_they_end() -> None:
    house = House()
    house.flag(1, "contact", "droplet", allergy=True)
    cell = house.cell()
    assert {"isolation_contact", "isolation_droplet", "allergy"} <= set(cell.flags)
    assert "isolation_contact" in bed_json(cell, house.now)["flags"]
    assert tile_view(cell, RENDER.frame("en", house.now)).flags == (
        ("isolation", "isol.", "contact + droplet"),
        ("allergy", "", "allergy"),
    )
    assert ">изол. </span>контакт + капли<" in tile(cell, "ru")
    house.flag(2)
    assert 'class="known"' not in tile(house.cell())


def test_which_limits_hold_stands_in_full_on_the_bed_page_and_short_on_the_tile() -> None:
    cell = bed(1, NOW, flags=("treatment_limits", "comfort_care"))
    lying = flagged(cell, limits=("no_cpr", "no_intubation"))
    english, russian = RENDER.frame("en", NOW).words, RENDER.frame("ru", NOW).words
    assert flags.held(lying, english).lines == (
        "Treatment limits: no resuscitation, no intubation",
        "Comfort care",
    )
    assert flags.on_tile(lying, english)[-1] == ("limits", "limits (2):", "no CPR")
    assert flags.on_tile(lying, russian)[-1] == ("limits", "огранич. (2):", "без СЛР")
    assert flags.on_tile(flagged(cell, limits=("no_cpr",)), english)[-1][1:] == (
        "limits:",
        "no CPR",
    )
    # Told by the version before, or without resuscitation among them: that there are limits.
    assert flags.on_tile(cell, english)[-1] == ("limits", "", "limits")
    assert "below" in flags.held(cell, english).lines[0]
    assert flags.held(bed(1, NOW), english).lines == ()
    told = bed_json(lying, NOW)["patient"]
    assert told["treatment_limits"] == ["no_cpr", "no_intubation"]


def test_limits_that_are_told_replace_those_before_and_go_along_to_another_unit() -> None:
    def held(house: House, unit: str = ONE) -> tuple[str, ...]:
        patient = house.cell(unit).patient
        return patient.limits if patient else ()

    house = House()
    house.agree("treatment_limits", limits=("no_cpr",))
    assert held(house) == ("no_cpr",)
    house.agree("treatment_limits", limits=("no_cpr", "no_intubation"))
    house.move()
    assert held(house, TWO) == ("no_cpr", "no_intubation")
    house.agree()
    assert held(house, TWO) == ()
    assert "treatment_limits" not in house.cell(TWO).flags


def test_what_was_told_before_the_newest_act_changes_no_flag() -> None:
    house = House()
    house.flag(3, "airborne")
    house.flag(2)  # passed on late
    assert "isolation_airborne" in house.cell().flags
    house.flag(3, "airborne")  # and again
    assert house.cell().flags.count("isolation_airborne") == 1


@pytest.mark.parametrize("entered_first", [False, True])
def test_flags_go_with_the_patient_to_another_unit_and_what_comes_late_runs_after(
    entered_first: bool,
) -> None:
    house = House()
    house.flag(1, "contact", allergy=True)
    house.move(entered_first=entered_first)
    assert {"isolation_contact", "allergy"} <= set(house.cell(TWO).flags)
    house.flag(2, "contact", "airborne", allergy=True, unit=ONE)  # who still had the old board
    house.deliver()
    assert "isolation_airborne" in house.cell(TWO).flags
    assert not set(house.cell(ONE).flags) & {"isolation_contact", "allergy"}


def test_flags_outlive_the_live_reader_and_an_older_state_has_none() -> None:
    house = House()
    house.flag(1, "protective")
    unit = IcuUnit(ONE, "h1", house.units[ONE].dump())
    person = next(bed.people[WHO] for bed in unit.state.beds.values() if WHO in bed.people)
    assert (person.isolation, person.allergy, person.flags_version) == (("protective",), False, 1)
    older = msgspec.to_builtins(person)[:-5]
    assert msgspec.convert(older, type(person)).isolation == ()


def test_a_wall_says_that_there_is_an_allergy_and_never_to_what() -> None:
    quiet = bed(1, NOW)
    assert tile_view(quiet, RENDER.frame("en", NOW)).flags == ()
    shown = tile(flagged(quiet, allergy=True, isolation=("contact",)))
    assert ">isol. </span>contact<" in shown
    assert shown.count('href="/static/sprite.svg#allergy"') == 1


def test_limits_of_treatment_stand_beside_the_other_flags() -> None:
    cell = bed(1, NOW, flags=("treatment_limits",))
    assert tile_view(cell, RENDER.frame("ru", NOW)).flags[0][0] == "limits"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_isolation_has_words_on_the_tile_and_at_the_bed(kind: str) -> None:
    assert checked(kind) == kind
    for lang in ("en", "ru"):
        words = RENDER.frame(lang, NOW).words
        assert words.t(f"flag.{kind}")
        assert words.t(f"isolation.{kind}")


def test_another_word_is_no_kind_of_isolation() -> None:
    with pytest.raises(MessageError):
        checked("enteric")


def order(name: str, due_min: float, **more: Any) -> BedsideOrder:
    given: dict[str, Any] = {
        "order": name, "version": 1, "kind": "laboratory", "text": name, "request": "active",
        "task": "requested", "due_at": NOW + round(due_min * MINUTE), **more,
    }  # fmt: skip
    return BedsideOrder(**given)


def test_the_next_order_is_the_one_overdue_for_the_longest_then_the_nearest() -> None:
    assert next_due([]) is None
    done = order("done", -90, request="completed", task="completed")
    waiting = [order("gas", 20), order("CT", 5), order("unset", 0, due_at=0), done]
    assert next_due(waiting) == NextOrder("laboratory", "CT", NOW + 5 * MINUTE)
    late = next_due([*waiting, order("late", -30), order("later", -10)])
    assert late is not None
    assert late.text == "late"
    both = next_due([order("a", 5), order("b", 5, priority="stat")])
    assert both is not None
    assert both.text == "b"


def test_a_tile_names_the_next_order_with_its_time_and_marks_it_when_overdue() -> None:
    known = NextOrder("infusion", "noradrenaline 0.1 ug/kg/min, MAP 65–75 mm[Hg]", NOW)
    cell = bed(1, NOW, orders={"due": 1, "overdue": 0}, next_order=known)
    view = tile_view(cell, RENDER.frame("en", NOW)).next_order
    assert view is not None
    assert (view.when, view.what, view.late, view.more) == (
        "13:02", "noradrenaline 0.1 µg/kg/min", False, 0,
    )  # fmt: skip
    late = bed(1, NOW, orders={"due": 1, "overdue": 2}, next_order=known)
    shown = tile(late, "ru")
    assert 'class="next" data-late' in shown
    assert "просрочено <b>13:02</b></span> <span>noradrenaline" in shown
    assert "+2" in shown
    long = msgspec.structs.replace(known, text="x" * 60)
    named = tile_view(bed(1, NOW, next_order=long), RENDER.frame("ru", NOW)).next_order
    assert named is not None
    assert named.what == "инфузия"  # no name is cut
