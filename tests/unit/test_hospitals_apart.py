"""A sender of one hospital writes nothing into another one, whatever its message says."""

from __future__ import annotations

import pytest

from hospital_ops import wire
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.parse import PLAIN
from hospital_ops.hl7.people import location
from hospital_ops.hl7.understand import Source
from hospital_ops.standing.rules import Standing
from streams.hl7_intake import OUT_OF_SCOPE, Intake, take
from streams.routing import Announced, Place, Unknown, place, place_patient

NOW = 1_795_000_000_000_000
BED = {"h1": "h1-icu-1-01", "h2": "h2-icu-1-01"}


class Two:
    """Two hospitals with a unit each."""

    def has_unit(self, unit: str) -> bool:
        return unit in ("h1-icu-1", "h2-icu-1")

    def hospital_of_unit(self, unit: str) -> str:
        return unit[:2] if self.has_unit(unit) else ""

    def unit_of_bed(self, bed_id: str) -> str | None:
        return bed_id[:8] if bed_id in BED.values() else None

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        if text == "probe":
            return text
        return text if self.unit_of_bed(text) == unit else None

    def units_of(self, hospital: str) -> list[str]:
        return [f"{hospital}-icu-1"]

    def standing(self, hospital: str, name: str) -> Standing:
        return ()

    def mode_of_device(self, hospital: str, name: str) -> str:
        return ""


def sent(source: Source, kind: str, place: str) -> Intake:
    """What becomes of a message of `source` about a place."""
    lines = [
        f"MSH|^~\\&|GW||||20261121120000+0000||{kind}|M1|P|2.6",
        "PID|||1234^^^HOSP^MR||Family^Given||19600101|F",
        f"PV1||I|{place}",
    ]
    if kind.startswith("ORU"):
        lines += [
            "OBR|1|||182777000^monitoring of patient^SCT|||20261121120000+0000",
            "OBX|1|NM|150344^MDC_TEMP^MDC||39.9|268192^MDC_DIM_DEGC^MDC|||||F",
        ]
    return take("\r".join(lines).encode() + b"\r", source, Announced(Two()), NOW, MAX_OBX)


@pytest.mark.parametrize("kind", ["ORU^R01^ORU_R01", "ADT^A03^ADT_A03", "ADT^A01^ADT_A01"])
def test_what_is_for_another_hospital_is_refused_and_kept_in_the_own_one(kind: str) -> None:
    source = Source(name="box", hospital="h1")
    refused = sent(source, kind, f"h2-icu-1^^{BED['h2']}")
    assert refused.code == OUT_OF_SCOPE
    assert [(one.shard, type(one.entry)) for one in refused.appends] == [("h1-hall", wire.Kept)]
    taken = sent(source, kind, f"h1-icu-1^^{BED['h1']}")
    assert (taken.code, {one.shard for one in taken.appends}) == ("", {"h1-icu-1"})


class Wide(Two):
    """As `Two`, and each with a second unit."""

    def units_of(self, hospital: str) -> list[str]:
        return [f"{hospital}-icu-1", f"{hospital}-ed-1"]


def test_two_numbers_become_one_only_by_a_sender_that_writes_to_the_whole_hospital() -> None:
    raw = (
        b"MSH|^~\\&|GW||||20261121120000+0000||ADT^A40^ADT_A39|M1|P|2.6\rEVN||20261121120000\r"
        b"PID|||4711^^^HOSP^MR\rMRG|NN-17^^^HOSP^MR\r"
    )
    box = Source(name="box", hospital="h1", units=("h1-icu-1",))
    refused = take(raw, box, Announced(Wide()), NOW, MAX_OBX)
    assert refused.code == OUT_OF_SCOPE
    assert [(one.shard, type(one.entry)) for one in refused.appends] == [("h1-hall", wire.Kept)]
    engine = Source(name="engine", hospital="h1")
    taken = take(raw, engine, Announced(Wide()), NOW, MAX_OBX)
    assert [one.shard for one in taken.appends] == ["h1-hall", "h1-icu-1", "h1-ed-1"]


def test_an_operator_may_name_the_unit_of_another_hospital() -> None:
    engine = Source(name="engine", hospital="h1", units=("h1-icu-1", "h2-icu-1"))
    assert sent(engine, "ORU^R01^ORU_R01", f"h2-icu-1^^{BED['h2']}").code == ""


def test_the_probe_of_one_canary_passes_in_every_hospital() -> None:
    assert sent(Source(name="box", hospital="h1"), "ORU^R01^ORU_R01", "h2-icu-1^^probe").code == ""


def test_two_houses_may_each_call_a_bed_77_and_each_has_its_own() -> None:
    house = Announced(Two())
    beds: dict[str, str] = {}
    for unit in ("h1-icu-1", "h2-icu-1"):
        where = location(f"{unit}^^77", PLAIN)
        admitted = place_patient(where, house)
        assert isinstance(admitted, Place)
        house.announce(*admitted)
        assert admitted.unit == unit
        beds[unit] = admitted.bed
        assert place(where, house) == admitted == place_patient(where, house)
        assert place(location(admitted.bed, PLAIN), house) == admitted
    assert beds == {"h1-icu-1": "77", "h2-icu-1": "h2-icu-1-77"}
    assert place(location("h1-icu-1^^77", PLAIN), house) == Place("h1-icu-1", "77")


def test_bed_77_of_a_ward_that_is_none_of_ours_is_not_bed_77_of_intensive_care() -> None:
    house = Announced(Two())
    house.announce("h1-icu-1", "77")  # as an ADT called it; its id is what it is called
    for ward in ("SURGERY^^77", "SURGERY^12^77", "^^SURGERY&77"):
        assert place_patient(location(ward, PLAIN), house) is None  # the hall: no unit of ours
        assert isinstance(place(location(ward, PLAIN), house), Unknown)
    for alone in ("77", "^^77", "^^77^10.0.0.7:1", "h1-icu-1^^77"):
        assert place(location(alone, PLAIN), house) == Place("h1-icu-1", "77")
    # An id that says its unit itself cannot be another ward's.
    assert place(location(f"SURGERY^^{BED['h1']}", PLAIN), house) == Place("h1-icu-1", BED["h1"])


def test_a_bed_that_says_whose_it_is_becomes_no_bed_of_another_unit() -> None:
    found = place_patient(location(f"h2-icu-1^^{BED['h1']}", PLAIN), Announced(Two()))
    assert isinstance(found, Unknown)
    refused = sent(Source(name="adt", hospital="h2"), "ADT^A01^ADT_A01", f"h2-icu-1^^{BED['h1']}")
    assert (refused.code, [one.shard for one in refused.appends]) == ("unknown_bed", ["h2-hall"])
