"""Every file of tests/hl7, byte for byte, through the pure way in: answers and values."""

from __future__ import annotations

import datetime
import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import iso
from hospital_ops.hl7.framing import Framer, framed, split_messages
from hospital_ops.hl7.understand import Source
from hospital_ops.hl7.waves import GAP
from streams.hl7_intake import Append, Intake, broken, take
from streams.routing import Announced
from tests.mllp_ward import CORPUS, Ward

RECEIVED_AT = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
WARD = Source(name="ward", hospital="h7", mode="Real")
NOW = datetime.timedelta()


def checker() -> ModuleType:
    """The corpus's own checker, as it came: its rules decide what passes."""
    spec = importlib.util.spec_from_file_location("hl7_check", CORPUS / "hl7_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK = checker()
CASES = [
    json.loads(line) for line in (CORPUS / "expected.jsonl").read_text("utf-8").splitlines() if line
]


class Run:
    """One case played: what was appended and answered."""

    def __init__(self, case: dict[str, Any], places: Announced) -> None:
        data = (CORPUS / case["file"]).read_bytes()
        stream = framed(data) if case["framing"] == "bare" else data
        self.intakes: list[Intake] = []
        self.kept: list[Append] = []
        answered = b""
        for frame in Framer().feed(stream):
            if frame.problem:
                self.kept.append(broken(frame, WARD, RECEIVED_AT))
                continue
            for raw in split_messages(frame.data):
                intake = take(raw, WARD, places, RECEIVED_AT, 2000)
                self.intakes.append(intake)
                answered += intake.understood.answer(RECEIVED_AT)
        self.answers = CHECK.answers(answered)
        self.appends = [a for i in self.intakes for a in i.appends] + self.kept

    def entries(self, form: Any) -> list[Any]:
        return [a.entry for a in self.appends if isinstance(a.entry, form)]

    def rows(self, bed: str | None) -> list[dict[str, Any]]:
        """The stored measurements of a bed, in the form of the public interface."""
        return [
            {
                "code": o.code,
                "value": o.value,
                "unit": o.unit,
                "validity": o.validity,
                "mode": entry.mode,
                "source_message_id": entry.message_id,
                "received_at": iso(entry.received_at),
                "mapped": o.mapped,
                "channel": o.channel,
                "flag": o.flag,
                "text": o.text,
            }
            | ({} if o.determined_at is None else {"determined_at": iso(o.determined_at)})
            for entry in self.entries(wire.Observed)
            if bed and entry.bed == bed
            for o in entry.observations
        ]


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    """All files in sending order, so that an ADT's bed is known to what follows it."""
    places = Announced(Ward())
    return {case["file"]: Run(case, places) for case in CASES}


def named(case: dict[str, Any]) -> str:
    return str(case["file"])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_sender_gets_exactly_the_answer_of_the_standard(
    case: dict[str, Any], runs: dict[str, Run]
) -> None:
    assert CHECK.judge(case, runs[case["file"]].answers, True) == ""


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_is_stored_is_what_the_bytes_say(case: dict[str, Any], runs: dict[str, Run]) -> None:
    case = case | {"stored_once": False}
    assert CHECK.measured(case, runs[case["file"]].rows, NOW) == []


@pytest.mark.parametrize("case", [c for c in CASES if c["unmapped"]], ids=named)
def test_an_unknown_code_is_kept_under_the_senders_name_and_is_no_vital_sign(
    case: dict[str, Any], runs: dict[str, Run]
) -> None:
    rows = [row for row in runs[case["file"]].rows(case["bed"]) if not row["mapped"]]
    for want in case["unmapped"]:
        mine = [r for r in rows if r["code"] == want["code"]]
        assert mine, want
        assert any(
            (want["value"] is None or r["value"] == want["value"])
            and (want["unit"] is None or r["unit"] == want["unit"])
            and r["text"] == want["text"]
            for r in mine
        ), (want, mine)


@pytest.mark.parametrize("case", [c for c in CASES if c["waveforms"]], ids=named)
def test_a_waveform_comes_out_as_samples_with_its_gaps(
    case: dict[str, Any], runs: dict[str, Run]
) -> None:
    (entry,) = runs[case["file"]].entries(wire.Waved | wire.WavesTogether)
    waves = wire.apart(entry)
    assert len(waves) == len(case["waveforms"])
    for want, wave in zip(case["waveforms"], waves, strict=True):
        samples = memoryview(wave.samples).cast("h")
        scaled = [s * wave.scale + wave.offset for s in samples[:5]]
        assert (wave.code, wave.rate_hz, len(samples)) == (
            str(want["mdc"]),
            want["rate_hz"],
            want["n"],
        )
        assert scaled == pytest.approx(want["first_values"], abs=1e-9)
        assert wave.physical_unit == want["unit"]
        assert iso(wave.started_at) == want["start"]
        gaps = [i for i, s in enumerate(samples) if s == GAP]
        assert gaps == want.get("invalid_at", []) + want.get("missing_at", [])


@pytest.mark.parametrize("case", [c for c in CASES if c["trigger"] == "ORU^R40"], ids=named)
def test_a_devices_alarm_is_told_as_the_device_told_it(
    case: dict[str, Any], runs: dict[str, Run]
) -> None:
    found = runs[case["file"]].entries(wire.DeviceAlert)
    assert len(found) == len(case["alerts"])
    for want, alert in zip(case["alerts"], found, strict=True):
        assert alert.at is not None
        told = {
            "id": alert.alert,
            "event_mdc": int(alert.event),
            "event": alert.name,
            "text": alert.text,
            "phase": alert.phase,
            "state": alert.state,
            "inactivation": list(alert.inactivation),
            "priority": alert.priority,
            "type": alert.kind,
            "value": alert.value,
            "time": iso(alert.at),
        }
        assert told == {key: want[key] for key in told}
        assert alert.note == want.get("alert_text", "")
        assert alert.about == ("59408-5" if want["source_mdc"] == 150456 else "69985")


@pytest.mark.parametrize("case", [c for c in CASES if "adt" in c], ids=named)
def test_an_adt_event_says_who_lies_where(case: dict[str, Any], runs: dict[str, Run]) -> None:
    (event,) = runs[case["file"]].entries(wire.Admission)
    want = case["adt"]
    assert event.trigger == want["event"]
    assert event.patient.mrn == want["mrn"]
    assert event.bed == (want["bed"] or "")
    assert event.unit == ("ICU7N" if want["unit"] == "ICU7N" else "h7-hall")
    assert event.prior_bed == want.get("prior_bed", "")
    assert list(event.merged) == want.get("merged_mrn", [])
    if "name" in want:
        assert f"{event.patient.family}^{event.patient.given}" == want["name"]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_patient_and_flags_are_read_as_sent(case: dict[str, Any], runs: dict[str, Run]) -> None:
    run = runs[case["file"]]
    ids = {case["control_id"]}
    for entry in run.entries(wire.Observed):
        if entry.message_id in ids:
            assert entry.mrn == (case["mrn"] or "")
            assert entry.unit == "ICU7N"
    for want in case["measurements"]:
        if "flag" in want:
            assert want["flag"] in {
                r["flag"] for r in run.rows(want["bed"]) if r["code"] == want["code"]
            }


def test_every_message_that_is_not_taken_is_kept_with_a_reason_and_its_bytes(
    runs: dict[str, Run],
) -> None:
    for case in CASES:
        for append in runs[case["file"]].appends:
            if isinstance(append.entry, wire.Kept) and append.shard == "h7-hall":
                assert append.raw
                assert append.entry.code
                assert append.entry.reason


def test_the_bytes_are_stored_once_with_each_message_that_is_taken(runs: dict[str, Run]) -> None:
    for case in CASES:
        for intake in runs[case["file"]].intakes:
            assert sum(bool(a.raw) for a in intake.appends) == (1 if intake.appends else 0)


def test_the_table_of_the_corpus(runs: dict[str, Run], capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for case in CASES:
        run = runs[case["file"]]
        right = not CHECK.judge(case, run.answers, True)
        stored = not CHECK.measured(case | {"stored_once": False}, run.rows, NOW)
        codes = ",".join(code for code, _ in run.answers) or "-"
        n = sum(len(e.observations) for e in run.entries(wire.Observed))
        rows.append((case["file"], codes, right, n, stored))
    with capsys.disabled():
        print()
        for file, codes, right, n, stored in rows:
            print(f"{file:46} {codes:8} {'ok' if right else 'WRONG':6} {n:5} {stored}")
    assert len(rows) == 81


SMALL = [(CORPUS / c["file"]).read_bytes() for c in CASES if c["file"][:3] not in ("070", "008")]


@settings(max_examples=400)
@given(st.sampled_from(SMALL), st.data())
def test_damage_never_makes_the_way_in_fail_otherwise_than_in_words(
    message: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(message)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        how = data.draw(st.integers(0, 2))
        if how == 0:
            del damaged[at : at + data.draw(st.integers(1, 60))]
        elif how == 1:
            damaged[at : at + 1] = data.draw(
                st.sampled_from([b"|", b"^", b"\r", b"\\", b"~", b"&"])
            )
        else:
            damaged[at:at] = data.draw(st.binary(max_size=4))
    for frame in Framer().feed(framed(bytes(damaged))):
        for raw in split_messages(frame.data):
            intake = take(raw, WARD, Announced(Ward()), RECEIVED_AT, 2000)
            intake.understood.answer(RECEIVED_AT)
            for append in intake.appends:
                assert wire.decode(wire.encode(append.entry)) == append.entry
                assert append.shard
