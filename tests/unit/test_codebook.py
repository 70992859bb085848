"""A sender's own code means what somebody has entered, in its unit, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND, ManualClock
from hospital_ops.codebook.rules import (
    Rule,
    book,
    checked,
    meanings,
    of_model,
    of_source,
    translated,
)
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from hospital_ops.installation.store import KnownDevice
from icu.unit import IcuUnit
from streams.codebooks import Codebooks
from streams.projections import Places
from streams.unmapped import Sender

START = 1_790_000_000 * SECOND
BED = "h1-icu-1-01"


def message(*rows: wire.Observation, at: int = START, source: str = "acme") -> wire.Observed:
    return wire.Observed(
        unit="h1-icu-1", source=source, message_id="m", identity=f"{at}".encode(), received_at=at,
        mode="Test", observations=rows, bed=BED, device="10.0.0.7",
    )  # fmt: skip


def own(value: Any = 71.0, unit: str = "/min", **more: Any) -> wire.Observation:
    return wire.Observation(
        code="ACME_PULS", value=value, unit=unit, text="Puls ACME", mapped=False, **more
    )


RULE = Rule(of_source("acme"), "ACME_PULS", "/min", "hr", 1)


def test_a_mapped_code_comes_as_the_vital_and_says_what_it_was_called() -> None:
    (row,) = book([RULE]).read(message(own())).observations
    assert (row.code, row.value, row.unit, row.mapped) == ("8867-4", 71.0, "/min", True)
    assert (row.text, row.channel) == ("Puls ACME", "ACME_PULS")


@pytest.mark.parametrize(
    "row", [own(unit="%"), own(origin="setting"), wire.Observation(code="ACME_OTHER", value=1.0)]
)
def test_another_unit_a_setting_and_another_code_stay_as_they_were(row: wire.Observation) -> None:
    assert book([RULE]).read(message(row)).observations == (row,)


def test_another_sender_of_the_same_code_is_not_meant() -> None:
    assert book([RULE]).read(message(own(), source="other")).observations == (own(),)


def test_the_nearest_mapping_counts_the_source_before_the_model_before_everybody() -> None:
    any_, model = RULE._replace(scope="", key="rr"), RULE._replace(scope=of_model("X"), key="pr")
    assert book([any_, model, RULE]).find("acme", "X", "ACME_PULS", "/min") == RULE
    assert book([any_, model]).find("acme", "X", "ACME_PULS", "/min") == model
    assert book([any_, model]).find("acme", "", "ACME_PULS", "/min") == any_


def test_a_mapping_that_has_ended_means_nothing() -> None:
    assert book([RULE._replace(key="", version=2)]).read(message(own())) == message(own())


def test_units_are_converted_and_what_no_body_can_reach_is_no_number() -> None:
    kilopascal = Rule("", "P1", "kPa", "abp_mean", 1)
    assert translated(kilopascal, 12.0, "kPa", "Vld", "").value == pytest.approx(90.0074)
    far = translated(RULE, 9999.0, "/min", "Vld", "")
    assert (far.value, far.validity) == (None, "Inv")
    text = translated(RULE, "fast", "/min", "Vld", "")
    assert (text.value, text.validity) == (None, "Inv")


@pytest.mark.parametrize(
    ("scope", "code", "unit", "key"),
    [
        ("", "ACME", "%", "hr"),  # per cent is no rate
        ("", "ACME", "", "temp"),  # a temperature without a unit is never guessed
        ("", "8867-4", "/min", "pr"),  # a code of ours
        ("", "150388", "Cel", "temp"),  # skin temperature is kept apart
        ("", "ACME", "/min", "nothing"),
        ("bed:1", "ACME", "/min", "hr"),
    ],
)
def test_a_mapping_that_cannot_be_true_is_refused(
    scope: str, code: str, unit: str, key: str
) -> None:
    with pytest.raises(MessageError):
        checked(scope, code, unit, key)


@given(st.sampled_from(codes.VITALS), st.floats(allow_nan=False) | st.none() | st.text(max_size=5))
def test_whatever_was_sent_a_mapped_number_lies_within_physics(
    vital: codes.Vital, value: float | str | None
) -> None:
    read = translated(Rule("", "X", vital.ucum, vital.key, 1), value, vital.ucum, "Vld", "")
    if isinstance(read.value, float) and vital.reject_outside:
        low, high = vital.reject_outside
        assert low <= read.value <= high


def test_a_bed_shows_a_value_once_when_its_code_is_mapped() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    later = message(own(), at=START + SECOND)
    unit.decide([Stamped(START, message(own()))])
    assert list(unit.state.beds[BED].values) == ["Puls ACME"]
    unit.decide([Stamped(START + SECOND, book([RULE]).read(later))])
    assert list(unit.state.beds[BED].values) == ["8867-4"]


def test_what_stays_unmapped_is_counted_by_sender_and_model() -> None:
    device = KnownDevice(
        device="bed-1", hospital="h1", bed=BED, mode="Test", address="10.0.0.7", model="ACME 9"
    )
    places = Places(devices={("h1", "10.0.0.7"): device}, codebooks={"h1": book([RULE])})
    books = Codebooks(places, ManualClock(START))
    books.read("h1", message(own(), wire.Observation(code="8867-4", value=80.0)))
    for value in (5.0, 7.0):
        books.read("h1", message(wire.Observation(code="Z", value=value, unit="%", mapped=False)))
    ((sender, seen),) = books.taken().items()
    assert sender == Sender("h1", "acme", "ACME 9", "Z", "%")
    assert (seen.times, seen.example, seen.at) == (2, "7.0", START)
    assert books.taken() == {}


TORR = Rule(of_source("acme"), "777-3", "/uL", "platelets", 1, "10*9/L")


def test_a_unit_that_says_nothing_here_is_read_as_the_one_that_it_means() -> None:
    row = wire.Observation(
        code="777-3", value=None, unit="Gpt/l", validity="Inv", reason="unknown unit", sent=150.0
    )
    rule = TORR._replace(unit="Gpt/l")
    assert checked(*rule[:4], rule.read_as).key == "platelets"
    (read,) = book([rule]).read(message(row)).observations
    assert (read.value, read.unit, read.validity, read.reason) == (150.0, "10*9/L", "Vld", "")
    assert (read.code, read.mapped, read.sent) == ("777-3", True, None)
    assert book([rule]).read(message(row, source="other")).observations == (row,)
    beyond = book([rule]).read(message(wire.replaced(row, sent=1e9))).observations[0]
    assert (beyond.value, beyond.validity) == (None, "Inv")
    for wrong in (
        rule._replace(key="hr"),  # its code says what it is
        rule._replace(read_as="mm[Hg]"),
        rule._replace(read_as="furlong"),
        rule._replace(read_as=""),
        rule._replace(unit="10*9/L", read_as="10*3/uL"),  # a known unit means what it says
    ):
        with pytest.raises(MessageError):
            checked(*wrong[:4], wrong.read_as)
    assert ("platelets", "10*9/L") in [
        (vital.key, unit) for vital, unit in meanings("777-3", "Gpt/l")
    ]


def test_an_unknown_unit_of_a_known_code_is_shown_to_whoever_may_map_it() -> None:
    books = Codebooks(Places(), ManualClock(START))
    row = wire.Observation(code="777-3", value=None, unit="Gpt/l", validity="Inv", sent=150.0)
    books.read("h1", message(row))
    ((sender, seen),) = books.taken().items()
    assert (sender.code, sender.unit, seen.example) == ("777-3", "Gpt/l", "150.0")


def test_what_is_sent_again_over_an_upgrade_has_the_digest_of_before() -> None:
    row = wire.Observation(code="8867-4", value=71.0, unit="/min", event_id="e", status="C")
    assert wire.content(row)[0] == 0x9E  # an array of the 14 fields of before
    assert wire.content(row)[1:] == wire.encode(row)[1:-1]
    assert wire.content(wire.replaced(row, sent=1.0)) != wire.content(row)
