"""The box of a unit: cut off, killed and started again, the hospital has everything once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.forward.items import LIVE_US
from hospital_ops.servers.valkey import Valkey
from simulators.clients import TRY_AGAIN, MllpClient
from simulators.demonstration import free_port
from simulators.network import FaultProxy
from streams.pipe import Pipe
from streams.shard import keys
from tests.faults.program_help import ROOT
from tests.integration.streams_help import beside, storing, until
from tests.integration.web_help import BED, UNIT, Running, web_process

PULSE = "8867-4"
OUTAGE = 60  # messages a sender makes while the link is cut


class Box:
    """`hospital-ops serve edge` as a program of its own."""

    def __init__(self, data: Path, upstream: str, token: str) -> None:
        self.mllp_port, self.http_port = free_port(), free_port()
        self._upstream = upstream
        source = {
            "name": "unit", "networks": ["127.0.0.1/32"], "hospital": "h1", "mode": "Real",
        }  # fmt: skip
        self._environment = os.environ | {
            "HOSPITAL_OPS_DATA_DIR": str(data),
            "HOSPITAL_OPS_EDGE_TOKEN": token,
            "HOSPITAL_OPS_EDGE_ROOM_MIB": "64",
            "HOSPITAL_OPS_MLLP_PORT": str(self.mllp_port),
            "HOSPITAL_OPS_HTTP_PORT": str(self.http_port),
            "HOSPITAL_OPS_MLLP_SOURCES": json.dumps([source]),
        }
        self._log = data / "box.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; it listens after a while."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [*(sys.executable, "-m", "hospital_ops"), "serve", "edge", "--upstream",
                 self._upstream],
                cwd=ROOT, env=self._environment, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def kill(self) -> None:
        """The power is cut."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    async def state(self) -> dict[str, Any]:
        """/healthz, or nothing while it does not answer."""
        async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as client:
            with suppress(httpx2.TransportError):
                answer = await client.get(f"http://127.0.0.1:{self.http_port}/healthz")
                found: dict[str, Any] = answer.json()
                return found
        return {}


class Senders:
    """A monitor over MLLP and one on the device socket; each keeps what has no yes."""

    def __init__(self, box: Box, token: str) -> None:
        self._box, self._token = box, token
        self._client = MllpClient("127.0.0.1", box.mllp_port, timeout_s=2.0)
        self.hl7: dict[str, int] = {}  # MSH-10 of acknowledged messages, and when they were
        self.events: dict[str, int] = {}  # event ids, likewise
        self.pause_s = 0.02

    async def monitor(self) -> None:
        """One heart rate after another, each until it is acknowledged."""
        number = 0
        while True:
            number += 1
            at = SystemClock().now_us()
            message = oru(f"M{number}", at)
            while True:
                try:
                    answer = await self._client.send(message)
                except TRY_AGAIN:
                    await asyncio.sleep(0.05)
                    continue
                if answer.stored:
                    break
                await asyncio.sleep(0.05)
            self.hl7[f"M{number}"] = SystemClock().now_us()
            await asyncio.sleep(self.pause_s)

    async def native(self) -> None:
        """The same on the socket."""
        waiting: dict[str, Any] | None = None
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                async with connect(
                    f"ws://127.0.0.1:{self._box.http_port}/ws/v1/devices", proxy=None,
                    additional_headers={"Authorization": f"Bearer {self._token}"},
                ) as line:  # fmt: skip
                    while True:
                        waiting = waiting or event(SystemClock().now_us())
                        message = {"type": "events", "bed": BED, "events": [waiting]}
                        await line.send(json.dumps(message))
                        async with asyncio.timeout(5):
                            answer = json.loads(await line.recv())
                        if answer["type"] == "ack":
                            self.events[waiting["event_id"]] = SystemClock().now_us()
                            waiting = None
                        await asyncio.sleep(self.pause_s)
            await asyncio.sleep(0.05)


def oru(number: str, at: int) -> bytes:
    """A heart rate of the bed as PCD-01."""
    stamp = f"{to_datetime(at):%Y%m%d%H%M%S}.{at % SECOND // 1000:03d}+0000"
    rate = 60 + int(number[1:]) % 50
    return "\r".join(
        (
            f"MSH|^~\\&|MON|WARD|HO|H|{stamp}||ORU^R01^ORU_R01|{number}|P|2.6",
            f"PV1||I|{UNIT}^^{BED}",
            f"OBR|1|||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{stamp}",
            f"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.7.4.147842|{rate}|"
            f"264864^MDC_DIM_BEAT_PER_MIN^MDC|||||F|||{stamp}",
            "",
        )
    ).encode()


def event(at: int) -> dict[str, Any]:
    """A heart rate of a native device."""
    return {
        "event_id": str(uuid4()), "code": PULSE, "value": random.randint(60, 99),
        "unit": "/min", "determined_at": iso(at), "mode": "Real",
    }  # fmt: skip


async def arrived(url: str, after: str) -> list[wire.Observed]:
    """The observations that came into the unit's stream after an entry, in their order."""
    pipe = Pipe(url)
    rows = await pipe.call("XRANGE", keys(UNIT).incoming, f"({after}", "+")
    await pipe.close()
    found = [wire.decode(fields[1]) for _, fields in rows]
    return [one for one in found if isinstance(one, wire.Observed)]


async def last_id(url: str) -> str:
    """The newest entry of the unit's stream."""
    pipe = Pipe(url)
    rows = await pipe.call("XREVRANGE", keys(UNIT).incoming, "+", "-", "COUNT", 1)
    await pipe.close()
    return str(rows[0][0].decode()) if rows else "0-0"


@asynccontextmanager
async def boxed(running: Running, data: Path) -> AsyncIterator[tuple[Box, FaultProxy, Senders]]:
    """A box behind a line that can be cut, with two senders at work."""
    port = int(running.address.rpartition(":")[2])
    async with FaultProxy("127.0.0.1", port) as proxy:
        upstream = f"http://127.0.0.1:{proxy.port}"
        box = Box(data, upstream, running.tokens["h1-gateway"])
        senders = Senders(box, running.tokens["h1-monitor"])
        box.start()
        try:
            async with beside(senders.monitor()), beside(senders.native()):
                yield box, proxy, senders
        finally:
            box.kill()


class Ward:
    """The box, its link and its senders, and what a test waits for."""

    def __init__(self, url: str, box: Box, proxy: FaultProxy, senders: Senders) -> None:
        self.url, self.box, self.proxy, self.senders = url, box, proxy, senders

    async def acknowledged(self, more: int, what: str) -> None:
        """Both senders get so many more acknowledgements."""
        senders = self.senders
        wanted = min(len(senders.hl7), len(senders.events)) + more

        async def grown() -> bool:
            return min(len(senders.hl7), len(senders.events)) >= wanted

        await until(grown, what)

    async def cut(self) -> None:
        """Cuts the link; returns when the box knows."""
        self.proxy.cut()

        async def is_cut() -> bool:
            return (await self.box.state()).get("link") == "cut"

        await until(is_cut, "the box knows that the link is cut")

    async def waits_for_a_backlog(self) -> None:
        """Something in the box is older than what is live."""

        async def is_old() -> bool:
            backlog = (await self.box.state()).get("backlog", {})
            return bool((backlog.get("oldest_age_s") or 0) > 2 * LIVE_US / SECOND)

        await until(is_old, "there is a backlog beside what is live")

    async def first_after(self, entry: str) -> wire.Observed:
        """What arrives first after an entry."""

        async def has_come() -> list[wire.Observed]:
            return await arrived(self.url, entry)

        first: wire.Observed = (await until(has_come, "something arrives again"))[0]
        return first

    async def is_delivered(self, superuser: Connection) -> None:
        """The box is empty, and what was acknowledged is in the archive."""
        senders = self.senders

        async def is_empty() -> bool:
            state = await self.box.state()
            return bool(state) and state["backlog"]["items"] == 0

        async def all_stored() -> bool:
            rows = await superuser.fetch(
                "select source_message_id, event_id::text as event from measurement"
            )
            return set(senders.hl7) <= {row["source_message_id"] for row in rows} and set(
                senders.events
            ) <= {row["event"] for row in rows}

        async def each_has_sent_its_last() -> bool:
            return len(senders.hl7) > last[0] and len(senders.events) > last[1]

        senders.pause_s, last = 60, (len(senders.hl7), len(senders.events))
        await until(each_has_sent_its_last, "each sends its last and rests")
        await until(is_empty, "the backlog is delivered")
        await until(all_stored, "everything acknowledged is in the archive")


async def test_cut_off_and_killed_a_box_loses_nothing_doubles_nothing_and_sends_the_live_first(
    fresh_valkey: Valkey, writer: Database, superuser: Connection, app: Database, tmp_path: Path
) -> None:
    async with (
        web_process(fresh_valkey.url, app) as running,
        boxed(running, tmp_path) as (box, proxy, senders),
        storing(fresh_valkey.url, writer),
    ):
        ward = Ward(fresh_valkey.url, box, proxy, senders)
        await ward.acknowledged(20, "both senders are acknowledged")
        await ward.cut()
        before = await last_id(fresh_valkey.url)
        await ward.acknowledged(OUTAGE // 2, "the box goes on alone")
        box.kill()
        box.start()
        await ward.acknowledged(OUTAGE // 2, "it goes on after a kill")
        state = await box.state()
        assert state["backlog"]["items"] >= 2 * OUTAGE
        assert state["devices"] >= 1, "it remembers its devices without the hospital"
        assert (state["link"], state["refused"]) == ("cut", 0)
        await ward.waits_for_a_backlog()
        healed = SystemClock().now_us()
        proxy.restore()
        senders.pause_s = 0.2
        first = await ward.first_after(before)
        assert first.received_at > healed - LIVE_US, "what is live is there before the backlog"
        box.kill()  # in the midst of it
        box.start()
        await ward.acknowledged(3, "both senders are acknowledged again")
        await ward.is_delivered(superuser)
        state = await box.state()
        assert (state["kept"], state["link"]) == (0, "up")
    await judge(superuser, senders)


async def judge(superuser: Connection, senders: Senders) -> None:
    """The ledger of the senders against the archive."""
    rows = await superuser.fetch(
        "select source, source_message_id, event_id::text, received_at from measurement"
    )
    hl7 = [row["source_message_id"] for row in rows if row["source"] == "h1-gateway/unit"]
    native = [row["event_id"] for row in rows if row["source"].endswith("/h1-monitor")]
    assert len(hl7) == len(set(hl7)), "doubled: 0"
    assert len(native) == len(set(native)), "doubled: 0"
    assert set(senders.hl7) <= set(hl7), "lost: 0"
    assert set(senders.events) <= set(native), "lost: 0"
    for row in rows:
        acked = senders.hl7.get(row["source_message_id"]) or senders.events.get(row["event_id"])
        if acked is not None:
            assert from_datetime(row["received_at"]) <= acked, "the time of receipt is the box's"
    # The last of each sender may have come without its yes being heard.
    assert len(hl7) <= len(senders.hl7) + 1
    assert len(native) <= len(senders.events) + 1
