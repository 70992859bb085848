"""What is charted by hand: a whole form or nothing, once, in its unit; sums follow their parts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from hospital_ops import codes, wire
from hospital_ops.access import Principal, Role
from hospital_ops.clock import SystemClock, from_datetime, iso
from streams.append import Appender
from streams.charting import GCS, GCS_PARTS, Charting, total_after
from web.hours import hours_of
from web.render import Renderer
from web.views.flowsheet import Sheet, _charted, events_of
from web.views.values import decimals_of

NOW = SystemClock().now_us()
ROOT = Path(__file__).parents[2]
BY = Principal(actor="nurse.h1", role=Role.NURSE, hospital="h1", units=("h1-icu-1",), key="k")


class Shelf:
    """Takes what is appended."""

    def __init__(self) -> None:
        self.entries: list[wire.Entry] = []

    async def append_many(self, shard: str, items: Any, stream: str = "in") -> list[str]:
        self.entries += [entry for entry, _ in items]
        return ["1-0" for _ in items]


def charting(shelf: Shelf) -> Charting:
    return Charting(cast(Appender, shelf), SystemClock(), "Test")


@pytest.mark.parametrize(("v", "total"), [("6", None), ("4", 13.0)])
def test_a_form_with_one_impossible_part_stores_neither_the_others_nor_their_sum(
    v: str, total: float | None
) -> None:
    shelf = Shelf()
    batch = events_of({"gcs_e": "4", "gcs_v": v, "gcs_m": "5", "urine": "120"}, iso(NOW))
    take = charting(shelf).take(BY, "h1-icu-1", "h1-icu-1-04", batch, b"{}", whole=True)
    answer = asyncio.run(take)
    stored = [one for e in shelf.entries if isinstance(e, wire.Observed) for one in e.observations]
    if total is None:
        assert not stored
        assert len(answer["rejected"]) == 1
        assert not answer["stored"]
    else:
        assert {one.code: one.value for one in stored}[GCS] == total
        assert len(stored) == 5


def test_a_machine_charts_nothing_from_before_the_patient_came_to_the_bed() -> None:
    minute, shelf = 60_000_000, Shelf()
    batch = [
        {"code": "9187-6", "value": 50 + ago, "determined_at": iso(NOW - ago * minute)}
        for ago in (1, 4, 6)
    ]
    take = charting(shelf).take(
        BY, "h1-icu-1", "h1-icu-1-04", batch, b"{}", since=NOW - 4 * minute - minute // 2
    )
    answer = asyncio.run(take)
    assert (len(answer["stored"]), len(answer["rejected"])) == (2, 1)
    assert "before this patient came" in answer["rejected"][0]["error"]


def test_the_same_form_is_the_same_events_and_another_one_is_not() -> None:
    fields, at = {"urine": "111", "fluid_in": "20"}, iso(NOW)
    ids = [[e["event_id"] for e in events_of(fields, at, form)] for form in ("a", "a", "b")]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])
    changed = events_of(fields | {"urine": "112"}, at, "a")
    assert changed[0]["event_id"] != ids[0][0]


def observed(key: str, value: float) -> wire.Observation:
    code = codes.by_key[key].code
    return wire.Observation(code, value, "{score}", NOW, event_id=f"e-{key}", origin="typed")


WHOLE = [observed("gcs_e", 4), observed("gcs_v", 1), observed("gcs_m", 6), observed("gcs", 11)]


def test_the_total_of_a_gcs_follows_a_corrected_part() -> None:
    verbal = WHOLE[1]
    total = total_after(verbal, 5.0, WHOLE)
    assert total is not None
    assert (total.old.event_id, total.value) == ("e-gcs", 15.0)
    gone = total_after(verbal, None, WHOLE)
    assert gone is not None
    assert gone.value is None
    assert gone.made("Test") is None


def test_a_part_alone_or_another_value_brings_no_total() -> None:
    assert total_after(WHOLE[1], 5.0, WHOLE[:3]) is None
    assert total_after(observed("urine", 5), 6.0, WHOLE) is None
    later = wire.replaced(WHOLE[3], determined_at=NOW + 1)
    assert total_after(WHOLE[1], 5.0, [*WHOLE[:3], later]) is None


def test_a_correction_of_a_part_tells_the_unit_of_both() -> None:
    new = {"code": GCS_PARTS[1], "value": 5, "determined_at": iso(NOW)}
    made = charting(Shelf()).correction(
        BY, "h1-icu-1", "h1-icu-1-04", WHOLE[1], new, "misread", b"", WHOLE
    )
    assert set(made.events) == {"e-gcs_v", "e-gcs"}
    gone = {one.event for one in made.told if isinstance(one, wire.Corrected)}
    assert gone == {"e-gcs_v", "e-gcs"}
    (values,) = [one for one in made.told if isinstance(one, wire.Observed)]
    assert {one.code: one.value for one in values.observations} == {GCS_PARTS[1]: 5, GCS: 15}


def test_a_value_is_rounded_by_its_own_unit() -> None:
    code = codes.by_key["creatinine"].code
    assert decimals_of(code, "umol/L") == 0
    assert decimals_of(code, "mg/dL") is None
    day = datetime(2026, 3, 1, tzinfo=UTC)
    line: dict[str, Any] = {
        "origin": "laboratory", "determined_at": day + timedelta(hours=2), "code": code,
        "channel": "", "value": 1.8, "value_text": None, "physical_unit": "mg/dL",
        "event_id": "e", "corrected_by": None, "reason": None, "source": "lab", "remark": "",
        "place": "b",
    }  # fmt: skip
    other = line | {"value": 159.0, "physical_unit": "umol/L", "event_id": "f"}
    frame = Renderer("UTC").frame("en", from_datetime(day))
    rows = _charted(
        Sheet({}, [line, other], {}), hours_of("2026-03-01", ZoneInfo("UTC")), frame, "laboratory"
    )
    told = {row.unit: [one.text for cell in row.cells for one in cell] for row in rows}
    assert list(told.values()) == [["1.8"], ["159"]]
    assert len(told) == 2


# Who tells what became of a value; everybody else asks `measurement_in_force`.
TELLS = ("web/trends/store.py", "web/charted/store.py", "web/store.py", "notify/outbox/store.py")


def test_values_that_were_taken_back_stand_nowhere_as_values() -> None:
    asks = [
        path.relative_to(ROOT).as_posix()
        for folder in ("icu", "web", "notify", "hospital_ops")
        for path in (ROOT / folder).rglob("*.py")
        if any(f"{word} filed_measurement" in path.read_text() for word in ("from", "join"))
    ]
    assert sorted(asks) == sorted(TELLS)
