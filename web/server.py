"""The HTTP server: uvicorn, with board sockets that take ready frames and cut who stops reading."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from web.feed import LINE

STOPPED_S: Final = 5.0  # writing paused for longer: the screen is gone or frozen
SEND_BUFFER: Final = 64 * 1024  # else megabytes lie unsent before anyone notices


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
        "http": "httptools",
        "log_config": None,
        "access_log": False,  # addresses of requests name beds; metrics count them
        "server_header": False,
        "timeout_graceful_shutdown": 1,
        "h11_max_incomplete_event_size": 16 * 1024,
    }
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    await server.serve(sockets=[listening])
