"""A 12-lead reaches the hospital whole, however bad the network, and is shown as it was."""

from __future__ import annotations

import array
import hashlib
import json
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops.clock import SystemClock, iso
from hospital_ops.database import Connection, Database
from hospital_ops.ecg import synthetic
from hospital_ops.ecg.files.recording import TWELVE_LEADS
from hospital_ops.servers.valkey import Valkey
from simulators.courses import recordings_folder
from streams.ecg_intake import TOTAL_MAX, key_of
from tests.integration.ecg_house import ED, House, archived, house
from tests.integration.streams_help import until

PART = 20_000


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with house(fresh_valkey.url, app, writer) as made:
        yield made


def microvolts(seed: int) -> dict[str, list[int]]:
    """Twelve leads of 10 s with every kind of number that fits a recorder."""
    chance = random.Random(seed)
    return {
        lead: [chance.randint(-5000, 5000) if n % 50 else -32767 + n for n in range(5000)]
        for lead in TWELVE_LEADS
    }


def as_sent(leads: dict[str, list[int]]) -> bytes:
    now = iso(SystemClock().now_us())
    sent = {"rate_hz": 500, "scale_uv": 1, "started_at": now, "device": "R1", "leads": leads}
    return json.dumps(sent).encode()


def about(data: bytes) -> dict[str, str]:
    return {"id": str(uuid4()), "sha256": hashlib.sha256(data).hexdigest()}


def as_microvolts(answer: dict[str, Any]) -> dict[str, list[int]]:
    return {lead: [round(mv * 1000) for mv in values] for lead, values in answer["leads"].items()}


async def test_parts_that_are_lost_repeated_and_shuffled_make_the_very_same_samples(
    ward: House, superuser: Connection
) -> None:
    leads = microvolts(1)
    data, chance = as_sent(leads), random.Random(2)
    told = about(data)
    spans = [(start, min(start + PART, len(data))) for start in range(0, len(data), PART)]
    way = spans + chance.sample(spans, len(spans) // 2)  # some come twice
    chance.shuffle(way)
    for start, end in way:
        if chance.random() < 0.3:
            await ward.drop(data, start, end, **told)
        answer = await ward.part(data, start, end, **told)
        assert answer.status_code == 200, answer.text
    assert answer.json()["complete"]
    assert answer.json()["missing"] == []

    line = await ward.on_the_board(told["id"], "stored")
    assert (line["leads"], line["duration_s"]) == (list(TWELVE_LEADS), 10.0)
    fresh = (await ward.call("physician", "GET", f"ecgs/{told['id']}")).json()
    assert as_microvolts(fresh) == leads
    assert fresh["mode"] == "Test"

    await archived(ward, superuser)
    rows = await superuser.fetch("select code, samples from waveform where place = $1", ward.case)
    stored = {row["code"]: array.array("h", row["samples"]).tolist() for row in rows}
    assert len(rows) == 12
    assert stored == leads
    files = await superuser.fetch("select raw from message where kind = 'ecg'")
    assert [row["raw"] for row in files if row["raw"]] == [data], "the file lies beside, once"

    await ward.pipe.call("DEL", key_of(ED, ward.case, told["id"]))
    old = (await ward.call("physician", "GET", f"ecgs/{told['id']}")).json()
    assert old == fresh, "the archive says what the stream said"


async def test_what_was_acknowledged_before_the_stream_server_was_killed_need_not_come_again(
    ward: House,
) -> None:
    leads = microvolts(3)
    data = as_sent(leads)
    told, half = about(data), len(data) // 2
    first = (await ward.part(data, 0, half, **told)).json()
    assert first == {
        "id": told["id"], "received": half, "total": len(data), "complete": False,
        "missing": [[half, len(data)]],
    }  # fmt: skip
    await ward.on_the_board(told["id"], "receiving")
    await ward.kills_valkey()

    asked = await ward.call("tablet", "GET", f"ecgs/{told['id']}")
    assert asked.json() == first
    rest = await ward.part(data, half, len(data), **told)
    assert rest.json()["complete"]
    found = (await ward.call("physician", "GET", f"ecgs/{told['id']}")).json()
    assert as_microvolts(found) == leads


async def test_a_file_of_a_recorder_goes_in_whole_and_twice_is_once(
    ward: House, superuser: Connection
) -> None:
    folder = recordings_folder()
    assert folder, "set HOSPITAL_OPS_RECORDINGS to shared/data"
    data = (folder / "ecg_files" / "Example.scp").read_bytes()
    first, again = [
        (await ward.call("tablet", "POST", "ecgs", content=data)).json() for _ in range(2)
    ]
    assert first == again
    assert first["format"] == "SCP-ECG"
    assert set(first["leads"]) == set(TWELVE_LEADS)
    assert "no time with a zone" in first["notes"][0]
    await archived(ward, superuser)
    assert await superuser.fetchval("select count(*) from waveform") == 12


async def test_a_damaged_file_is_refused_in_words_kept_and_told(
    ward: House, superuser: Connection
) -> None:
    data = b'{"rate_hz": 500, "leads": {"I": [1, 2, '
    told = about(data)
    answer = await ward.part(data, 0, len(data), **told)
    assert answer.status_code == 400
    assert answer.json()["error"] == "damaged"
    assert "send JSON" in answer.json()["detail"]
    assert (await ward.on_the_board(told["id"], "refused"))["complete"] is False

    async def kept() -> Any:
        return await superuser.fetchval("select raw from dead_letter where code = 'damaged'")

    assert await until(kept, "its bytes are kept") == data


async def test_bytes_that_differ_from_their_sha256_are_not_taken(ward: House) -> None:
    data = as_sent(microvolts(4))
    told = about(data) | {"sha256": "0" * 64}
    answer = await ward.part(data, 0, len(data), **told)
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_sha256"
    right = await ward.part(data, 0, len(data), **(told | about(data) | {"id": told["id"]}))
    assert right.json()["complete"], "the same id may be used for a better try"


async def test_a_part_that_cannot_be_is_refused(ward: House) -> None:
    data = b"0123456789"
    impossible: list[tuple[dict[str, Any], str]] = [
        ({"total": TOTAL_MAX + 1}, "too_large"),
        ({"offset": -1}, "bad_part"),
        ({"offset": 95, "total": 100}, "bad_part"),
        ({"sha256": "xyz"}, "bad_sha256"),
        ({"id": "not a uuid"}, "bad_ecg_id"),
    ]
    for asked, error in impossible:
        answer = await ward.part(data, 0, 10, **(about(data) | {"total": 20} | asked))
        assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_an_id_stands_for_one_file(ward: House) -> None:
    data = as_sent(microvolts(5))
    told = about(data)
    assert (await ward.part(data, 0, 100, **told)).status_code == 200
    other = await ward.part(data, 100, 200, **(told | {"sha256": "a" * 64}))
    assert (other.status_code, other.json()["error"]) == (400, "other_file")


async def test_nobody_else_sends_or_sees_an_ecg_of_this_case(ward: House) -> None:
    data = as_sent(microvolts(6))
    told = about(data)
    assert (await ward.part(data, 0, len(data), **told)).status_code == 200
    for who in ("other tablet", "nurse next door"):
        assert (await ward.call(who, "GET", f"ecgs/{told['id']}")).status_code == 404
        sent = await ward.call(who, "POST", "ecgs", content=data)
        assert sent.status_code in (403, 404), who
        page = await ward.call(who, "GET", f"/ed/cases/{ward.case}/ecgs/{told['id']}")
        assert page.status_code in (403, 404), who
    assert (await ward.call("physician", "GET", f"ecgs/{uuid4()}")).status_code == 404


async def test_the_sheet_shows_twelve_leads_and_the_reading_is_audited(
    ward: House, superuser: Connection
) -> None:
    data = as_sent(microvolts(7))
    told = about(data)
    await ward.part(data, 0, len(data), **told)
    await ward.on_the_board(told["id"], "stored")
    path = f"/ed/cases/{ward.case}/ecgs/{told['id']}"
    for language, words in (("en", "mm/s"), ("ru", "мм/с")):
        page = await ward.call("physician", "GET", path, params={"lang": language})
        assert page.status_code == 200
        assert page.text.count('class="trace"') == 12 + 1 + 4, "leads, rhythm, pulses"
        assert words in page.text
    case = await ward.call("physician", "GET", f"/ed/cases/{ward.case}")
    assert path in case.text
    wrong = await ward.call("physician", "GET", path, params={"speed": 7})
    assert wrong.status_code == 400

    async def noted() -> bool:
        read = await superuser.fetchval("select count(*) from audit where action = 'read_ecg'")
        return bool(read == 2)

    await until(noted, "the audit tells of both readings, and of no more")


async def test_an_infarction_that_the_computer_sees_is_proposed_red_but_not_of_a_child(
    ward: House,
) -> None:
    data = as_sent(synthetic.twelve_leads(84, pattern="anterior_stemi", seed=3))
    told = about(data)
    answer = await ward.part(data, 0, len(data), **told)
    assert "stemi_criteria" in answer.json()["findings"]
    await ward.on_the_board(told["id"], "stored")
    case = (await ward.call("physician", "GET", f"/api/v1/prearrivals/{ward.case}")).json()
    assert case["triage"]["proposed"] == "red"
    assert "ecg_acute_ischaemia" in case["triage"]["criteria"]
    assert case["triage"]["review_required"]
    assert case["decided"] is None
    sheet = await ward.call("physician", "GET", f"/ed/cases/{ward.case}/ecgs/{told['id']}")
    assert "ST elevation criteria" in sheet.text
    assert sheet.text.count('class="evidence"') >= 2

    facts = json.dumps({"destination": ED, "age_years": 15})
    said = await ward.call("tablet", "PUT", f"/api/v1/prearrivals/{ward.case}", content=facts)
    assert said.status_code == 200

    async def no_longer() -> bool:
        case = (await ward.call("physician", "GET", f"/api/v1/prearrivals/{ward.case}")).json()
        return "ecg_acute_ischaemia" not in case["triage"]["criteria"]

    await until(no_longer, "what was read without knowing the age is read again")
    again = (await ward.call("physician", "GET", f"ecgs/{told['id']}")).json()
    assert "stemi_criteria" not in again["findings"]
    assert (again["complete"], len(again["leads"])) == (True, 12)
    second = await ward.part(data, 0, len(data), **(told | {"id": str(uuid4())}))
    assert "stemi_criteria" not in second.json()["findings"]
