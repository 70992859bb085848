"""Stories: what belongs together is told together, and a storm stays readable."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from hospital_ops.board import AlarmCell, BedCell, Head
from hospital_ops.clock import SECOND
from icu.stories import TOGETHER_US
from tests.alarm_ward import BED, UNIT, Ward
from web.views.alarmpanel import rows
from web.views.alarmqueue import TOP, queue_view
from web.views.alarms import house_of
from web.views.values import Frame
from web.words import words_of

WORDS = words_of("en")


def leads(ward: Ward) -> dict[str, str]:
    """Rule -> the rule that leads its story."""
    by_id = {alarm.id: alarm.code for alarm in ward.cell().alarms}
    return {alarm.code: by_id.get(alarm.story, "") for alarm in ward.cell().alarms}


def test_apnoea_desaturation_and_bradycardia_are_one_story_led_by_what_kills_first() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, spo2=75.0, rr=15.0)
    ward.send(8, hr=20.0, spo2=75.0, rr=15.0)
    told = leads(ward)
    assert told["spo2_desat"] == "brady_extreme"
    assert told["brady_extreme"] == ""


def test_what_begins_much_later_is_another_story() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, abp_mean=48.0, spo2=97.0)
    ward.send(TOGETHER_US // SECOND + 5, hr=80.0, abp_mean=48.0, spo2=97.0)
    ward.send(8, hr=80.0, abp_mean=48.0, spo2=75.0)
    assert leads(ward)["spo2_desat"] == ""
    assert leads(ward)["map_low"] == ""


def test_nothing_that_rings_is_told_under_what_somebody_has_taken_on() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, abp_mean=48.0, spo2=75.0)
    for alarm in ward.cell().alarms:
        if alarm.code == "spo2_desat":
            ward.act("acknowledge", alarm.id)
    told = leads(ward)
    assert told["map_low"] == ""
    assert told["spo2_desat"] == "map_low"


def test_a_story_is_a_way_of_telling_each_alarm_keeps_its_own_end() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, abp_mean=48.0, spo2=85.0)
    ward.send(14, hr=80.0, abp_mean=48.0, spo2=85.0)
    ward.act("acknowledge", ward.alarms()["map_low"].id)
    assert ward.alarms()["spo2_low"].state == "active"


def test_that_no_board_shows_a_red_is_told_with_the_red() -> None:
    ward = Ward(boards=False)
    ward.send(14, hr=80.0, abp_mean=48.0)
    assert leads(ward)["board_lost"] == "map_low"


def test_the_panel_tells_a_story_together_and_takes_it_on_in_one_press() -> None:
    ward = Ward()
    ward.send(30, hr=80.0, abp_mean=48.0, spo2=85.0)
    frame = Frame(WORDS, ward.now, ZoneInfo("UTC"))
    told = rows(ward.cell(), frame)
    assert [(row.member, row.story) for row in told] == [(False, 2), (True, 0)]


def cell(number: int, *alarms: AlarmCell) -> BedCell:
    return BedCell(f"{UNIT}-{number:02d}", str(number), None, {}, alarms)


def alarm(number: int, code: str, priority: str, **more: Any) -> AlarmCell:
    return AlarmCell(f"{code}-{number}", priority, code, code, "active", number * SECOND, **more)


def test_one_broken_gateway_is_one_line_and_not_forty() -> None:
    beds = {str(n): cell(n, alarm(n, "no_data", "medium")) for n in range(1, 41)}
    queue = queue_view(beds, WORDS)
    assert [item.bed for item in queue.items] == ["1, 2, 3, 4 +36"]
    assert queue.more == 0


def test_forty_reds_are_a_count_and_the_three_that_kill_first() -> None:
    beds = {
        f"{UNIT}-{n:02d}": cell(
            n,
            alarm(n, "map_low", "high", about="76214-6", value=50.0, limit=60.0, sign="<"),
            alarm(n, "board_lost", "high"),
        )
        for n in range(1, 41)
    }
    beds[f"{UNIT}-33"] = cell(33, alarm(33, "asystole", "high", about="ecg"))
    queue = queue_view(beds, WORDS)
    assert queue.storm == 40
    assert len(queue.items) == TOP
    assert queue.items[0].bed == "33"


def test_a_story_is_one_item_with_a_count() -> None:
    lead = alarm(1, "map_low", "high")
    under = alarm(1, "spo2_low", "medium", story=lead.id)
    queue = queue_view({"1": cell(1, lead, under)}, WORDS)
    assert [(item.alarm.id, item.more) for item in queue.items] == [(lead.id, 1)]


def test_the_bar_knows_the_alarms_of_no_bed() -> None:
    assert house_of(Head(UNIT, alarms=(alarm(1, "stream_memory", "medium"),))) == "stream_memory"
    assert house_of(None) == ""


def test_what_rings_is_held_against_the_values_every_ten_seconds() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, abp_mean=48.0)
    state = ward.unit.state.beds[BED]
    lost = state.alarms.pop(next(key for key in state.alarms if key.startswith("map_low")))
    assert lost.state == "active"
    ward.wait(12)  # the value is still believed; a damaged state has lost its alarm
    assert ward.unit.state.counts["reconciled"] == 1
    assert "map_low" in ward.alarms()
