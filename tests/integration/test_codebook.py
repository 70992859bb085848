"""What was stored under a sender's own code is read through the mapping that holds now."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hospital_ops import wire
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.codebook import store
from hospital_ops.codebook.rules import Rule, of_source
from hospital_ops.database import Connection, Database
from hospital_ops.errors import Conflict
from hospital_ops.servers.valkey import Valkey
from streams.pipe import Pipe
from streams.projections import Projections
from streams.unmapped import Seen, Sender
from tests.integration.streams_help import BED, carry, observed
from web.store import measurements

NOW = SystemClock().now_us()
ADMIN = Scope("h1", ("*",), "administrator", "admin.h1")
RULE = Rule(of_source("loopback"), "ACME", "/min", "hr", 0)


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


async def change(app: Database, rule: Rule) -> Rule:
    async with app.transaction(ADMIN) as connection:
        return await store.change(connection, ADMIN, rule, "manual", NOW)


async def read(app: Database, code: str | None) -> list[tuple[str, float, str]]:
    """(code, value, remark) of everything stored at the bed."""
    found = b"".join([line async for line in measurements(app, ADMIN, BED, code, None, None)])
    rows = [wire.from_json(line) for line in found.splitlines()]
    return [(row["code"], row["value"], row["remark"]) for row in rows]


@pytest.mark.usefixtures("two_hospitals")
async def test_a_stored_value_is_read_as_what_its_code_means_now_and_its_row_stays(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    own = observed(71.0, NOW, code="ACME")
    own = wire.replaced(own, observations=(wire.replaced(own.observations[0], mapped=False),))
    await carry(pipe, writer, superuser, own, observed(80.0, NOW + SECOND))
    assert await read(app, "8867-4") == [("8867-4", 80.0, "")]
    made = await change(app, RULE)
    replayed = ("8867-4", 71.0, "ACME [/min], read by mapping 1")
    assert await read(app, "8867-4") == [replayed, ("8867-4", 80.0, "")]
    assert [row[0] for row in await read(app, None)] == ["8867-4", "8867-4"]
    # A code of ours in a unit that says nothing here: kept with its number, read once it is said.
    odd = observed(None, NOW + 2 * SECOND)
    (row,) = odd.observations
    row = wire.replaced(row, unit="Schl/min", validity="Inv", reason="unknown unit", sent=66.0)
    await carry(pipe, writer, superuser, wire.replaced(odd, observations=(row,)))
    assert [str(one) for one in (await read(app, "8867-4"))[-1]] == ["8867-4", "66", "unknown unit"]
    unit = Rule("", "8867-4", "Schl/min", "hr", 0, "/min")
    unit = await change(app, unit)
    said = "unknown unit; 8867-4 [Schl/min], read by mapping 1"
    assert (await read(app, "8867-4"))[-1] == ("8867-4", 66.0, said)
    await change(app, unit._replace(key="", read_as=""))
    assert await superuser.fetchval("select count(*) from measurement where code = 'ACME'") == 1
    ended = await change(app, made._replace(key=""))
    assert ended.version == 2
    assert (await read(app, "8867-4"))[0] == ("8867-4", 80.0, "")


@pytest.mark.usefixtures("two_hospitals")
async def test_of_two_who_change_a_mapping_the_second_is_told_and_both_are_in_the_history(
    app: Database, superuser: Connection
) -> None:
    await change(app, RULE)
    with pytest.raises(Conflict):
        await change(app, RULE._replace(key="pr"))
    await change(app, RULE._replace(key="pr", version=1))
    async with app.transaction(ADMIN) as connection:
        assert [row["key"] for row in await store.history(connection)] == ["pr", "hr"]
    async with app.transaction(Scope("h2", ("*",), "administrator", "admin.h2")) as connection:
        assert await store.newest(connection) == []
    acts = await superuser.fetch("select action from audit where action = 'map_code'")
    assert len(acts) == 2


async def test_what_came_unmapped_is_summed_over_processes_and_forgotten_in_time(
    pipe: Pipe,
) -> None:
    projections, sender = Projections(pipe), Sender("h1", "acme", "", "Z", "%")
    await projections.note_unmapped(sender, Seen(2, "Zett", "5", NOW))
    await projections.note_unmapped(sender, Seen(3, "Zett", "7", NOW + 1))
    assert await projections.unmapped("h1") == [(sender, Seen(5, "Zett", "7", NOW + 1))]
    assert await projections.unmapped("h2") == []
    assert 0 < await pipe.call("TTL", "{h1-hall}:unmapped") <= 7 * 86_400
