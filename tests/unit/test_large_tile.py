"""The large tile: its curves, the breath, and the lowest values from before the hospital."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from hospital_ops import wire
from hospital_ops.board import BedCell, PatientCell, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from tests.browser.made_up import bed, live, values
from web.render import Renderer
from web.views.bed import tile_view
from web.views.curves import on_wall
from web.words import words_of

NOW = 1_772_359_337 * SECOND
RENDER = Renderer("Europe/Moscow")
LOWEST = (
    wire.Lowest("8480-6", 71.0, "mm[Hg]", NOW - 3600 * SECOND),
    wire.Lowest("59408-5", 84.0, "%", NOW - 3500 * SECOND),
)


def rows(beds: int) -> list[int]:
    told = json.loads(on_wall(words_of("en"), beds))
    return [trace["row"] for trace in told]


def tile(cell: BedCell, lang: str = "en") -> str:
    return RENDER.icu_page(
        lang, beds=[cell], now_us=NOW, unit="h1-icu-1", unit_name="ICU 1", head=None, rev=1
    )


def test_four_beds_have_up_to_four_curves_each_and_a_fuller_wall_has_one() -> None:
    assert rows(4) == [1, 2, 3, 4, 4]  # carbon dioxide, or the breath where nobody measures it
    assert rows(5) == rows(50) == [1]


def test_every_curve_is_named_in_the_language_of_the_wall() -> None:
    names = [trace["name"] for trace in json.loads(on_wall(words_of("ru"), 4))]
    assert names == ["II", "АД инв.", "Плет.", "CO₂", "Дыхание"]


def test_carbon_dioxide_stands_on_the_tile_only_where_it_is_measured() -> None:
    frame = RENDER.frame("en", NOW)
    without = tile_view(bed(1, NOW), frame)
    measured = {**values(1, NOW), "19891-1": live(36, "mm[Hg]", NOW)}
    with_it = tile_view(bed(1, NOW, values=measured), frame)
    assert [cell.key for cell in without.row] == ["bp", "9279-1", "8310-5"]
    assert with_it.row[-1].text == "36"
    assert with_it.row[-1].label == "EtCO₂"


def test_the_lowest_before_the_hospital_stays_on_the_tile_of_the_stay() -> None:
    cell = bed(1, NOW)
    assert cell.patient is not None
    assert 'class="before"' not in tile(cell)
    known = msgspec.structs.replace(cell.patient, lowest=LOWEST)
    page = tile(bed(1, NOW, patient=known))
    assert "<b>71</b>" in page
    assert "<b>84</b>" in page
    assert "В пути" in tile(bed(1, NOW, patient=known), "ru")


def stay(bed: str, trigger: str, at: int, **more: Any) -> Stamped:
    facts = wire.PatientFacts(mrn="C1")
    said: dict[str, Any] = {"bed": bed, "event_at": at, "received_at": at, "trigger": trigger}
    who: dict[str, Any] = {"unit": "h1-icu-1", "source": "ed.h1", "mode": "Real", "patient": facts}
    return Stamped(
        at, wire.Admission(message_id=f"{at}", identity=b"%d" % at, **who, **said, **more)
    )


def test_the_lowest_values_go_with_the_patient_to_another_bed() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    unit.decide([stay("h1-icu-1-01", "A01", NOW, case="0190-1", lowest=LOWEST)])
    unit.decide([stay("h1-icu-1-02", "A02", NOW + SECOND, prior_bed="h1-icu-1-01")])
    there = decode_bed(unit.cell("h1-icu-1-02") or b"").patient
    assert there is not None
    assert there.lowest == LOWEST
    unit = IcuUnit("h1-icu-1", "h1", unit.dump())  # and a successor knows them
    again = decode_bed(unit.cell("h1-icu-1-02") or b"").patient
    assert again == there


def test_a_state_of_the_version_before_knows_no_lowest_and_still_loads() -> None:
    *before, lowest, _, isolation, _, _, _, _ = json.loads(
        wire.to_json(PatientCell("p", "m", initials="A.B."))
    )
    assert lowest == isolation == []
    assert msgspec.convert(before, PatientCell).lowest == ()
