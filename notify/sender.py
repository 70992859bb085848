"""The sender: claims a few messages, hands each to a provider once, writes down what came of it.

Whatever happens between two of its steps, a message is submitted at most once: the claim is
committed before the provider is asked, and a claim whose sender is gone becomes unknown.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hospital_ops import log
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, Clock
from hospital_ops.database import Connection, Database, DatabaseGone
from hospital_ops.errors import ConfigurationError
from notify import states
from notify.contacts import store as contacts
from notify.outbox import store as outbox
from notify.outbox.store import Claimed
from notify.providers import base
from notify.providers.base import Outcome, Outgoing, Provider
from notify.providers.choose import Providers
from notify.rules import CLAIM_FRESH_S, RULES
from notify.sealing import Keys
from notify.settling import store as settling

HANDS: Final = 3  # each claims a few, sends them side by side, and writes down what came of them
TOGETHER: Final = 4  # claimed in one transaction; a process killed leaves at most 12 unknown
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
        self._waiting: dict[str, list[str]] = {}
        self._answered: list[tuple[Claimed, Outcome, str]] = []
        self._writing = asyncio.Lock()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settle())
            for _ in range(HANDS):
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
        """A few messages of a hospital, if any are due; answers whether there were some."""
        claimed, began = await self._claim(hospital)
        # One that fails must not take the others from the provider's door.
        sending = (self._send(one, began) for one in claimed)
        done = await asyncio.gather(*sending, return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error
        return bool(claimed)

    async def _send(self, claimed: Claimed, began: float) -> None:
        provider = self.providers.of(claimed.mode)
        await self._finish(claimed, await self._submit(claimed, provider, began), provider.name)

    async def _submit(self, claimed: Claimed, provider: Provider, began: float) -> Outcome:
        try:
            number = self.keys.open(claimed.number, claimed.contact)
        except ConfigurationError as error:
            logger.error("cannot_open", message=claimed.message, error=str(error))
            return Outcome(base.AGAIN, code="no_key")
        if self.clock.monotonic_s() - began > CLAIM_FRESH_S:
            # We slept between the look and the door: what was true at the claim is too old.
            return Outcome(base.AGAIN, code="slept")
        return await provider.send(outgoing(claimed, number))

    async def _claim(self, hospital: str) -> tuple[list[Claimed], float]:
        """The next few of a shuffled list, and when they began to be judged (monotonic seconds).

        Shuffled, so that processes seldom reach for the same message.
        """
        scope, waiting = scope_of(hospital), self._waiting.setdefault(hospital, [])
        if not waiting:
            async with self.database.transaction(scope) as connection:
                waiting += await outbox.candidates(connection, self.clock.now_us())
        while waiting:
            few, waiting[:] = waiting[:TOGETHER], waiting[TOGETHER:]

            async def work(
                connection: Connection, few: list[str] = few
            ) -> tuple[list[Claimed], float]:
                began = self.clock.monotonic_s()
                return await outbox.claim(connection, few, self.clock.now_us()), began

            claimed, began = await self.database.retrying(work, scope)
            if claimed:
                return claimed, began
        return [], 0.0

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
                if await settling.is_known(connection, provider.name, found.provider_id):
                    continue  # of another message with the same words
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
        """Written with whatever else has been answered meanwhile: one commit for all of it."""
        self._answered.append((claimed, outcome, provider))
        async with self._writing:
            answered, self._answered = self._answered, []
            for hospital in {one.hospital for one, _, _ in answered}:
                scope, now = scope_of(hospital), self.clock.now_us()
                mine = [each for each in answered if each[0].hospital == hospital]

                async def work(
                    connection: Connection,
                    scope: Scope = scope,
                    now: int = now,
                    mine: list[tuple[Claimed, Outcome, str]] = mine,
                ) -> None:
                    for one, came_of_it, by in mine:
                        await _write_down(connection, scope, one, came_of_it, by, now)

                await self.database.retrying(work, scope)
        logger.info(
            "sms", message=claimed.message, state=_STATE_OF[outcome.kind], code=outcome.code
        )


async def _write_down(
    connection: Connection, scope: Scope, claimed: Claimed, outcome: Outcome, by: str, now: int
) -> None:
    to = _STATE_OF[outcome.kind]
    again_at = now + round(_pause_s(claimed) * SECOND) if outcome.kind == base.AGAIN else None
    await outbox.finish(
        connection,
        claimed,
        to,
        reason=outcome.code if to != states.DELIVERED else "",
        provider=by,
        provider_id=outcome.provider_id,
        again_at=again_at,
        now=now,
    )
    if outcome.code in base.NUMBER_IS_WRONG | base.ASKED_TO_STOP:
        why = "wrong_number" if outcome.code in base.NUMBER_IS_WRONG else "stop_word"
        await contacts.withdraw(connection, scope, claimed.contact, why, now)


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
