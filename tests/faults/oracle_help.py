"""The oracle: what the senders know was acknowledged, against what PostgreSQL has, both ways."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from tests.faults.load_help import Load
from tests.faults.program_help import Program, until


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; a good run has nothing but `n`."""

    n: int  # acknowledged
    sends: int
    lost: int  # acknowledged and not stored
    doubled: int  # stored more than once
    invented: int  # stored and never sent
    altered: int  # stored with other bytes
    timed: int  # without a time when sent, with one when stored

    @property
    def good(self) -> bool:
        """Acknowledged is stored, once, as it was sent."""
        return not (self.lost or self.doubled or self.invented or self.altered or self.timed)


async def everything_stored(program: Program, load: Load) -> None:
    """Waits until the archive has as many messages and events as were acknowledged.

    Where that does not come to be, the verdict says what is missing.
    """

    async def arrived() -> bool:
        try:
            connection = await asyncpg.connect(program.run["database_url"], timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            stored = await connection.fetchval(
                "select count(distinct message_id) from message where message_id = any ($1)",
                [i for i, sent in load.messages.items() if sent.acked],
            ) + await connection.fetchval(
                "select count(distinct event_id) from measurement where event_id = any ($1)",
                [UUID(i) for i, sent in load.events.items() if sent.acked],
            )
        finally:
            await connection.close()
        return bool(stored >= load.acked)

    with suppress(AssertionError):
        await until(arrived, "all that was acknowledged is stored")


async def judge(program: Program, load: Load) -> Verdict:
    """Compares each message and event, by id, bytes, number of values and time."""
    connection = await asyncpg.connect(program.run["database_url"], timeout=5)
    try:
        run = f"{load.run}."
        messages = await connection.fetch(
            "select message_id, count(*) as times, min(raw) as raw from message"
            " where message_id like $1 || '%' group by message_id",
            run,
        )
        rows = await connection.fetch(
            "select source_message_id as message_id, count(*) as times, count(device_time) as timed"
            " from measurement where source_message_id like $1 || '%' group by source_message_id",
            run,
        )
        events = await connection.fetch(
            "select event_id::text, count(*) as times from measurement"
            " where event_id = any ($1) group by event_id",
            [UUID(event) for event in load.events],
        )
    finally:
        await connection.close()
    return _compare(load, messages, rows, events)


def _compare(
    load: Load,
    messages: list[asyncpg.Record],
    rows: list[asyncpg.Record],
    events: list[asyncpg.Record],
) -> Verdict:
    stored = {row["message_id"]: row for row in messages}
    values = {row["message_id"]: row for row in rows}
    told = {row["event_id"]: row["times"] for row in events}
    lost = doubled = altered = timed = 0
    for number, sent in load.messages.items():
        found, kept = stored.get(number), values.get(number)
        count = kept["times"] if kept else 0
        lost += sent.acked and (found is None or count < sent.values)
        doubled += (found is not None and found["times"] > 1) or count > sent.values
        altered += found is not None and found["raw"] != sent.raw
        timed += sent.timeless and kept is not None and kept["timed"] > 0
    lost += sum(sent.acked and event not in told for event, sent in load.events.items())
    doubled += sum(times > 1 for times in told.values())
    return Verdict(
        n=load.acked,
        sends=sum(sent.sends for sent in load.messages.values()),
        lost=lost,
        doubled=doubled,
        invented=len(stored.keys() - load.messages.keys()),
        altered=altered,
        timed=timed,
    )
