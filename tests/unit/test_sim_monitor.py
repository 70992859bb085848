"""A monitor keeps what was not acknowledged and sends the same bytes again, live values first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hospital_ops.clock import SECOND, ManualClock
from hospital_ops.errors import MessageError, NotStored
from hospital_ops.forward.backoff import BackOff
from simulators import messages, seeds
from simulators.admissions import admissions, send_all
from simulators.clients import (
    END,
    START,
    MllpClient,
    control_id_of,
    read_acknowledgement,
)
from simulators.ledger import Ledger, read
from simulators.monitor import INFLATION_S, Monitor, MonitorPlan
from simulators.outbox import Letter, Outbox
from simulators.synthetic import synthetic_course

BED = "h1-icu-1-07"
NOON = 1_795_262_400_000_000  # 2026-11-21 12:00 UTC


class Gateway:
    """A receiver whose answers a test chooses: a code, or "" for cutting the wire instead."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answer: Callable[[int], str] = lambda count: "CA"
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                frame = await reader.readuntil(END)
                message = frame.removeprefix(START).removesuffix(END)
                self.received.append(message)
                code = self.answer(len(self.received))
                if not code:
                    break
                answer = f"MSH|^~\\&|||||||ACK|1|P|2.6\rMSA|{code}|{control_id_of(message)}\r"
                writer.write(START + answer.encode() + END)
        except asyncio.IncompleteReadError:
            pass
        writer.transport.abort()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    server = Gateway()
    await server.start()
    yield server
    await server.stop()


def quick() -> BackOff:
    return BackOff(seeds.stream("test"), first_s=0.001, most_s=0.005)


def monitor(gateway: Gateway, phase_s: float = 0.0) -> Monitor:
    course = synthetic_course(3, BED)
    plan = MonitorPlan(bed=BED, mrn="123", course=course, seed=3, period_s=0.005, phase_s=phase_s)
    return Monitor(plan, MllpClient("127.0.0.1", gateway.port), Ledger(), back_off=quick())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def fields(raw: bytes, segment: str) -> list[list[str]]:
    lines = raw.decode().split("\r")
    return [line.split("|") for line in lines if line.startswith(segment + "|")]


async def test_every_message_is_acknowledged_once_where_all_is_well(gateway: Gateway) -> None:
    sender = monitor(gateway)
    running = asyncio.create_task(sender.run())
    await until(lambda: len(gateway.received) >= 10)
    sender.stop()
    await running
    rows = sender.ledger.rows.values()
    assert all(row.acked and row.sends == 1 for row in rows)
    # On a slow machine a fresh message overtakes one that waits: the order is not promised.
    came = sorted(control_id_of(raw) for raw in gateway.received)
    assert came == sorted(row.id for row in rows)


@pytest.mark.parametrize("failure", ["", "CE", "AE"])
async def test_what_was_not_acknowledged_comes_again_with_the_same_bytes(
    gateway: Gateway, failure: str
) -> None:
    gateway.answer = lambda count: failure if count % 3 == 0 else "CA"
    sender = monitor(gateway)
    running = asyncio.create_task(sender.run())
    await until(lambda: len(gateway.received) >= 30)
    sender.stop()
    await running
    assert sender.ledger.unacknowledged() == []
    assert any(row.sends > 1 for row in sender.ledger.rows.values())
    by_id: dict[str, set[bytes]] = {}
    for raw in gateway.received:
        by_id.setdefault(control_id_of(raw), set()).add(raw)
    assert set(by_id) == set(sender.ledger.rows)
    assert all(len(forms) == 1 for forms in by_id.values())


async def test_after_a_cut_the_live_value_goes_before_the_backlog(gateway: Gateway) -> None:
    sender = monitor(gateway, phase_s=3600)
    first, second, third = (sender.measure() for _ in range(3))
    running = asyncio.create_task(sender.run())
    await until(lambda: len(gateway.received) >= 3)
    sender.stop()
    await running
    order = [control_id_of(raw) for raw in gateway.received[:3]]
    assert order == [third.id, first.id, second.id]


async def test_a_refused_message_is_not_sent_again(gateway: Gateway) -> None:
    gateway.answer = lambda count: "AR" if count == 1 else "CA"
    sender = monitor(gateway)
    running = asyncio.create_task(sender.run())
    await until(lambda: len(gateway.received) >= 4)
    sender.stop()
    await running
    (refused,) = sender.ledger.unacknowledged()
    assert refused.refused
    assert refused.sends == 1


def test_a_full_backlog_loses_its_oldest_and_says_so() -> None:
    ledger = Ledger()
    outbox = Outbox(ledger, backlog_max=2)
    for number in range(5):
        ledger.made(str(number), BED, 1)
        outbox.add(Letter(str(number), b""))
    assert [row.id for row in ledger.rows.values() if row.dropped] == ["0", "1"]
    assert ledger.counts.dropped == 2
    assert len(outbox) == 3


def test_the_message_has_its_bed_patient_times_and_codes() -> None:
    clock = ManualClock(NOON + 123_000)
    course = synthetic_course(3, BED)
    sender = Monitor(
        MonitorPlan(bed=BED, mrn="123", course=course, seed=3, cuff_cycle_s=300),
        MllpClient("127.0.0.1", 1),
        clock=clock,
    )
    raw = sender.measure().raw
    assert fields(raw, "PV1")[0][3] == f"h1-icu-1^^{BED}"
    assert fields(raw, "PID")[0][3] == "123^^^HOSP^MR"
    assert fields(raw, "OBR")[0][7] == "20261121120000.123+0000"
    assert fields(raw, "MSH")[0][10] == "P"
    rate = next(row for row in fields(raw, "OBX") if row[3].startswith("147842^"))
    assert rate[5] == f"{course.value_at('hr', 0):g}"
    assert rate[6] == "264864^MDC_DIM_BEAT_PER_MIN^MDC"
    assert not any(row[3].startswith("150021^") for row in fields(raw, "OBX"))


def test_the_cuff_has_its_own_time_and_comes_once_a_cycle() -> None:
    clock = ManualClock(NOON)
    course = synthetic_course(3, BED)
    sender = Monitor(
        MonitorPlan(bed=BED, mrn="", course=course, seed=3, cuff_cycle_s=300),
        MllpClient("127.0.0.1", 1),
        clock=clock,
    )
    seen = []
    for second in range(700):
        raw = sender.measure().raw
        channel = [row for row in fields(raw, "OBX") if row[3].startswith("70687^")]
        if channel:
            seen.append((second, channel[0][14]))
        clock.advance(1)
    assert [second for second, _ in seen] == [INFLATION_S, 300, 600]
    assert [time for _, time in seen] == [
        messages.hl7_time(NOON + (second - INFLATION_S) * SECOND) for second, _ in seen
    ]


def test_a_loose_sensor_is_sent_without_a_value() -> None:
    course = synthetic_course(3, BED)
    plan = MonitorPlan(bed=BED, mrn="", course=course, seed=3, loose=frozenset({"spo2"}))
    raw = Monitor(plan, MllpClient("127.0.0.1", 1)).measure().raw
    row = next(row for row in fields(raw, "OBX") if row[3].startswith("150456^"))
    assert (row[5], row[8], row[11]) == ("", "NAV", "X")


def test_control_ids_are_never_used_twice() -> None:
    clock = ManualClock(NOON)
    course = synthetic_course(3, BED)
    plan = MonitorPlan(bed=BED, mrn="", course=course, seed=3)
    ids = set()
    for _ in range(2):
        sender = Monitor(plan, MllpClient("127.0.0.1", 1), clock=clock)
        ids |= {sender.measure().id for _ in range(50)}
        clock.advance(1)
    assert len(ids) == 100


def test_the_ledger_file_tells_the_same_after_the_simulator_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.made("a", BED, 8)
    ledger.made("b", BED, 8)
    for id_ in ("a", "b", "b"):
        ledger.sent(id_)
    ledger.acked("b")
    ledger.close()
    with path.open("a") as file:
        file.write(json.dumps({"id": "a", "is": "acked"})[:-3])  # killed while it wrote
    rows = {row["id"]: (row["sends"], row["acked"]) for row in read(path)}
    assert rows == {"a": (1, False), "b": (2, True)}


def test_an_answer_without_msa_is_not_taken_for_a_yes() -> None:
    with pytest.raises(MessageError, match="MSA"):
        read_acknowledgement(b"MSH|^~\\&|||||||ACK|1|P|2.6\r")


async def test_an_answer_to_another_message_is_not_taken_for_a_yes() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(END)
        writer.write(START + b"MSH|^~\\&\rMSA|AA|somebody-else\r" + END)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = MllpClient("127.0.0.1", server.sockets[0].getsockname()[1])
    with pytest.raises(MessageError, match="another message"):
        await client.send(admissions(1, [BED], NOON)[0][2])
    server.close()


def test_admissions_are_the_same_bytes_for_the_same_seed_and_start() -> None:
    beds = [f"h1-icu-1-{number:02d}" for number in range(1, 25)]
    rows = admissions(5, beds, NOON)
    assert rows == admissions(5, beds, NOON)
    assert rows != admissions(6, beds, NOON)
    assert [bed for bed, _, _ in rows] == beds
    assert len({mrn for _, mrn, _ in rows}) == len(beds)
    bed, mrn, raw = rows[3]
    (pid,), (pv1,), (evn,) = fields(raw, "PID"), fields(raw, "PV1"), fields(raw, "EVN")
    assert pid[3].split("^")[0] == mrn
    assert pid[8] in ("F", "M")
    assert len(pid[7]) == 8
    assert pv1[3] == f"h1-icu-1^^{bed}"
    assert pv1[19].split("^")[0] == f"V{mrn}"
    assert evn[2] == pv1[44] == messages.hl7_time(NOON + 3000)
    names = [fields(raw, "PID")[0][5] for _, _, raw in rows]
    assert any(name.isascii() for name in names)
    assert any(not name.isascii() for name in names)


async def test_admissions_are_sent_until_each_is_acknowledged(gateway: Gateway) -> None:
    gateway.answer = lambda count: "AE" if count == 1 else "AA"
    rows = admissions(5, [BED, "h1-icu-1-08"], NOON)
    await send_all("127.0.0.1", gateway.port, [raw for _, _, raw in rows])
    assert gateway.received == [rows[0][2], rows[0][2], rows[1][2]]


async def test_a_refused_admission_is_said_and_not_repeated(gateway: Gateway) -> None:
    gateway.answer = lambda count: "AR"
    with pytest.raises(NotStored, match="refused"):
        await send_all("127.0.0.1", gateway.port, [admissions(5, [BED], NOON)[0][2]])
    assert len(gateway.received) == 1
