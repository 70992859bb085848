"""A transfer in the making: what is asked, what the boards are told, what may be read."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.board import CaseCell, Head, decode_case, decode_head
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.commands.role_live import decider_of
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived
from icu.transfers import forms
from icu.unit import IcuUnit
from streams.projections import Places, Unit
from triage.unit import EdUnit
from web.render import Renderer
from web.views.coming import bar_lines

NOON = from_iso("2026-11-21T12:00:00Z")
TRANSFER = str(derived("test", "transfer"))
TOLD: dict[str, Any] = {
    "transfer": TRANSFER, "unit": "h1-icu-1", "to_unit": "h2-ed", "mode": "Demo", "version": 2,
    "state": "accepted", "sex": "M", "age_years": 62.0, "why": "PCI", "from_name": "City 1, ICU",
    "eta": None, "to_bed": "", "left_at": None, "ended_at": None,
}  # fmt: skip
PERSON = {"mrn": "1", "family": "Test", "given": "Anna", "birth_date": "1964-01-01", "sex": "M"}


def value(code: str, number: float, minutes_ago: int) -> dict[str, Any]:
    at = iso(NOON - minutes_ago * 60 * SECOND)
    return {"code": code, "value": number, "unit": "/min", "at": at}


def test_the_receivers_emergency_board_begins_with_the_newest_values_and_the_limits() -> None:
    known = {
        "person": PERSON,
        "values": [value("8867-4", 128.0, 5), value("59408-5", 80.0, 90), value("own", 1.0, 1)],
        "allergies": [
            {"id": "1", "none_known": False, "substance": "latex", "reaction": "", "told_by": ""}
        ],
    }
    entries = forms.board_entries(TOLD, known, ["no resuscitation"], "Ray", NOON)
    unit = EdUnit("h2-ed")
    unit.decide([Stamped(NOON, entry) for entry in (*entries, *entries)])
    cell: CaseCell = decode_case(unit.cell(TRANSFER) or b"")
    assert (cell.facts["origin"], cell.facts["crew"]) == ("transfer", "City 1, ICU")
    assert {code: shown.value for code, shown in cell.values.items()} == {"8867-4": 128.0}
    assert cell.values["8867-4"].at == NOON - 300 * SECOND, "under its own time"
    said = {(item["kind"], item["what"], item.get("role")) for item in cell.items}
    assert said == {("limit", "no resuscitation", None), ("allergy", "latex", "hospital")}


def head_after(*entries: wire.Coming) -> Head:
    unit = IcuUnit("h2-icu-1", "h2")
    unit.decide([Stamped(NOON, entry) for entry in entries])
    return decode_head(unit.cell("head") or b"")


def coming(version: int, state: str = "accepted", eta: int = 0, name: str = "a") -> wire.Coming:
    return wire.Coming(
        unit="h2-icu-1", transfer=name, version=version, state=state, words="City 1, M 62",
        bed="h2-icu-1-03", eta=eta, at=NOON, mode="Real",
    )  # fmt: skip


def test_an_intensive_care_board_expects_the_patient_until_the_arrival() -> None:
    frame = Renderer().frame("en", NOON)
    left = head_after(coming(2), coming(3, "left", NOON + 1800 * SECOND), coming(2))
    assert bar_lines(left, frame) == ("Coming 12:30: City 1, M 62, bed 3",)
    assert head_after(coming(2), coming(4, "arrived"), coming(3, "left")).coming == ()
    many = head_after(*(coming(2, name=str(n)) for n in range(5)))
    assert bar_lines(many, frame)[-1] == "+3"


def test_a_board_says_that_nobody_here_looks_at_the_live_ecg() -> None:
    places = Places(units={"h2-icu-1": Unit("h2-icu-1", "h2", "icu", "ICU")})
    for looks, said in ((True, ()), (False, ("Own ECG analysis is off",))):
        room = decider_of(places, "h2-icu-1", b"", ecg_analysis=looks)
        assert bar_lines(decode_head(room.cell("head") or b""), Renderer().frame("en", 0)) == said


def test_a_state_of_the_version_before_knows_nobody_who_is_coming() -> None:
    unit = IcuUnit("h2-icu-1", "h2")
    assert IcuUnit("h2-icu-1", "h2", unit.dump()).state.coming == {}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"to": "h2-icu-1"}, "no_reason"),
        ({"why": "ECMO"}, "no_receiver"),
        ({"why": "ECMO", "to": "h2-icu-1", "elsewhere": "there"}, "no_receiver"),
        ({"why": "ECMO", "to": "h2-icu-1", "needs": ["a pony"]}, "bad_needs"),
    ],
)
def test_a_request_names_one_receiver_a_reason_and_known_needs(
    sent: dict[str, Any], code: str
) -> None:
    with pytest.raises(MessageError) as refused:
        forms.checked(sent)
    assert refused.value.code == code


def test_the_record_ends_when_the_patient_left_or_arrived() -> None:
    day = 24 * 3600 * SECOND
    left = TOLD | {"left_at": iso(NOON)}
    assert forms.window(left, NOON + day) == (NOON - day, NOON)
    assert forms.window(TOLD, NOON) == (NOON - day, NOON)
    arrived = TOLD | {"state": "arrived", "ended_at": iso(NOON)}
    assert forms.window(arrived, NOON + day)[1] == NOON


@pytest.mark.parametrize(
    ("born", "years"), [("1964-11-21", 62), ("1964-11-22", 61), ("", None), ("1964", None)]
)
def test_the_age_counts_whole_years(born: str, years: int | None) -> None:
    assert forms.age_years(born, NOON) == years
