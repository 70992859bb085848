"""The line to the hospital: `POST /api/v1/relayed` over HTTPS, one connection, one at a time."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from hospital_ops import wire_forms
from hospital_ops.clock import Clock, from_iso
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.items import Item, Relay

PATH: Final = "/api/v1/relayed"
DEVICES: Final = "/api/v1/relayed/devices"
TIMEOUT_S: Final = 10.0
ANSWER_MAX: Final = 1 << 20
ANSWERS_KEPT: Final = 64
LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))


class LinkCut(OSError):
    """No answer that says what became of it: nobody knows, so it goes again."""


class Offset:
    """How far the hospital's clock is ahead of ours: from the answer that took the least time.

    Of the newest answers the quickest says most, because its way there and back was the shortest.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=ANSWERS_KEPT)  # took, off

    def heard(self, sent_at: int, answered_at: int, server_time: object) -> None:
        """One answer: our clock before and after, and the hospital's in between."""
        if not isinstance(server_time, str) or answered_at < sent_at:
            return
        with suppress(ValueError):
            middle = (sent_at + answered_at) // 2
            self._seen.append((answered_at - sent_at, from_iso(server_time) - middle))

    @property
    def us(self) -> int | None:
        """Microseconds; None before the first answer."""
        return min(self._seen)[1] if self._seen else None


class Uplink:
    """Calls with the box's token; its text never stands in an error."""

    def __init__(
        self, url: str, token: str, clock: Clock, offset: Offset, timeout_s: float = TIMEOUT_S
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ConfigurationError("--upstream needs an address such as https://ops.example.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ConfigurationError("--upstream has to be https: patients' data go over it.")
        self._host, self._port = parts.hostname, parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._clock, self._offset, self._timeout_s = clock, offset, timeout_s
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-msgpack",
        }
        self._connection: http.client.HTTPConnection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uplink")

    async def deliver(self, items: Sequence[Item]) -> Mapping[str, str]:
        """What became of each item, by its id; LinkCut where nobody knows."""
        relay = Relay(self._clock.now_us(), tuple(items), self._offset.us)
        body = wire_forms.encode(relay)
        answer = await self._asked("POST", PATH, body)
        found = answer.get("items")
        if not isinstance(found, dict):
            raise LinkCut("an answer without items")
        return found

    async def devices(self) -> list[dict[str, Any]]:
        """The devices of the box's units, as the hospital knows them."""
        found = (await self._asked("GET", DEVICES, b"")).get("devices")
        if not isinstance(found, list):
            raise LinkCut("an answer without devices")
        return found

    async def close(self) -> None:
        """Ends the connection."""
        self._drop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        sent_at = self._clock.now_us()
        answer = await loop.run_in_executor(self._thread, self._ask, method, path, body)
        self._offset.heard(sent_at, self._clock.now_us(), answer.get("server_time"))
        return answer

    def _ask(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        try:
            connection = self._connection or self._connect()
            connection.request(method, path, body or None, self._headers)
            response = connection.getresponse()
            content = response.read(ANSWER_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise LinkCut(type(error).__name__) from None
        if response.status != http.HTTPStatus.OK or len(content) > ANSWER_MAX:
            self._drop()
            raise LinkCut(f"HTTP {response.status}")
        try:
            answer = wire_forms.from_json(content)
        except (wire_forms.DecodeError, UnicodeDecodeError):
            raise LinkCut("an answer that is no JSON") from None
        return answer if isinstance(answer, dict) else {}

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            self._connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=self._tls
            )
        else:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=self._timeout_s
            )
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
