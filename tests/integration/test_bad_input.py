"""Bad input of each kind through real sockets: a clear answer, kept, counted, and all goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx2
import pytest

from hospital_ops.board import HEAD, Head, decode_head
from hospital_ops.clock import SystemClock, iso
from hospital_ops.identity import uuid7
from simulators.clients import END, START, Acknowledgement, read_acknowledgement
from simulators.messages import hl7_time
from streams.pipe import Pipe
from streams.publish import read_board
from tests.faults.program_help import Program, until
from tests.patience import PATIENCE_S

UNIT, HALL, BED = "h1-icu-1", "h1-hall", "h1-icu-1-01"
PULSE = "147842^MDC_ECG_HEART_RATE^MDC"
MIB = 1 << 20


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The whole program."""
    program = Program(tmp_path_factory.mktemp("bad_input") / "data")
    program.data.mkdir()
    program.start()
    yield program
    program.stop()


@pytest.fixture
async def program(house: Program) -> AsyncIterator[Program]:
    """The program, ready; after the test every way must still work."""
    await house.wait_ready()
    pids = {name: house.pid(name) for name in ("gateway", "live", "store", "web")}
    yield house
    assert (await send(house, oru())).code == "CA"
    async with client(house) as web:
        assert (await web.get("/readyz")).status_code == 200
        assert (await web.head("/healthz")).status_code == 200  # as a load balancer asks
    assert {name: house.pid(name) for name in pids} == pids
    assert house.unforeseen_ends() == []


def oru(*observations: str, bed: str = BED, control_id: str = "", device: str = "bad") -> bytes:
    """An ORU^R01 with OBX as they are given; without any, one good pulse."""
    now = hl7_time(SystemClock().now_us())
    segments = [
        f"MSH|^~\\&|MONITOR|SIM|||{now}||ORU^R01^ORU_R01|{control_id or uuid7()}|P|2.6|||AL|NE",
        "PID|",
        f"PV1||I|{UNIT}^^{bed}",
        f"OBR|1|||1^x^99|||{now}",
        *(observations or (f"OBX|1|NM|{PULSE}|1.2.1.1|80|/min^/min^UCUM|||||R",)),
    ]
    return ("\r".join(segments) + "\r").encode()


async def exchange(program: Program, data: bytes, piece: int = 0) -> bytes:
    """What the port answers to these bytes, sent `piece` at a time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.mllp_port)
    try:
        for start in range(0, len(data), piece or len(data)):
            writer.write(data[start : start + (piece or len(data))])
            await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            return (await reader.readuntil(END)).strip(START + END)
    finally:
        writer.close()


async def send(program: Program, message: bytes, piece: int = 0) -> Acknowledgement:
    """The acknowledgement of one message."""
    return read_acknowledgement(await exchange(program, START + message + END, piece))


def client(program: Program) -> httpx2.AsyncClient:
    """A tablet of the first hospital."""
    token = next(d["token"] for d in program.run["devices"] if d["id"] == "h1-tablet-1")
    return httpx2.AsyncClient(
        base_url=program.run["http"],
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_S,
        trust_env=False,
    )


async def head(program: Program, shard: str) -> Head:
    """What a shard has counted."""
    pipe = Pipe(program.run["redis_url"])
    try:
        cell = (await read_board(pipe, shard)).cells.get(HEAD)
    finally:
        await pipe.close()
    return decode_head(cell) if cell else Head(shard)


async def counted(program: Program, code: str, shard: str = HALL) -> int:
    """How many of a kind were counted."""
    return (await head(program, shard)).counts.get(code, 0)


async def rows(program: Program, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """Rows of the archive, as the superuser sees them."""
    connection = await asyncpg.connect(program.run["database_url"], timeout=5)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


async def kept(program: Program, code: str, raw: bytes) -> bool:
    """Whether the bytes lie among the dead letters under `code`."""
    query = "select 1 from dead_letter where code = $1 and raw = $2 and unit = 'h1-hall'"
    return bool(await rows(program, query, code, raw))


async def value(program: Program, message_id: str) -> asyncpg.Record:
    """The one stored value of a message or batch."""

    async def stored() -> list[asyncpg.Record]:
        query = "select * from measurement where source_message_id = $1 or event_id::text = $1"
        return await rows(program, query, message_id)

    (row,) = await until(stored, "the value is stored")
    assert isinstance(row, asyncpg.Record)
    return row


async def shown(program: Program, code: str) -> dict[str, Any]:
    """A value of the first bed, as the public board shows it."""
    user = next(u for u in program.run["users"] if u["name"] == "icu.h1")
    async with httpx2.AsyncClient(
        base_url=program.run["http"], timeout=PATIENCE_S, trust_env=False
    ) as anyone:
        answer = await anyone.post(
            "/api/v1/session", json={"name": user["name"], "password": user["password"]}
        )
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}

        async def there() -> dict[str, Any] | None:
            board = (await anyone.get(f"/api/v1/boards/{UNIT}", headers=headers)).json()
            bed: dict[str, Any] = next((b for b in board["beds"] if b["bed"] == BED), {})
            one: dict[str, Any] | None = bed.get("values", {}).get(code)
            return one

        found: dict[str, Any] = await until(there, f"{code} is on the board")
        return found


# MLLP ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "code", "answer", "word"),
    [
        (oru(bed="bed-of-another-house"), "unknown_bed", "CE", "register it"),
        (b"hello, is this the ward?\r", "malformed", "AR", ""),
        (oru().replace(b"ORU^R01^ORU_R01", b"XYZ^Z99"), "unknown_trigger", "CR", "not taken"),
        (oru().replace(b"|P|2.6|", b"|Q|2.6|"), "processing", "CR", "MSH-11"),
    ],
    ids=["unknown bed", "no HL7", "unknown trigger", "unknown processing"],
)
async def test_a_message_that_cannot_be_taken_is_answered_kept_and_counted(
    program: Program, message: bytes, code: str, answer: str, word: str
) -> None:
    before = await counted(program, code)
    said = read_acknowledgement(await exchange(program, START + message + END))
    assert said.code == answer
    assert word in said.text
    await until(lambda: kept(program, code, message), "it is kept")
    await until(lambda: more(program, code, before), "it is counted")


async def more(program: Program, code: str, before: int, shard: str = HALL) -> bool:
    """Whether one more was counted."""
    return await counted(program, code, shard) > before


async def test_a_giant_frame_is_refused_and_its_beginning_kept(program: Program) -> None:
    before = await counted(program, "oversize")
    giant = oru() + b"NTE|1||" + b"x" * (MIB + 10) + b"\r"
    answer = await exchange(program, START + giant + END)
    assert b"larger than the limit" in answer
    await until(lambda: more(program, "oversize", before), "it is counted")

    async def is_kept() -> bool:
        query = "select raw from dead_letter where code = 'oversize'"
        return any(
            giant.startswith(row["raw"]) and len(row["raw"]) >= 1024
            for row in await rows(program, query)
        )

    await until(is_kept, "its beginning is kept")


async def test_a_good_message_one_byte_at_a_time_is_taken(program: Program) -> None:
    number = str(uuid7())
    assert (await send(program, oru(control_id=number), piece=1)).code == "CA"
    assert (await value(program, number))["value"] == 80.0


async def test_a_frame_that_was_cut_does_not_spoil_the_next(program: Program) -> None:
    before, number = await counted(program, "cut"), str(uuid7())
    answer = await exchange(program, START + oru()[:100] + START + oru(control_id=number) + END)
    assert read_acknowledgement(answer).control_id == number
    await until(lambda: more(program, "cut", before), "the cut one is counted")


async def test_an_unknown_code_is_taken_and_shown_under_its_own_name(program: Program) -> None:
    number = str(uuid7())
    observation = "OBX|1|NM|4711^MY_OWN_SIGN^99XY|1.9.1.1|12|/min^/min^UCUM|||||R"
    assert (await send(program, oru(observation, control_id=number))).code == "CA"
    row = await value(program, number)
    assert row["value"] == 12.0
    assert "MY_OWN_SIGN" in row["remark"]
    assert (await shown(program, "MY_OWN_SIGN"))["state"] in ("unmapped", "stale", "withdrawn")


@pytest.mark.parametrize("text", ["NaN", "inf", "5000", "98%", "36,6,6"])
async def test_what_no_body_can_have_is_kept_as_invalid(program: Program, text: str) -> None:
    number = str(uuid7())
    observation = f"OBX|1|NM|{PULSE}|1.2.1.1|{text}|/min^/min^UCUM|||||R"
    said = await send(program, oru(observation, control_id=number))
    assert said.code == "CA"
    assert said.text
    row = await value(program, number)
    assert row["validity"] == "Inv"
    assert row["value"] is None or row["value"] == 5000.0
    found = await shown(program, "8867-4")
    assert found["value"] in (None, 80.0)  # never the number, nor half of it
    (message,) = await rows(program, "select raw from message where message_id = $1", number)
    assert text.encode() in message["raw"]


async def test_a_peer_that_speaks_no_mllp_is_counted_and_let_go(program: Program) -> None:
    before = await counted(program, "no_frame")
    reader, writer = await asyncio.open_connection("127.0.0.1", program.mllp_port)
    writer.write(b"GET / HTTP/1.1\r\nHost: ward\r\n\r\n" * 3000)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()
    await until(lambda: more(program, "no_frame", before), "it is counted")


# HTTP ---------------------------------------------------------------------------------------------


async def opened(web: httpx2.AsyncClient) -> str:
    """A case on its way to the department."""
    case = str(uuid7())
    answer = await web.put(f"/api/v1/prearrivals/{case}", json={"destination": "h1-ed"})
    assert answer.status_code == 200, answer.text
    return case


def event(**other: Any) -> dict[str, Any]:
    """A good EVENT, and what is wrong with it."""
    return {
        "event_id": str(uuid7()),
        "code": "8867-4",
        "value": 80,
        "unit": "/min",
        "determined_at": iso(SystemClock().now_us()),
        "validity": "Vld",
        "mode": "Demo",
    } | other


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"events": [', "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b'{"events": ' + b"[" * 33 + b"]" * 33 + b"}", "too_deep"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"values": []}', "no_events"),
        (json.dumps({"events": [event(event_id="x")] * 2001}).encode(), "too_many"),
    ],
    ids=["cut off", "no text", "33 deep", "100,000 deep", "no events", "too many"],
)
async def test_a_body_that_cannot_be_read_is_answered_kept_and_counted(
    program: Program, body: bytes, code: str
) -> None:
    before = await counted(program, code)
    async with client(program) as web:
        case = await opened(web)
        answer = await web.post(f"/api/v1/prearrivals/{case}/measurements", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"] == code
        assert answer.json()["detail"]
        good = event()
        answer = await web.post(f"/api/v1/prearrivals/{case}/measurements", json={"events": [good]})
        assert answer.json()["stored"] == [good["event_id"]]
    await until(lambda: kept(program, code, body), "it is kept")
    await until(lambda: more(program, code, before), "it is counted")


async def test_a_giant_body_is_refused_with_a_sentence(program: Program) -> None:
    async with client(program) as web:
        case = await opened(web)
        answer = await web.post(
            f"/api/v1/prearrivals/{case}/measurements", content=b"x" * (MIB + 1)
        )
    assert answer.status_code == 413
    assert "1 MiB" in answer.json()["detail"]


async def test_doubtful_events_are_stored_and_named_and_wrong_ones_rejected(
    program: Program,
) -> None:
    now = SystemClock().now_us()
    doubtful = [
        event(value=float("nan"), determined_at=iso(now)),
        event(value=float("inf"), determined_at=iso(now + 1000)),
        event(value=5000, determined_at=iso(now + 2000)),
        event(value="98%", determined_at=iso(now + 3000)),
        event(code="my-own-code"),
        event(unit="furlong"),
    ]
    wrong = [event(mode="Dream"), event(event_id="17"), event(determined_at="yesterday"), 7]
    async with client(program) as web:
        case = await opened(web)
        body = json.dumps({"events": [*doubtful, *wrong, event()]}).encode()
        answer = await web.post(f"/api/v1/prearrivals/{case}/measurements", content=body)
    found = answer.json()
    assert answer.status_code == 200
    assert len(found["stored"]) == len(doubtful) + 1
    assert {one["event_id"] for one in found["warnings"]} == {e["event_id"] for e in doubtful}
    assert len(found["rejected"]) == len(wrong)
    assert all(one["text"] for one in found["warnings"])
    for one in doubtful[:4]:
        row = await value(program, one["event_id"])
        assert row["validity"] == "Inv"
        assert row["value"] in (None, 5000.0)
    await until(lambda: kept(program, "rejected_events", body), "the rejected ones are kept")


@pytest.mark.parametrize(
    ("case", "body", "code"),
    [
        (str(uuid7()), {"destination": "nowhere"}, "unknown_destination"),
        (str(uuid7()), ["a list"], "not_an_object"),
        ("no-uuid", {"destination": "h1-ed"}, "bad_case_id"),
    ],
    ids=["unknown destination", "no object", "no uuid"],
)
async def test_a_case_that_cannot_be_opened_is_answered(
    program: Program, case: str, body: Any, code: str
) -> None:
    async with client(program) as web:
        answer = await web.put(f"/api/v1/prearrivals/{case}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == code
