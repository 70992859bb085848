"""The line to the hospital: `POST /api/v1/relayed` over HTTPS, one connection, one at a time.

Whoever answers is not believed without need: an answer counts when it has the published form, came
within the time of its request, and its certificate is one that the site trusts.
"""

from __future__ import annotations

import asyncio
import http.client
import select
import socket
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hospital_ops import wire_forms
from hospital_ops.clock import Clock, from_iso
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.items import Item, Relay

PATH: Final = "/api/v1/relayed"
DEVICES: Final = "/api/v1/relayed/devices"
TIMEOUT_S: Final = 10.0  # of a request, from its first byte to the last of its answer ...
NARROWEST: Final = 16 * 1024  # ... and of its body on the narrowest line, bytes a second
ANSWER_MAX: Final = 1 << 20
ANSWERS_KEPT: Final = 64
LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))


# Answers that speak of the line, the token or the hour, and not of what was sent.
NOT_THE_REQUEST: Final = frozenset((401, 403, 404, 429, 502, 503))
# Answers that say that it took too long: the hospital's own deadline of a body, or a proxy's.
TOO_SLOW: Final = frozenset((408, 504))


class LinkCut(OSError):
    """No answer that says what became of it: nobody knows, so it goes again."""


class TooMuch(LinkCut):
    """The request was not answered in time, or cut off underway: less of it may be."""


class TurnedAway(TooMuch):
    """The hospital answers, and does not take this request."""


class Offset:
    """How far the hospital's clock is ahead of ours: from the answer that took the least time.

    Of the newest answers the quickest says most, because its way there and back was the shortest.
    `known`: what an earlier process with the same clock has found.
    """

    def __init__(self, known: int | None = None) -> None:
        self._known = known
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
        """Microseconds; None where nothing is known yet."""
        return min(self._seen)[1] if self._seen else self._known


class Uplink:
    """Calls with the box's token; its text never stands in an error."""

    def __init__(
        self,
        url: str,
        token: str,
        clock: Clock,
        offset: Offset,
        trusted: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        clock_name: str = "",
        began_at: int = 0,
    ) -> None:
        self._clock_name, self._began_at = clock_name, began_at
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ConfigurationError("--upstream needs an address such as https://ops.example.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ConfigurationError("--upstream has to be https: patients' data go over it.")
        is_tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (http.client.HTTPS_PORT if is_tls else http.client.HTTP_PORT)
        self._tls = (trusted or trust(None)) if is_tls else None
        self._clock, self._offset, self._timeout_s = clock, offset, timeout_s
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-msgpack",
        }
        self._connection: http.client.HTTPConnection | None = None
        self._is_late = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uplink")

    async def deliver(self, items: Sequence[Item]) -> Mapping[str, str]:
        """What became of each item, by its id; LinkCut where nobody knows."""
        relay = Relay(
            self._clock.now_us(),
            tuple(items),
            self._offset.us,
            self._clock_name,
            self._began_at,
        )
        body = wire_forms.encode(relay)
        found: dict[str, str] = await self._asked("POST", PATH, body, "items", dict)
        return found

    async def devices(self) -> list[dict[str, Any]]:
        """The devices of the box's units, as the hospital knows them."""
        found: list[dict[str, Any]] = await self._asked("GET", DEVICES, b"", "devices", list)
        return found

    async def close(self) -> None:
        """Ends the connection."""
        self._drop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, method: str, path: str, body: bytes, field: str, form: type) -> Any:
        """A field of the answer, where the answer has its form."""
        loop = asyncio.get_running_loop()
        sent_at = self._clock.now_us()
        patience_s = self._timeout_s + len(body) / NARROWEST
        # A socket's own time-out begins anew with each byte: who drips would hold the line.
        self._is_late = False
        late = loop.call_later(patience_s, self._cut)
        try:
            answer = await loop.run_in_executor(
                self._thread, self._ask, method, path, body, patience_s
            )
        finally:
            late.cancel()
        found = answer.get(field)
        if not isinstance(found, form):
            raise LinkCut(f"an answer without {field}")
        self._offset.heard(sent_at, self._clock.now_us(), answer.get("server_time"))
        return found

    def _ask(self, method: str, path: str, body: bytes, patience_s: float) -> dict[str, Any]:
        underway = False
        try:
            connection = self._connection
            if connection is None or connection.sock is None or _has_ended(connection.sock):
                self._drop()
                connection = self._connected()
            connection.sock.settimeout(patience_s)
            underway = bool(body)
            connection.request(method, path, body or None, self._headers)
            response = connection.getresponse()
            content = response.read(ANSWER_MAX + 1)
            if self._is_late:
                raise TimeoutError
        except ssl.SSLCertVerificationError as error:
            self._drop()
            raise LinkCut(f"certificate not trusted: {error.verify_message}") from None
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            if self._is_late or isinstance(error, TimeoutError):
                raise TooMuch("no answer in time") from None
            # Whose deadline is over cuts the line, and seldom is its 408 read.
            raise (TooMuch if underway else LinkCut)(type(error).__name__) from None
        if response.status != http.HTTPStatus.OK or len(content) > ANSWER_MAX:
            self._drop()
            raise _kind(response.status)(f"HTTP {response.status}")
        try:
            answer = wire_forms.from_json(content)
        except (wire_forms.DecodeError, UnicodeDecodeError, RecursionError):
            self._drop()
            raise LinkCut("an answer that is no JSON") from None
        return answer if isinstance(answer, dict) else {}

    def _connected(self) -> http.client.HTTPConnection:
        """A connection that `_cut` can end at any step, the handshake too."""
        address = (self._host, self._port)
        line = socket.create_connection(address, timeout=self._timeout_s)
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
            line = self._tls.wrap_socket(
                line, server_hostname=self._host, do_handshake_on_connect=False
            )
        connection.sock, self._connection = line, connection
        if isinstance(line, ssl.SSLSocket):
            line.do_handshake()
        return connection

    def _cut(self) -> None:
        """Ends what the thread waits for; it lets the connection go itself."""
        self._is_late, connection = True, self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _has_ended(line: socket.socket) -> bool:
    """Whether the other side has closed a line on which nothing is awaited."""
    looked = select.poll()
    looked.register(line, select.POLLIN)
    return bool(looked.poll(0))


def _kind(status: int) -> type[LinkCut]:
    """What an answer with this status says of the request."""
    if status in TOO_SLOW:
        return TooMuch
    speaks_of_it = status not in (http.HTTPStatus.OK, *NOT_THE_REQUEST)
    return TurnedAway if speaks_of_it else LinkCut


def trust(only: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed: those of the file and no others, or the machine's.

    The file holds an authority of the hospital, or its server's own certificate (a pin).
    """
    try:
        context = ssl.create_default_context(cafile=only)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            "HOSPITAL_OPS_EDGE_CA is no file of certificates in PEM that can be read."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if only is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
