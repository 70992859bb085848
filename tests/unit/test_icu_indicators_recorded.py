"""Recorded stays run through a unit: its figures agree with those found by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.board import INDICATORS, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from tests.oracle import indicator_oracle as oracle
from tests.oracle.indicator_oracle import Events
from tests.unit import recorded_stays
from tests.unit.recorded_stays import BED, START

ASKED_AFTER_H = (5, 13, 24, 31, 47, 70)
# Of each collection: 12 (n = 36); all of them (n = 510) by `dev.py test --long PATH`.
SAMPLE = 1000 if os.environ.get("HOSPITAL_OPS_LONG") else 12


def told(events: Events) -> Iterator[tuple[int, dict[str, Any]]]:
    """(second, figures of the bed) at the moments asked for, as the unit decides."""
    unit = IcuUnit("h1-icu-1", "h1")
    entries = list(recorded_stays.entries(events))
    done = 0
    for hours in ASKED_AFTER_H:
        now = START + hours * 3600 + 90
        upto = done
        while upto < len(entries) and entries[upto].at <= now * SECOND - 90 * SECOND:
            upto += 1
        if upto == done:
            continue
        for entry in entries[done:upto]:
            unit.decide([entry])
        done = upto
        unit.decide([Stamped(now * SECOND, wire.Tick(at=now * SECOND))])
        cell = unit.cell(BED + INDICATORS)
        assert cell is not None
        yield now, decode_bed(cell).indicators


def agree(stays: Iterator[tuple[str, Events]]) -> int:
    """Compares every stay with the oracle; answers how many totals were compared."""
    compared = 0
    for stay, events in stays:
        for now, figures in told(events):
            known = [event for event in events if event[0] <= now - 90]
            where = f"stay {stay} at hour {(now - START) // 3600}"
            parts, total = oracle.sofa(known, now)
            sofa = figures.get("sofa")
            if sofa is None:
                assert all(points is None for points in parts.values()), where
                continue
            assert sofa["components"] == parts, where
            assert sofa["total"] == total, where
            assert (sofa["state"] == "complete") == (
                None not in parts.values()
                and not sofa.get("estimated")
                and not oracle.urine_in_doubt(known, now)
            ), where
            gas = oracle.gases(known, now)
            if gas:
                assert figures["pf"]["value"] == pytest.approx(gas[-1][0], abs=1e-3), where
            lost = sum(volume for _, volume in oracle.series(known, "urine", now))
            if "balance" in figures:
                assert figures["balance"]["out_ml"] == pytest.approx(lost), where
                assert figures["balance"]["value"] is None, where  # nobody charted what went in
            if "kdigo_urine" in figures:
                stage = oracle.urine_stage(known, now)
                assert figures["kdigo_urine"]["value"] == stage, where
            compared += 1
    return compared


def test_stays_of_a_public_challenge_have_the_sofa_and_urine_found_by_hand() -> None:
    assert agree(islice(recorded_stays.challenge(), SAMPLE)) > min(SAMPLE, 200)


@pytest.mark.parametrize("name", ["eicu", "mimic"])
def test_hourly_stays_have_the_sofa_and_urine_found_by_hand(name: str) -> None:
    assert agree(islice(recorded_stays.hourly(name), SAMPLE)) > min(SAMPLE, 60)
