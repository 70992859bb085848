"""Whoever sends slowly, endlessly or not at all holds up nobody and fills no memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.requests import HTTPConnection
from websockets.asyncio.client import connect

from web import guard
from web.server import HEAD_MAX, Requests, listen, serve

GET = b"GET /ward HTTP/1.1\r\nHost: ward\r\n\r\n"
POST = b"POST /ward HTTP/1.1\r\nHost: ward\r\nContent-Length: 100\r\n\r\n"
FORM = b"application/x-www-form-urlencoded"
OK = b"HTTP/1.1 200 OK\r\n"
SHORT_S = 0.6
noted: list[str] = []


async def note(_: HTTPConnection, code: str) -> None:
    noted.append(code)


def ward() -> FastAPI:
    """A way in that says how many bytes it got, and one that answers with very many."""
    app = FastAPI()
    app.add_middleware(guard.Guard, secure=False, note=note)

    @app.api_route("/ward", methods=["GET", "POST"])
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.get("/archive")
    async def give() -> str:
        return "x" * (32 << 20)

    @app.websocket("/board")
    async def board(socket: WebSocket) -> None:
        await socket.accept()
        await asyncio.sleep(1.3 * SHORT_S)  # longer than a head may take
        await socket.send_text("still here")

    return app


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of the house, in tenths of seconds."""
    monkeypatch.setattr(Requests, "head_s", SHORT_S)
    monkeypatch.setattr(Requests, "body_s", 5.0)
    monkeypatch.setattr(Requests, "stopped_s", SHORT_S)
    monkeypatch.setattr(guard, "BODY_DEADLINE_S", SHORT_S)
    noted.clear()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listening = listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(ward(), listening))
    yield listening.getsockname()[1]
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


class Line:
    """One connection; `dripped` gives it a byte now and then until it is cut."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data: bytes) -> None:
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def rest(self) -> bytes:
        """All that still comes, until the other side ends the connection."""
        found = b""
        async with asyncio.timeout(20):
            with suppress(ConnectionError):
                while piece := await self.reader.read(1 << 16):
                    found += piece
        return found

    async def dripped(self, byte: bytes) -> bytes:
        """What it is told, and that it is cut."""
        rest = asyncio.create_task(self.rest())
        while not rest.done():
            await self.send(byte)
            await asyncio.sleep(0.02)
        return await rest


async def status(port: int) -> bytes:
    """The first line of the answer to a good request."""
    line = await Line.to(port)
    await line.send(GET)
    async with asyncio.timeout(20):
        first = await line.reader.readline()
    line.writer.close()
    return first


async def test_a_head_that_never_ends_is_cut_however_it_comes(port: int) -> None:
    async def cut(beginning: bytes, byte: bytes) -> bytes:
        line = await Line.to(port)
        await line.send(beginning)
        return await line.dripped(byte)

    ways = ((b"", b""), (b"GET /w", b"a"), (GET[:-2] + b"X: ", b"y"), (b"", b"\n"))
    assert await asyncio.gather(*(cut(*way) for way in ways)) == [b""] * len(ways)
    assert await status(port) == OK


@pytest.mark.parametrize("piece", [b"X: " + b"y" * 1000 + b"\r\n", b"y" * 1000])
async def test_a_head_without_bound_is_refused_in_words(port: int, piece: bytes) -> None:
    line = await Line.to(port)
    await line.send(GET[:-2] + b"Y: ")
    for _ in range(2 * HEAD_MAX // 1000):
        await line.send(piece)
    assert b"431" in await line.rest() or line.writer.is_closing()
    assert await status(port) == OK


async def test_a_body_that_drips_is_answered_and_counted(port: int) -> None:
    line = await Line.to(port)
    await line.send(POST)
    told = await line.dripped(b"z")
    assert told.startswith(b"HTTP/1.1 408")
    assert b"too_slow" in told
    assert noted == ["too_slow"]


async def test_a_form_of_half_a_million_fields_is_refused(port: int) -> None:
    for fields, expected in ((guard.FIELDS_MAX, b"200"), (200_000, b"413")):
        body = b"&".join([b"a=1"] * fields)
        line = await Line.to(port)
        head = b"POST /ward HTTP/1.1\r\nHost: ward\r\nConnection: close\r\nContent-Length: %d\r\n"
        await line.send(head % len(body) + b"Content-Type: " + FORM + b"\r\n\r\n" + body)
        assert (await line.rest()).startswith(b"HTTP/1.1 " + expected)


async def test_an_answer_that_nobody_takes_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up, lost = asyncio.Event(), Requests.connection_lost

    def told(self: Requests, exc: Exception | None) -> None:
        given_up.set()
        lost(self, exc)

    monkeypatch.setattr(Requests, "connection_lost", told)
    line = await Line.to(port)
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await line.send(b"GET /archive HTTP/1.1\r\nHost: ward\r\n\r\n")
    async with asyncio.timeout(20):
        await given_up.wait()
    line.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert len(await line.rest()) < 32 << 20
    assert await status(port) == OK


async def test_requests_on_one_connection_and_sockets_are_left_in_peace(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await Line.to(port)
    for _ in range(2):
        await line.send(POST[: len(POST) // 2])
        await line.send(POST[len(POST) // 2 :] + b"z" * 100)
        async with asyncio.timeout(20):
            assert (await line.reader.readuntil(b"\r\n\r\n100")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(1.3 * SHORT_S)
    line.writer.close()
    monkeypatch.setattr(Requests, "body_s", SHORT_S)  # a socket has no body
    async with connect(f"ws://127.0.0.1:{port}/board", proxy=None) as board:
        assert await board.recv() == "still here"


async def test_hundreds_of_silent_connections_hold_up_nobody(port: int) -> None:
    lines = [await Line.to(port) for _ in range(300)]
    assert await status(port) == OK
    assert await asyncio.gather(*(line.rest() for line in lines)) == [b""] * 300
    assert await status(port) == OK
