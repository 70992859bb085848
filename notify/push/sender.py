"""Hands calls over to push services: once each, side by side, without holding anybody up.

A push service may be slow, away or closed: the boards and the ladder of calls do not know of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection
from typing import Final

from hospital_ops import log
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, Clock
from hospital_ops.database import Database, DatabaseGone
from hospital_ops.webpush import BadSubscription, authorization, private_key, sealed
from notify.push import store
from notify.push.post import REFUSED, Posted, allowed, post
from notify.push.store import FRESH_S, Due

EVERY_S: Final = 1.0
_SAID: Final = {
    "en": ("You are called", "Bed {label}, {unit}: an alarm waits for you."),
    "ru": ("Вас вызывают", "Место {label}, {unit}: тревога ждёт вас."),
}

logger = log.get("push")


class PushSender:
    """Sends the calls of one installation; any number of them may run."""

    def __init__(
        self, database: Database, seed: bytes, hosts: Collection[str], contact: str, clock: Clock,
        mode: str,
    ) -> None:  # fmt: skip
        self.database, self.clock, self.mode = database, clock, mode
        self.key, self.hosts, self.contact = private_key(seed), hosts, contact
        self.hospitals: list[str] = []

    async def run(self) -> None:
        """Works until cancelled; without a push service that the site has named it does nothing."""
        while self.hosts:
            try:
                for hospital in self.hospitals:
                    await self.step(hospital)
            except DatabaseGone as error:
                logger.warning("no_push", error=type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def step(self, hospital: str) -> int:
        """The calls of a hospital that are due; answers how many."""
        scope = Scope(hospital, ("*",), "notify", "notify")
        async with self.database.transaction(scope) as connection:
            claimed = await store.claim(connection, self.clock.now_us(), self.mode)
        done = await asyncio.gather(*(asyncio.to_thread(self._send, due) for due in claimed))
        for due, posted in zip(claimed, done, strict=True):
            async with self.database.transaction(scope) as connection:
                await store.finish(
                    connection, due, posted.outcome, posted.retry_s, self.clock.now_us()
                )
        return len(claimed)

    def _send(self, due: Due) -> Posted:
        """One request; an address that is no longer allowed is asked for nothing."""
        if not allowed(due.endpoint, self.hosts):
            return Posted(REFUSED)
        try:
            body = sealed(payload(due), due.p256dh, due.auth)
        except BadSubscription:
            return Posted(REFUSED)
        now_s = self.clock.now_us() // SECOND
        topic = hashlib.sha256(f"{due.alarm} {due.who}".encode()).hexdigest()[:32]
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(FRESH_S),
            "Urgency": "high",
            "Topic": topic,  # a later call of the same alarm replaces it
            "Authorization": authorization(due.endpoint, self.key, self.contact, now_s),
        }
        return post(due.endpoint, headers, body)


def payload(due: Due) -> bytes:
    """What the browser shows: a bed and a unit, and nothing of whoever lies there."""
    title, words = _SAID.get(due.language, _SAID["en"])
    said = {
        "title": title,
        "body": words.format(label=due.label, unit=due.unit),
        "url": f"/icu/beds/{due.bed}",
        "tag": due.bed,
    }
    return json.dumps(said, ensure_ascii=False).encode()
