"""A red patient is called until somebody has heard; who arrives is not left standing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import HEAD, CaseCell, Head, decode_case, decode_head
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.deciding import Decisions, Stamped
from hospital_ops.identity import derived
from triage.calls import AGAIN_US, NET_US, RING_KINDS
from triage.timers import SHOWN_AFTER_END_US
from triage.unit import EdUnit

CASE = str(derived("test", "called"))
NOON = from_iso("2026-11-21T12:00:00Z")
UNIT = "h1-ed"


def facts(case: str = CASE, **more: Any) -> wire.CaseFacts:
    said = {"destination": UNIT, "age_years": 40, "signs": ["stridor"]} | more
    return wire.CaseFacts(UNIT, case, "tablet", "m", NOON, "Demo", said)


def step(name: str, by: str = "nurse", at: int = NOON, case: str = CASE) -> wire.CaseStep:
    return wire.CaseStep(UNIT, case, name, at, by, "web", at, "Demo")


def decided(colour: str) -> wire.Decided:
    return wire.Decided(UNIT, CASE, 1, colour, "Dr Ray", NOON, "", "", ())


class Ward:
    """A department in time: entries at a second, ticks in between."""

    def __init__(self) -> None:
        self.unit, self.now, self.rings = EdUnit(UNIT), NOON, list[wire.Rang]()

    def takes(self, *entries: wire.Entry) -> Decisions:
        done = self.unit.decide([Stamped(self.now, entry) for entry in entries])
        self.rings += [out for out in done.outputs if isinstance(out, wire.Rang)]
        return done

    def passes(self, span_us: int, each: int = 10 * SECOND) -> None:
        """Ticks until the span is over."""
        end = self.now + span_us
        while self.now < end:
            self.now = min(end, self.now + each)
            self.takes(wire.Tick(at=self.now))

    def cell(self, case: str = CASE) -> CaseCell:
        encoded = self.unit.cell(case)
        assert encoded is not None
        return decode_case(encoded)

    @property
    def head(self) -> Head:
        encoded = self.unit.cell(HEAD)
        assert encoded is not None
        return decode_head(encoded)


def test_a_red_patient_rings_again_every_two_minutes_for_more_people_each_time() -> None:
    ward = Ward()
    assert ward.takes(facts()).urgent
    ward.passes(4 * AGAIN_US)
    assert [(ring.count, ring.level) for ring in ward.rings] == [
        (1, 1), (2, 2), (3, 3), (4, 3), (5, 3)
    ]  # fmt: skip
    call = ward.cell().call
    assert call is not None
    assert call.again_at - call.rang_at == AGAIN_US


def test_the_call_ends_when_somebody_has_heard_by_name_and_rings_anew_for_something_new() -> None:
    ward = Ward()
    ward.takes(facts())
    ward.passes(AGAIN_US // 2)
    ward.takes(step("acknowledgement", "Hale", ward.now))
    assert ward.cell().call is None
    ward.passes(3 * AGAIN_US)
    assert len(ward.rings) == 1
    ward.takes(decided("yellow"), facts(signs=["stridor", "heavy_bleeding"]))
    assert [ring.count for ring in ward.rings] == [1, 1], "it rings anew, from the beginning"
    assert ward.cell().acknowledgements[0]["by"] == "Hale"


@pytest.mark.parametrize("heard", [step("takeover"), decided("red"), step("cancellation")])
def test_whoever_takes_over_decides_or_cancels_has_heard(heard: wire.Entry) -> None:
    ward = Ward()
    ward.takes(facts(), heard)
    ward.passes(AGAIN_US * 2)
    assert ward.cell().call is None
    assert len(ward.rings) == 1


def test_a_patient_at_the_door_of_whom_nobody_heard_still_rings_until_the_net_speaks() -> None:
    ward = Ward()
    ward.takes(facts(), step("arrival"))
    assert ward.cell().call is not None
    ward.passes(NET_US)
    cell = ward.cell()
    assert (cell.call, cell.untaken) == (None, True)


def test_who_arrived_and_was_not_taken_over_is_on_the_net_after_ten_minutes() -> None:
    ward = Ward()
    ward.takes(facts(signs=[]), step("arrival"))
    ward.passes(NET_US - SECOND)
    assert not ward.cell().untaken
    ward.passes(SECOND)
    assert ward.cell().untaken
    ward.takes(step("takeover", "Voss", ward.now))
    cell = ward.cell()
    assert (cell.untaken, cell.taken_over_by) == (False, "Voss")


def test_who_was_taken_over_in_time_is_never_on_the_net() -> None:
    ward = Ward()
    ward.takes(facts(signs=[]), step("arrival"), step("takeover"))
    ward.passes(2 * NET_US, each=60 * SECOND)
    assert not ward.cell().untaken


def settings(version: int, *ring: str) -> wire.EdSettings:
    return wire.EdSettings(UNIT, version, ring, NOON, "Dr Ray")


@pytest.mark.parametrize("said", RING_KINDS)
def test_the_unit_chooses_by_the_crews_word_which_reds_ring(said: str) -> None:
    ward = Ward()
    others = tuple(kind for kind in RING_KINDS if kind != said)
    ward.takes(settings(1, *others), facts(notify=said or None))
    ward.passes(AGAIN_US)
    assert ward.rings == []
    ward.takes(settings(2, *RING_KINDS))
    assert len(ward.rings) == 1
    ward.takes(settings(1, *others))
    assert ward.cell().call is not None, "an older choice replaces no newer one"


def test_the_share_of_calls_that_were_used_counts_red_decisions_and_held_places() -> None:
    ward = Ward()
    for n in range(4):
        ward.takes(facts(f"case-{n}"))
    ward.takes(wire.Decided(UNIT, "case-0", 1, "red", "Dr Ray", NOON, "", "", ()))
    held = wire.PlaceGiven(
        UNIT, "case-1", "r1", "bay", "R1", "B", "held", NOON, "Dr Ray", "Demo", "resuscitation"
    )
    ward.takes(held, wire.Decided(UNIT, "case-2", 1, "green", "Dr Ray", NOON, "seen", "", ()))
    assert [used for _, used in ward.head.calls] == [True, True, False, False]
    ward.passes(30 * 3600 * SECOND, each=3600 * SECOND)
    ward.takes(facts("case-9"))
    assert [used for _, used in ward.head.calls] == [False], "a day later they are not counted"


def test_what_comes_late_for_a_case_that_has_left_the_board_does_not_bring_it_back() -> None:
    ward = Ward()
    ward.takes(facts(), step("handover"))
    ward.passes(SHOWN_AFTER_END_US, each=60 * SECOND)
    assert ward.unit.cell(CASE) is None
    late = ward.takes(facts())
    assert (ward.unit.cell(CASE), late.dirty) == (None, set())
    ward.passes(49 * 3600 * SECOND, each=3600 * SECOND)
    assert ward.unit.state.gone == {}


ACTS: dict[str, wire.Entry] = {
    "call": facts(), "more": facts(signs=["stridor", "heavy_bleeding"]), "less": facts(signs=[]),
    "hear": step("acknowledgement"), "arrive": step("arrival"), "take": step("takeover"),
    "yellow": decided("yellow"), "over": step("handover"), "off": settings(1, ""),
}  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 400)), max_size=12),
    st.integers(0, 12),
)
@example([("arrive", 200), ("call", 400), ("arrive", 0)], 2)  # nobody took over before it rang
def test_a_successor_rings_at_the_very_moments_at_which_its_predecessor_would_have(
    acts: list[tuple[str, int]], cut: int
) -> None:
    """And a call never stands without a next moment, nor a moment without its call."""
    whole, half = Ward(), Ward()
    for n, (act, seconds) in enumerate(acts):
        if n == cut:
            half.unit = EdUnit(UNIT, half.unit.dump())
        for ward in (whole, half):
            ward.takes(ACTS[act])
            ward.passes(seconds * SECOND, each=7 * SECOND)
        cells = [ward.unit.cell(CASE) for ward in (whole, half)]
        assert cells[0] == cells[1]
        call = decode_case(cells[0]).call if cells[0] else None
        assert call is None or call.again_at > whole.now
    assert whole.rings == half.rings
