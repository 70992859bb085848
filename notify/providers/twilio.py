"""Twilio by its official SDK: one adapter, asynchronous, never retrying by itself.

The one file that imports twilio (and aiohttp, on which its client stands). What is not a clear
answer after the request has left is unknown (STACK.md, section 5).
"""

from __future__ import annotations

import asyncio
import base64
import logging
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from hospital_ops.clock import to_datetime
from hospital_ops.errors import ConfigurationError
from notify.providers.base import AGAIN, REFUSED, TAKEN, UNKNOWN, Outcome, Outgoing

TIMEOUT_S: Final = 20.0
NEVER_PROCESSED: Final = frozenset({20429})
QUEUE_FULL: Final = frozenset({21611, 30001})
STATES: Final = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "sent",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# The SDK writes requests with number and text into its log: this one is never heard.
_SILENT: Final = logging.getLogger("hospital_ops.twilio.silent")
_SILENT.disabled = True


class _Door(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The SDK's client, with a stand-in's address where one is set."""

    def __init__(self, base_url: str) -> None:
        super().__init__(logger=_SILENT)
        self._base = urlsplit(base_url) if base_url else None

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """The request, to the stand-in instead of api.twilio.com where there is one."""
        if self._base is not None:
            parts = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        kwargs.pop("timeout", None)
        if signed := kwargs.pop("auth", None):  # aiohttp is giving up its `auth` argument
            secret = base64.b64encode(":".join(signed).encode()).decode()
            headers = {"Authorization": f"Basic {secret}"}
            kwargs["headers"] = {**(kwargs.get("headers") or {}), **headers}
        async with asyncio.timeout(TIMEOUT_S):
            return await super().request(method, url, *args, **kwargs)


class Twilio:
    """Sends by a number or a messaging service."""

    name = "twilio"

    def __init__(
        self,
        account: str,
        token: str,
        *,
        sender: str = "",
        messaging_service: str = "",
        base_url: str = "",
        callback_url: str = "",
    ) -> None:
        if not (account and token and (sender or messaging_service)):
            raise ConfigurationError(
                "Twilio needs HOSPITAL_OPS_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and either _FROM or"
                " _MESSAGING_SERVICE_SID."
            )
        self._account, self._token = account, token
        self._from = (
            {"messaging_service_sid": messaging_service} if messaging_service else {"from_": sender}
        )
        self._base_url, self._callback_url = base_url, callback_url
        self._client: Client | None = None
        self._door: _Door | None = None

    async def send(self, outgoing: Outgoing) -> Outcome:
        """One POST; 4xx refused, 429 and a connection that was never made again, else unknown."""
        more: dict[str, Any] = dict(self._from)
        if self._callback_url:
            more["status_callback"] = callback(self._callback_url, outgoing)
        try:
            sent = await self._ready().messages.create_async(
                to=outgoing.to, body=outgoing.words, validity_period=outgoing.validity_s, **more
            )
        except TwilioRestException as error:
            return _refused(error)
        except aiohttp.ClientConnectorError as error:
            return Outcome(AGAIN, code=type(error).__name__)
        except (aiohttp.ClientError, TwilioException, OSError, ValueError) as error:
            return Outcome(UNKNOWN, code=type(error).__name__)
        return Outcome(TAKEN, provider_id=str(sent.sid))

    async def find(self, outgoing: Outgoing, since_us: int) -> Outcome | None:
        """Looks through the account's list of that day for the number and the same text."""
        try:
            listed = await self._ready().messages.list_async(
                to=outgoing.to, date_sent_after=_midnight(since_us), limit=50
            )
        except (aiohttp.ClientError, TwilioException, OSError, ValueError):
            return None
        same = [one for one in listed if one.body == outgoing.words]
        return Outcome(TAKEN, provider_id=str(same[0].sid)) if len(same) == 1 else None

    async def close(self) -> None:
        """Ends the client's session."""
        if self._door is not None:
            await self._door.close()
            self._client = self._door = None

    def _ready(self) -> Client:
        """The client, made on the running loop: its session needs one."""
        if self._client is None:
            self._door = _Door(self._base_url)
            self._client = Client(self._account, self._token, http_client=self._door)
        return self._client


def _refused(error: TwilioRestException) -> Outcome:
    code = str(error.code or error.status)
    if error.status == 429 or error.code in NEVER_PROCESSED | QUEUE_FULL:
        return Outcome(AGAIN, code=code)
    if error.status >= 500:
        return Outcome(UNKNOWN, code=code)
    return Outcome(REFUSED, code=code)


def _midnight(at_us: int) -> datetime:
    return to_datetime(at_us).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def callback(url: str, outgoing: Outgoing) -> str:
    """The status address of a message: ids and the attempt's token, nothing of the patient."""
    return f"{url}?h={outgoing.hospital}&m={outgoing.message}&t={outgoing.attempt}"


def is_signed(token: str, url: str, parameters: dict[str, str], signature: str) -> bool:
    """Whether Twilio signed this callback over our exact public address."""
    return bool(token) and bool(RequestValidator(token).validate(url, parameters, signature))
