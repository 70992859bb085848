"""The tablet's side of the pre-arrival calls: what to do next after each kind of answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

Event = dict[str, Any]  # EVENT of the public interface


class TryAgain(Exception):
    """Not stored, or nobody knows: send the same again, not before `after_s` if that is given."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        self.why, self.after_s = why, after_s
        super().__init__(f"not stored ({why}): keep it and send it again")


class Refused(Exception):
    """The hospital will not take this as it is."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"refused with HTTP {status}: check the token, the unit and the version")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch of events, by event id."""

    stored: frozenset[str]
    rejected: frozenset[str]


class TabletLine:
    """Calls with a device token; nothing of a patient stands in an address."""

    def __init__(self, http: str, token: str, timeout_s: float = 5.0) -> None:
        # No proxy from the environment: a device talks to its hospital.
        self._client = httpx2.AsyncClient(
            base_url=http.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            trust_env=False,
        )

    async def put_case(self, case_id: str, facts: dict[str, Any]) -> None:
        """Opens or changes a case."""
        await self._call("PUT", f"/api/v1/prearrivals/{case_id}", facts)

    async def send(self, case_id: str, events: Sequence[Event]) -> Receipt:
        """Sends a batch of measurements."""
        answer = await self._call(
            "POST", f"/api/v1/prearrivals/{case_id}/measurements", {"events": list(events)}
        )
        stored, rejected = answer.get("stored", []), answer.get("rejected", [])
        return Receipt(
            frozenset(str(one) for one in stored),
            frozenset(str(one["event_id"]) for one in rejected),
        )

    async def send_ecg(self, case_id: str, part: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Sends a part of an ECG file; the answer names what is still `missing`."""
        return await self._call("POST", f"/api/v1/prearrivals/{case_id}/ecgs", data, part)

    async def arrive(self, case_id: str, at: str) -> None:
        """Says that the patient is at the door since `at` (ISO 8601)."""
        try:
            await self._call("POST", f"/api/v1/prearrivals/{case_id}/arrival", {"at": at})
        except Refused as refused:
            if refused.status != 409:  # 409: it has heard so before, our first answer was lost
                raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | bytes,
        asked: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        whole: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        try:
            answer = await self._client.request(method, path, params=asked, **whole)
        except httpx2.TransportError as error:
            raise TryAgain(type(error).__name__) from None
        status = answer.status_code
        if status in (408, 425, 429) or status >= 500:
            raise TryAgain(f"HTTP {status}", _seconds(answer.headers.get("Retry-After")))
        if status >= 300:
            raise Refused(status)
        try:
            content = answer.json() if answer.content else {}
        except ValueError:
            raise TryAgain("an answer that is no JSON") from None
        return content if isinstance(content, dict) else {}


def _seconds(text: str | None) -> float | None:
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:  # a date is allowed by HTTP; our own back-off is then as good
        return None
