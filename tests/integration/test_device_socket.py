"""A native device is told "ack" when its message is on disk, and why where it is not."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hospital_ops import waveform, wire
from hospital_ops.clock import SystemClock, iso
from hospital_ops.servers.valkey import Valkey
from hospital_ops.waveform import SAMPLES, Frame
from streams.append import BUDGET_OF_MAXMEMORY, REFUSE_ALL_AT, REFUSE_WAVES_AT
from streams.pipe import Pipe
from streams.shard import keys
from tests.integration.web_help import (
    BED,
    FOREIGN_BED,
    OTHER_BED,
    UNIT,
    Running,
    web_process,
)
from tests.patience import PATIENCE_S
from web.device_line import BURST, MESSAGES_PER_S, Pace

PULSE = "8867-4"


@pytest.fixture
async def running(fresh_valkey: Valkey) -> AsyncIterator[Running]:
    """A web process over a Valkey of its own."""
    async with web_process(fresh_valkey.url) as started:
        yield started


def frame(bed: str = BED, sequence: int = 1, mode: str = "Real") -> Frame:
    """A tenth of a second of an ECG, measured just now."""
    samples = struct.pack("<25h", *range(25))
    now = SystemClock().now_us()
    return Frame(SAMPLES, mode, bed, "131330", "", "mV", sequence, now, 250, 0.005, 0, samples)


def event(value: Any = 82, **change: Any) -> dict[str, Any]:
    """One heart rate."""
    return {
        "event_id": str(uuid4()),
        "code": PULSE,
        "value": value,
        "unit": "/min",
        "determined_at": iso(SystemClock().now_us()),
        "mode": "Real",
        **change,
    }


def device(running: Running, name: str = "h1-monitor") -> connect:
    """The line of a device."""
    return connect(
        f"{running.sockets}/ws/v1/devices", additional_headers=running.bearer(name), proxy=None
    )


async def asked(line: ClientConnection, message: bytes | dict[str, Any] | str) -> dict[str, Any]:
    """The answer to a message."""
    await line.send(json.dumps(message) if isinstance(message, dict) else message)
    async with asyncio.timeout(PATIENCE_S):
        answer: dict[str, Any] = json.loads(await line.recv())
    return answer


async def stored(running: Running, key: str) -> list[wire.Entry]:
    """What lies in a stream."""
    pipe = Pipe(running.web.redis_url)
    entries = [wire.decode(fields[1]) for _, fields in await pipe.call("XRANGE", key, "-", "+")]
    await pipe.close()
    return entries


async def test_a_curve_is_acknowledged_by_its_number_once_it_is_in_the_stream(
    running: Running,
) -> None:
    sent = frame(sequence=7)
    pleth = sent._replace(code="150452", unit="1")
    async with device(running) as line:
        answer = await asked(line, waveform.pack(sent) + waveform.pack(pleth))
        assert answer == {"type": "ack", "seq": 7}
        (entry,) = await stored(running, keys(UNIT).waves)
    assert isinstance(entry, wire.WavesTogether)  # one entry, whatever number of curves it brings
    ecg, other = wire.apart(entry)
    assert (ecg.bed, ecg.code, ecg.samples, ecg.sequence) == (BED, "131330", sent.samples, 7)
    assert ecg.identity != other.identity
    assert ecg.mode == "Test"  # nothing that a test device sends may pass as real


async def test_values_of_a_bed_are_acknowledged_by_their_ids(running: Running) -> None:
    good, odd, broken = event(), event("NaN"), event(mode="Pretend")
    async with device(running) as line:
        message = {"type": "events", "bed": BED, "events": [good, odd, broken]}
        answer = await asked(line, message)
    assert answer["type"] == "ack"
    assert answer["ids"] == [good["event_id"], odd["event_id"]]
    assert [warning["event_id"] for warning in answer["warnings"]] == [odd["event_id"]]
    assert [each["event_id"] for each in answer["rejected"]] == [broken["event_id"]]
    observed = [
        e for e in await stored(running, keys(UNIT).incoming) if isinstance(e, wire.Observed)
    ]
    assert [row.validity for row in observed[0].observations] == ["Vld", "Inv"]
    assert observed[0].bed == BED
    assert observed[0].device == "h1-monitor"


async def test_a_device_fixed_at_a_bed_need_not_name_it(running: Running) -> None:
    async with device(running) as line:
        assert (await asked(line, waveform.pack(frame(bed=""))))["type"] == "ack"
        assert (await asked(line, {"type": "events", "events": [event()]}))["type"] == "ack"
    assert [e.bed for e in await stored(running, keys(UNIT).waves) if isinstance(e, wire.Waved)]


async def test_a_device_cannot_send_for_a_bed_that_is_not_its_own(running: Running) -> None:
    for who, bed, error in (
        ("h1-monitor", OTHER_BED, "not_found"),
        ("h1-monitor", FOREIGN_BED, "not_found"),
        ("h1-monitor", "nowhere", "not_found"),
        ("h1-gateway", FOREIGN_BED, "not_found"),
        ("h1-gateway", "", "no_bed"),
    ):
        async with device(running, who) as line:
            curve = await asked(line, waveform.pack(frame(bed=bed)))
            values = await asked(line, {"type": "events", "bed": bed, "events": [event()]})
            fine = await asked(line, waveform.pack(frame(bed=BED, sequence=2)))
        assert (curve["type"], curve["error"], curve["seq"]) == ("nack", error, 1), (who, bed)
        assert (values["type"], values["error"]) == ("nack", error), (who, bed)
        assert fine == {"type": "ack", "seq": 2}, "the line goes on"
    for unit in ("h2-icu-1", "nowhere"):
        assert await stored(running, keys(unit).waves) == []


async def test_what_is_malformed_is_kept_with_a_reason_and_the_line_goes_on(
    running: Running,
) -> None:
    malformed: tuple[tuple[bytes | str, str], ...] = (
        (b"\x00\x01garbage", "cut_frame"),
        (b"XX" + waveform.pack(frame())[2:], "no_frame"),
        (waveform.pack(frame())[:-16], "cut_frame"),
        (waveform.pack(frame()._replace(rate_hz=float("nan"))), "bad_rate"),
        (waveform.pack(frame()._replace(started_at=0)), "bad_time"),
        (waveform.pack(frame()) + waveform.pack(frame(bed=OTHER_BED)), "mixed"),
        (waveform.pack(frame()) * 65, "too_many"),
        ("not json", "malformed_json"),
        ('{"type":"hello"}', "unknown_type"),
        ('{"type":"events","events":7}', "no_events"),
    )
    async with device(running) as line:
        for number, (message, error) in enumerate(malformed):
            answer = await asked(line, message)
            assert (answer["type"], answer["error"]) == ("nack", error)
            fine = await asked(line, waveform.pack(frame(sequence=number)))
            assert (fine["type"], fine["seq"]) == ("ack", number)
    kept = await stored(running, keys("h1-hall").incoming)
    codes = [entry.code for entry in kept if isinstance(entry, wire.Kept)]
    assert codes == [error for _, error in malformed]
    assert len(kept) == len(codes)


async def test_when_memory_is_kept_for_vitals_a_curve_is_not_acknowledged(
    running: Running,
) -> None:
    pipe = Pipe(running.web.redis_url)
    info = (await pipe.call("INFO", "memory")).decode()
    used = next(int(row[12:]) for row in info.splitlines() if row.startswith("used_memory:"))
    # The share in use lies between where curves are refused and where everything else is.
    share = (REFUSE_WAVES_AT + REFUSE_ALL_AT) / 2
    await pipe.call("CONFIG", "SET", "maxmemory", round(used / share / BUDGET_OF_MAXMEMORY))
    await pipe.close()
    async with device(running) as line:
        answer = await asked(line, waveform.pack(frame()))
        values = await asked(line, {"type": "events", "events": [event()]})
    assert (answer["type"], answer["error"]) == ("nack", "not_stored")
    assert values["type"] == "ack"


async def test_a_revoked_device_is_cut_off_and_cannot_come_back(running: Running) -> None:
    async with device(running) as line:
        assert (await asked(line, waveform.pack(frame())))["type"] == "ack"
        await running.dismiss("h1-monitor")
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(PATIENCE_S):
                await line.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    with pytest.raises(InvalidStatus):
        async with device(running):
            pass


async def test_a_stranger_and_a_person_without_devices_are_refused(running: Running) -> None:
    for headers in ({}, {"Authorization": "Bearer h1.nothing"}, running.bearer("h1-nurse")):
        with pytest.raises(InvalidStatus):
            async with connect(
                f"{running.sockets}/ws/v1/devices", additional_headers=headers, proxy=None
            ):
                pass


def test_a_burst_passes_and_a_flood_is_read_more_slowly() -> None:
    pace = Pace(0.0)
    assert [pace.wait_s(0.0) for _ in range(BURST)] == [0.0] * BURST
    assert pace.wait_s(0.0) == 1 / MESSAGES_PER_S
    began = [pace.just_began]
    assert pace.wait_s(0.0) == 2 / MESSAGES_PER_S
    assert [*began, pace.just_began] == [True, False]  # said once, not for each message
    assert pace.wait_s(1.0) == 0.0
    assert pace.wait_s(1000.0) == 0.0
