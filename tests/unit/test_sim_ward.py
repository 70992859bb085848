"""The proxy fails on command and counts; a ward is built from run.json; the command speaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hospital_ops.commands.simulate import main
from hospital_ops.errors import ConfigurationError
from simulators.network import FaultProxy
from simulators.ward import Ward, address, read_run_file

RUN = {
    "http": "http://127.0.0.1:8000",
    "mllp": "127.0.0.1:2575",
    "units": [
        {"id": "h1-icu-1", "hospital": "h1", "kind": "icu"},
        {"id": "h1-ed", "hospital": "h1", "kind": "ed"},
        {"id": "h2-ed", "hospital": "h2", "kind": "ed"},
    ],
    "beds": [
        {"bed": f"h1-icu-1-{n:02d}", "unit": "h1-icu-1", "device": f"m{n}", "mrn": str(n)}
        for n in range(1, 4)
    ],
    "devices": [
        {"id": "tablet-1", "kind": "tablet", "hospital": "h1", "token": "a"},
        {"id": "tablet-2", "kind": "tablet", "hospital": "h2", "token": "b"},
        {"id": "monitor-1", "kind": "monitor", "hospital": "h1", "token": "c"},
    ],
}


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    answering: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1000):
                writer.write(chunk)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    if answering:
        await asyncio.wait({task for task in answering if task})


async def say(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        async with asyncio.timeout(10):
            return await reader.readexactly(len(text))
    finally:
        writer.transport.abort()


async def test_the_proxy_passes_and_counts_both_ways(echo: int) -> None:
    async with FaultProxy("127.0.0.1", echo) as proxy:
        assert await say(proxy.port, b"x" * 50_000) == b"x" * 50_000
        assert proxy.to_target.passed_bytes == proxy.to_client.passed_bytes == 50_000
        assert proxy.passed_bytes == 100_000


async def test_a_cut_wire_ends_connections_and_a_restored_one_takes_new_ones(echo: int) -> None:
    async with FaultProxy("127.0.0.1", echo) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"1")
        assert await reader.readexactly(1) == b"1"
        proxy.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await say(proxy.port, b"2")
        proxy.restore()
        assert await say(proxy.port, b"3") == b"3"
        writer.transport.abort()


async def test_a_lost_return_path_swallows_answers_and_keeps_the_connection(echo: int) -> None:
    async with FaultProxy("127.0.0.1", echo) as proxy:
        proxy.drop_to_client()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"lost")
        async with asyncio.timeout(10):
            while proxy.to_client.dropped_bytes < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        proxy.restore()
        writer.write(b"heard")
        assert await reader.readexactly(5) == b"heard"
        assert proxy.to_client.passed_bytes == 5
        writer.transport.abort()


async def test_what_is_delayed_is_overtaken_by_what_is_not(echo: int) -> None:
    async with FaultProxy("127.0.0.1", echo) as proxy:
        proxy.delay_s = 3600
        _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"late")
        async with asyncio.timeout(10):
            while proxy.to_target.taken_bytes < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        proxy.delay_s = 0
        assert await say(proxy.port, b"soon!") == b"soon!"
        assert proxy.to_target.passed_bytes == 5
        writer.transport.abort()


async def test_a_target_that_is_down_looks_like_an_ended_connection() -> None:
    async with FaultProxy("127.0.0.1", 9) as proxy:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await say(proxy.port, b"x")


def test_a_ward_has_a_monitor_at_each_bed_and_an_ambulance_for_each_tablet(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RUN))
    ward = Ward(read_run_file(path), seed=4, speed=10)
    assert [one.plan.bed for one in ward.monitors] == [row["bed"] for row in RUN["beds"]]  # type: ignore[index]
    assert [one.plan.mrn for one in ward.monitors] == ["1", "2", "3"]
    assert [one.plan.unit for one in ward.ambulances] == ["h1-ed", "h2-ed"]
    assert {one.plan.speed for one in ward.monitors} == {10}


@pytest.mark.parametrize("text", ["127.0.0.1:2575", "mllp://127.0.0.1:2575", "[127.0.0.1]:2575/"])
def test_addresses_are_understood_with_and_without_a_scheme(text: str) -> None:
    assert address(text) == ("127.0.0.1", 2575)


def test_a_file_that_is_no_run_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="hospital-ops demo"):
        read_run_file(path)


def test_the_command_says_what_is_wrong_and_answers_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ward", "--run", str(tmp_path / "none.json")]) == 2
    assert "hospital-ops demo" in capsys.readouterr().err


def test_the_command_plays_a_monitor_for_the_seconds_asked_even_if_nobody_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    arguments = ["monitor", "--mllp", "127.0.0.1:9", "--bed", "h1-icu-1-01", "--seconds", "0.3"]
    assert main([*arguments, "--ledger", str(ledger)]) == 0
    assert "acknowledged 0" in capsys.readouterr().err
    assert ledger.read_text().startswith("{")
