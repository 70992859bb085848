"""What has no device is charted by hand: asked where unlikely, linked to its order, told apart."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import codes
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.errors import MessageError
from hospital_ops.wire import replaced
from tests.browser.made_up import bed, live, spot
from tests.two_units import House
from web.render import Renderer
from web.views import byhand
from web.views.bed import tile_view

NOW = SystemClock().now_us()
RENDER = Renderer("Europe/Moscow")
HR = codes.by_key["hr"].code


def infusion(text: str, unit: str = "ug/kg/min", task: str = "in-progress") -> dict[str, Any]:
    return {
        "id": str(uuid4()), "kind": "infusion", "request": "active", "task": task, "text": text,
        "what": text.partition(" ")[0], "details": {"rate_unit": unit},
    }  # fmt: skip


def test_each_running_infusion_has_a_field_that_is_linked_to_its_order() -> None:
    norad, other = infusion("Норадреналин 0,1 мкг/кг/мин"), infusion("Propofol 10 mL/h", "mL/h")
    waits = infusion("Epinephrine 0.1 ug/kg/min", task="requested")
    frame = RENDER.frame("en", NOW)
    fields = byhand.rates([norad, other, waits], bed(1, NOW, values={}), {}, frame)
    assert [field.name for field in fields] == [
        f"rate_norepinephrine_{norad['id']}",
        f"rate__{other['id']}",
    ]
    assert fields[0].label.endswith(", µg/kg/min")
    typed = {fields[0].name: "0,25", fields[1].name: "12", fields[1].hidden[0]: fields[1].hidden[1]}
    dose, line = byhand.events_of(typed, iso(NOW), "f")
    assert (dose["code"], dose["value"], dose["channel"]) == ("norepinephrine", 0.25, norad["id"])
    assert (line["code"], line["value"]) == ("note", "Propofol, mL/h: 12")
    pump = {"norepinephrine": live(0.1, "ug/kg/min", NOW)}
    assert byhand.rates([norad], bed(1, NOW, values=pump), {}, frame) == []  # the pump tells it


def test_what_is_unlikely_is_asked_and_what_is_no_number_is_refused() -> None:
    words = RENDER.frame("en", NOW).words
    assert byhand.doubtful({"hr": "80", "temp": "36,6", "fio2": "40"}, words) == []
    assert len(byhand.doubtful({"hr": "305", "fio2": "20", "o2_flow": "81"}, words)) == 3
    assert byhand.doubtful({"nibp_sys": "80", "nibp_dia": "120"}, words) == ["NIBP diastolic"]
    assert len(byhand.doubtful({"rate_norepinephrine_x": "25"}, words)) == 1
    with pytest.raises(MessageError):
        byhand.events_of({"temp": "warm"}, iso(NOW), "f")
    with pytest.raises(MessageError):
        byhand.events_of({"rate__x": "fast", "said_x": "Propofol, mL/h"}, iso(NOW), "f")


def test_a_typed_value_is_spot_with_its_time_and_says_that_it_was_typed() -> None:
    house = House()
    house.typed("hr", 77)
    cell = house.cell()
    assert (cell.values[HR].kind, cell.values[HR].origin) == ("spot", "typed")
    [hr] = [v for v in tile_view(cell, RENDER.frame("ru", house.now)).vitals if v.by_hand]
    assert hr.age.at
    assert ">вручную<" in _tile(cell, house.now)
    measured = replaced(cell, values={HR: live(77, "/min", house.now)})
    assert ">вручную<" not in _tile(measured, house.now)
    charted = replaced(cell, values={codes.by_key["weight"].code: spot(80, "kg", house.now)})
    assert ">вручную<" not in _tile(charted, house.now)


def test_a_typed_value_takes_neither_the_place_nor_the_alarm_of_a_live_one() -> None:
    house = House()
    house.values(abp_mean=44, hr=80)
    code = codes.by_key["abp_mean"].code
    ringing = [alarm.id for alarm in house.cell().alarms]
    assert ringing
    house.typed("abp_mean", 70)
    assert (house.cell().values[code].value, house.cell().values[code].origin) == (44, "monitor")
    assert [alarm.id for alarm in house.cell().alarms] == ringing
    house.now += 60 * SECOND  # the line was taken out
    house.typed("abp_mean", 71)
    assert (house.cell().values[code].value, house.cell().values[code].origin) == (71, "typed")


def _tile(cell: BedCell, now: int) -> str:
    return RENDER.icu_page(
        "ru", beds=[cell], now_us=now, unit="h1-icu-1", unit_name="ICU", head=None, rev=1
    )
