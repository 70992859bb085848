"""The busiest route of all, a tablet's values, answered before the router looks at the others.

Authentication, limits and answers are the same: the guard stands before it, `signed_in` and the
intake inside it, and errors become what they are everywhere (docs/decisions/0030).
"""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hospital_ops import wire
from hospital_ops.errors import HospitalOpsError
from web import errors
from web.auth import SignInNeeded, signed_in, web_of

BEGIN: Final = "/api/v1/prearrivals/"
END: Final = "/measurements"
JSON: Final = b"application/json"


class Busy:
    """Answers `POST /api/v1/prearrivals/{case}/measurements`; everything else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        case = _case(scope)
        if not case:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            answer = await _take(request, case)
        except (HospitalOpsError, SignInNeeded, HTTPException) as error:
            response = await errors.answer(request, error)
            await response(scope, receive, send)
            return
        headers = [(b"content-type", JSON), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def _case(scope: Scope) -> str:
    """The case whose values these are; empty where it is another request."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return ""
    path: str = scope["path"]
    if not (path.startswith(BEGIN) and path.endswith(END)):
        return ""
    case = path[len(BEGIN) : -len(END)]
    return "" if "/" in case else case


async def _take(request: Request, case: str) -> bytes:
    principal = await signed_in(request)
    body = await _whole(request.receive)
    answer = await web_of(request).intake.take_measurements(principal, case, body)
    return wire.to_json(answer)


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
