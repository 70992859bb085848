"""What a desk says in words: calls, beds to give, the shift's report, an incident."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hospital_ops import codes
from hospital_ops.board import AlarmCell, BedCell, CallCell
from hospital_ops.clock import SECOND, from_iso
from web.views import duty, handover, incidents, stays
from web.views.values import Frame
from web.words import words_of

NOW = from_iso("2026-11-22T20:40:00Z")
FRAME = Frame(words_of("en"), NOW, ZoneInfo("Europe/Moscow"))
RU = Frame(words_of("ru"), NOW, ZoneInfo("Europe/Moscow"))


def ringing(bed: str, code: str, priority: str, called_at: int) -> BedCell:
    call = CallCell(post="nurse", who="nurse.h1", at=called_at)
    alarm = AlarmCell(bed, priority, code, "", "active", called_at, called=(call,))
    return BedCell(bed, bed, None, {}, (alarm,))


def test_whoever_is_called_sees_the_red_alarm_first_whenever_it_was_called() -> None:
    cells = [
        ringing("8", "sbp_low", "medium", NOW),
        ringing("2", "sensor_silent", "low", NOW),
        ringing("7", "map_low", "high", NOW - 600 * SECOND),
        ringing("1", "map_low", "high", NOW - 60 * SECOND),
    ]
    assert [one.bed for one in duty.called(cells, "nurse.h1", FRAME)] == ["1", "7", "8", "2"]


def test_a_reserved_bed_is_offered_with_for_whom_it_is() -> None:
    free = {"label": "9", "state": "free", "words": ""}
    kept = {"label": "10", "state": "reserved", "words": "after theatre"}
    assert stays.offered(free, FRAME.words) == "9"
    assert stays.offered(kept, FRAME.words) == "10 · reserved after theatre"


def told(*values: tuple[str, float], alarms: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    sent = [
        {"code": codes.by_key[key].code, "value": value, "unit": codes.by_key[key].ucum,
         "at": "2026-11-22T20:05:00.000Z"}
        for key, value in values
    ]  # fmt: skip
    person = {"mrn": "1", "family": "A", "given": "B", "sex": "F", "birth_date": ""}
    return {
        "stay": "s", "bed": "b", "person": person, "mode": "Real", "ended_at": None,
        "admitted_at": "2026-11-20T20:00:00.000Z", "from": "2026-11-20T20:00:00.000Z",
        "to": "2026-11-22T20:00:00.000Z", "values": sent, "lowest": [], "orders": [], "care": [],
        "alarms": [
            {"rule": "map_low", "priority": "high", "words": "", "number": 2, "first": first,
             "last": last}
            for first, last in alarms
        ],
    }  # fmt: skip


def test_a_report_begins_with_the_circulation_and_writes_figures_as_the_board_does() -> None:
    values = ("bilirubin", 67.0), ("lactate", 4.0), ("k", 4.0), ("spo2", 89.0), ("hr", 101.0)
    found = handover.report(told(*values), RU)["latest"]
    assert [one["name"] for one in found][:2] == ["ЧСС", "SpO₂"]
    assert {one["name"]: one["value"] for one in found}["Лактат"] == "4,0"
    assert [one["value"] for one in found if one["name"] == "калий"] == ["4,0"]


def test_alarms_of_a_stay_of_days_say_on_which_day_they_rang() -> None:
    rang = (
        ("2026-11-21T07:02:00.000Z", "2026-11-22T06:14:00.000Z"),
        ("2026-11-22T06:00:00.000Z", "2026-11-22T06:14:00.000Z"),
        ("2026-11-22T06:00:00.000Z", "2026-11-22T06:00:00.000Z"),
    )
    spans = [one["span"] for one in handover.report(told(alarms=rang), FRAME)["alarms"]]
    assert spans == [
        "21.11 10:02:00–22.11 09:14:00", "22.11 09:00:00–09:14:00", "22.11 09:00:00",
    ]  # fmt: skip
    assert all(a != b for a, b in pairwise(spans))


def test_an_incident_says_what_stood_there_in_words_and_local_time() -> None:
    seen = {
        "value": 89.5, "unit": "%", "state": "live", "age_s": 65.2, "mode": "Demo",
        "determined_at": "2026-11-22T20:37:25.223Z",
    }  # fmt: skip
    one: dict[str, Any] = {
        "seen": seen, "frozen_at": None, "to": "2026-11-22T20:42:26.000Z", "versions": {},
        "copies": {}, "nearest": [],
    }  # fmt: skip
    facts = dict(incidents.details(one, RU)["seen"])
    assert facts["значение"] == "89,5 %"
    assert facts["измерено"] == "22.11 23:37:25"
    assert not {"unit", "age_s", "determined_at"} & set(facts)
