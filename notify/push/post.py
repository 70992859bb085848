"""One request to a push service, and what came of it; it may be slow, away or rude."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

TIMEOUT_S: Final = 5.0  # a call that comes later is of no use
TAKEN, GONE, LATER, REFUSED, UNKNOWN = "taken", "gone", "later", "refused", "unknown"
ANSWER_MOST: Final = 4096
RETRY_MOST_S: Final = 3600


class Posted(NamedTuple):
    """What came of a request; `retry_s` is what the service asked for, 0: nothing."""

    outcome: str
    retry_s: int = 0


def allowed(endpoint: str, hosts: Collection[str]) -> bool:
    """Whether a browser's address is at a push service that the site has named.

    `*.example` stands for any host below it. Plain http is for a service on this machine alone.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    named = f"{host}:{port}" if port else host
    if parts.scheme != "https" and not (parts.scheme == "http" and host == "127.0.0.1"):
        return False
    if parts.username or parts.password or not host:
        return False
    return any(
        named == each or (each.startswith("*.") and named.endswith(each[1:])) for each in hosts
    )


def post(endpoint: str, headers: Mapping[str, str], body: bytes) -> Posted:
    """Sends once; blocks for at most some seconds, so it is called in a thread."""
    parts = urlsplit(endpoint)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.connect()
    except OSError:
        connection.close()
        return Posted(LATER)  # no byte has left
    try:
        path = parts.path or "/"
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, headers)
        answer = connection.getresponse()
        answer.read(ANSWER_MOST)
        return meant(answer.status, answer.headers.get("Retry-After", ""))
    except (OSError, http.client.HTTPException):
        return Posted(UNKNOWN)  # it may have been taken: it is not sent again
    finally:
        connection.close()


def meant(status: int, retry_after: str) -> Posted:
    """What an answer says: 404 and 410 end a subscription, 429 and 5xx ask for patience."""
    if 200 <= status < 300:
        return Posted(TAKEN)
    if status in (404, 410):
        return Posted(GONE)
    if status == 429 or status >= 500:
        wait = int(retry_after) if retry_after.isdecimal() and len(retry_after) < 7 else 0
        return Posted(LATER, min(wait, RETRY_MOST_S))
    return Posted(REFUSED)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
