"""The MLLP gateway on a real socket, with an appender that records and can be held back."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import hl7.client
import pytest
from structlog.testing import capture_logs

from hospital_ops import wire
from hospital_ops.clock import ManualClock
from hospital_ops.hl7.framing import framed
from hospital_ops.hl7.understand import Source
from streams.mllp import BATCH, PORTION, Limits, MllpGateway, _Connection
from tests.mllp_ward import CORPUS, LOCAL, NOW, Disk, Ward, answer, oru, until


@pytest.fixture
def disk() -> Disk:
    return Disk()


Start = Callable[..., Any]


@pytest.fixture
async def start(disk: Disk) -> AsyncIterator[Start]:
    """Starts a gateway on a free port; answers (gateway, port)."""
    running: list[MllpGateway] = []

    async def run(sources: list[Source] | None = None, **limits: Any) -> tuple[MllpGateway, int]:
        gateway = MllpGateway(disk, Ward(), sources or [LOCAL], ManualClock(NOW), Limits(**limits))
        server = await gateway.serve("127.0.0.1", 0)
        running.append(gateway)
        return gateway, server.sockets[0].getsockname()[1]

    yield run
    disk.open.set()
    for gateway in running:
        await gateway.close()


async def test_a_message_is_answered_only_when_it_is_on_disk(start: Start, disk: Disk) -> None:
    _, port = await start()
    disk.open.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1")))
    await until(lambda: disk.waiting == 1)
    assert disk.entries == []
    disk.open.set()
    assert (await answer(reader))[:2] == ["AA", "A1"]
    (shard, stream, entry, raw) = disk.entries[0]
    assert (shard, stream, raw) == ("ICU7N", "in", oru("A1"))
    assert isinstance(entry, wire.Observed)
    assert entry.bed == "BED701"
    writer.close()


async def test_a_batch_of_more_messages_than_a_portion_is_stored_and_answered_in_its_order(
    start: Start, disk: Disk
) -> None:
    _, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    names = [f"A{n}" for n in range(2 * PORTION + 3)]
    writer.write(framed(b"\r".join(oru(name) for name in names)))
    assert [(await answer(reader))[:2] for _ in names] == [["AA", name] for name in names]
    assert [entry.message_id for entry in disk.observed()] == names
    writer.close()


async def test_what_is_not_stored_is_answered_send_again_and_the_connection_stays(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    disk.away = True
    writer.write(framed(oru("A1")))
    code, control, text = await answer(reader)
    assert (code, control) == ("AE", "A1")
    assert "send again" in text
    disk.away = False
    writer.write(framed(oru("A1")))
    assert (await answer(reader))[0] == "AA"
    counts = gateway.counts["local"]
    assert (counts.received, counts.stored, counts.not_stored) == (2, 1, 1)
    writer.close()


async def test_a_sender_that_wants_no_answers_hears_of_a_loss(start: Start, disk: Disk) -> None:
    _, port = await start()
    disk.away = True
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1").replace(b"|P|2.6", b"|P|2.6|||NE|NE")))
    assert (await answer(reader))[0] == "AE"
    writer.close()


async def test_answers_come_in_the_order_of_the_messages_of_a_connection(
    start: Start, disk: Disk
) -> None:
    _, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(framed(oru(f"N{n}")) for n in range(300)))
    assert [(await answer(reader))[1] for _ in range(300)] == [f"N{n}" for n in range(300)]
    assert [e.message_id for e in disk.observed()] == [f"N{n}" for n in range(300)]
    writer.close()


async def test_a_slow_disk_stops_the_reading_and_memory_stays_bounded(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start(in_flight=16)
    disk.open.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    message = framed(oru("N", value="82" + " " * 20_000))
    sent = 2_000
    sender = asyncio.create_task(_send(writer, message, sent))
    await until(lambda: disk.waiting > 0)
    (connection,) = gateway._open
    await until(lambda: connection._paused)
    assert disk.waiting <= BATCH
    assert len(connection._frames) <= 16 + 262_144 // len(message) + 1
    assert not sender.done()
    disk.open.set()
    for _ in range(sent):
        assert (await answer(reader))[0] == "AA"
    await sender
    writer.close()


async def _send(writer: asyncio.StreamWriter, message: bytes, count: int) -> None:
    for _ in range(count):
        writer.write(message)
        await writer.drain()


async def test_an_unknown_bed_is_answered_with_what_to_do_and_kept_in_the_hall(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1", bed="ICU9^^BED999")))
    code, control, text = await answer(reader)
    assert (code, control) == ("AE", "A1")
    assert "BED999" in text
    assert "register" in text
    ((shard, _, entry, raw),) = disk.entries
    assert shard == "h7-hall"
    assert raw == oru("A1", bed="ICU9^^BED999")
    assert isinstance(entry, wire.Kept)
    assert (entry.code, entry.bed) == ("unknown_bed", "BED999")
    assert gateway.counts["local"].refused["unknown_bed"] == 1
    writer.close()


async def test_a_source_writes_to_its_own_units_only(start: Start, disk: Disk) -> None:
    other = Source(name="other", hospital="h7", networks=("127.0.0.1/32",), units=("ICU8N",))
    _, port = await start([other])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1")))
    assert (await answer(reader))[0] == "AR"
    assert [kept.code for kept in disk.kept()] == ["out_of_scope"]
    writer.close()


async def test_a_stranger_is_closed_and_counted(start: Start, disk: Disk) -> None:
    far = Source(name="far", hospital="h7", networks=("192.0.2.0/24",))
    gateway, port = await start([far])
    with capture_logs() as lines:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(oru("A1")))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await answer(reader)
    assert gateway.strangers == 1
    assert disk.entries == []
    assert [line["peer"] for line in lines] == ["127.0.0.1"]
    writer.close()


async def test_one_source_has_a_bounded_number_of_connections(start: Start) -> None:
    gateway, port = await start(connections=2)
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(3)]
    counts = gateway.counts["local"]
    await until(lambda: counts.closed["too_many_connections"] == 1)
    assert counts.connections == 2
    for writer in writers:
        writer.close()
    await until(lambda: counts.connections == 0)


async def test_a_frame_that_is_not_finished_in_time_is_kept_and_closed(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start(frame_s=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1"))[:-40])
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert gateway.counts["local"].closed["slow_frame"] == 1
    assert [kept.code for kept in disk.kept()] == ["cut"]
    writer.close()


async def test_an_idle_connection_is_closed(start: Start) -> None:
    gateway, port = await start(idle_s=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert gateway.counts["local"].closed["idle"] == 1
    writer.close()


class Deaf(asyncio.Transport):
    """A peer that takes no answer: a close waits until it does."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.ended: list[str] = []

    def get_write_buffer_size(self) -> int:
        return 1000

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended.append("close")

    def abort(self) -> None:
        self.ended.append("abort")


async def test_who_never_takes_its_answers_is_cut_and_not_waited_for(start: Start) -> None:
    gateway, _ = await start(idle_s=0.05)
    peer = Deaf()
    connection = _Connection(gateway, asyncio.get_running_loop())
    connection.connection_made(peer)
    await until(lambda: bool(peer.ended))
    assert peer.ended == ["abort"]
    connection.connection_lost(None)
    assert gateway.counts["local"].connections == 0


async def test_a_giant_frame_is_refused_and_the_next_good_message_is_taken(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start(frame_bytes=4096)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("BIG", value="8" * 100_000)) + framed(oru("A2")))
    assert (await answer(reader))[:2] == ["AR", "BIG"]
    assert (await answer(reader))[:2] == ["AA", "A2"]
    assert gateway.counts["local"].refused["oversize"] == 1
    assert [kept.code for kept in disk.kept()] == ["oversize"]
    writer.close()


async def test_a_peer_that_speaks_no_mllp_is_kept_and_closed(start: Start, disk: Disk) -> None:
    gateway, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n" * 10_000)
    with contextlib.suppress(ConnectionResetError):  # it closes with bytes still unread
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert gateway.counts["local"].closed["no_frame"] == 1
    assert [kept.code for kept in disk.kept()] == ["no_frame"]
    writer.close()


async def test_an_unreadable_message_is_rejected_in_words_and_its_bytes_kept(
    start: Start, disk: Disk
) -> None:
    _, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(b"PID|||7700101"))
    code, control, text = await answer(reader)
    assert (code, control) == ("AR", "")
    assert "MSH" in text
    assert [(e.code, raw) for _, _, e, raw in disk.entries if isinstance(e, wire.Kept)] == [
        ("malformed", b"PID|||7700101")
    ]
    writer.write(framed(oru("A1")))
    assert (await answer(reader))[0] == "AA"
    writer.close()


async def test_a_message_whose_sender_is_gone_is_stored_all_the_same(
    start: Start, disk: Disk
) -> None:
    _, port = await start()
    disk.open.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1")))
    await until(lambda: disk.waiting == 1)
    writer.transport.abort()
    disk.open.set()
    await until(lambda: len(disk.entries) > 0)
    assert [type(entry) for _, _, entry, _ in disk.entries] == [wire.Observed]


async def test_closing_the_gateway_answers_what_it_has_received(start: Start, disk: Disk) -> None:
    gateway, port = await start()
    disk.open.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1")))
    await until(lambda: disk.waiting == 1)
    closing = asyncio.create_task(gateway.close())
    await asyncio.sleep(0)
    disk.open.set()
    await closing
    assert (await answer(reader))[0] == "AA"
    writer.close()


async def test_a_failure_inside_closes_the_sender_without_an_answer_or_a_name_in_the_log(
    start: Start, disk: Disk
) -> None:
    gateway, port = await start()
    disk.broken = RuntimeError("Geheim^Anna 7700101")
    with capture_logs() as lines:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(oru("A1")))
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert gateway.counts["local"].closed["failed"] == 1
    assert [line["error"] for line in lines] == ["RuntimeError"]
    assert "Geheim" not in str(lines)
    assert "7700101" not in str(lines)
    writer.close()


def test_with_tls_the_certificate_names_the_source() -> None:
    named = Source(name="east", hospital="h7", certificate="gw-east")
    gateway = MllpGateway(Disk(), Ward(), [named], ManualClock(NOW))

    class Tls(asyncio.BaseTransport):
        def __init__(self, name: str) -> None:
            super().__init__(
                {"peercert": {"subject": ((("commonName", name),),)}, "peername": ("192.0.2.1", 1)}
            )

    assert gateway.source_of(Tls("gw-east")) is named
    assert gateway.source_of(Tls("gw-west")) is None


async def test_a_bed_that_adt_names_first_is_known_to_the_monitor_that_follows(
    start: Start, disk: Disk
) -> None:
    _, port = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    monitor = oru("A1", bed="ICU7N^^BED730")
    writer.write(framed(monitor))
    assert (await answer(reader))[0] == "AE"
    for name in ("077_discharge_while_sending_1_admit", "078_discharge_while_sending_2_before"):
        writer.write(framed((CORPUS / f"{name}.hl7").read_bytes()))
        assert (await answer(reader))[0] in ("AA", "CA")
    writer.close()


async def test_the_whole_corpus_over_the_wire_byte_for_byte(start: Start, disk: Disk) -> None:
    _, port = await start()
    for line in (CORPUS / "expected.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        data = (CORPUS / case["file"]).read_bytes()
        stream = framed(data) if case["framing"] == "bare" else data
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(stream)
        writer.write_eof()
        got = await asyncio.wait_for(reader.read(), 5)
        codes = [part.split(b"|")[1].decode() for part in got.split(b"\rMSA")[1:]]
        if case.get("frames"):
            assert len(codes) == len(case["frames"]), case["file"]
            assert set(codes) <= {"AA", "CA"}, case["file"]
        else:
            assert codes == case["acks"], case["file"]
        writer.close()


async def test_the_client_of_library_hl7_is_answered(start: Start, disk: Disk) -> None:
    _, port = await start()

    def send() -> str:
        with hl7.client.MLLPClient("127.0.0.1", port) as client:
            return str(client.send_message(oru("LIB-1").decode()).decode())

    told = await asyncio.to_thread(send)
    assert "MSA|AA|LIB-1" in told
    assert hl7.parse(told.strip("\x0b\x1c\r")).segment("MSA")[2][0] == "LIB-1"
    assert [entry.message_id for entry in disk.observed()] == ["LIB-1"]
