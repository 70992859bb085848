"""Allergies in an ADT message (AL1): what a registration says, by its text, each once."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.hl7 import adt
from hospital_ops.hl7.parse import parse
from hospital_ops.wire import AllergyTold

HEAD = (
    "MSH|^~\\&|REG|H|||20260301100000||ADT^A01|1|P|2.6\r"
    "EVN|A01|20260301100000\rPID|1||4711^^^H^MR\rPV1|1|I|h1-icu-1^^h1-icu-1-01\r"
)
UTC = ZoneInfo("UTC")


def read(*segments: str) -> tuple[AllergyTold, ...]:
    text = HEAD + "".join(f"{segment}\r" for segment in segments)
    return adt.read(parse(text.encode()), "A01", UTC, 0).allergies


def test_the_text_of_an_allergy_is_taken_with_its_reactions() -> None:
    assert read("AL1|1|DA|70618^Penicillin^RXNORM|SV|Rash~Hives", "AL1|2|FA|^Peanut") == (
        AllergyTold("Penicillin", "Rash, Hives"),
        AllergyTold("Peanut"),
    )


def test_a_substance_without_a_text_is_its_code_and_an_empty_one_is_nothing() -> None:
    assert read("AL1|1|DA|70618", "AL1|2|DA|", 'AL1|3|DA|""', "AL1|4") == (AllergyTold("70618"),)


def test_the_same_substance_is_one_allergy() -> None:
    assert read("AL1|1|DA|^Latex", "AL1|2|DA|^LATEX|SV|Hives") == (AllergyTold("Latex"),)


def test_no_known_allergy_is_said_by_its_code_and_is_no_substance() -> None:
    assert read("AL1|1||716186003^No known allergy^SCT||x") == (AllergyTold(""),)


def test_a_message_without_allergies_says_nothing_of_them() -> None:
    assert read() == ()


@given(st.lists(st.text(alphabet='AL1|^~&ab\\" 7', max_size=40), max_size=60))
def test_whatever_stands_there_each_substance_is_short_and_there_once(lines: list[str]) -> None:
    found = read(*(f"AL1|{line}" for line in lines))
    named = [one.substance.casefold() for one in found]
    assert len(set(named)) == len(named) <= adt.ALLERGIES_MAX
    assert all(len(one.substance) <= adt.TEXT_MAX for one in found)
    entry = wire.Admission(
        "u", "s", "m", b"", 0, "Test", "A01", wire.PatientFacts("1"), 0, allergies=found
    )
    assert wire.decode(wire.encode(entry)) == entry
