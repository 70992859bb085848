"""The HTTP server: uvicorn, with limits for who sends slowly, endlessly or does not read.

uvicorn bounds neither the head of a request nor the time in which one comes; `Requests` does. Board
sockets take ready frames, and cut who stops reading.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from web.lines import LINE

STOPPED_S: Final = 5.0  # writing paused for longer: the screen is gone or frozen
SEND_BUFFER: Final = 64 * 1024  # else megabytes lie unsent before anyone notices
HEAD_MAX: Final = 16 * 1024
HEAD_S: Final = 30.0  # from the first byte, or from the connection, to the end of the head
BODY_S: Final = 45.0  # from there to the end of the body; `Guard` answers in words before
ANSWER_STOPPED_S: Final = 30.0  # an answer that nobody takes


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
        """Some bytes; those of a head are counted."""
        if not self._is_in_body:
            if self._late is None:  # another request on the same connection
                self._within(self.head_s)
            self._head += len(data)
        super().data_received(data)
        if not self._is_in_body and self._head > HEAD_MAX:
            self._refuse()

    def on_headers_complete(self) -> None:
        """The head has ended; where it is too large nobody sees the request."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_MAX or self.transport.is_closing():
            self._refuse()
            return
        self._head, self._is_in_body = 0, True
        self._within(self.body_s)
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
        self._in_time()
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()

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


class BoardSocket(WebSocketsSansIOProtocol):
    """Cuts the connection of a screen that has stopped reading; a close would wait for it."""

    _cut: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Any) -> None:
        """Puts itself into the scope, so that a board can hand the same frame to many sockets."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)  # none where the handshake was refused
        if scope is not None:
            scope["extensions"][LINE] = self

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


def listen(host: str, port: int) -> socket.socket:
    """A listening socket with a small send buffer; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.bind((host, port))
    listening.listen(1024)
    return listening


async def serve(app: FastAPI, listening: socket.socket) -> None:
    """Serves until cancelled or told to stop."""
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
    }
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    await server.serve(sockets=[listening])
