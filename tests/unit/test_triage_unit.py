"""The emergency department decides live: newest known counts, decisions stand, news rings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import CaseCell, case_json, decode_case
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.deciding import Stamped
from hospital_ops.identity import derived
from triage.timers import SHOWN_AFTER_END_US
from triage.unit import EdUnit

CASE = str(derived("test", "case"))
NOON = from_iso("2026-11-21T12:00:00Z")
CALM = {"8867-4": 80.0, "9279-1": 16.0, "8310-5": 37.0, "59408-5": 98.0, "8480-6": 125.0}


def facts(**more: Any) -> wire.CaseFacts:
    said = {"destination": "h1-ed", "age_years": 40, "signs": [], "on_oxygen": False} | more
    return wire.CaseFacts(
        unit="h1-ed", case=CASE, source="tablet", message_id="m", received_at=NOON, mode="Demo",
        facts=said,
    )  # fmt: skip


def values(at: int, received_at: int | None = None, **by_code: Any) -> wire.Observed:
    sent = {
        **CALM,
        "80288-4": "A",
        **{k.replace("_", "-").lstrip("c"): v for k, v in by_code.items()},
    }
    return wire.Observed(
        unit="h1-ed", source="tablet", message_id="b", identity=b"", received_at=received_at or at,
        mode="Demo", case=CASE, device="tablet",
        observations=tuple(
            wire.Observation(code=code, value=value, determined_at=at, origin="typed")
            for code, value in sent.items()
        ),
    )  # fmt: skip


def decided(colour: str, version: int = 1) -> wire.Decided:
    return wire.Decided(
        unit="h1-ed", case=CASE, version=version, colour=colour, by="Dr Ray", at=NOON, reason="",
        destination="", care=(),
    )  # fmt: skip


def cell_after(unit: EdUnit, *entries: wire.Entry, at: int = NOON) -> CaseCell:
    unit.decide([Stamped(at + i * SECOND, entry) for i, entry in enumerate(entries)])
    encoded = unit.cell(CASE)
    assert encoded is not None
    return decode_case(encoded)


def test_an_ambulance_case_is_proposed_a_colour_from_its_first_values() -> None:
    cell = cell_after(EdUnit("h1-ed"), facts(), values(NOON))
    assert cell.triage["proposed"] == "green"
    assert case_json(cell, NOON)["decided"] is None


def test_a_value_from_a_tunnel_is_the_newest_known_and_re_triages() -> None:
    unit = EdUnit("h1-ed")
    cell_after(unit, facts(), values(NOON))
    late = values(NOON + 60 * SECOND, received_at=NOON + 600 * SECOND, c8867_4=160.0)
    assert cell_after(unit, late, at=NOON + 600 * SECOND).triage["proposed"] == "red"


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    unit = EdUnit("h1-ed")
    before = cell_after(unit, facts(), values(NOON))
    after = cell_after(unit, values(NOON - 60 * SECOND, received_at=NOON + SECOND, c8867_4=160.0))
    assert (after.values, after.triage) == (before.values, before.triage)


def test_what_comes_from_the_future_is_not_shown() -> None:
    unit = EdUnit("h1-ed")
    cell_after(unit, facts(), values(NOON))
    ahead = values(NOON + 3600 * SECOND, received_at=NOON, c8867_4=160.0)
    assert cell_after(unit, ahead).triage["proposed"] == "green"


def test_a_new_red_is_shown_at_once() -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, facts()), Stamped(NOON, values(NOON))])
    outcome = unit.decide([Stamped(NOON + SECOND, values(NOON + SECOND, c8867_4=160.0))])
    assert outcome.urgent


def test_a_decision_stands_while_nothing_new_happens() -> None:
    unit = EdUnit("h1-ed")
    cell = cell_after(unit, facts(signs=["stridor"]), values(NOON), decided("yellow"))
    again = cell_after(unit, values(NOON + 9 * SECOND), at=NOON + 9 * SECOND)
    assert (cell.decision and cell.decision.colour) == "yellow"
    assert again.reopened_at == 0


def test_a_new_criterion_after_the_decision_opens_the_case_again_and_rings_once() -> None:
    unit = EdUnit("h1-ed")
    cell_after(unit, facts(), values(NOON), decided("green"))
    worse = unit.decide([Stamped(NOON + 9 * SECOND, values(NOON + 9 * SECOND, c8867_4=160.0))])
    same = unit.decide([Stamped(NOON + 12 * SECOND, values(NOON + 12 * SECOND, c8867_4=161.0))])
    encoded = unit.cell(CASE)
    assert encoded is not None
    cell = decode_case(encoded)
    assert worse.urgent
    assert not same.urgent
    assert cell.reopened_at == NOON + 9 * SECOND
    assert "hr_red" in cell.reopened_for
    assert cell.decision is not None
    assert cell.decision.colour == "green"


def test_an_older_decision_never_replaces_a_newer_one() -> None:
    unit = EdUnit("h1-ed")
    cell = cell_after(unit, facts(), decided("yellow", 2), decided("green", 1))
    assert cell.decision is not None
    assert (cell.decision.colour, cell.version) == ("yellow", 2)


def test_a_case_that_was_handed_over_leaves_the_board_after_a_while() -> None:
    unit = EdUnit("h1-ed")
    step = wire.CaseStep(
        unit="h1-ed", case=CASE, step="handover", at=NOON, by="Dr Ray", source="web",
        received_at=NOON, mode="Demo",
    )  # fmt: skip
    assert cell_after(unit, facts(), step).step == "handed_over"
    unit.decide([Stamped(NOON + SHOWN_AFTER_END_US + 9 * SECOND, wire.Tick(at=0))])
    assert unit.cell(CASE) is None


def test_signs_that_nobody_asked_for_are_missing_and_never_green() -> None:
    unit = EdUnit("h1-ed")
    said = wire.CaseFacts(
        unit="h1-ed", case=CASE, source="tablet", message_id="m", received_at=NOON, mode="Demo",
        facts={"destination": "h1-ed", "age_years": 40},
    )  # fmt: skip
    cell = cell_after(unit, said, values(NOON))
    assert cell.triage["proposed"] != "green"
    assert "signs" in cell.triage["missing"]


@given(st.permutations(range(5)), st.data())
def test_any_order_and_repetition_of_values_ends_in_the_same_case(
    order: list[int], data: st.DataObject
) -> None:
    """Each second has its own pulse; the last second's counts, however they arrive."""
    sent = [values(NOON + i * SECOND, NOON + 60 * SECOND, c8867_4=70.0 + 20 * i) for i in range(5)]
    repeated = [sent[i] for i in order] + [sent[data.draw(st.sampled_from(order))]]
    unit = EdUnit("h1-ed")
    cell = cell_after(unit, facts(), *repeated, at=NOON + 60 * SECOND)
    straight = cell_after(EdUnit("h1-ed"), facts(), *sent, at=NOON + 60 * SECOND)
    assert cell.values == straight.values
    assert cell.triage == straight.triage


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_successor_goes_on_from_the_snapshot_as_if_nothing_had_happened(cut: int) -> None:
    entries = [
        Stamped(NOON, facts()),
        Stamped(NOON + SECOND, values(NOON + SECOND)),
        Stamped(NOON + 2 * SECOND, decided("green")),
        Stamped(NOON + 3 * SECOND, values(NOON + 3 * SECOND, c8867_4=160.0)),
    ]
    whole, first = EdUnit("h1-ed"), EdUnit("h1-ed")
    whole.decide(entries)
    first.decide(entries[:cut])
    successor = EdUnit("h1-ed", first.dump())
    successor.decide(entries[cut:])
    assert successor.cell(CASE) == whole.cell(CASE)


@pytest.mark.parametrize("late", ["cancellation", "refusal", "reroute"])
def test_a_cancellation_that_comes_after_the_arrival_does_not_take_the_patient_away(
    late: str,
) -> None:
    steps = [
        wire.CaseStep(
            unit="h1-ed", case=CASE, step=step, at=NOON, by="crew", source="tablet",
            received_at=NOON, mode="Demo",
        )
        for step in ("arrival", late)
    ]  # fmt: skip
    assert cell_after(EdUnit("h1-ed"), facts(), *steps).step == "arrived"
