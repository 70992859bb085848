"""From the street to the bed: which bed is chosen, and the ECGs that were taken before it."""

from __future__ import annotations

from array import array
from zoneinfo import ZoneInfo

from hospital_ops import wire
from hospital_ops.clock import SECOND
from icu.store import Choice
from web.streetecgs.store import Taken
from web.views.bedchoice import wards_of
from web.views.streetecgs import lines
from web.views.values import Frame
from web.words import words_of

NOW = 1_772_359_200 * SECOND  # 2026-03-01 10:00 UTC
HOUR = 3600 * SECOND
EN = Frame(words_of("en"), NOW, ZoneInfo("UTC"))
RU = words_of("ru")


def bed(number: int, state: str, words: str = "", unit: str = "h1-icu-1") -> Choice:
    return Choice(f"{unit}-{number:02}", str(number), unit, f"Ward {unit[-1]}", state, words)


def ecg(at: int, findings: tuple[str, ...] = (), mode: str = "Real") -> wire.EcgReceived:
    lead = wire.EcgLead("II", 0.005, 0.0, array("h", range(500)).tobytes())
    reading = {
        "measurements": {"heart_rate_per_min": 104, "qrs_ms": None},
        "rhythm": {"codes": ["sinus_rhythm"]},
        "findings": [{"code": code, "state": "found", "text": ""} for code in findings],
    }
    return wire.EcgReceived(
        unit="h1-ed", case="c", ecg="e", source="t", message_id="m", identity=b"",
        received_at=at, mode=mode, stage="stored", at=at, rate_hz=500.0, leads=(lead,),
        findings=findings, reading=reading,
    )  # fmt: skip


def test_a_bed_is_chosen_by_the_name_that_stands_on_it_and_free_ones_come_first() -> None:
    empty = [bed(1, "cleaning"), bed(2, "reserved", "from theatre"), bed(4, "free")]
    (ward,) = wards_of([*empty], words_of("en"))
    assert ward.name == "Ward 1"
    assert [one.said for one in ward.beds] == [
        "Bed 4, free",
        "Bed 2, reserved: from theatre",
        "Bed 1, cleaning",
    ]
    assert ward.beds[0].bed == "h1-icu-1-04"
    (in_russian,) = wards_of(empty[1:2], RU)
    assert in_russian.beds[0].said.startswith("Место 2, ")


def test_a_bed_that_is_being_cleaned_is_seen_and_cannot_be_given() -> None:
    (ward,) = wards_of([bed(1, "cleaning"), bed(2, "free")], words_of("en"))
    assert {one.bed[-2:]: one.may for one in ward.beds} == {"01": False, "02": True}


def test_a_ward_without_a_bed_to_give_is_not_offered() -> None:
    empty = [bed(1, "cleaning"), bed(1, "free", unit="h1-icu-2")]
    assert [ward.name for ward in wards_of(empty, words_of("en"))] == ["Ward 2"]
    assert wards_of([], words_of("en")) == ()


def test_an_ecg_from_the_street_says_when_how_long_ago_and_what_was_read() -> None:
    taken = Taken("c", "e", NOW - 2 * HOUR, ecg(NOW - 2 * HOUR, ("stemi_criteria",)))
    (line,) = lines([taken], EN)
    assert (line["at"], line["ago"]) == ("08:00", "2 h 00")
    assert line["findings"] == ("ST elevation criteria",)
    assert line["measured"]
    assert "HR 104 /min" in line["rhythm"]
    assert "QRS" not in line["rhythm"]  # what was not measured is not shown as if it were
    assert not line["simulated"]


def test_an_ecg_of_yesterday_says_so_and_a_simulated_one_too() -> None:
    old = ecg(NOW - 20 * HOUR, mode="Demo")
    (line,) = lines([Taken("c", "e", old.at, old)], EN)
    assert line["at"] == "2026-02-28 14:00"
    assert line["simulated"]
    assert line["findings"] == ()


def test_a_photograph_of_an_ecg_is_no_reading() -> None:
    (line,) = lines([Taken("c", "e", NOW - HOUR)], EN)
    assert (line["picture"], line["measured"], line["path"]) == (True, False, "")
