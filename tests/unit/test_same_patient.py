"""Signals after an interruption: "check patient" where they are unlike those before it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from benchmarks.ktas import recordings
from hospital_ops import wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.shape import likeness, shape
from icu.record import Record
from icu.unit import IcuUnit
from tests import recorded_moves as recorded
from tests.alarm_ward import BED, UNIT
from tests.curves import ECG_II, CurveWard, heart, off
from web.views.bedquiet import check_why

OTHER = f"{UNIT}-02"


def another(per_min: int, seconds: float) -> np.ndarray[Any, Any]:
    """A heart whose beats point down and are wide: smeared, and turned over."""
    curve = heart(per_min, seconds)
    return -np.convolve(curve, np.hanning(25) / np.hanning(25).sum(), "same")


def flags(ward: CurveWard, bed: str = BED) -> tuple[str, ...]:
    cell = ward.unit.cell(bed)
    assert cell is not None
    return decode_bed(cell).flags


def known_ward() -> CurveWard:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 30)})
    assert ward.shapes
    assert "check_patient" not in flags(ward)
    return ward


def pause(ward: CurveWard, seconds: int) -> None:
    """Nothing is sent."""
    for _ in range(seconds):
        ward.now += SECOND
        ward.hear()


def test_other_beats_after_a_break_ask_who_lies_here_until_somebody_has_looked() -> None:
    ward = known_ward()
    pause(ward, 60)
    ward.play({ECG_II: another(75, 32)})
    assert {"check_patient", "check_beats"} <= set(flags(ward))
    assert check_why(flags(ward)) == "tile.check_beats_why"
    ward.give(_confirm(ward))
    assert "check_patient" not in flags(ward)
    pause(ward, 60)
    ward.play({ECG_II: another(75, 32)})
    assert "check_patient" not in flags(ward)  # these beats have been looked at
    pause(ward, 60)
    ward.play({ECG_II: heart(75, 32)})
    assert "check_beats" in flags(ward)  # and these are not those


@pytest.mark.parametrize("seconds", [40, 200])
def test_the_same_beats_after_a_break_ask_nothing(seconds: int) -> None:
    ward = known_ward()
    pause(ward, seconds)
    ward.play({ECG_II: heart(80, 32)})
    assert "check_patient" not in flags(ward)


def test_electrodes_that_come_off_and_are_put_on_somebody_else_ask() -> None:
    ward = known_ward()
    ward.play({ECG_II: off(60)})
    ward.play({ECG_II: another(75, 40)})
    assert "check_beats" in flags(ward)


def test_beats_that_change_without_a_break_are_this_patients() -> None:
    ward = known_ward()
    ward.play({ECG_II: another(75, 60)})
    assert "check_patient" not in flags(ward)


def test_a_ward_without_breaks_is_not_looked_at_again_for_a_quarter_of_an_hour() -> None:
    ward = known_ward()
    ward.play({ECG_II: heart(75, 120)})
    assert len(ward.shapes) == 1


def test_what_is_known_goes_with_the_patient_to_the_next_bed() -> None:
    ward = known_ward()
    ward.admission("A02", OTHER, "m1", prior_bed=BED)
    shapes = ward.shapes[-1]
    unlike = {lead: _turned_over(seen) for lead, seen in shapes.shapes.items()}
    ward.now += 60 * SECOND
    ward.give(wire.replaced(shapes, bed=OTHER, at=ward.now, shapes=unlike))
    assert "check_beats" in flags(ward, OTHER)
    assert "check_beats" not in flags(ward, BED)


def test_a_jump_of_the_pulse_after_a_break_asks_and_without_a_break_it_does_not() -> None:
    for break_s, after, asks in ((60, 130.0, True), (60, 90.0, False), (0, 130.0, False)):
        ward = CurveWard()
        for _ in range(150):
            _value(ward, 80.0)
        pause(ward, break_s)
        for _ in range(200):
            _value(ward, after)
        assert ("check_baseline" in flags(ward)) is asks, (break_s, after)


def test_beats_that_look_the_same_outweigh_a_jump_of_the_pulse() -> None:
    ward = known_ward()
    for _ in range(90):
        _value(ward, 80.0)
    pause(ward, 60)
    ward.play({ECG_II: heart(75, 32)})
    for _ in range(200):
        _value(ward, 130.0)
    assert "check_patient" not in flags(ward)


def test_what_is_known_survives_a_restart_and_an_older_snapshot_is_read() -> None:
    ward = known_ward()
    again = IcuUnit(UNIT, "h1", ward.unit.dump())
    known, before = (unit.state.beds[BED].record.known for unit in (again, ward.unit))
    assert known == before
    written = wire.decoder(list[Any])(wire.encode(ward.unit.state.beds[BED].record))
    older = written[: Record.__struct_fields__.index("known")]
    assert wire.decoder(Record)(wire.encode(older)).known.shapes == {}


def test_what_is_known_of_a_patient_is_small() -> None:
    ward = known_ward()
    for number in range(40):
        unlike = bytes(random.Random(number).randbytes(48))
        ward.now += 1000 * SECOND
        shapes = {f"V{lead}": unlike for lead in range(1, 7)}
        ward.give(wire.BeatShape(UNIT, BED, ward.now, ward.now, "Test", shapes))
    assert len(wire.encode(ward.unit.state.beds[BED].record.known)) < 1500


def test_an_axis_turned_by_twenty_degrees_is_the_same_heart() -> None:
    asked = seen = 0
    for path in sorted((recordings() / "cinc2021_12lead").glob("*.hea")):
        ecg = read(path)
        first, second = ecg.leads["I"], ecg.leads["II"]
        before = [shape(first, ecg.rate_hz), shape(second, ecg.rate_hz)]
        for degrees in (-20, 20):
            turned = recorded.turned(first, second, degrees)
            after = [shape(curve, ecg.rate_hz) for curve in turned]
            like = [likeness(a, b) for a, b in zip(before, after, strict=True) if a and b]
            seen += bool(like)
            asked += bool(like) and sum(like) / len(like) < 0.8
    assert seen >= 40
    assert asked <= seen * 0.03


def test_noise_and_silence_have_no_shape() -> None:
    noise = np.random.default_rng(3).standard_normal(20 * 250) * 0.3
    assert shape(noise, 250) == b""
    assert shape(np.zeros(20 * 250), 250) == b""
    assert shape(np.full(20 * 250, np.nan), 250) == b""


def _turned_over(seen: bytes) -> bytes:
    return (-np.frombuffer(seen, np.int8)).astype(np.int8).tobytes()


def _confirm(ward: CurveWard) -> wire.BedAct:
    patient = ward.unit.state.beds[BED].history[-1].patient_id
    return wire.BedAct(
        unit=UNIT, bed=BED, act="confirm_patient", at=ward.now, by="nurse", role="nurse",
        source="nurse", received_at=ward.now, mode="Test", patient_id=patient,
    )  # fmt: skip


def _value(ward: CurveWard, per_min: float) -> None:
    ward.now += SECOND
    entry = wire.Observed(
        unit=UNIT, source="mon", message_id=f"{ward.now}", identity=f"{ward.now}".encode(),
        received_at=ward.now, mode="Test", bed=BED, device="mon",
        observations=(wire.Observation("8867-4", per_min, "/min", ward.now),),
    )  # fmt: skip
    ward.unit.decide([Stamped(ward.now, entry)])
