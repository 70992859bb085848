"""A stand-in Twilio on 127.0.0.1: the REST paths and error bodies of its public description.

Wicked on demand: it accepts and hangs, accepts and resets, answers 429, fails before or after it
has accepted. What it has accepted is what a family would have received.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ACCOUNT, TOKEN = "AC" + "a" * 32, "t" * 32
HOW = (
    "well", "slow", "hang_after", "reset_after", "reset_before", "busy", "fail_before",
    "fail_after", "invalid", "landline", "stopped", "html",
)  # fmt: skip
ERRORS: Mapping[str, tuple[int, int, str]] = {
    "busy": (429, 20429, "Too Many Requests"),
    "fail_before": (500, 20500, "Internal Server Error"),
    "fail_after": (503, 20503, "Service Unavailable"),
    "invalid": (400, 21211, "Invalid 'To' Phone Number"),
    "landline": (400, 21614, "'To' number is not a valid mobile number"),
    "stopped": (400, 21610, "Attempt to send to unsubscribed recipient"),
}
ACCEPTS = frozenset({"well", "slow", "hang_after", "reset_after", "fail_after", "html"})


@dataclass(slots=True)
class Twilio:
    """One account; `how` is consumed by each POST, then everything goes well."""

    how: list[str] = field(default_factory=list)
    accepted: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    slow_s: float = 0.05
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Twilio:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        method, target, _ = first.split(" ")
        if headers.get("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = urlsplit(target)
        if headers.get("authorization") != _basic() or not path.path.startswith(
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        ):
            return await _answer(writer, 401, _error(401, 20003, "Authenticate"))
        if method == "GET":
            return await self._list(writer, dict(parse_qsl(path.query)))
        return await self._post(writer, dict(parse_qsl(body.decode())))

    async def _post(self, writer: asyncio.StreamWriter, form: dict[str, str]) -> bool:
        self.asked += 1
        how = self.how.pop(0) if self.how else "well"
        if how == "reset_before":
            writer.transport.abort()
            return False
        if how in ACCEPTS:
            form["Sid"] = f"SM{len(self.accepted):032x}"
            self.accepted.append(form)
        if how == "slow":
            await asyncio.sleep(self.slow_s)
        if how == "hang_after":
            await asyncio.sleep(3600)
        if how == "reset_after":
            writer.transport.abort()
            return False
        if how == "html":
            return await _answer(writer, 201, b"<html>gateway</html>")
        if how in ERRORS:
            status, code, text = ERRORS[how]
            return await _answer(writer, status, _error(status, code, text))
        return await _answer(writer, 201, json.dumps(_message(form)).encode())

    async def _list(self, writer: asyncio.StreamWriter, query: dict[str, str]) -> bool:
        found = [_message(one) for one in self.accepted if one["To"] == query.get("To")]
        page = {"messages": found, "page": 0, "page_size": 50, "next_page_uri": None}
        return await _answer(writer, 200, json.dumps(page).encode())


def signature(url: str, form: Mapping[str, str], token: str = TOKEN) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the address and the sorted form."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def _message(form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sid": form["Sid"],
        "account_sid": ACCOUNT,
        "to": form["To"],
        "from": form.get("From"),
        "body": form["Body"],
        "status": "queued",
        "date_created": formatdate(0),
        "num_segments": "1",
        "error_code": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{form['Sid']}.json",
    }


def _error(status: int, code: int, text: str) -> bytes:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json.dumps({"status": status, "code": code, "message": text, "more_info": more}).encode()


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes) -> bool:
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return True
