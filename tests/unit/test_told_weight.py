"""A weight told before the hospital is the estimate until one is charted, and says so."""

from __future__ import annotations

from hospital_ops import codes, wire
from hospital_ops.board import BedCell, CaseCell, Shown, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.carrying import Carried
from icu.unit import IcuUnit
from tests.unit.recorded_stays import START
from web.views.street import weight

UNIT, BED, NEXT = "h1-icu-1", "h1-icu-1-01", "h1-icu-1-02"
NOW = START * SECOND
CODE = codes.by_key["weight"].code
TOLD = wire.Lowest(CODE, 60.0, "kg", NOW - 600 * SECOND)


def admitted(bed: str, trigger: str = "A01", prior: str = "", **more: object) -> wire.Admission:
    event = wire.Admission(
        unit=UNIT, source="adt", message_id=f"{trigger}{bed}", identity=f"{trigger}{bed}".encode(),
        received_at=NOW, mode="Test", trigger=trigger, event_at=NOW, bed=bed, prior_bed=prior,
        patient=wire.PatientFacts(mrn="m1", family="A", given="B", birth_date="1960-01-01"),
    )  # fmt: skip
    return wire.replaced(event, **more)


def charted(unit: IcuUnit, at: int, bed: str, **values: float) -> None:
    rows = tuple(
        wire.Observation(codes.by_key[k].code, v, codes.by_key[k].ucum, at, origin="typed")
        for k, v in values.items()
    )
    key = f"{at}{sorted(values)}"
    message = wire.Observed(UNIT, "nurse", key, key.encode(), at, "Test", rows, bed=bed)
    unit.decide([Stamped(at, message)])


def cell(unit: IcuUnit, bed: str) -> BedCell:
    found = unit.cell(bed)
    assert found is not None
    return decode_bed(found)


def kdigo(unit: IcuUnit, bed: str) -> dict[str, object]:
    found = unit.cell(f"{bed}/indicators")
    assert found is not None
    inputs = decode_bed(found).indicators["kdigo_urine"]["inputs"]
    shown: dict[str, object] = inputs["weight"]
    return shown


def test_the_weight_of_a_case_is_a_number_that_somebody_told() -> None:
    def case(shown: Shown) -> CaseCell:
        return CaseCell("c", {}, {CODE: shown}, {})

    assert weight(case(Shown(60.0, "kg", TOLD.at, kind="spot"))) == TOLD
    assert weight(case(Shown(None, "kg", TOLD.at, kind="spot", validity="Inv"))) is None
    assert weight(CaseCell("c", {}, {}, {})) is None


def test_it_stays_with_the_patient_and_is_the_estimate_until_one_is_charted() -> None:
    unit = IcuUnit(UNIT, "h1")
    unit.decide([Stamped(NOW, admitted(BED, case="c", weight=TOLD))])
    charted(unit, NOW + SECOND, BED, urine=40)
    assert kdigo(unit, BED)["estimated"] is True
    unit.decide([Stamped(NOW + 2 * SECOND, admitted(NEXT, "A02", BED))])
    unit = IcuUnit(UNIT, "h1", unit.dump())
    person = cell(unit, NEXT).patient
    assert person is not None
    assert person.weight == TOLD
    charted(unit, NOW + 3 * SECOND, NEXT, weight=72)
    shown = kdigo(unit, NEXT)
    assert shown["value"] == 72
    assert "estimated" not in shown


def test_another_stay_begins_without_it_and_the_version_before_loads() -> None:
    unit = IcuUnit(UNIT, "h1")
    unit.decide([Stamped(NOW, admitted(BED, case="c", weight=TOLD))])
    left, back = NOW + SECOND, NOW + 2 * SECOND
    unit.decide([Stamped(left, admitted(BED, "A03", event_at=left))])
    again = admitted(BED, message_id="again", identity=b"again", event_at=back)
    unit.decide([Stamped(back, again)])
    person = cell(unit, BED).patient
    assert person is not None
    assert person.weight is None
    assert Carried(person, 0).person.weight is None
