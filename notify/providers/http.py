"""A generic HTTP aggregator: one configurable request, for providers inside the country.

Opening the connection and sending the request are separate steps, so that "no byte has left" is
known and not guessed. The answer is JSON; where its id stands is configured.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from hospital_ops.errors import ConfigurationError
from notify.providers.base import AGAIN, REFUSED, TAKEN, UNKNOWN, Outcome, Outgoing

TIMEOUT_S: Final = 20.0
_FIELDS: Final = frozenset({"to", "words", "reference", "validity_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How the aggregator wants to be asked; `{to}`, `{words}`, `{reference}` are filled in."""

    url: str
    fields: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    form: bool = False  # else JSON
    id_path: str = "id"  # where the answer holds the message's id: "data.0.id"
    error_path: str = "error"  # something there means refused, whatever the status


class HttpAggregator:
    """Sends by the request of the site's configuration."""

    name = "http"

    def __init__(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError("HOSPITAL_OPS_SMS_HTTP_URL needs an http or https address.")
        self.request, self._parts = request, parts

    async def send(self, outgoing: Outgoing) -> Outcome:
        """One request; what a timeout or a reset hides is unknown."""
        return await asyncio.to_thread(self._send, outgoing)

    async def find(self, outgoing: Outgoing, since_us: int) -> Outcome | None:
        """No list is known: a callback or a person settles it."""
        return None

    async def close(self) -> None:
        """Each request has its own connection."""

    def _send(self, outgoing: Outgoing) -> Outcome:
        connection = self._connection()
        try:
            connection.connect()
        except (OSError, ssl.SSLError) as error:
            connection.close()
            return Outcome(AGAIN, code=type(error).__name__)
        try:
            path = self._parts.path or "/"
            if self._parts.query:
                path += f"?{self._parts.query}"
            connection.request("POST", path, self._body(outgoing), self._headers())
            answer = connection.getresponse()
            return self._outcome(answer.status, answer.read(65_536))
        except (OSError, http.client.HTTPException) as error:
            return Outcome(UNKNOWN, code=type(error).__name__)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host = self._parts.hostname or ""
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, self._parts.port, timeout=TIMEOUT_S, context=context
            )
        return http.client.HTTPConnection(host, self._parts.port, timeout=TIMEOUT_S)

    def _body(self, outgoing: Outgoing) -> bytes:
        given = {
            "to": outgoing.to,
            "words": outgoing.words,
            "reference": outgoing.attempt,
            "validity_s": str(outgoing.validity_s),
        }
        filled = {name: _fill(text, given) for name, text in self.request.fields.items()}
        text = urlencode(filled) if self.request.form else json.dumps(filled, ensure_ascii=False)
        return text.encode()

    def _headers(self) -> dict[str, str]:
        kind = "application/x-www-form-urlencoded" if self.request.form else "application/json"
        return {"Content-Type": kind, "Accept": "application/json", **self.request.headers}

    def _outcome(self, status: int, body: bytes) -> Outcome:
        if status == 429:
            return Outcome(AGAIN, code="429")
        if status >= 500:
            return Outcome(UNKNOWN, code=str(status))
        if status >= 300:
            return Outcome(REFUSED, code=str(status))
        try:
            answer = json.loads(body)
        except ValueError:
            return Outcome(UNKNOWN, code="not_json")
        error = _at(answer, self.request.error_path)
        if error not in (None, "", 0, False):
            return Outcome(REFUSED, code=str(error)[:40])
        found = _at(answer, self.request.id_path)
        return Outcome(TAKEN, provider_id=str(found)) if found else Outcome(UNKNOWN, code="no_id")


def _fill(text: str, given: Mapping[str, str]) -> str:
    for name in _FIELDS:
        text = text.replace(f"{{{name}}}", given[name])
    return text


def _at(answer: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        elif isinstance(answer, Mapping):
            answer = answer.get(step)
        else:
            return None
    return answer
