"""Every message of other projects' collections gets its right answer, in a table (`pytest -s`).

They are laboratory, billing and personal health traffic: nothing of them is a vital sign of a bed
of ours, and each sender is told so in words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from hospital_ops import events, wire
from hospital_ops.errors import MessageError
from hospital_ops.hl7.framing import split_messages
from hospital_ops.hl7.understand import Source
from simulators.courses import recordings_folder
from streams import batch
from streams.hl7_intake import Intake, take
from streams.routing import Announced
from tests.mllp_ward import Ward

FILES = recordings_folder() or Path("/recordings-are-not-there")
RECEIVED_AT: Final = 1_795_219_200_000_000
NO_BED, TRIGGER = ("AE", "unknown_bed"), ("AR", "unknown_trigger")
# Of each message in a file: the answer, and why. "-": its MSH-15 and MSH-16 want none.
ANSWERS: Final[dict[str, list[tuple[str, str]]]] = {
    "node_ORU_R01_2.5.1_SampleTestCase1.hl7": [NO_BED],  # results of a laboratory, no bed of ours
    "node_ORU_R01_2.5.1_SampleTestCase3.hl7": [NO_BED],
    "node_ORU_R01_2.5.1_SampleTestCase5.hl7": [NO_BED],
    "node_bad-phone-example.hl7": [TRIGGER],
    "node_bar-example.hl7": [("AR", "processing")],  # MSH-11 is shifted: no processing id
    "node_cerner_en.hl7": [NO_BED],
    "node_cerner_sequential.hl7": [NO_BED],
    "node_dft-example.hl7": [TRIGGER, TRIGGER],
    "node_mdm-example.hl7": [TRIGGER],
    "node_orm-example.hl7": [TRIGGER],
    "node_realm-animal-rabies.hl7": [("-", "unknown_bed")],
    "node_realm-cj-badloinc.hl7": [("-", "unknown_bed")],
    "node_realm-cj.hl7": [("-", "unknown_bed")],
    "oie_01.hl7": [TRIGGER],
    "oie_02.hl7": [TRIGGER],
    "oie_04.hl7": [("AA", "")],  # an admission to a place that is not ours: kept for the hospital
    "oie_06.hl7": [("AA", "")],
    "oie_08.hl7": [NO_BED],
    "oie_batch01.hl7": [TRIGGER, TRIGGER, TRIGGER],
    "oie_batch03.hl7": [("AA", ""), NO_BED],
    "oie_large.hl7": [NO_BED],
}


def answers(path: Path) -> list[tuple[tuple[str, str], Intake]]:
    """What the sender of a file hears, message by message."""
    found = []
    source = Source(name="ward", hospital="h7", mode="Real")
    for raw in split_messages(path.read_bytes()):
        intake = take(raw, source, Announced(Ward()), RECEIVED_AT, 2000)
        told = re.findall(rb"MSA\|(\w\w)", intake.understood.answer(RECEIVED_AT))
        found.append(((told[0].decode() if told else "-", intake.code), intake))
    return found


def test_the_collections_are_there_and_every_file_is_in_the_table() -> None:
    assert {path.name for path in (FILES / "hl7v2").iterdir()} == set(ANSWERS)
    assert len(list((FILES / "fhir_phd").iterdir())) == 15


@pytest.mark.parametrize("name", ANSWERS)
def test_a_message_of_elsewhere_is_answered_kept_and_is_no_value_of_a_bed(name: str) -> None:
    found = answers(FILES / "hl7v2" / name)
    print(f"{name:44} {' '.join(f'{code} {why}'.strip() for (code, why), _ in found)}")
    assert [answer for answer, _ in found] == ANSWERS[name]
    for (_, why), intake in found:
        assert intake.appends  # nothing is lost, whatever the answer was
        assert all(append.raw for append in intake.appends[:1])
        for append in intake.appends:
            assert not isinstance(append.entry, wire.Observed)
            assert isinstance(append.entry, wire.Kept) is bool(why)


@pytest.mark.parametrize("path", sorted((FILES / "fhir_phd").glob("*")), ids=lambda path: path.name)
def test_a_fhir_resource_sent_as_a_batch_is_refused_in_words(path: Path) -> None:
    """There is no way in for FHIR in this release: the sender hears which form is taken."""
    parsed = events.parse_json(path.read_bytes())
    with pytest.raises(MessageError, match="send") as refused:
        batch.listed(parsed)
    print(f"{path.name:44} {parsed['resourceType']:12} {refused.value}")
    assert refused.value.code == "no_events"
