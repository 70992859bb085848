"""How often a bed's tile is shown anew: a value is not held up by what was shown a moment ago."""

from __future__ import annotations

from itertools import pairwise

from streams.showing import AGAIN_S, Showing


def shown_at(showing: Showing, moments: list[float]) -> list[float]:
    """Those of the moments at which the bed is shown; it changes at each."""
    found = []
    for now in moments:
        if showing.due({"b1"}, now):
            showing.shown({"b1"}, now)
            found.append(now)
    return found


def test_a_value_right_after_what_a_tick_changed_is_shown_at_once() -> None:
    # A tick changes every bed each ten seconds; the bed sends once a second, 0.2 s later.
    moments = sorted([*range(0, 60, 10), *(second + 0.2 for second in range(60))])
    assert shown_at(Showing(), moments) == moments


def test_a_bed_that_changes_all_the_time_is_shown_twice_a_second() -> None:
    moments = [n / 64 for n in range(64 * 60)]
    found = shown_at(Showing(), moments)
    assert len(found) == 2 * 60 + 1
    gaps = [after - before for before, after in pairwise(found[1:])]
    assert max(gaps) <= AGAIN_S, "and never older than that"


def test_beds_do_not_wait_for_each_other() -> None:
    showing = Showing()
    showing.shown({"b1"}, 0.0)
    showing.shown({"b1"}, 0.1)
    assert showing.due({"b1", "b2"}, 0.2) == {"b2"}


def test_a_bed_that_left_the_board_is_new_when_it_comes_back() -> None:
    showing = Showing()
    for _ in range(3):
        showing.shown({"b1"}, 0.0)
    showing.forget("b1")
    assert showing.due({"b1"}, 0.0) == {"b1"}
