"""A device that is carried from bed to bed: each value belongs to the bed of its own time."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import bindings, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.hl7.understand import Source
from hospital_ops.standing.rules import Stand, bed_at, elsewhere, parted
from icu.unit import IcuUnit
from streams.hl7_intake import take
from streams.routing import Announced
from tests.mllp_ward import Ward, oru
from tests.unit.test_who_is_it import BED, OTHER, UNIT, flags, stay, stored, told, value

START = 1_790_000_000 * SECOND
MOVED = (Stand(START, BED), Stand(START + 60 * SECOND, ""), Stand(START + 90 * SECOND, OTHER))
TAKEN_AT = 1_795_169_730 * SECOND  # of `oru`: 2026-11-20 10:15:30 UTC


def unit_of(bed: str) -> str | None:
    return UNIT if bed in (BED, OTHER) else None


def at(second: int) -> int:
    return START + second * SECOND


def batch(*seconds: int | None) -> wire.Observed:
    """Values of a device that stands at OTHER by now, each of its own second; None: no time."""
    return wire.replaced(
        value(START + 200 * SECOND, bed=OTHER),
        observations=tuple(
            wire.Observation("8867-4", 80.0 + index, "/min", None if s is None else at(s))
            for index, s in enumerate(seconds)
        ),
    )  # fmt: skip


def test_what_was_kept_on_the_way_goes_to_the_beds_where_it_was_measured() -> None:
    parts = parted(batch(10, 59, 60, 89, 90, 150, None), MOVED, unit_of)
    found = {part.bed: [o.value for o in part.observations] for part in parts}
    assert found == {BED: [80.0, 81.0], "": [82.0, 83.0], OTHER: [84.0, 85.0, 86.0]}
    assert len({part.identity for part in parts}) == 3


def test_a_clock_that_is_ahead_reaches_no_bed_to_come() -> None:
    early = wire.replaced(batch(150), received_at=START + 30 * SECOND)
    (part,) = parted(early, MOVED, unit_of)
    assert part.bed == BED


def test_a_carried_device_was_at_no_bed_before_and_one_that_nobody_bound_is_as_it_says() -> None:
    assert bed_at(MOVED, START - 1) == ""
    message = batch(-5)
    assert parted(message, (), unit_of) == [message]


@given(st.lists(st.integers(-50, 200), min_size=1, max_size=12))
def test_no_value_is_lost_doubled_or_at_another_bed_than_its_time_says(seconds: list[int]) -> None:
    message = batch(*seconds)
    parts = parted(message, MOVED, unit_of)
    whole = [o for part in parts for o in part.observations]
    assert sorted(whole, key=repr) == sorted(message.observations, key=repr)
    for part in parts:
        for one in part.observations:
            assert one.determined_at is not None
            assert part.bed == bed_at(MOVED, one.determined_at)


def test_a_curve_goes_with_its_beginning() -> None:
    wave = wire.Waved(
        unit=UNIT, source="m", message_id="1", identity=b"1", received_at=START + 95 * SECOND,
        mode="Real", code="II", channel="", started_at=START + 10 * SECOND, rate_hz=250.0,
        scale=1.0, offset=0.0, physical_unit="mV", samples=b"\0\0", bed=OTHER,
    )  # fmt: skip
    (piece,) = parted(wave, MOVED, unit_of)
    assert piece.bed == BED


class Placed(Ward):
    """The ward, and one device that a person has bound to BED702."""

    def mode_of_device(self, hospital: str, name: str) -> str:
        return ""

    def standing(self, hospital: str, name: str) -> tuple[Stand, ...]:
        return (Stand(TAKEN_AT - SECOND, "BED702"),) if name == "0011223344556677" else ()


def sent(bed: str) -> wire.Observed:
    """What becomes of a message of that device which names `bed`."""
    raw = oru("1", bed).replace(b"|||||R\r", b"|||||R|||||||MON7^0011223344556677^EUI-64\r")
    source = Source(name="ward", hospital="h7", mode="Real")
    intake = take(raw, source, Announced(Placed()), TAKEN_AT + SECOND, 2000)
    assert intake.code == ""
    (entry,) = [a.entry for a in intake.appends if isinstance(a.entry, wire.Observed)]
    return entry


def test_a_message_without_a_bed_goes_where_a_person_has_bound_its_device() -> None:
    assert (sent("").bed, sent("").elsewhere) == ("BED702", False)


def test_a_message_that_names_another_bed_is_shown_there_and_is_nobodys() -> None:
    assert (sent("ICU7N^^BED702").bed, sent("ICU7N^^BED702").elsewhere) == ("BED702", False)
    other = sent("ICU7N^^BED701")
    assert (other.bed, other.elsewhere) == ("BED701", True)
    assert elsewhere(MOVED, OTHER, START)
    assert not elsewhere((), OTHER, START)


def test_the_babys_device_beside_the_mother_never_files_on_the_mother() -> None:
    babys = wire.replaced(value(START + SECOND), elsewhere=True)  # bound to the cot by a person
    named = value(START + SECOND, mrn="BABY")  # or it says itself whose it is
    for entry in (babys, named):
        unit = told(stay(START, "MOTHER"), entry)
        assert "check_patient" in flags(unit)
        ((whose, remark),) = stored(stay(START, "MOTHER"), entry)
        assert whose is None
        assert "another patient" in remark  # what the page of the bed offers to file by itself


def test_the_curve_of_the_baby_is_not_the_mothers_either() -> None:
    history = bindings.bound((), bindings.Binding(START, "mother-id", "MOTHER"))
    assert bindings.whose(history, START, "BABY").patient_id == ""
    assert bindings.whose(history, START, "", elsewhere=True).patient_id == ""
    assert wire.Waved.__struct_defaults__[-2:] == ("", False)  # who claims it travels with it


def test_both_banners_show_mother_and_child_until_the_link_ends() -> None:
    unit = told(stay(START, "MOTHER"), stay(START + SECOND, "BABY", bed=OTHER))
    people = [bed.history[-1].patient_id for bed in unit.state.beds.values()]
    link = wire.Kin(
        UNIT, "k1", people[1], "BABY", people[0], "MOTHER", ended=False, by="n", at=START,
        mode="Real",
    )  # fmt: skip
    done = unit.decide([Stamped(START + 2 * SECOND, link)])
    assert done.dirty == {BED, OTHER}
    again = IcuUnit(UNIT, "h1", unit.dump())
    assert kin_of(again, BED) == [("child", "BABY", OTHER)]
    assert kin_of(again, OTHER) == [("mother", "MOTHER", BED)]
    gone = stay(START + 3 * SECOND, "MOTHER", "A03")
    assert OTHER in again.decide([Stamped(START + 3 * SECOND, gone)]).dirty
    assert kin_of(again, OTHER) == [("mother", "MOTHER", "")]
    again.decide([Stamped(START + 4 * SECOND, wire.replaced(link, ended=True))])
    assert kin_of(again, OTHER) == []


def kin_of(unit: IcuUnit, bed: str) -> list[tuple[str, str, str]]:
    cell = unit.cell(bed)
    assert cell is not None
    return [(one.role, one.mrn, one.bed) for one in decode_bed(cell).kin]


def test_a_re_sent_part_has_the_same_identity() -> None:
    first, second = (parted(batch(10, 95), MOVED, unit_of) for _ in range(2))
    assert [p.identity for p in first] == [p.identity for p in second]
    assert (
        first[0].identity
        == hashlib.sha256(batch(10, 95).identity + b"\x1f" + BED.encode()).digest()
    )
