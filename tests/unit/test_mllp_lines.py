"""The lines of senders that nobody ended."""

from __future__ import annotations

import asyncio

import pytest

from hospital_ops.clock import ManualClock
from hospital_ops.hl7.framing import framed
from streams.mllp import Limits, MllpGateway
from tests.mllp_ward import LOCAL, NOW, Disk, Ward, answer, oru, until


async def test_a_line_that_nobody_ended_gives_way_to_a_monitor_that_connects_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = MllpGateway(Disk(), Ward(), [LOCAL], ManualClock(NOW), Limits(connections=2))
    server = await gateway.serve("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    counts = gateway.counts["local"]
    dead = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await until(lambda: counts.connections == 2)
    monkeypatch.setattr("streams.mllp._GIVES_WAY_S", 0.0)  # as after ten seconds
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(oru("A1")))
    assert (await answer(reader))[:2] == ["AA", "A1"]
    assert await asyncio.wait_for(dead[0][0].read(), 5) == b""  # silent for longest
    assert (counts.closed["gave_way"], counts.connections) == (1, 2)
    for _, each in (*dead, (reader, writer)):
        each.close()
    await gateway.close()
