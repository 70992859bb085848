"""A value of a slow sender is not called live for hours (SAFETY.md I6)."""

from __future__ import annotations

import pytest

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit

UNIT, BED = "h1-icu-1", "h1-icu-1-01"
NOON = 1_772_366_400 * SECOND


@pytest.mark.parametrize(
    ("period_s", "amber_s", "gone_s"),
    [(None, 5, 15), (1, 5, 15), (2, 6, 15), (60, 180, 300), (120, 300, 600), (3600, 300, 18000)],
)
def test_a_heart_rate_is_amber_after_three_periods_and_after_five_minutes_at_the_latest(
    period_s: float | None, amber_s: float, gone_s: float
) -> None:
    pulse = codes.by_key["hr"].code
    assert codes.ages(pulse, "monitor", period_s) == ("continuous", amber_s, gone_s)


@pytest.mark.parametrize("key", ["cvp", "norepinephrine", "fio2", "an unknown code"])
def test_whatever_comes_each_hour_is_live_for_a_quarter_of_an_hour_at_the_most(key: str) -> None:
    vital = codes.by_key.get(key)
    _, amber_s, _ = codes.ages(vital.code if vital else key, "monitor", 3600)
    assert 0 < amber_s <= 900


def test_a_bed_whose_gateway_sends_each_hour_shows_its_heart_rate_as_old_between() -> None:
    unit = IcuUnit(UNIT, "h1")
    for hour in range(4):
        at = NOON + hour * 3600 * SECOND
        pulse = wire.Observation(
            code=codes.by_key["hr"].code, value=80.0 + hour, unit="/min", determined_at=at
        )
        message = wire.Observed(
            unit=UNIT, source="s", message_id=str(hour), identity=str(hour).encode(),
            received_at=at, mode="Test", observations=(pulse,), bed=BED, device="m",
        )  # fmt: skip
        unit.decide([Stamped(at, message)])
    shown = unit.state.beds[BED].values[codes.by_key["hr"].code]
    assert (shown.value, shown.amber_at - shown.at) == (83.0, 300 * SECOND)
