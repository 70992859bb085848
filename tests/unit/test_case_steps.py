"""The way of a case: what may follow what, and the sentence for what may not."""

from __future__ import annotations

import pytest

from hospital_ops.case_steps import ENDS, STEPS, after, follows
from hospital_ops.errors import Conflict


@pytest.mark.parametrize("step", ["cancellation", "refusal", "left_on_scene", "death", "reroute"])
def test_a_patient_who_has_arrived_cannot_be_cancelled_any_more(step: str) -> None:
    with pytest.raises(Conflict, match="has arrived: hand over"):
        after(step, "arrived")
    assert follows(step, "arrived") == "arrived"


@pytest.mark.parametrize("step", ["left_unseen", "discharge", "death_here"])
def test_nobody_leaves_who_has_not_come(step: str) -> None:
    with pytest.raises(Conflict, match="has not arrived"):
        after(step, "coming")


@pytest.mark.parametrize("end", sorted(ENDS))
def test_a_case_that_has_ended_stays_ended(end: str) -> None:
    for step in STEPS:
        assert follows(step, end) == end, step


@pytest.mark.parametrize("step", [name for name, row in STEPS.items() if row.target])
def test_a_sender_that_heard_no_answer_may_say_it_again(step: str) -> None:
    for source in STEPS[step].sources:
        assert after(step, after(step, source)) == STEPS[step].target


def test_the_ambulance_that_arrives_after_the_hand_over_is_not_refused() -> None:
    assert after("arrival", "handed_over") == "handed_over"
    with pytest.raises(Conflict, match="cancelled"):
        after("arrival", "cancelled")
