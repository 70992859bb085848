"""Curves reach every screen that may see them, as they were sent, and the archive once."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hospital_ops import waveform, wire
from hospital_ops.clock import SystemClock
from hospital_ops.database import Database
from hospital_ops.hl7.understand import Source
from hospital_ops.servers.valkey import Valkey
from hospital_ops.standing.rules import Standing
from hospital_ops.waveform import BEAT, GAP, SAMPLES, Frame
from streams.hl7_intake import take
from streams.pipe import Pipe
from streams.routing import Announced
from streams.shard import keys
from tests.integration.streams_help import storing, until
from tests.integration.web_help import BED, OTHER_BED, UNIT, Running, web_process
from tests.patience import PATIENCE_S
from web.wavefeed import WAITING_MAX, Viewer, WaveFeed

CORPUS = Path(__file__).parents[1] / "hl7"
ECG, PLETH = "131330", "150452"


@pytest.fixture
async def running(fresh_valkey: Valkey) -> AsyncIterator[Running]:
    """A web process over a Valkey of its own."""
    async with web_process(fresh_valkey.url) as started:
        yield started


def frame(bed: str = BED, code: str = ECG, sequence: int = 1, at: int | None = None) -> Frame:
    """A tenth of a second of a curve, measured just now."""
    samples = struct.pack("<25h", *range(sequence, sequence + 25))
    started = SystemClock().now_us() if at is None else at
    return Frame(
        SAMPLES, "Test", bed, code, "", "mV", sequence, started, 250.0, 0.005, 0.0, samples
    )


async def send(running: Running, *frames: Frame) -> None:
    """Sends each frame by the gateway and waits for its acknowledgement."""
    async with connect(
        f"{running.sockets}/ws/v1/devices",
        additional_headers=running.bearer("h1-gateway"),
        proxy=None,
    ) as line:
        for each in frames:
            await line.send(waveform.pack(each))
            assert json.loads(await line.recv())["type"] == "ack"


def screen(running: Running, who: str, unit: str = UNIT, query: str = "") -> connect:
    """The line of a screen."""
    return connect(
        f"{running.sockets}/ws/v1/waveforms/{unit}{query}",
        additional_headers=running.bearer(who),
        proxy=None,
    )


async def received(line: ClientConnection, count: int) -> list[Frame]:
    """The next frames with samples."""
    frames: list[Frame] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(frames) < count:
            message = await line.recv()
            assert isinstance(message, bytes)
            frames += [each for each in waveform.unpack(message) if each.kind != BEAT]
    return frames


async def test_a_screen_gets_the_curve_as_the_device_sent_it(running: Running) -> None:
    sent = [frame(sequence=n) for n in range(5)]
    async with screen(running, "h1-nurse") as desk, screen(running, "h1-wall") as wall:
        for line in (desk, wall):
            await line.recv()  # the first beat: it looks from now on
        await send(running, *sent)
        # The gateway is no test device: its frames keep their own mode.
        for line in (desk, wall):
            assert await received(line, 5) == sent


async def test_a_screen_begins_with_the_last_seconds(running: Running) -> None:
    sent = [frame(sequence=n) for n in range(3)]
    await send(running, *sent)
    async with screen(running, "h1-nurse") as line:
        assert await received(line, 3) == sent


async def test_a_screen_gets_only_the_bed_and_the_curves_that_it_asks_for(
    running: Running,
) -> None:
    mine, other = frame(sequence=1), frame(OTHER_BED, sequence=2)
    pleth, last = frame(code=PLETH, sequence=3), frame(sequence=4)
    async with (
        screen(running, "h1-nurse", query=f"?bed={BED}") as bed,
        screen(running, "h1-wall", query=f"?code={ECG}&code=II") as wall,
    ):
        await bed.recv()
        await wall.recv()
        await send(running, mine, other, pleth, last)
        assert await received(bed, 3) == [mine, pleth, last]
        assert await received(wall, 3) == [mine, other, last]


async def test_whoever_may_not_see_the_board_does_not_see_its_curves(running: Running) -> None:
    for who, unit, query in (
        ("h1-crew", UNIT, ""),
        ("h1-emergency", UNIT, ""),
        ("h2-nurse", UNIT, ""),
        ("h1-monitor", UNIT, ""),
        ("h1-nurse", "h2-icu-1", ""),
        ("h1-nurse", "nowhere", ""),
        ("h1-nurse", UNIT, "?bed=h2-icu-1-01"),
    ):
        with pytest.raises(InvalidStatus):
            async with screen(running, who, unit, query):
                raise AssertionError(f"{who} sees {unit}{query}")


async def test_a_page_of_another_site_is_refused(running: Running) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(
            f"{running.sockets}/ws/v1/waveforms/{UNIT}",
            additional_headers={"Cookie": f"session={running.tokens['h1-nurse']}"},
            origin="https://elsewhere.example",  # type: ignore[arg-type]
            proxy=None,
        ):
            pass


async def test_a_revoked_session_sees_no_more(running: Running) -> None:
    async with screen(running, "h1-nurse") as line:
        await line.recv()
        await running.dismiss("h1-nurse")
        with pytest.raises(ConnectionClosed) as closed:
            await received(line, 1)  # nothing but beats comes until it is closed
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_the_stream_is_read_only_while_somebody_looks(running: Running) -> None:
    async with screen(running, "h1-nurse") as line:
        await line.recv()
        feed = running.web.waves[UNIT]
        assert feed.viewers

    async def nobody() -> bool:
        return not feed.viewers and feed._task is None

    await until(nobody, "the reader of the curves ended")


async def test_a_curve_comes_to_the_archive_once_however_often_it_is_sent(
    fresh_valkey: Valkey, app: Database, writer: Database
) -> None:
    sent = [frame(sequence=n) for n in range(3)]
    async with (
        web_process(fresh_valkey.url, app) as running,
        storing(running.web.redis_url, writer),
        running.client("h1-nurse") as client,
    ):
        await send(running, *sent, sent[1])
        address = f"{running.address}/api/v1/icu/beds/{BED}/waveforms"

        async def rows() -> list[str]:
            lines = (await client.get(address, params={"code": ECG})).text.splitlines()
            return lines if len(lines) >= 3 else []

        found = [json.loads(line) for line in await until(rows, "the curve is stored")]
        binary = await client.get(address, headers={"Accept": "application/octet-stream"})
        none = await client.get(address, params={"code": PLETH})
        foreign = await client.get(address.replace("h1-icu-1-01", "h2-icu-1-01"))
    assert [row["sequence"] for row in found] == [0, 1, 2]
    assert found[1]["samples"] == list(range(1, 26))
    assert (found[1]["rate_hz"], found[1]["scale"], found[1]["unit"]) == (250.0, 0.005, "mV")
    assert list(waveform.unpack(binary.content)) == sent
    assert none.text == ""
    assert foreign.status_code == 404


def test_a_curve_in_an_hl7_message_goes_the_same_way() -> None:
    class Places:
        def hospital_of_unit(self, unit: str) -> str:
            """All its units are of one hospital."""
            return "h1"

        def has_unit(self, unit: str) -> bool:
            return unit == "ICU7N"

        def mode_of_device(self, hospital: str, name: str) -> str:
            return ""

        def standing(self, hospital: str, name: str) -> Standing:
            return ()

        def unit_of_bed(self, bed_id: str) -> str | None:
            return "ICU7N" if bed_id == "BED708" else None

        def units_of(self, hospital: str) -> list[str]:
            return ["ICU7N"]

        def bed_in_unit(self, unit: str, text: str) -> str | None:
            return text if (unit, text) == ("ICU7N", "BED708") else None

    raw = (CORPUS / "008_wave_wcm_cts.hl7").read_bytes().replace(b"\n", b"\r")
    source = Source(name="loopback", hospital="h1", mode="Test")
    decided = take(raw, source, Announced(Places()), SystemClock().now_us(), 2000)
    (wave,) = [a for a in decided.appends if a.stream == "waves"]
    assert isinstance(wave.entry, wire.Waved)
    assert (wave.shard, wave.entry.bed, wave.entry.code) == ("ICU7N", "BED708", ECG)
    assert wave.entry.rate_hz == 240


def waved(sequence: int, bed: str = BED) -> wire.Waved:
    """An entry as the reader hands it out."""
    return wire.Waved(
        unit=UNIT, source="x", message_id="", identity=b"", received_at=0, mode="Test", code=ECG,
        channel="", started_at=sequence, rate_hz=250.0, scale=1.0, offset=0.0, physical_unit="mV",
        samples=b"\0\0", bed=bed, sequence=sequence,
    )  # fmt: skip


def test_a_slow_screen_loses_the_oldest_and_is_told_and_holds_up_nobody() -> None:
    feed = WaveFeed("unix:///nowhere", UNIT)
    slow, quick = Viewer("", ()), Viewer("", ())
    feed.viewers |= {slow, quick}
    got: list[Frame] = []
    for number in range(WAITING_MAX + 10):
        feed.hand_out([waved(number)])
        got += waveform.unpack(quick.take())
    assert [each.sequence for each in got] == list(range(WAITING_MAX + 10))
    late: list[Frame] = []
    while slow.waiting:
        late += waveform.unpack(slow.take())
    assert late[0].kind == GAP
    assert [each.sequence for each in late[1:]] == list(range(WAITING_MAX, WAITING_MAX + 10))
    assert slow.lost == WAITING_MAX


async def test_the_page_of_a_bed_is_for_its_own_unit(running: Running) -> None:
    for who, bed, status in (
        ("h1-nurse", BED, 200),
        ("h1-wall", BED, 404),  # a wallboard sees no patient
        ("h1-emergency", BED, 404),
        ("h2-nurse", BED, 404),
        ("h1-crew", BED, 404),
        ("h1-nurse", "nowhere", 404),
    ):
        async with running.client(who) as client:
            answer = await client.get(f"/icu/beds/{bed}")
        assert answer.status_code == status, (who, bed)
        assert (f'data-bed="{bed}"' in answer.text) == (status == 200)
    read = [
        entry.actor
        for entry in await entries(running, keys(UNIT).incoming)
        if isinstance(entry, wire.Audited) and entry.action == "read_bed"
    ]
    assert read == ["h1-nurse"]


async def entries(running: Running, key: str) -> list[wire.Entry]:
    """What lies in a stream."""
    pipe = Pipe(running.web.redis_url)
    found = [wire.decode(fields[1]) for _, fields in await pipe.call("XRANGE", key, "-", "+")]
    await pipe.close()
    return found
