"""Indicators of a bed: what they are made of, when they say nothing, what they never guess."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hospital_ops import codes, wire
from hospital_ops.board import INDICATORS, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.record import HOUR, MINUTE, Reading
from icu.state import BedState
from icu.unit import IcuUnit
from icu.windows import DOSE_US, sustained
from tests.unit.recorded_stays import START

UNIT, BED = "h1-icu-1", "h1-icu-1-01"
T0 = START * SECOND
FULL: dict[str, Any] = {
    "weight": 80, "gcs": 14, "platelets": 90, "bilirubin": 40, "creatinine": 180, "pao2": 80,
    "fio2": 40, "vent_mode": "invasive",
}  # fmt: skip


class Bedside:
    """One bed of a unit: values go in at moments, figures come out."""

    def __init__(self, birth_date: str = "1960-05-01") -> None:
        self.unit = IcuUnit(UNIT, "h1")
        self.now = T0
        self.admit("1", BED, birth_date)

    def admit(self, mrn: str, bed: str, birth_date: str = "", prior: str = "") -> None:
        """Somebody is admitted, or moved from `prior`."""
        event = wire.Admission(
            unit=UNIT, source="adt", message_id=f"{mrn}{bed}", identity=f"{mrn}{bed}".encode(),
            received_at=self.now, mode="Test", trigger="A02" if prior else "A01",
            patient=wire.PatientFacts(mrn=mrn, family="Test", sex="F", birth_date=birth_date),
            event_at=self.now, bed=bed, prior_bed=prior,
        )  # fmt: skip
        self.unit.decide([Stamped(self.now, event)])

    def chart(self, **values: Any) -> set[str]:
        """Values of this moment, as `origin` measured them; answers what changed on the board."""
        origin = values.pop("origin", "typed")
        observations = tuple(
            wire.Observation(
                code=codes.by_key[key].code,
                value=value if isinstance(value, str) else float(value),
                unit=codes.by_key[key].ucum,
                determined_at=self.now, origin=origin,
            )
            for key, value in values.items()
        )  # fmt: skip
        message = wire.Observed(
            unit=UNIT, source="s", message_id="m", identity=b"m", received_at=self.now,
            mode="Test", observations=observations, bed=BED, device="d",
        )  # fmt: skip
        return self.unit.decide([Stamped(self.now, message)]).dirty

    def measure(self, seconds: int = 70, **values: float) -> None:
        """A monitor sends the same values each second for a while."""
        for _ in range(seconds):
            self.chart(origin="monitor", **values)
            self.now += SECOND

    def wait(self, us: int) -> None:
        """Time passes with nothing but the unit's own second."""
        self.now += us
        self.unit.decide([Stamped(self.now, wire.Tick(at=self.now))])

    def figures(self, bed: str = BED) -> dict[str, Any]:
        """What the board is told."""
        cell = self.unit.cell(bed + INDICATORS)
        assert cell is not None
        return decode_bed(cell).indicators


def test_a_sofa_of_six_organs_is_complete_and_names_the_age_of_each_part() -> None:
    bed = Bedside()
    bed.chart(**FULL)
    bed.measure(130, abp_mean=64)
    sofa = bed.figures()["sofa"]
    assert sofa["state"] == "complete"
    assert sofa["components"] == {
        "resp": 2, "coag": 2, "liver": 2, "cv": 1, "cns": 1, "renal": 2,
    }  # fmt: skip
    assert sofa["total"] == 10
    assert set(sofa["inputs"]) >= {"pao2", "platelets", "abp_mean", "gcs"}
    assert all(each["at"].startswith("2026-05-2") for each in sofa["inputs"].values())


@pytest.mark.parametrize(("left_out", "named"), [("platelets", "platelets"), ("gcs", "gcs")])
def test_a_sofa_without_a_part_is_incomplete_and_says_which(left_out: str, named: str) -> None:
    bed = Bedside()
    bed.chart(**{key: value for key, value in FULL.items() if key != left_out})
    bed.measure(130, abp_mean=64)
    sofa = bed.figures()["sofa"]
    assert sofa["state"] == "incomplete"
    assert sofa["missing"] == [named]


def test_a_gas_whose_oxygen_nobody_knows_is_not_called_missing_itself() -> None:
    bed = Bedside()
    bed.chart(**{key: value for key, value in FULL.items() if key != "fio2"})
    bed.measure(130, abp_mean=64)
    assert bed.figures()["sofa"]["missing"] == ["fio2_at_draw"]


@pytest.mark.parametrize(
    ("charted", "why"),
    [
        ({"vent_mode": "invasive"}, "ventilated"),
        ({"norepinephrine": 0.05}, "vasopressor"),
        ({"rass": -2}, "sedated"),
        ({"pregnant": "yes"}, "pregnant"),
    ],
)
def test_news2_says_not_applicable_and_why(charted: dict[str, Any], why: str) -> None:
    bed = Bedside()
    bed.chart(avpu="A", nibp_sys=120, **charted)
    news2 = bed.figures()["news2"]
    assert (news2["state"], news2["value"], news2["because"]) == ("not_applicable", None, [why])


def test_news2_is_not_for_a_child_and_not_complete_without_an_age() -> None:
    child, unknown = Bedside("2014-01-01"), Bedside("")
    for bed in (child, unknown):
        bed.chart(avpu="A", nibp_sys=120, temp=37.0, on_oxygen=0, rr=16, spo2=97, hr=80)
    assert child.figures()["news2"]["because"] == ["under_16"]
    assert unknown.figures()["news2"]["missing"] == ["age"]
    assert Bedside().figures() == {}


def test_an_alert_patient_on_air_has_a_news2_of_nothing() -> None:
    bed = Bedside()
    bed.chart(avpu="A", nibp_sys=120, temp=37.0, on_oxygen=0, rr=16, spo2=97, hr=80)
    assert bed.figures()["news2"]["total"] == 0
    assert bed.figures()["news2"]["state"] == "complete"
    assert bed.figures()["rox"]["value"] == pytest.approx(97 / 0.21 / 16, abs=1e-3)


def test_a_second_of_a_flushed_line_is_no_low_pressure() -> None:
    bed = Bedside()
    bed.chart(**FULL)
    bed.measure(40, abp_mean=80)
    bed.measure(5, abp_mean=30)
    bed.measure(80, abp_mean=80)
    assert bed.figures()["sofa"]["components"]["cv"] == 0


def test_a_pump_that_fell_silent_is_unknown_and_one_that_stands_is_zero() -> None:
    bed = Bedside()
    bed.chart(norepinephrine=0.2, dopamine=0)
    assert bed.figures()["vis"]["value"] == pytest.approx(20)
    bed.wait(61 * MINUTE)
    vis = bed.figures()["vis"]
    assert (vis["value"], vis["missing"]) == (None, ["norepinephrine"])
    bed.chart(norepinephrine=0)
    assert bed.figures()["vis"]["value"] == 0


def test_a_dose_counts_in_sofa_once_it_was_held_for_an_hour() -> None:
    bed = Bedside()
    bed.chart(**FULL, abp_mean=80, norepinephrine=0.2)
    bed.wait(50 * MINUTE)
    bed.chart(norepinephrine=0.2)
    assert bed.figures()["sofa"]["components"]["cv"] == 0
    bed.wait(20 * MINUTE)
    bed.chart(norepinephrine=0.2)
    assert bed.figures()["sofa"]["components"]["cv"] == 4


def test_held_doses_agree_with_a_minute_by_minute_search() -> None:
    dice = random.Random(7)
    for _ in range(150):
        spans, at = [], 0
        for _ in range(dice.randint(1, 7)):
            length = dice.choice((10, 30, 50, 90))
            spans.append(Reading(at, dice.choice((0.0, 0.05, 0.1, 0.3)), until=at + length))
            at += length + dice.choice((0, 0, 40, 70))
        now = at + dice.choice((0, 30, 100))
        rows = tuple(Reading(s.at * MINUTE, s.value, until=s.until * MINUTE) for s in spans)
        rate: dict[int, float] = {}
        for index, span in enumerate(spans):
            later = spans[index + 1].at if index + 1 < len(spans) else now
            for minute in range(span.at, min(later, span.until + 60, now)):
                rate[minute] = float(span.value)
        hour = DOSE_US // MINUTE
        best = max(
            (min(rate.get(m, 0.0) for m in range(start, start + hour)) for start in range(now)),
            default=0.0,
        )
        found = sustained(rows, HOUR, 0, now * MINUTE)
        assert (found.value if found else 0.0) == best


def test_a_gcs_under_sedation_does_not_lower_the_score() -> None:
    bed = Bedside()
    bed.chart(gcs=13)
    bed.wait(30 * MINUTE)
    bed.chart(rass=-4)
    bed.chart(gcs=3)
    assert bed.figures()["sofa"]["inputs"]["gcs"]["value"] == 13
    assert bed.figures()["gcs"]["sedated"] is True


def test_who_makes_no_urine_has_a_balance() -> None:
    """A bag that was charted as empty is known; only what nobody charted is missing."""
    bed = Bedside()
    bed.chart(fluid_in=500, urine=0)
    balance = bed.figures()["balance"]
    assert (balance["value"], balance["missing"]) == (500, [])


def test_fluids_add_up_by_hour_and_there_is_no_balance_without_what_went_in() -> None:
    bed = Bedside()
    given = lost = 0.0
    dice = random.Random(3)
    bed.chart(urine=40)
    lost += 40
    assert bed.figures()["balance"]["value"] is None
    for _ in range(9):
        bed.wait(37 * MINUTE)
        volume, urine = float(dice.randint(10, 300)), float(dice.randint(0, 120))
        bed.chart(fluid_in=volume, urine=urine, drain=5)
        given, lost = given + volume, lost + urine + 5
    balance = bed.figures()["balance"]
    assert (balance["in_ml"], balance["out_ml"]) == (given, lost)
    assert balance["value"] == given - lost
    assert sum(taken for taken, _ in balance["hours"].values()) == given


def test_fluid_overload_is_of_the_weight_of_the_admission() -> None:
    bed = Bedside()
    bed.chart(weight=50)
    bed.wait(HOUR)
    bed.chart(weight=100, fluid_in=5000, urine=0)
    assert bed.figures()["balance"]["overload_pct"] == 10
    assert bed.figures()["balance"]["value"] == 5000


HOURLY = [1.0] * 24
LONG = [6.0, 5.9, 6.0, 6.0, 6.0]  # the first collection begins 29.9 h ago


@pytest.mark.parametrize(
    ("hourly", "spans", "silent_h", "points"),
    [(26, HOURLY, 5.9, 0), (26, HOURLY, 0.1, 0), (19, LONG, 0, 3), (30, LONG, 0, 0),
     (19, HOURLY, 5.9, 3), (8, [*HOURLY, 1.0], 1, 4), (8, HOURLY[:23], 0, None)],
)  # fmt: skip
def test_the_urine_of_24_hours_is_that_of_24_hours(
    hourly: float, spans: list[float], silent_h: float, points: int | None
) -> None:
    bed = Bedside()
    bed.chart(urine=0)  # the bag is emptied: from here on the time is known
    for hours in spans:
        bed.wait(round(hours * HOUR))
        bed.chart(urine=round(hourly * hours, 3))
    bed.wait(round(silent_h * HOUR))
    sofa = bed.figures().get("sofa")
    if points is None:
        assert sofa is None or sofa["components"]["renal"] is None
        return
    assert sofa is not None
    assert sofa["inputs"]["urine"]["value"] == pytest.approx(24 * hourly, abs=0.01)
    assert sofa["components"]["renal"] == points


def test_a_gap_in_the_urine_of_a_day_leaves_sofa_incomplete() -> None:
    bed = Bedside()
    bed.chart(urine=0)
    for hours in (6, 6, 6, 6, 7, 1):
        bed.wait(hours * HOUR)
        bed.chart(**FULL, urine=20)
    sofa = bed.figures()["sofa"]
    assert "urine" in sofa["missing"]
    assert sofa["state"] == "incomplete"
    bed.chart(urine=600)  # what is known is enough: the gap changes no point
    assert "urine" not in bed.figures()["sofa"]["missing"]


def test_the_same_value_sent_again_is_counted_once() -> None:
    bed = Bedside()
    bed.chart(urine=100)
    first = bed.now
    bed.wait(30 * MINUTE)
    bed.chart(urine=50)
    bed.now, after = first, bed.now
    bed.chart(urine=100)
    bed.now = after
    assert bed.figures()["balance"]["out_ml"] == 150


def test_driving_pressure_needs_the_peep_of_its_own_moment() -> None:
    bed = Bedside()
    bed.chart(pplat=24, peep=10, vt=420, height=175)
    assert bed.figures()["driving_pressure"]["value"] == 14
    bed.wait(30 * MINUTE)
    bed.chart(pplat=26)
    assert bed.figures()["driving_pressure"]["missing"] == ["peep"]


def test_lactate_clearance_is_that_of_the_hours_before() -> None:
    bed = Bedside()
    bed.chart(lactate=4.0)
    bed.wait(6 * HOUR)
    bed.chart(lactate=3.0)
    figure = bed.figures()["lactate_clearance"]
    assert figure["value"] == 25
    assert figure["nguyen_met"] is True


def test_what_left_its_window_is_missing_and_not_the_last_one() -> None:
    bed = Bedside()
    bed.chart(hr=120, nibp_sys=80)
    assert bed.figures()["shock_index"]["value"] == 1.5
    bed.wait(61 * MINUTE)
    assert "shock_index" not in bed.figures()


def test_the_record_goes_with_the_patient_and_ends_for_the_next_one() -> None:
    bed, other = Bedside(), "h1-icu-1-02"
    bed.chart(**FULL)
    bed.now += MINUTE
    bed.admit("1", other, prior=BED)
    assert bed.figures(other)["sofa"]["components"]["coag"] == 2
    bed.now += MINUTE
    bed.admit("2", BED)
    assert bed.figures() == {}


def test_a_successor_finds_the_same_figures_in_the_snapshot() -> None:
    bed = Bedside()
    bed.chart(**FULL, urine=50, fluid_in=100, rass=0)
    bed.measure(90, abp_mean=66, hr=101, spo2=94)
    successor = IcuUnit(UNIT, "h1", bed.unit.dump())
    for name in (BED, BED + INDICATORS):
        assert successor.cell(name) == bed.unit.cell(name)
    assert successor.dump() == bed.unit.dump()


def test_a_bed_of_the_version_before_has_no_record_and_no_figures() -> None:
    bed = Bedside()
    raw: list[Any] = wire.from_json(wire.to_json(bed.unit.state))
    place = BedState.__struct_fields__.index("record")
    state = IcuUnit(UNIT, "h1", wire.encode([*raw[:2], {BED: raw[2][BED][:place]}, *raw[3:]]))
    cell = state.cell(BED + INDICATORS)
    assert cell is not None
    assert decode_bed(cell).indicators == {}


def test_indicators_are_told_when_they_change_and_not_with_every_value() -> None:
    bed, told = Bedside(), []
    for second in range(120):
        told.append(bed.chart(origin="monitor", hr=80 + second % 3))
        bed.now += SECOND
    assert all(BED in dirty for dirty in told)
    assert sum(BED + INDICATORS in dirty for dirty in told) <= 3  # a minute closes


@pytest.mark.parametrize(
    ("after", "shown"), [(92, ""), (102, "up"), (125, "fast_up"), (62, "down"), (40, "fast_down")]
)
def test_an_arrow_shows_only_a_change_of_a_quarter_of_an_hour_that_matters(
    after: int, shown: str
) -> None:
    bed = Bedside()
    for rate in (82, 84, after, after):
        bed.chart(hr=rate)
        bed.wait(6 * MINUTE)
    cell = bed.unit.cell(BED)
    assert cell is not None
    assert decode_bed(cell).trends.get("8867-4", "") == shown


def test_a_cuff_that_is_told_each_second_moves_the_indicators_every_ten_seconds() -> None:
    bed = Bedside()
    bed.wait(SECOND)
    found = 0
    for second in range(60):
        dirty = bed.chart(origin="monitor", nibp_sys=100 + second, nibp_mean=70 + second)
        found += BED + INDICATORS in dirty
        bed.now += SECOND
    assert 5 <= found <= 8
    bed.wait(10 * SECOND)
    newest = bed.unit.state.beds[BED].record.newest["nibp_sys"]
    assert newest.value == 159
    assert bed.unit.state.beds[BED].record.found_at > newest.at, "the last one is not forgotten"


def test_what_somebody_enters_moves_the_indicators_at_once() -> None:
    bed = Bedside()
    for value in (9, 12, 15):
        assert BED + INDICATORS in bed.chart(gcs=value)
        bed.now += SECOND
