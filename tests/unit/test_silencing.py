"""What the cross-check rejects stays a note only while everything speaks for it; else it rings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import AlarmCell
from hospital_ops.wire import Witness
from icu.alarms import PAUSE_MAX_US
from icu.rhythm import GOOD_US
from icu.silencing import NONE_HOLDS_US, NOTE, SUPPORTS
from tests.alarm_ward import BED, UNIT, Ward
from web.views.alarms import alarm_text
from web.words import words_of

ASYSTOLE = ("asystole",)


def pulse(source: str, quality: str = "good", gap_s: float = 0.8) -> Witness:
    return Witness(source, quality, 75.0, gap_s, 72.0, 78.0)


BOTH = (pulse("pleth"), pulse("abp"))


def found(ward: Ward, codes: tuple[str, ...] = ASYSTOLE, seen: tuple[Witness, ...] = BOTH) -> None:
    """What the analysis of the curves says now."""
    ward.give(wire.Rhythm(UNIT, BED, ward.now, ward.now, "Test", codes, 2, witnesses=seen))


def lasting(ward: Ward, seconds: int, seen: tuple[Witness, ...] = BOTH) -> None:
    """The analysis goes on finding a standstill."""
    for _ in range(seconds):
        found(ward, seen=seen)
        ward.send(hr=80.0)


def enable(ward: Ward, version: int = 1, enabled: bool = True, rule: str = "asystole") -> None:
    ward.give(wire.SilencingSet(UNIT, rule, version, enabled, "physician", ward.now))


def ready(rule: str = "asystole") -> Ward:
    """A unit that has enabled it, and a patient without a pump, a pacemaker or compressions."""
    ward = Ward()
    ward.send(hr=80.0)
    enable(ward, rule=rule)
    ward.bed_act("support")
    return ward


def test_where_a_unit_has_enabled_it_a_rejected_standstill_is_a_note_and_a_count() -> None:
    ward = ready()
    lasting(ward, 3)
    (note,) = ward.alarms().values()
    assert (note.code, note.priority, note.about, note.state) == (NOTE, "low", "asystole", "active")
    assert note.verdict is not None
    assert note.verdict.sources == 2
    assert not ward.urgent
    assert ward.unit.state.counts[NOTE] == 1
    assert [event.rule for event in ward.told] == [NOTE], "stored, with its verdict"
    assert ward.told[0].verdict == note.verdict
    assert alarm_text(note, words_of("en")) == "Suspected artefact: asystole"
    assert alarm_text(note, words_of("ru")) == "Подозрение на артефакт: асистолия"


def test_a_note_ends_with_its_cause_and_a_later_one_is_counted_anew() -> None:
    ward = ready()
    lasting(ward, 3)
    found(ward, codes=())
    assert not ward.alarms()
    lasting(ward, 3)
    assert ward.unit.state.counts[NOTE] == 2


def test_a_standstill_that_goes_on_rings_after_the_longest_pause_whatever_the_others_say() -> None:
    ward = ready()
    lasting(ward, PAUSE_MAX_US // 1_000_000 - 1)
    assert set(ward.alarms()) == {NOTE}, "until then a note"
    lasting(ward, 2)
    assert set(ward.alarms()) == {"asystole"}
    assert ward.urgent
    assert ward.alarms()["asystole"].since < ward.now - PAUSE_MAX_US, "since it really began"


@pytest.mark.parametrize(
    "seen",
    [
        (),
        (pulse("pleth"),),
        (pulse("pleth"), pulse("abp", "poor")),
        (pulse("pleth"), pulse("abp", gap_s=6.0)),
    ],
    ids=["none", "one", "one and a poor one", "one against, one for"],
)
def test_with_doubtful_witnesses_it_rings_at_once_and_a_note_becomes_an_alarm(
    seen: tuple[Witness, ...],
) -> None:
    ward = ready()
    found(ward, seen=seen)
    assert set(ward.alarms()) == {"asystole"}
    ward = ready()
    lasting(ward, 3)
    found(ward, seen=seen)
    assert set(ward.alarms()) == {"asystole"}


@pytest.mark.parametrize("support", SUPPORTS)
def test_with_a_pump_a_pacemaker_or_compressions_it_rings(support: str) -> None:
    ward = ready()
    lasting(ward, 3)
    ward.bed_act("support", support=(support,))
    assert set(ward.alarms()) == {"asystole"}, "also what is a note already"


def test_where_nobody_has_said_or_not_in_this_shift_or_of_another_patient_it_rings() -> None:
    ward = Ward()
    enable(ward)
    found(ward)
    assert "asystole" in ward.alarms(), "nobody has said"
    ward = ready()
    ward.now += NONE_HOLDS_US
    found(ward)
    assert "asystole" in ward.alarms(), "said in another shift"
    ward = ready()
    ward.admission("A03", BED, "m1")
    ward.admission("A01", BED, "m2", "1960-01-01")
    found(ward)
    assert "asystole" in ward.alarms(), "said of another patient"


def test_beside_another_red_and_after_it_was_taken_back_it_rings() -> None:
    ward = ready()
    lasting(ward, 3)
    enable(ward, version=2, enabled=False)
    assert set(ward.alarms()) == {"asystole"}
    enable(ward, version=1)
    assert not ward.unit.state.silencing["asystole"].enabled, "an older word changes nothing"
    ward = ready()
    ward.device_alert(priority="PH")
    found(ward)
    assert "asystole" in ward.alarms()


def test_what_nobody_can_see_any_more_rings() -> None:
    ward = ready()
    lasting(ward, 2)
    ward.wait(GOOD_US / 1e6 + 2)
    assert ward.alarms()["asystole"].state == "latched"


def test_an_alarm_of_a_device_and_a_fibrillation_are_never_notes() -> None:
    ward = ready("vf")
    enable(ward, rule="device_alarm")
    found(ward, codes=("ventricular_fibrillation",))
    ward.device_alert()
    assert {"vf", "device_alarm"} <= set(ward.alarms())


def test_a_note_survives_the_owner_and_rings_when_its_patient_moves() -> None:
    ward = ready()
    lasting(ward, 3)
    ward.restart()
    assert set(ward.alarms()) == {NOTE}
    ward.admission("A02", f"{UNIT}-02", "m1", prior_bed=BED)
    assert "asystole" in ward.alarms(f"{UNIT}-02")


WITNESSES = st.sampled_from(
    [BOTH, (pulse("pleth"),), (pulse("pleth"), pulse("abp", "poor")), (), BOTH[::-1]]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("found"), WITNESSES),
        st.tuples(st.just("lasting"), WITNESSES),
        st.tuples(st.just("over"), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([1, 4, 16, 130])),
        st.tuples(st.just("enable"), st.booleans()),
        st.tuples(st.just("support"), st.sampled_from([(), ("iabp",), ("pacing", "ecmo")])),
        st.tuples(st.just("shift"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("acknowledge"), st.just(0)),
        st.tuples(st.just("device"), st.sampled_from(["PH", "PM"])),
    ),
    max_size=25,
)


def one(ward: Ward, step: str, what: Any, version: int) -> None:
    """One thing that may happen."""
    if step == "found":
        found(ward, seen=what)
    elif step == "lasting":
        lasting(ward, 5, what)
    elif step == "over":
        found(ward, codes=())
    elif step == "wait":
        ward.wait(what)
    elif step == "enable":
        enable(ward, version, what)
    elif step == "support":
        ward.bed_act("support", support=what)
    elif step == "shift":
        ward.now += NONE_HOLDS_US
        ward.give(wire.Tick(ward.now))
    elif step == "restart":
        ward.restart()
    elif step == "acknowledge":
        for alarm in ward.cell().alarms:
            ward.act("acknowledge", alarm.id)
    elif step == "device":
        ward.device_alert(priority=what, alert=f"A{ward.count}")


@given(STEPS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_path_keeps_a_standstill_silent_but_with_all_that_it_needs(
    steps: list[tuple[str, Any]],
) -> None:
    ward, version, rang = ready(), 1, set[str]()
    seen: tuple[Witness, ...] | None = None
    for step, what in steps:
        version += 1
        one(ward, step, what, version)
        if step in ("found", "lasting"):
            seen = what
        elif step == "over":
            seen = None
        cell = ward.cell()
        notes = [alarm for alarm in cell.alarms if alarm.code == NOTE]
        reds = [alarm for alarm in cell.alarms if alarm.code == "asystole"]
        assert not (notes and reds), "never both"
        for note in notes:
            _has_all_that_it_needs(ward, note, seen)
        if seen is not None and step in ("found", "lasting") and not notes:
            assert reds, "a standstill that is found rings, or is a note"
        assert not rang & {note.id for note in notes}, "what has rung is never turned down"
        rang |= {alarm.id for alarm in reds}
        told = {e.alarm: e.state for e in ward.told if e.priority == "high" and e.state != "past"}
        shown = {a.id: a.state for a in cell.alarms if a.priority == "high"}
        assert shown == {i: s for i, s in told.items() if s != "inactive"}, "told and shown differ"


def _has_all_that_it_needs(ward: Ward, note: AlarmCell, seen: tuple[Witness, ...] | None) -> None:
    bed, state = ward.unit.state.beds[BED], ward.unit.state
    assert state.silencing["asystole"].enabled
    assert bed.support is not None
    assert bed.support.words == ()
    assert ward.now - bed.support.at < NONE_HOLDS_US + PAUSE_MAX_US
    assert seen is not None
    assert {w.source for w in seen if w.quality == "good"} == {"pleth", "abp"}
    assert ward.now - note.since <= PAUSE_MAX_US
