"""A rise rings: no ear that heard before, and no hand that took over, silences what is new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND
from hospital_ops.errors import Conflict
from tests.unit.test_ed_calls import CASE, UNIT, Ward, decided, facts, settings, step
from triage import notice
from triage.calls import AGAIN_US, NET_US, RING_KINDS
from triage.decision import WantedDecision, checked_decision, not_on_stale
from triage.reopening import codes_of
from triage.unit import EdUnit
from web.render import Renderer
from web.routes.cases import has_heard
from web.views.casepage import case_page
from web.views.edboard import ed_parts

CALM = facts(signs=[])
RED = facts(signs=["stridor"])
WORSE = facts(signs=["stridor", "heavy_bleeding"])


def ringing(ward: Ward) -> bool:
    return ward.cell().call is not None


def heard(ward: Ward, by: str = "Hale") -> wire.CaseStep:
    return step("acknowledgement", by, ward.now)


def test_who_was_heard_of_while_green_rings_when_red() -> None:
    ward = Ward()
    ward.takes(CALM, heard(ward))
    ward.passes(300 * SECOND)
    ward.takes(RED)
    assert ringing(ward)
    ward.takes(heard(ward))
    assert not ringing(ward)
    assert [each["by"] for each in ward.cell().acknowledgements] == ["Hale", "Hale"]


def test_who_waited_beyond_the_net_and_turns_red_rings() -> None:
    ward = Ward()
    ward.takes(CALM, step("arrival"))
    ward.passes(NET_US + 60 * SECOND)
    assert ward.cell().untaken
    ward.takes(RED)
    assert ringing(ward)


def test_who_was_taken_over_and_turns_red_rings() -> None:
    ward = Ward()
    ward.takes(CALM, step("arrival"), step("takeover"), RED)
    assert ringing(ward)
    ward.takes(heard(ward))
    assert not ringing(ward)


def test_who_was_decided_green_arrived_was_taken_over_and_turns_red_rings() -> None:
    ward = Ward()
    ward.takes(CALM, decided("green"), step("arrival"), step("takeover"), RED)
    assert ward.cell().reopened_at
    assert ringing(ward)


def test_a_second_red_reason_rings_although_the_first_was_heard() -> None:
    ward = Ward()
    ward.takes(RED, heard(ward))
    ward.passes(60 * SECOND)
    ward.takes(WORSE)
    assert [ring.count for ring in ward.rings] == [1, 1]


def test_one_reason_does_not_ring_twice_though_it_comes_and_goes() -> None:
    ward = Ward()
    ward.takes(RED, heard(ward))
    for _ in range(5):
        ward.takes(CALM)
        ward.passes(60 * SECOND)
        ward.takes(RED)
        ward.passes(60 * SECOND)
    assert len(ward.rings) == 1


def test_a_reason_that_was_gone_for_ten_minutes_is_a_new_rise() -> None:
    ward = Ward()
    ward.takes(RED, heard(ward), CALM)
    ward.passes(notice.LASTING_US)
    ward.takes(RED)
    assert ringing(ward)


def test_what_a_physician_overrode_stays_quiet_however_long_it_was_gone() -> None:
    ward = Ward()
    ward.takes(RED, decided("yellow"), CALM)
    ward.passes(2 * notice.LASTING_US, each=60 * SECOND)
    ward.takes(RED)
    assert not ringing(ward)


def test_a_value_at_a_limit_of_whom_nobody_heard_rings_every_two_minutes_not_at_each_crossing() -> (
    None
):
    ward = Ward()
    for _ in range(24):
        ward.takes(RED)
        ward.passes(10 * SECOND)
        ward.takes(CALM)
        ward.passes(10 * SECOND)
    assert len(ward.rings) == 480 * SECOND // AGAIN_US
    ward.takes(WORSE)
    assert len(ward.rings) == 480 * SECOND // AGAIN_US + 1, "what is new does not wait"


def test_a_decision_made_on_an_old_page_does_not_silence_what_came_since() -> None:
    ward = Ward()
    ward.takes(CALM)
    seen = tuple(sorted(codes_of(ward.cell().triage)))
    ward.passes(300 * SECOND)
    ward.takes(RED, wire.replaced(decided("green"), seen=seen))
    assert ward.cell().reopened_for == ("stridor",)
    assert ringing(ward)
    ward.takes(wire.replaced(decided("green"), version=2))  # of a machine: it saw what there was
    assert not ringing(ward)
    assert not ward.cell().reopened_at


def read_on_page(ward: Ward) -> list[str]:
    """What the case page posts back of the reasons that it shows."""
    page = case_page(ward.cell(), Renderer("UTC").frame("en", ward.now), [])
    return [code for code in page.seen.split(",") if code]


def wanted(ward: Ward, colour: str, seen: list[str] | None) -> WantedDecision:
    sent = {"colour": colour, "version": 0, "reason": "seen otherwise", "seen": seen}
    return checked_decision(sent, str(ward.cell().triage["proposed"]))


def test_a_page_that_is_older_than_the_red_is_told_so_and_nothing_is_saved() -> None:
    ward = Ward()
    ward.takes(CALM)
    old = read_on_page(ward)
    ward.takes(RED)
    with pytest.raises(Conflict) as refused:
        not_on_stale(wanted(ward, "green", old), ward.cell().triage)
    assert refused.value.current == {"proposed": "red", "reasons": ["stridor"]}
    not_on_stale(wanted(ward, "red", old), ward.cell().triage)  # no less than what is new
    not_on_stale(wanted(ward, "green", read_on_page(ward)), ward.cell().triage)
    not_on_stale(wanted(ward, "green", None), ward.cell().triage)  # a machine that says nothing
    ward.takes(CALM)
    not_on_stale(wanted(ward, "green", old), ward.cell().triage)  # it has fallen again


def test_a_red_that_was_opened_again_stands_above_a_yellow_and_counts_as_red() -> None:
    ward = Ward()
    ward.takes(CALM, decided("green"), facts("other", signs=["severe_pain"]))
    ward.takes(RED)
    frame = Renderer("UTC").frame("en", ward.now)
    cells = [ward.cell("other"), ward.cell()]
    parts = ed_parts(frame, cells, ward.head, [])
    assert [view.case for view in parts["coming"]] == [CASE, "other"]
    assert dict(parts["totals"])["ed.red"] == "1"
    assert (parts["coming"][0].colour, parts["coming"][0].solid) == ("green", True), "it is kept"


def test_whoever_heard_before_may_hear_again_of_what_is_new() -> None:
    ward = Ward()
    hale = Principal(actor="Hale", role=Role.NURSE, hospital="h1", units=ALL_UNITS, key="k")
    ward.takes(RED)
    assert not has_heard(hale, ward.cell())
    ward.takes(heard(ward))
    assert has_heard(hale, ward.cell())
    ward.takes(WORSE)
    assert not has_heard(hale, ward.cell())


def test_heard_on_an_old_page_is_not_heard_of_what_came_since() -> None:
    ward = Ward()
    ward.takes(RED)
    seen = tuple(sorted(codes_of(ward.cell().triage)))
    ward.takes(WORSE, wire.replaced(heard(ward), seen=seen))
    assert ringing(ward)


def test_what_was_quiet_before_an_upgrade_stays_quiet_and_what_is_new_rings() -> None:
    ward = Ward()
    ward.takes(RED, heard(ward))
    ward.unit.state.cases[CASE].noticed = None  # a snapshot that knew no notices
    ward.unit = EdUnit(UNIT, ward.unit.dump())
    ward.passes(30 * SECOND)
    assert not ringing(ward)
    ward.takes(WORSE)
    assert ringing(ward)


ACTS: dict[str, wire.Entry] = {
    "calm": CALM, "red": RED, "worse": WORSE, "hear": step("acknowledgement"),
    "arrive": step("arrival"), "take": step("takeover"), "green": decided("green"),
    "off": settings(1, ""), "on": settings(2, *RING_KINDS),
}  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 700)), max_size=14))
def test_a_red_reason_of_which_nobody_took_notice_always_rings_and_no_other_does(
    acts: list[tuple[str, int]],
) -> None:
    """Whatever happened before; where the department lets it ring and nobody decided red."""
    ward = Ward()
    ward.takes(CALM)
    for act, seconds in acts:
        ward.takes(ACTS[act])
        ward.passes(seconds * SECOND, each=35 * SECOND)
        case = ward.unit.state.cases[CASE]
        rings = "" in ward.unit.state.ring and "alert" in ward.unit.state.ring
        stands = case.decision is not None and not case.reopened_at
        if rings and not stands:
            assert ringing(ward) == bool(notice.unheard(case))
    gaps = [b.at - a.at for a, b in zip(ward.rings, ward.rings[1:], strict=False) if b.count > 1]
    assert all(gap >= AGAIN_US for gap in gaps)


@pytest.mark.parametrize("said", ["red", "yellow"])
def test_a_high_risk_vital_beside_a_red_criterion_asks_for_yellow_by_itself(said: str) -> None:
    signs = ["stridor"] if said == "red" else ["severe_pain"]
    ward = Ward()
    ward.takes(facts(signs=signs))
    at = ward.now
    low = wire.Observation("59408-5", 90.0, "%", at, event_id="e")
    ward.takes(wire.Observed(UNIT, "tablet", "m", b"", at, "Demo", (low,), case=CASE))
    assert "vital_spo2_pct:yellow" in codes_of(ward.cell().triage)
