"""The HTTP server: uvicorn, with limits for who sends slowly, endlessly or does not read.

uvicorn bounds neither the head of a request nor the time in which one comes; `Requests` does. Board
sockets take ready frames, and cut who stops reading.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from web.lines import LINE, Listener

STOPPED_S: Final = 5.0  # writing paused for longer: the screen is gone or frozen
SEND_BUFFER: Final = 64 * 1024  # else megabytes lie unsent before anyone notices
HEAD_MAX: Final = 16 * 1024
HEAD_S: Final = 30.0  # from the first byte, or from the connection, to the end of the head
BODY_S: Final = 45.0  # from there to the end of the body; `Guard` answers in words before
ANSWER_STOPPED_S: Final = 30.0  # an answer that nobody takes
AT_ONCE: Final = 16  # upgrades: of many screens that come back together the others wait, unbuilt
DOOR: Final = "hospital_ops.door"
NO_TEXT: Final = 1007  # a text that is none


class Requests(HttpToolsProtocol):
    """Cuts who does not finish a request in time, sends an endless head, or takes no answer."""

    head_s, body_s, stopped_s = HEAD_S, BODY_S, ANSWER_STOPPED_S
    _late: asyncio.TimerHandle | None = None
    _stopped: asyncio.TimerHandle | None = None
    _head, _is_in_body = 0, False  # bytes since the head began, and whether it has ended

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Its time begins, whether it says anything or not."""
        super().connection_made(transport)
        self._within(self.head_s)

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of a head are counted. What is whole already needs no deadline."""
        if not self._is_in_body:
            self._head += len(data)
        super().data_received(data)
        if not self._is_in_body and self._head > HEAD_MAX:
            self._refuse()
        if self._late is None and (self._is_in_body or self._head):
            self._within(self.body_s if self._is_in_body else self.head_s)

    def on_headers_complete(self) -> None:
        """The head has ended; where it is too large nobody sees the request."""
        if self._is_too_large() or self.transport.is_closing():
            self._refuse()
            return
        self._head, self._is_in_body = 0, True
        self._in_time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the request was refused."""
        if self._is_in_body:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here as a whole."""
        if self._is_in_body:
            self._is_in_body = False
            self._in_time()
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on the rules of sockets hold."""
        self._is_in_body = False
        self._in_time()
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.parser = cast("Any", None)  # each knows the other: neither would be let go

    def pause_writing(self) -> None:
        """The answer is not taken."""
        super().pause_writing()
        self._stopped = self.loop.call_later(self.stopped_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It is again."""
        if self._stopped is not None:
            self._stopped.cancel()
            self._stopped = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._in_time()
        if self._stopped is not None:
            self._stopped.cancel()
        super().connection_lost(exc)

    def _is_too_large(self) -> bool:
        if self._head <= HEAD_MAX:  # with all that came behind it
            return False
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > HEAD_MAX

    def _within(self, seconds: float) -> None:
        self._in_time()
        self._late = self.loop.call_later(seconds, self.transport.abort)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        words = b"The head of a request is at most 16 KiB."
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(words), words)
        )
        self.transport.close()


class _Dropped:
    """In place of the queue of a request that has ended."""

    def put_nowait(self, _: object) -> None:
        """Nobody reads it."""


_DROPPED: Final[Any] = _Dropped()


class BoardSocket(WebSocketsSansIOProtocol):
    """Cuts the connection of a screen that has stopped reading; a close would wait for it.

    A line that is handed over outlives its request: neither task nor scope nor headers are kept.
    """

    _cut: asyncio.TimerHandle | None = None
    _listener: Listener | None = None
    _handed_over = False
    _door: asyncio.Semaphore | None = None

    def handle_connect(self, event: Any) -> None:
        """Puts itself into the scope, so that a board can hand the same frame to many sockets."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)  # none where the handshake was refused
        if scope is not None:
            scope["extensions"][LINE] = self

    async def run_asgi(self) -> None:
        """As the server does it: few at once, and a line that was handed over stays open."""
        door = self.app_state.setdefault(DOOR, asyncio.Semaphore(AT_ONCE))
        await door.acquire()
        self._door = door
        try:
            if not self.disconnected:
                await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("a socket's request failed")
            self.send_500_response()
        finally:
            self._let_in()
        if self._handed_over:
            self._forget_request()
        elif self.close_timer is None:
            self.transport.close()

    async def send(self, message: Any) -> None:
        """Accepted or refused: the next one comes in."""
        await super().send(message)
        self._let_in()

    def _let_in(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            door.release()

    def hand_over(self, listener: Listener) -> None:
        """What comes is told to `listener` from here on, beginning with what came meanwhile."""
        self._handed_over = True
        if self.disconnected:
            listener.gone()
            return
        self._listener = listener
        while not self.queue.empty():
            message = cast("dict[str, Any]", self.queue.get_nowait())
            listener.heard(message.get("text") or "")
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _forget_request(self) -> None:
        self.queue = _DROPPED
        self.scope = cast("Any", None)
        for each in (self.request, self.response):  # their parser holds them
            each.headers.clear()

    def send_receive_event_to_app(self) -> None:
        """A whole message has come."""
        if self._listener is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self._ending or self.curr_msg_data_type != "text":
            return  # a screen has nothing to say in binary
        try:
            self._listener.heard(data.decode())
        except UnicodeDecodeError:
            self.end(NO_TEXT)

    def end(self, code: int) -> None:
        """Says goodbye; who does not answer is cut."""
        if self._ending:
            return
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    @property
    def free(self) -> bool:
        """Whether it takes another frame now: open, and its screen reads."""
        return self.handshake_complete and self.writable.is_set() and not self._ending

    @property
    def _ending(self) -> bool:
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def put(self, frames: bytes) -> None:
        """Writes whole frames that are packed already; only while it is `free`."""
        self.transport.write(frames)

    def pause_writing(self) -> None:
        """The screen does not take what is sent."""
        super().pause_writing()
        loop = asyncio.get_running_loop()
        self._cut = loop.call_later(STOPPED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.gone()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket with a small send buffer; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.bind((host, port))
    listening.listen(1024)
    return listening


async def serve(app: FastAPI, listening: socket.socket, *, lifespan: bool = True) -> None:
    """Serves until cancelled or told to stop; without `lifespan` the application begins nothing."""
    settings: dict[str, Any] = {
        "ws": BoardSocket,
        "ws_per_message_deflate": False,
        "ws_max_size": 64 * 1024,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "http": Requests,
        "log_config": None,
        "access_log": False,  # addresses of requests name beds; metrics count them
        "server_header": False,
        "timeout_graceful_shutdown": 1,
        "lifespan": "on" if lifespan else "off",
    }
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    await server.serve(sockets=[listening])
