"""The hand-over sheet says what was measured, and nothing where nothing was."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import case_json, decode_case
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import Stamped
from hospital_ops.identity import derived
from triage.handover.sheet import LIMIT_PCT, SATURATION, Reading, longest_below, sheet_of
from triage.unit import EdUnit
from web.render import Renderer
from web.views.sheet import sheet_view

NOON = from_iso("2026-11-21T12:00:00Z")
PRESSURE = "8480-6"


def at(second: int, value: float, code: str = SATURATION) -> Reading:
    return Reading(code, value, "%", NOON + second * SECOND)


def test_the_lowest_pressure_and_saturation_come_with_their_first_time() -> None:
    readings = [at(0, 96), at(60, 84), at(120, 84), at(30, 71, PRESSURE), at(90, 110, PRESSURE)]
    sheet = sheet_of(readings, {}, NOON)
    assert sheet["lowest_saturation"] == {"value": 84, "unit": "%", "at": iso(NOON + 60 * SECOND)}
    assert sheet["lowest_pressure"]["value"] == 71


def test_the_longest_time_below_the_limit_is_found_and_an_unfinished_one_is_called_so() -> None:
    readings = [at(0, 90), at(60, 95), at(100, 88), at(200, 80), at(400, 97), at(500, 91)]
    long = longest_below(readings, LIMIT_PCT)
    assert long == {
        "seconds": 300, "from": iso(NOON + 100 * SECOND), "open": False, "lowest": 80
    }  # fmt: skip
    unfinished = longest_below([*readings, at(900, 85)], LIMIT_PCT)
    assert unfinished is not None
    assert (unfinished["seconds"], unfinished["open"]) == (400, True)


def test_a_saturation_at_the_limit_is_no_desaturation() -> None:
    assert longest_below([at(0, LIMIT_PCT), at(60, LIMIT_PCT)], LIMIT_PCT) is None


def test_where_nothing_was_measured_the_sheet_says_nothing() -> None:
    sheet = sheet_of([], {"facts": {}}, NOON)
    assert sheet["lowest_pressure"] is None
    assert sheet["longest_desaturation"] is None
    assert (sheet["values"], sheet["treatments"]) == ([], [])


def test_what_the_crew_gave_and_agreed_stands_on_the_sheet_as_it_was_sent() -> None:
    """From the crew's own items through the live state and the board to the sheet and its page."""
    unit, case = EdUnit("h1-ed"), str(derived("test", "sheet"))
    for n, (minute, kind, said) in enumerate(
        (
            (5, "treatment", {"what": "oxygen"}),
            (1, "note", {"text": "dog bites"}),
            (2, "treatment", {"what": "adrenaline", "dose": "1 mg", "route": "iv"}),
            (3, "limit", {"what": "no CPR", "who": "daughter", "until": "hospital"}),
        )
    ):
        at, item = NOON + minute * 60 * SECOND, str(derived("item", str(n)))
        entry = wire.CaseItem("h1-ed", case, item, kind, at, "tablet", at, "Demo", said)
        unit.decide([Stamped(NOON, entry)])
    encoded = unit.cell(case)
    assert encoded is not None
    sheet = sheet_of([], case_json(decode_case(encoded), NOON), NOON)
    assert sheet["treatments"] == [
        {"what": "adrenaline", "dose": "1 mg", "route": "iv", "at": "2026-11-21T12:02:00.000Z"},
        {"what": "oxygen", "dose": "", "route": "", "at": "2026-11-21T12:05:00.000Z"},
    ]
    assert [(line["what"], line["who"]) for line in sheet["limits"]] == [("no CPR", "daughter")]
    page = sheet_view(sheet, Renderer("UTC").frame("en", NOON))
    assert page["treatments"][0] == ("12:02", "adrenaline, 1 mg, iv")
    assert page["limits"] == [("12:03", "no CPR, daughter, hospital")]
    before = {name: said for name, said in sheet.items() if name != "limits"}
    assert sheet_view(before, Renderer("UTC").frame("en", NOON))["limits"] == []


values = st.lists(
    st.tuples(st.integers(0, 3600), st.integers(50, 100)), max_size=40, unique_by=lambda v: v[0]
)


@given(values, st.randoms())
def test_the_order_of_arrival_does_not_change_the_sheet(
    found: list[tuple[int, int]], chance: object
) -> None:
    readings = [at(second, value) for second, value in found]
    assert sheet_of(readings, {}, NOON) == sheet_of(readings[::-1], {}, NOON)


@given(values)
def test_no_stretch_below_the_limit_is_longer_than_the_one_on_the_sheet(
    found: list[tuple[int, int]],
) -> None:
    readings = sorted((at(second, value) for second, value in found), key=lambda r: r.at)
    long = longest_below(readings, LIMIT_PCT)
    for before, after in pairwise(readings):
        if before.value < LIMIT_PCT:
            assert long is not None
            assert long["seconds"] * SECOND >= after.at - before.at
    assert (long is None) == all(r.value >= LIMIT_PCT for r in readings)
