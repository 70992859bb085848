"""Recorded stays run through a unit at speed: what it tells agrees with what is found by hand.

Each stay is sent as a hospital sends it (ADT, monitor and laboratory by HL7 over MLLP, the nurse by
the chart's form) to a ward whose clock runs at speed; its board, its indicators, its flowsheet and
its archive are asked over HTTP at several moments of each stay.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from itertools import chain, islice
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, from_iso, iso
from hospital_ops.database import Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.fast_ward import CUFF, MONITOR, SOMEBODY, FastWard, code_of, fast_ward
from tests.integration.streams_help import until
from tests.oracle import bedside_oracle, indicator_oracle
from tests.oracle.indicator_oracle import Events
from tests.unit import recorded_stays
from tests.unit.recorded_stays import START

HOUR, DAY = 3600, 86_400
QUIET = 90  # a minute's median needs its minute: nothing came to the bed for so long
LIVE_NO_MORE = 1000  # of no sender, however slow, is a value live for so long
LONG = bool(os.environ.get("HOSPITAL_OPS_LONG"))
# Of each of the three collections 2 (n = 6 stays), their first day; by `dev.py test --long PATH`
# all 510 and the whole of each, a week at the most. (How many: HOSPITAL_OPS_STAYS, of each.)
STAYS = int(os.environ.get("HOSPITAL_OPS_STAYS", "1000" if LONG else "2"))
ASKED_AFTER_H = (5, 13, 24, 31, 47, 70, 120) if LONG else (5, 13, 25)
BEDS = 50  # of a unit
CYCLIC = frozenset((*CUFF, "temp"))
STREAMED = frozenset(MONITOR) - CYCLIC
# 10 000 over the molar mass (584.66 and 113.12 g/mol): micromoles in a litre of 1 mg/dL.
MICROMOLES = {"bilirubin": 17.104, "creatinine": 88.402}
LONGEST = 8 * DAY
BEGINS = (SystemClock().now_us() // SECOND - LONGEST) // HOUR * HOUR + START % HOUR


def stays(number: int, begins_s: int) -> dict[str, Events]:
    """The events of each bed from `begins_s` on. What was given is invented for every other bed:
    100 mL at half past each of the first hours, since the recordings tell only what was lost."""
    collections = (
        recorded_stays.challenge(), recorded_stays.hourly("mimic"), recorded_stays.hourly("eicu"),
    )  # fmt: skip
    found: dict[str, Events] = {}
    shift = begins_s - START
    for place, (_, events) in enumerate(
        chain.from_iterable(islice(each, number) for each in collections)
    ):
        bed = f"h1-icu-{place // BEDS + 1}-{place % BEDS + 1:02d}"
        moved: Events = [
            (at + shift, key, value)
            for at, key, value in events
            if LONG or at <= START + ASKED_AFTER_H[-1] * HOUR
        ]
        if place % 2 == 0:
            moved += [(begins_s + n * HOUR + 1800, "fluid_in", 100.0) for n in range(30)]
        found[bed] = sorted(moved, key=lambda event: event[0])
    return found


class Play:
    """Plays the events of all beds in the order of their times."""

    def __init__(self, ward: FastWard, beds: dict[str, Events]) -> None:
        self.ward, self.beds = ward, beds
        waiting: dict[int, dict[str, Events]] = {}
        for bed, events in beds.items():
            for event in events:
                waiting.setdefault(event[0], {}).setdefault(bed, []).append(event)
        self.waiting = sorted(waiting.items(), reverse=True)

    async def until(self, second: int) -> None:
        """Everything up to a second is sent and stored, and it is that second."""
        while self.waiting and self.waiting[-1][0] <= second:
            await self.ward.happens(*self.waiting.pop())
        if second * SECOND > self.ward.clock.now_us():
            await self.ward.happens(second, {})

    async def quiet_beds(self, second: int) -> AsyncIterator[tuple[str, Events]]:
        """Each bed with what is known of it, at the first quiet moment from `second` on."""
        left = dict(self.beds)
        while left:
            await self.until(second)
            await self.ward.settle()
            now = self.ward.clock.now_us() // SECOND
            for bed, events in list(left.items()):
                known = [event for event in events if event[0] <= now]
                if not any(event[0] > now - QUIET for event in known):
                    yield bed, known
                    del left[bed]
            second = now + QUIET


def agree(where: str, known: Events, now: int, figures: dict[str, Any]) -> bool:
    """The figures of a bed against those found by hand; answers whether there was a SOFA."""
    said = {name: figure["value"] for name, figure in figures.items()}
    parts, total = indicator_oracle.sofa(known, now)
    sofa = figures.get("sofa")
    if sofa is None:
        assert all(points is None for points in parts.values()), where
    else:
        assert (sofa["components"], sofa["total"]) == (parts, total), where
        whole = None not in parts.values() and not sofa.get("estimated")
        assert (sofa["state"] == "complete") == whole, where
    gases = indicator_oracle.gases(known, now)
    assert said.get("pf") == (pytest.approx(gases[-1][0], abs=1e-3) if gases else None), where
    ratio = bedside_oracle.saturation_ratio(known, now)
    if isinstance(ratio, str):
        assert (figures["sf"]["state"], said["sf"]) == (ratio, None), where
    else:
        assert said.get("sf") == near(ratio), where
    assert said.get("shock_index") == near(bedside_oracle.shock_index(known, now)), where
    assert said.get("rox") == near(bedside_oracle.rox(known, now)), where
    clearance = bedside_oracle.lactate_clearance(known, now)
    assert said.get("lactate_clearance") == near(clearance), where
    assert said.get("gcs") == indicator_oracle.last(known, "gcs", now, DAY), where
    if "kdigo_urine" in figures:
        assert said["kdigo_urine"] == indicator_oracle.urine_stage(known, now), where
    assert figures.get("news2", {}).get("state") == bedside_oracle.news2_state(known, now), where
    fluids_agree(where, known, now, figures.get("balance"))
    return sofa is not None


def fluids_agree(where: str, known: Events, now: int, said: dict[str, Any] | None) -> None:
    """What went in and out, by hour and in all; no balance where nobody charted one side."""
    found = bedside_oracle.balance(known, now)
    keys = {key for _, key, _ in known} & {"urine", "fluid_in"}
    if said is None:
        assert not keys, where
        return
    assert (said["in_ml"], said["out_ml"]) == (near(found["in_ml"]), near(found["out_ml"])), where
    hours = {from_iso(start) // SECOND: row for start, row in said["hours"].items()}
    assert hours == {start: near_all(row) for start, row in found["hours"].items()}, where
    if keys == {"urine", "fluid_in"}:
        assert said["value"] == near(found["in_ml"] - found["out_ml"]), where
        assert said["day_ml"] == near(found["day_ml"]), where
    else:
        assert (said["value"], said["day_ml"], len(said["missing"])) == (None, None, 1), where


def near(value: float | None) -> Any:
    """The figure as it may be told."""
    return None if value is None else pytest.approx(value, abs=1e-3, rel=5e-4)


def told_as(value: float | str) -> Any:
    """A value as it may be told: a word as it is."""
    return value if isinstance(value, str) else near(value)


def near_all(row: list[float]) -> list[Any]:
    """The same for each number of a row."""
    return [near(value) for value in row]


def board_agrees(where: str, known: Events, now: int, bed: dict[str, Any]) -> None:
    """The board has the newest value of each sign with its time, and calls no old one live."""
    newest = {key: (at, value) for at, key, value in known}
    for key, (at, value) in newest.items():
        shown = bed["values"][code_of(key)]
        # What streams loses its number with its age; what comes at intervals keeps it, in grey.
        gone = key in STREAMED and shown["state"] == "withdrawn"
        cyclic = key in CYCLIC  # in time within its own cycle
        assert cyclic or shown["state"] in ("spot", "stale", "withdrawn"), f"{where}: {key}"
        if shown["unit"] == "umol/L":  # sent in mg/dL
            value = float(value) * MICROMOLES[key]
        assert shown["value"] == (None if gone else told_as(value)), f"{where}: {key}"
        assert from_iso(shown["determined_at"]) == at * SECOND, where
        assert shown["age_s"] == pytest.approx(now - at, abs=1), where


class Rows(HTMLParser):
    """The rows of a flowsheet: by label, the texts in bold of each hour."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.label, self.inside = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.label = ""
        elif tag == "td" and self.label:
            self.rows[self.label].append([])
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "th" and not self.label:
            self.label = data.strip()
            self.rows[self.label] = []
        elif self.inside == "b" and self.rows.get(self.label):
            self.rows[self.label][-1].append(data.strip())


async def flowsheet_agrees(ward: FastWard, bed: str, events: Events, day: str) -> int:
    """The day's urine stands in the hours in which it was charted; answers how many entries."""
    page = await ward.get(f"/icu/beds/{bed}/flowsheet?day={day}&lang=en")
    rows = Rows(page.text).rows
    urine = next((row for label, row in rows.items() if label.lower().startswith("urine")), [])
    begins = re.findall(r'data-from="([^"]+)"', page.text)
    found = {
        (from_iso(start) // SECOND): [float(text.replace(",", "")) for text in texts]
        for start, texts in zip(begins, urine, strict=False)
        if texts
    }
    first, last = from_iso(begins[0]) // SECOND, from_iso(begins[-1]) // SECOND + HOUR
    wanted: dict[int, list[float]] = {}
    for at, key, value in events:
        if key == "urine" and first <= at < last:
            wanted.setdefault(at // HOUR * HOUR, []).append(float(value))
    assert found == {start: near_all(row) for start, row in wanted.items()}, f"{bed} on {day}"
    return sum(map(len, found.values()))


async def archive_agrees(ward: FastWard, bed: str, events: Events) -> int:
    """Every value that was sent is stored once, with its own time; answers how many."""
    sent = sorted((code_of(key), at * SECOND) for at, key, _ in events)

    async def stored() -> bool:
        answer = await ward.get(f"/api/v1/icu/beds/{bed}/measurements")
        rows = [wire.from_json(line) for line in answer.content.splitlines()]
        return sorted((row["code"], from_iso(row["determined_at"])) for row in rows) == sent

    await until(stored, f"the archive has all values of {bed} once")
    return len(sent)


@pytest.mark.usefixtures("two_hospitals")
async def test_recorded_stays_sent_to_a_ward_at_speed_are_told_as_they_are_found_by_hand(
    fresh_valkey: Valkey, app: Database, writer: Database
) -> None:
    begins, beds = BEGINS, stays(STAYS, BEGINS)
    wards = {f"icu-{n + 1}": BEDS for n in range((len(beds) - 1) // BEDS + 1)}
    started, asked, with_sofa = time.monotonic(), 0, 0
    async with fast_ward(fresh_valkey.url, app, writer, (begins - 60) * SECOND, wards) as ward:
        await ward.admit(dict.fromkeys(beds, SOMEBODY))
        play = Play(ward, beds)
        for hours in ASKED_AFTER_H:
            async for bed, known in play.quiet_beds(begins + hours * HOUR + QUIET):
                now = ward.clock.now_us() // SECOND
                where = f"{bed} at hour {hours}"
                told = (await ward.get(f"/api/v1/icu/beds/{bed}/indicators")).json()
                known = bedside_oracle.trusted(known)
                with_sofa += agree(where, known, now, told["indicators"])
                asked += 1
        await play.until(max(events[-1][0] for events in beds.values()) + LIVE_NO_MORE)
        await ward.settle()
        now = ward.clock.now_us() // SECOND
        for unit in ward.units:
            for bed in (await ward.get(f"/api/v1/boards/{unit}")).json()["beds"]:
                if bed["bed"] in beds:
                    board_agrees(bed["bed"], beds[bed["bed"]], now, bed)
        values = sum([await archive_agrees(ward, bed, events) for bed, events in beds.items()])
        entries = 0
        for bed in list(beds)[:: max(1, len(beds) // 12)]:
            for day in days(begins):
                entries += await flowsheet_agrees(ward, bed, beds[bed], day)
    assert with_sofa > len(beds)
    assert entries > 0
    print(  # the figure of a long run
        f"{len(beds)} stays, {asked} moments ({with_sofa} with a SOFA), {values} values,"
        f" {entries} flowsheet entries, {time.monotonic() - started:.1f} s"
    )


def days(begins: int) -> Iterator[str]:
    """The local days of a stay of three days."""
    for number in range(4):
        yield iso((begins + number * DAY) * SECOND)[:10]
