"""What stands before every route: size and time of bodies, and the headers of every answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import refusals
from web.language import remembered

BODY_MAX: Final = 1 << 20
BODY_DEADLINE_S: Final = 30.0
# SAFETY.md says 100; a ward's order set of thirty orders has six fields each.
FIELDS_MAX: Final = 500
# A sender that is cut off while it writes never reads why: so much more is read and thrown away.
DRAINED_MAX: Final = 8 << 20
DRAIN_DEADLINE_S: Final = 5.0
POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; worker-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form is sent with Origin: null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_FORM: Final = b"application/x-www-form-urlencoded"
_REFUSED: Final = {
    "too_large": (
        413,
        b'{"error":"too_large","detail":"send at most 1 MiB in one request, and 500 fields"}',
    ),
    "too_slow": (408, b'{"error":"too_slow","detail":"send a request within 30 s, or less of it"}'),
}


Note = Callable[[HTTPConnection, str], Awaitable[None]]  # counts a refusal under its sender


class _TooLarge(Exception):
    """A body beyond the limit."""


class Guard:
    """Refuses large and slow bodies before a route sees them; adds the headers."""

    def __init__(self, app: ASGIApp, *, secure: bool, note: Note = refusals.note) -> None:
        self.app, self._note = app, note
        always = HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})
        self._always = [(name.lower().encode(), value.encode()) for name, value in always.items()]
        self._names = {name for name, _ in self._always}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(scope, message)
            await send(message)

        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        is_form = headers.get(b"content-type", b"").lower().startswith(_FORM)
        try:
            if not declared.isdigit() or int(declared) > BODY_MAX:
                raise _TooLarge
            await self.app(scope, _limited(receive, is_form=is_form), answer)
        except (_TooLarge, TimeoutError) as error:
            if started:
                raise
            code = "too_large" if isinstance(error, _TooLarge) else "too_slow"
            await self._note(HTTPConnection(scope), code)
            if code == "too_large":
                await _drain(receive)
            status, words = _REFUSED[code]
            await answer(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(b"content-type", b"application/json"), (b"connection", b"close")],
                }
            )
            await answer({"type": "http.response.body", "body": words})

    def _add_headers(self, scope: Scope, message: Message) -> None:
        headers = message.setdefault("headers", [])
        given = dict(headers)
        if given.get(b"content-type", b"").startswith(b"text/html"):
            headers += remembered(HTTPConnection(scope))
        if given.keys().isdisjoint(self._names):
            headers += self._always
        else:
            headers += [header for header in self._always if header[0] not in given]
        # What is static is revalidated: an upgrade is seen at once.
        keep = b"no-cache" if scope["path"].startswith("/static/") else b"no-store"
        if b"cache-control" in given:
            headers[:] = [header for header in headers if header[0] != b"cache-control"]
        headers.append((b"cache-control", keep))


async def _drain(receive: Receive) -> None:
    left = DRAINED_MAX
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_DEADLINE_S):
            more = True
            while more and left > 0:
                message = await receive()
                more = bool(message.get("more_body"))  # a disconnect has none
                left -= len(message.get("body", b""))


def _limited(receive: Receive, *, is_form: bool) -> Receive:
    read, fields, finished = 0, 1, False
    until: float | None = None  # one deadline for all of it: who drips has no more time

    async def limited() -> Message:
        nonlocal read, fields, finished, until
        if finished:  # after the body only the disconnect comes, however late
            return await receive()
        if until is None:
            until = asyncio.get_running_loop().time() + BODY_DEADLINE_S
        async with asyncio.timeout_at(until):
            message = await receive()
        finished = not message.get("more_body", False)
        read += len(message.get("body", b""))
        fields += message.get("body", b"").count(b"&") if is_form else 0
        if read > BODY_MAX or fields > FIELDS_MAX:
            raise _TooLarge
        return message

    return limited
