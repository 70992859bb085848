"""ingest.tablet: batches of ten values over 32 connections, answered when they are on disk."""

from __future__ import annotations

import asyncio
import json
from statistics import median
from typing import Any, Final, NamedTuple
from uuid import UUID

import uvloop

from benchmarks.messages import NUMERICS
from benchmarks.program import program
from benchmarks.stage import Stage, cpu_s, furnish, stage
from hospital_ops.clock import SystemClock, iso
from simulators.demonstration import free_port
from streams.pipe import Pipe

CONNECTIONS: Final = 32
CASE: Final = "0198f1c2-0000-7000-8000-000000000001"
BODIES: Final = 500
Row = dict[str, Any]


def rows(*, quick: bool) -> list[Row]:
    """The row `ingest.tablet`."""
    return [uvloop.run(_tablet(quick=quick))]


def request(method: str, path: str, body: bytes | str, token: str) -> str:
    """A whole HTTP request."""
    text = body if isinstance(body, str) else body.decode()
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text.encode())}\r\n\r\n{text}"
    )


def batch(number: int) -> str:
    """Ten EVENTs with ids of their own."""
    at = iso(SystemClock().now_us())
    events = [
        {
            "event_id": str(UUID(int=(7 << 76) + (1 << 63) + number * 16 + index)),
            "code": code,
            "value": value,
            "unit": unit,
            "determined_at": at,
            "validity": "Vld",
            "mode": "Test",
        }
        for index, (code, unit, value) in enumerate(NUMERICS)
    ]
    return json.dumps({"events": events}, separators=(",", ":"))


async def _tablet(*, quick: bool) -> Row:
    async with stage() as on:
        await furnish(on, beds=2, tablets=1)
        await on.role("web")
        token = on.tablets["h1-tablet-1"]
        await open_case(on, token, CASE)
        path = f"/api/v1/prearrivals/{CASE}/measurements"
        requests = [request("POST", path, batch(number), token) for number in range(BODIES)]
        limit_port = free_port()
        async with program("limits.tablet", port=limit_port, redis=on.redis_url) as limit:
            servers = ((on.http_port, on.supervisor.pids["web"]), (limit_port, limit.pid))
            rounds = [
                [await _round(*server, requests, 1.0 if quick else 2.0) for server in servers]
                for _ in range(2 if quick else 5)
            ]
        await _balance(on)
    ours, theirs = ([pair[which] for pair in rounds] for which in (0, 1))
    note = (
        "real web process with authentication and limits; the limit appends the same bytes; "
        f"processor time a request {median(r.us for r in ours):.0f} us, "
        f"of the limit {median(r.us for r in theirs):.0f} us"
    )
    return {
        "id": "ingest.tablet",
        "value": median(r.rate for r in ours),
        "limit": median(r.rate for r in theirs),
        "n": sum(r.answered for r in ours),
        "note": note,
    }


class Round(NamedTuple):
    """Requests a second, how many, and microseconds of the server's processor time for each."""

    rate: float
    answered: int
    us: float


async def open_case(on: Stage, token: str, case: str) -> None:
    """Opens a case at the hospital's emergency department."""
    body = json.dumps({"destination": "h1-ed", "age_years": 61, "sex": "F"})
    opening = request("PUT", f"/api/v1/prearrivals/{case}", body, token).encode()
    status = b""
    for _ in range(100):  # a web process that has just started may not know the units yet
        reader, writer = await asyncio.open_connection("127.0.0.1", on.http_port)
        writer.write(opening)
        status = await reader.readline()
        writer.close()
        if b" 200 " in status:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the case was not opened: {status!r}")


async def _round(port: int, pid: int, requests: list[str], seconds: float) -> Round:
    async with program(
        "clients.http", port=port, connections=CONNECTIONS, seconds=seconds, requests=requests
    ) as client:
        used = cpu_s(pid)
        await client.tell()
        found = await client.result()
    assert not found["bad"], f"the ledger: every batch is answered with stored: {found['bad']}"
    answered: int = found["answered"]
    return Round(found["rate"], answered, (cpu_s(pid) - used) / answered * 1e6)


async def _balance(on: Stage) -> None:
    """What was answered is in the stream."""
    pipe = Pipe(on.redis_url)
    assert await pipe.call("XLEN", "{h1-ed}:in") > 0
    await pipe.close()


if __name__ == "__main__":
    print(rows(quick=True))
