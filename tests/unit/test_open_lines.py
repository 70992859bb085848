"""A board's line outlives its request: what comes is heard, and its end is told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from web.lines import LINE, OpenLine, text_frame
from web.server import AT_ONCE, listen, serve

PATIENCE_S = 20.0


class Listener:
    """Keeps what a line tells it."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue()
        self.ends = 0
        self.ended = asyncio.Event()

    def heard(self, text: str) -> None:
        self.said.put_nowait(text)

    def gone(self) -> None:
        self.ends += 1
        self.ended.set()


class House:
    """Hands every line over as soon as `ready`."""

    def __init__(self) -> None:
        self.ready, self.came = asyncio.Event(), asyncio.Semaphore(0)
        self.lines: list[tuple[OpenLine, Listener]] = []
        self.inside = self.most = self.port = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.websocket("/board")
        async def board(socket: WebSocket) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            for _ in range(3):
                await asyncio.sleep(0)  # a session is asked for
            self.inside -= 1
            await socket.accept()
            await self.ready.wait()
            line: Any = socket.scope["extensions"][LINE]
            listener = Listener()
            self.lines.append((line, listener))
            line.hand_over(listener)
            self.came.release()

        return app

    def connect(self) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}/board")

    async def opened(self, screen: ClientConnection) -> tuple[OpenLine, Listener]:
        """The line of the screen that came last, over which something was sent."""
        async with asyncio.timeout(PATIENCE_S):
            await self.came.acquire()
        line, listener = self.lines[-1]
        line.put(text_frame(b"first"))
        assert await screen.recv() == "first"
        return line, listener


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house, listening = House(), listen("127.0.0.1", 0)
    house.port = listening.getsockname()[1]
    serving = asyncio.create_task(serve(house.app(), listening))
    yield house
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def test_what_a_screen_says_is_heard_also_before_the_board_was_ready(house: House) -> None:
    async with house.connect() as screen, asyncio.timeout(PATIENCE_S):
        await screen.send("early")
        await screen.send("as early")
        house.ready.set()
        _, listener = await house.opened(screen)
        await screen.send(b"\x00")  # a board has nothing to say in binary
        await screen.send(["in ", "parts"])
        for said in ("early", "as early", "in parts"):
            assert await listener.said.get() == said
    async with asyncio.timeout(PATIENCE_S):
        await listener.ended.wait()
    assert listener.ends == 1


async def test_a_line_is_ended_with_its_reason_and_hears_of_it_once(house: House) -> None:
    house.ready.set()
    async with house.connect() as screen, asyncio.timeout(PATIENCE_S):
        line, listener = await house.opened(screen)
        free = [line.free]
        line.end(1008)
        line.end(1013)  # too late
        assert [*free, line.free] == [True, False]
        with pytest.raises(ConnectionClosed) as closed:
            await screen.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        await listener.ended.wait()
        assert listener.ends == 1


async def test_a_screen_that_left_before_the_board_was_ready_is_told_as_gone(house: House) -> None:
    async with house.connect():
        pass
    async with house.connect() as screen, asyncio.timeout(PATIENCE_S):
        house.ready.set()
        await house.opened(screen)
        await house.came.acquire()
        assert sorted(listener.ends for _, listener in house.lines) == [0, 1]


async def test_of_many_screens_that_come_back_together_few_are_let_in_at_once(house: House) -> None:
    house.ready.set()
    async with AsyncExitStack() as screens, asyncio.timeout(PATIENCE_S):
        count = 3 * AT_ONCE
        await asyncio.gather(*(screens.enter_async_context(house.connect()) for _ in range(count)))
        for _ in range(count):
            await house.came.acquire()
        assert 0 < house.most <= AT_ONCE
