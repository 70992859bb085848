"""How many reviewed verdicts are enough, and what their bound is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icu.reviews.figures import LEAST, Counted, Needed, counted, enough, upper_bound


@pytest.mark.parametrize(
    ("wrong", "of", "bound"),
    [
        (0, 4, 1 - 0.05 ** (1 / 4)),  # none of n: 1 - 0.05^(1/n), by hand
        (0, 30, 1 - 0.05 ** (1 / 30)),
        (0, 300, 1 - 0.05 ** (1 / 300)),
        (1, 10, 0.394163),  # where sum C(10, k) p^k (1-p)^(10-k) for k = 0, 1 is 0.05
        (3, 50, 0.147837),
        (5, 5, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_bound_is_that_of_clopper_and_pearson(wrong: int, of: int, bound: float) -> None:
    assert upper_bound(wrong, of) == pytest.approx(bound, abs=1e-5)


@given(of=st.integers(1, 2000), wrong=st.integers(0, 40))
def test_more_reviewed_lowers_the_bound_and_more_wrong_raises_it(of: int, wrong: int) -> None:
    wrong = min(wrong, of)
    here = upper_bound(wrong, of)
    assert wrong / of <= here <= 1.0
    assert upper_bound(wrong, of + 1) <= here + 1e-12
    if wrong < of:
        assert upper_bound(wrong + 1, of) >= here - 1e-12


def test_an_alarm_counts_once_and_is_a_wrong_verdict_if_anybody_found_it_true() -> None:
    found = [("a", True), ("a", False), ("b", True), ("b", True), ("c", False)]
    assert counted(found) == Counted(3, 2)


@given(
    reviewed=st.integers(0, 400),
    wrong=st.integers(0, 10),
    least=st.integers(0, 200),
    share=st.floats(0.001, 0.5),
)
def test_nothing_is_enough_without_the_figures_of_a_site_or_under_thirty(
    reviewed: int, wrong: int, least: int, share: float
) -> None:
    count = Counted(max(reviewed, wrong), wrong)
    assert not enough(count, None)
    allowed = enough(count, Needed(least, share))
    if allowed:
        assert least >= LEAST
        assert count.reviewed >= least
        assert count.upper <= share
