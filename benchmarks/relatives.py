"""bench relatives: four notify processes, killed at random, and a provider that counts.

The real role over real servers; the provider is beside the house. A text is unique to its message,
so the same text twice is one family told twice, whatever attempt it came from.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from benchmarks.limits.aggregator import Aggregator
from benchmarks.stage import Stage, furnish, stage
from hospital_ops import database
from hospital_ops.database import Connection
from hospital_ops.servers.process import Child
from notify.sealing import load

Row = dict[str, Any]
SEED: Final = 20260302
SENDERS: Final = 4
KILL_EVERY_S: Final = 1.5
DEADLINE_S: Final = 900.0
KEYS: Final = "bench:" + base64.b64encode(b"k" * 32).decode()
FORBIDDEN_SHARE: Final = 20  # every twentieth patient dies or withdraws meanwhile

_STAYS: Final = """
insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at)
select md5('stay' || n)::uuid, 'h1', $1, $1 || '-01', md5('patient' || n)::uuid, 'Real',
       now() - interval '2 days', now() - interval '2 days' from generate_series(1, $2::int) n
"""
_MESSAGES: Final = """
insert into relative_message (message, hospital_id, unit, stay, patient_id, contact, kind,
    local_date, number_index, mode, language, state, words, figures, dynamics, severity,
    severity_at, confirmed_by, confirmed_at, opens_at, closes_at, made_at, changed_at)
select md5('message' || c.contact)::uuid, 'h1', c.unit, c.stay, c.patient_id, c.contact, 'daily',
       (now() at time zone 'Europe/Moscow')::date, c.number_index, 'Real', 'ru', 'due',
       'message ' || c.contact, 5, 'unchanged', 'serious', now(), 'bench', now(),
       now() - interval '1 hour', now() + interval '6 hours', now(), now() from contact c
"""
_READY: Final = (
    "insert into relative_hours values ($1, 'h1', '00:00', '23:59:59', '00:00', '00:00')",
    "insert into reader_position (shard, stream, hospital_id, position, epoch)"
    " select $1, stream, 'h1', (extract(epoch from now()) * 1000 + 7200000)::bigint || '-0', 1"
    " from unnest(array['in', 'out']) stream"
    " on conflict (shard, stream) do update set position = excluded.position",
)
_CLEAR: Final = "truncate stay, contact, relative_message, relative_step, relative_hours cascade"
_LEFT: Final = "select count(*) from relative_message where state in ('due', 'sending')"
_DUE: Final = "select count(*) from relative_message where state = 'due'"
_SHUT: Final = "update relative_message set opens_at = now() + interval '1 hour'"
_OPEN: Final = "update relative_message set opens_at = now() - interval '1 hour'"
_AT_WORK: Final = "select count(*) from heartbeat where role = 'notify'"
_STATES: Final = "select state, count(*) as n from relative_message group by state"


def rows(*, quick: bool = False) -> list[Row]:
    """The rows of bench `relatives`: doubled, forbidden, unaccounted, rate."""
    return asyncio.run(_rows(quick=quick))


async def _rows(*, quick: bool) -> list[Row]:
    messages = 400 if quick else 10_000
    async with stage() as on, Aggregator() as provider:
        (unit,) = await furnish(on, beds=1)
        async with database.single(on.database_url, name="bench") as connection:
            await _fill(connection, unit, 300 if quick else 3_000)
            rate = await _rate(on, connection, provider)
            await connection.execute(_CLEAR)
            provider.texts.clear()
            await _fill(connection, unit, messages)
            states, forbidden, kills = await _killed(on, connection, provider, messages)
    doubled = sum(times - 1 for times in provider.texts.values())
    lost = abs(messages - sum(states.values()) + states["due"])
    note = f"{messages} due, {kills} kills, {dict(states)}"
    return [
        _row("doubled", doubled, messages, note),
        _row("forbidden", forbidden, messages, "taken after the forbidding commit"),
        _row("unaccounted", lost, messages, note),
        _row("rate", rate, 300 if quick else 3_000, "four processes, answers in 50 ms"),
    ]


def _row(name: str, value: float, n: int, note: str) -> Row:
    return {"id": f"relatives.{name}", "value": value, "limit": None, "n": n, "note": note}


async def _fill(connection: Connection, unit: str, count: int) -> None:
    """So many patients with one relative each, confirmed and due."""
    keys = load(KEYS, Path())
    await connection.execute(_STAYS, unit, count)
    stays = await connection.fetch("select stay, patient_id from stay")
    now = await connection.fetchval("select now()")
    records = []
    for number, row in enumerate(stays):
        phone, contact = f"+7916{number:07d}", str(row["stay"])
        sealed = keys.seal(phone, contact)
        records.append(
            (contact, "h1", unit, row["stay"], row["patient_id"], "son", sealed.sealed,
             sealed.key, keys.index("h1", phone), phone[-2:], True, "ru", "full", "patient", "-",
             "-", "bench", now, now, "read_back")
        )  # fmt: skip
    await connection.copy_records_to_table(
        "contact",
        records=records,
        columns=("contact", "hospital_id", "unit", "stay", "patient_id", "relation",
                 "number_sealed", "number_key", "number_index", "last_two", "mobile", "language",
                 "tells", "basis", "document", "named_by", "enabled_by", "enabled_at",
                 "verified_at", "verified_how"),
    )  # fmt: skip
    for statement in _READY:
        await connection.execute(statement, unit)
    await connection.execute(_MESSAGES)


async def _start(on: Stage, provider: Aggregator) -> list[str]:
    names = [f"notify-{number}" for number in range(SENDERS)]
    for name in names:
        environment = {
            **os.environ,
            **on._environment(),
            "HOSPITAL_OPS_SMS_PROVIDER": "http",
            "HOSPITAL_OPS_SMS_LEGAL_BASIS": "bench",
            "HOSPITAL_OPS_SMS_HTTP_URL": provider.url,
            "HOSPITAL_OPS_NUMBER_KEYS": KEYS,
        }
        argv = (sys.executable, "-m", "hospital_ops", "serve", "notify")
        await on.supervisor.start(Child(name=name, argv=argv, env=environment))
    return names


async def _rate(on: Stage, connection: Connection, provider: Aggregator) -> float:
    """Messages a second from the opening of the window, all senders at work, to the last."""
    await connection.execute(_SHUT)
    names = await _start(on, provider)
    async with asyncio.timeout(DEADLINE_S):
        while await connection.fetchval(_AT_WORK) < SENDERS:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        begun, before = perf_counter(), provider.taken.total()
        await connection.execute(_OPEN)
        while await connection.fetchval(_LEFT):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    rate = (provider.taken.total() - before) / (perf_counter() - begun)
    await on.end(*names)
    return round(rate, 1)


async def _killed(
    on: Stage, connection: Connection, provider: Aggregator, messages: int
) -> tuple[Counter[str], int, int]:
    """(states at the end, texts taken after they were forbidden, kills) of the run with kills."""
    chance = random.Random(SEED)
    names = await _start(on, provider)
    stays = [row["stay"] for row in await connection.fetch("select stay from stay")]
    doomed = chance.sample(stays, messages // FORBIDDEN_SHARE)
    kills, forbidden = 0, 0
    checks: list[tuple[str, int]] = []
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await asyncio.sleep(KILL_EVERY_S)
            for stay in doomed[: max(1, len(stays) // 200)]:
                checks.append(await _end(connection, provider, stay))
            doomed = doomed[max(1, len(stays) // 200) :]
            left = await connection.fetchval(
                "select count(*) from relative_message where state = 'due'"
            )
            if left:
                os.kill(on.supervisor.pids[chance.choice(names)], signal.SIGKILL)
                kills += 1
            elif not await connection.fetchval(_LEFT):
                break
    for text, before in checks:
        # One that was claimed and never asked for must not make up for one that was.
        forbidden += max(0, provider.texts[text] - before)
    rows = await connection.fetch(_STATES)
    await on.end(*names)
    return Counter({row["state"]: row["n"] for row in rows}), forbidden, kills


async def _end(connection: Connection, provider: Aggregator, stay: Any) -> tuple[str, int]:
    """Ends a stay; answers its text, and how often it was (or may just be) with the provider."""
    await connection.execute("select stay_end($1, now(), 'death')", stay)
    row = await connection.fetchrow(
        "select words, state from relative_message where stay = $1", stay
    )
    assert row is not None
    allowed = 0 if row["state"] == "cancelled" else 1
    return row["words"], max(allowed, provider.texts[row["words"]])
