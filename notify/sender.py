"""The sender: claims one message, hands it to a provider once, writes down what came of it.

Whatever happens between two of its steps, a message is submitted at most once: the claim is
committed before the provider is asked, and a claim whose sender is gone becomes unknown.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

from hospital_ops import log
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, Clock
from hospital_ops.database import Connection, Database, DatabaseGone, Record
from hospital_ops.errors import ConfigurationError
from notify import states
from notify.contacts import store as contacts
from notify.outbox import store as outbox
from notify.outbox.store import Claimed
from notify.patients import store as patients
from notify.providers import base
from notify.providers.base import Outcome, Outgoing
from notify.providers.choose import Providers
from notify.rules import CLAIM_FRESH_S, RULES
from notify.sealing import Keys
from notify.settling import store as settling

AT_ONCE: Final = 8  # messages on their way from one process
IDLE_S: Final = 0.5
SETTLE_S: Final = 60.0

logger = log.get("notify")


def scope_of(hospital: str) -> Scope:
    """What notify works as: the whole hospital, named in every step and audit row."""
    return Scope(hospital, ("*",), "notify", "notify")


class Sender:
    """Sends the due messages of one installation; any number of them may run."""

    def __init__(self, database: Database, keys: Keys, providers: Providers, clock: Clock) -> None:
        self.database, self.keys = database, keys
        self.providers, self.clock = providers, clock
        self.hospitals: list[str] = []
        self._waiting: dict[str, list[Record]] = {}

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settle())
            for _ in range(AT_ONCE):
                tasks.create_task(self._work())

    async def _settle(self) -> None:
        while True:
            await asyncio.sleep(SETTLE_S)
            try:
                for hospital in self.hospitals:
                    await self.settle(hospital)
            except (DatabaseGone, ConfigurationError) as error:
                logger.warning("not_settled", error=type(error).__name__)

    async def _work(self) -> None:
        while True:
            try:
                sent = [await self.step(hospital) for hospital in self.hospitals]
            except (DatabaseGone, ConfigurationError) as error:
                logger.warning("cannot_send", error=type(error).__name__)
                sent = []
            if not any(sent):
                await asyncio.sleep(IDLE_S)

    async def step(self, hospital: str) -> bool:
        """One message of a hospital, if one is due; answers whether there was one."""
        claimed = await self._claim(hospital)
        if claimed is None:
            return False
        began = self.clock.monotonic_s()
        number = self.keys.open(claimed.number, claimed.contact)
        provider = self.providers.of(claimed.mode)
        if self.clock.monotonic_s() - began > CLAIM_FRESH_S:
            # We slept between the claim and the door: what was true at the claim is too old.
            outcome = Outcome(base.AGAIN, code="slept")
        else:
            outcome = await provider.send(outgoing(claimed, number))
        await self._finish(claimed, outcome, provider.name)
        return True

    async def _claim(self, hospital: str) -> Claimed | None:
        """The next of a shuffled batch: processes seldom reach for the same message."""
        scope, waiting = scope_of(hospital), self._waiting.setdefault(hospital, [])
        if not waiting:
            async with self.database.transaction(scope) as connection:
                found = await outbox.candidates(connection, self.clock.now_us())
            random.shuffle(found)
            waiting += found
        while waiting:
            row = waiting.pop()

            async def work(connection: Connection, row: Record = row) -> Claimed | None:
                hours = await patients.hours_of(connection, row["unit"])
                now = self.clock.now_us()
                return await outbox.claim(connection, row["message"], row["stay"], hours, now)

            claimed = await self.database.retrying(work, scope)
            if claimed is not None:
                return claimed
        return None

    async def settle(self, hospital: str) -> int:
        """Looks today's unknown messages up in the provider's list; answers how many it found.

        What the list does not show stays unknown for a person: absence proves nothing.
        """
        scope, now, settled = scope_of(hospital), self.clock.now_us(), 0
        async with self.database.transaction(scope) as connection:
            lost = await settling.unknown(connection, now)
        for one in lost:
            number = self.keys.open(one.number, one.contact)
            provider = self.providers.of(one.mode)
            found = await provider.find(outgoing(one, number), one.claimed_at)
            if found is None:
                continue
            async with self.database.transaction(scope) as connection:
                settled += await outbox.finish(
                    connection,
                    one,
                    _STATE_OF[found.kind],
                    reason="found",
                    provider=provider.name,
                    provider_id=found.provider_id,
                    now=now,
                )
        return settled

    async def _finish(self, claimed: Claimed, outcome: Outcome, provider: str) -> None:
        now = self.clock.now_us()
        to = _STATE_OF[outcome.kind]
        reason = outcome.code if to != states.DELIVERED else ""
        again_at = None
        if outcome.kind == base.AGAIN:
            again_at = now + round(_pause_s(claimed) * SECOND)
        async with self.database.transaction(scope_of(claimed.hospital)) as connection:
            await outbox.finish(
                connection,
                claimed,
                to,
                reason=reason,
                provider=provider,
                provider_id=outcome.provider_id,
                again_at=again_at,
                now=now,
            )
            if outcome.code in base.NUMBER_IS_WRONG | base.ASKED_TO_STOP:
                why = "wrong_number" if outcome.code in base.NUMBER_IS_WRONG else "stop_word"
                by = scope_of(claimed.hospital)
                await contacts.withdraw(connection, by, claimed.contact, why, now)
        logger.info("sms", message=claimed.message, state=to, code=outcome.code)


_STATE_OF: Final = {
    base.TAKEN: states.SENT,
    base.DELIVERED: states.DELIVERED,
    base.REFUSED: states.FAILED,
    base.AGAIN: states.DUE,
    base.UNKNOWN: states.UNKNOWN,
}


def outgoing(claimed: Claimed, number: str) -> Outgoing:
    """A claimed message at the door."""
    return Outgoing(
        message=claimed.message,
        attempt=claimed.attempt,
        hospital=claimed.hospital,
        to=number,
        words=claimed.words,
        validity_s=RULES["validity_s"],
    )


def _pause_s(claimed: Claimed) -> float:
    doubled: float = RULES["retry_first_s"] * 2.0 ** max(0, claimed.attempts - 1)
    return min(doubled, float(RULES["retry_longest_s"]))
