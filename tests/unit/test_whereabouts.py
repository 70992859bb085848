"""Where a patient has lain since the stay began, as the beds were told."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import bindings
from hospital_ops.bindings import Binding
from web.trends.steps import HOUR, MINUTE, from_minutes
from web.views.whereabouts import by_hour
from web.whereabouts.spans import STILL, Span, Told, spans

UNITS = {"a": "one", "b": "one", "c": "two"}


def told(*rows: tuple[int, str, str]) -> list[Told]:
    """(moment, bed, who): a small letter has come, a capital one has left."""
    return [
        Told(
            UNITS[bed],
            bed,
            Binding(at, who, who) if who.islower() else Binding(at, left=who.lower()),
        )
        for at, bed, who in sorted(rows)
    ]


def test_a_stay_through_three_beds_is_three_spans_and_the_last_one_goes_on() -> None:
    rows = told((1, "a", "p"), (5, "a", "P"), (5, "b", "p"), (9, "b", "P"), (9, "c", "p"))
    assert spans(rows, "p") == [
        Span("one", "a", 1, 5), Span("one", "b", 5, 9), Span("two", "c", 9, STILL),
    ]  # fmt: skip


def test_a_bed_that_was_never_told_of_the_leaving_ends_as_the_next_begins() -> None:
    assert spans(told((1, "a", "p"), (5, "b", "p")), "p") == [
        Span("one", "a", 1, 5), Span("one", "b", 5, STILL),
    ]  # fmt: skip


def test_a_move_that_never_was_leaves_the_time_with_the_bed_that_was_left() -> None:
    rows = told((1, "a", "p"), (5, "a", "P"), (5, "b", "p"), (5, "b", "P"), (6, "a", "p"))
    assert spans(rows, "p") == [Span("one", "a", 1, 5), Span("one", "a", 6, STILL)]


def test_whoever_comes_ends_the_time_of_who_was_there_and_others_leaving_does_not() -> None:
    rows = told((1, "a", "p"), (3, "a", "Q"), (5, "a", "q"), (8, "a", "P"))
    assert spans(rows, "p") == [Span("one", "a", 1, 5)]


def test_a_span_stays_however_many_have_lain_in_the_bed_since() -> None:
    after = [(10 + n, "a", "q" if n % 2 else "Q") for n in range(4 * bindings.HISTORY_LIMIT)]
    rows = told((1, "a", "p"), (5, "a", "P"), (5, "b", "p"), *after)
    assert spans(rows, "p")[0] == Span("one", "a", 1, 5)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from("abc"), st.sampled_from("pPqQrR")),
        max_size=20,
    )
)
def test_spans_are_within_the_patients_own_bindings_and_never_overlap(
    rows: list[tuple[int, str, str]],
) -> None:
    found = spans(told(*rows), "p")
    for one in found:
        history: bindings.History = ()
        for row in told(*rows):
            if row.bed == one.place:
                history = bindings.bound(history, row.binding)
        for at in range(one.from_at, min(one.to_at, 70)):
            here = bindings.at(history, at)
            assert here is not None
            assert here.patient_id == "p"
    assert all(a.to_at <= b.from_at for a, b in pairwise(found))


@given(
    st.integers(0, 5 * HOUR),
    st.integers(0, 5 * HOUR),
    st.integers(1, 5 * HOUR),
    st.lists(st.tuples(st.integers(0, 5 * HOUR), st.integers(1, HOUR)), max_size=4),
)
def test_minutes_are_whole_made_and_of_no_time_about_which_something_was_told_late(
    start: int, made: int, length: int, late: list[tuple[int, int]]
) -> None:
    end, barred = start + length, [(low, low + long) for low, long in late]
    minutes, values = from_minutes(start, made, end, barred)
    both = sorted([*minutes, *values])
    assert both[0][0] == start
    assert both[-1][1] == end
    assert all(a[1] == b[0] for a, b in pairwise(both))
    for low, high in minutes:
        assert start <= low < high <= min(end, made)
        assert low % MINUTE == high % MINUTE == 0
        assert not any(low < to and high > from_ for from_, to in barred)


def test_the_sheet_names_the_bed_where_it_begins_and_where_it_changes() -> None:
    first, second = Span("one", "a", 0, 90), Span("one", "b", 90, STILL)
    hours = [(0, 60), (60, 120), (120, 180)]
    assert by_hour([first, second], {first: "1", second: "2"}, hours) == ["1", "2", ""]
    assert by_hour([second], {second: "2"}, hours) == ["", "2", ""]
