"""What an ADT calls a bed, and which bed that is."""

from __future__ import annotations

import pytest

from hospital_ops.clock import ManualClock
from hospital_ops.forward.items import Item
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.parse import PLAIN
from hospital_ops.hl7.people import location
from hospital_ops.hl7.understand import Source
from streams.edge import EdgeIntake
from streams.hl7_intake import take
from streams.projections import Bed, Places, Unit
from streams.routing import Announced, Place, place, place_patient

NOW = 1_795_000_000_000_000


def house(*labels: str) -> Announced:
    """A unit with the beds u1-07 and so on."""
    places = Places(units={"u1": Unit("u1", "h1", "icu", "ICU")})
    for label in labels:
        name = f"u1-{label:0>2}" if label == "7" else f"u1-{label}"
        places.beds[name] = Bed(name, "u1", label, 1)
    return Announced(places)


@pytest.mark.parametrize("written", ["7", "07", "007"])
def test_bed_07_of_the_registration_is_bed_7_of_the_board(written: str) -> None:
    where = location(f"u1^^{written}", PLAIN)
    assert place_patient(where, house("7")) == place(where, house("7")) == Place("u1", "u1-07")


def test_where_two_beds_are_called_nearly_the_same_none_is_guessed() -> None:
    both = house("7", "007")
    assert place_patient(location("u1^^7", PLAIN), both) == Place("u1", "u1-07")
    assert place_patient(location("u1^^0007", PLAIN), both) == Place("u1", "0007")
    assert place_patient(location("u1^^7A", PLAIN), house("7")) == Place("u1", "7A")


def test_whoever_admits_to_a_bed_that_nobody_registered_is_told_so() -> None:
    ours = house("7")
    answers = [
        take(
            "\r".join(
                (
                    f"MSH|^~\\&|A|B|||20261121120000+0000||ADT^A01|{number}|P|2.6",
                    "EVN|A01|20261121120000+0000",
                    "PID|1||123^^^H^MR||F^G",
                    f"PV1|1|I|u1^^{bed}",
                )
            ).encode(),
            Source(name="adt", hospital="h1"), ours, NOW, MAX_OBX,
        )
        for number, bed in enumerate(("7", "BED 7", "BED 7"))
    ]  # fmt: skip
    assert [one.code for one in answers] == ["", "", ""]
    assert [len(one.understood.warnings) for one in answers] == [0, 1, 0]
    assert "'BED 7' is new in unit u1" in answers[1].understood.answer(NOW).decode()


async def test_steady_values_without_a_time_are_each_kept_by_the_box_of_a_unit() -> None:
    kept: list[Item] = []

    class Shelf:
        async def put(self, item: Item) -> None:
            kept.append(item)

    clock = ManualClock(NOW)
    box = EdgeIntake(Shelf(), clock)  # type: ignore[arg-type]
    untimed = b'[{"observation_id": "heart-rate", "device_id": "d", "value": 80, "unit": "bpm"}]'
    timed = untimed.replace(b"}", b', "date-time": "2026-11-21T12:00:00Z"}')
    for body in (untimed, untimed, timed, timed):
        await box.take_care("care", "Test", "UTC", "", body)
        clock.advance(3)
    assert len({item.id for item in kept[:2]}) == 2
    assert len({item.id for item in kept[2:]}) == 1  # the same bytes, sent again
