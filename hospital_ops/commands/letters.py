"""`hospital-ops letters list|show|try`: what could not be used, its bytes, and another try."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Final

from hospital_ops import database, settings
from hospital_ops.access import ALL_UNITS, Role, Scope
from hospital_ops.clock import SystemClock
from hospital_ops.commands import administration
from hospital_ops.database import Connection, Database, DatabaseGone
from hospital_ops.errors import ConfigurationError, Conflict, HospitalOpsError
from hospital_ops.letters import shape, store
from hospital_ops.letters.store import Key
from hospital_ops.settings import Settings
from streams import retrying
from streams.append import Appender
from streams.intake import Intake
from streams.pipe import Pipe, ReplyError
from streams.projections import Projections
from streams.retrying import TAKEN, Retrying

_LINE: Final = "{key}  {at:%Y-%m-%d %H:%M:%S}Z  {source}  {message_id}  {code}: {reason}"


def main(argv: list[str]) -> int:
    """0 when it ran and, of a try, all was taken; 1 where something was not; 2 on refusal."""
    parser, commands = administration.parser("letters", __doc__ or "")
    listed = administration.add(commands, "list", "the newest hundred, and what became of them")
    show = administration.add(commands, "show", "one with its bytes", "letter")
    show.add_argument("--whole", action="store_true", help="also what says who it is")
    again = administration.add(commands, "try", "bring one in once more, or all of a sender")
    again.add_argument("letter", nargs="?", help="as `list` writes it: UNIT/STREAM/ENTRY")
    again.add_argument("--all", action="store_true", help="the oldest hundred of --source, --code")
    for command in (listed, again):
        command.add_argument("--source", default="", help="of this sender")
        command.add_argument("--code", default="", help="of this kind, for example unknown_bed")
    given = parser.parse_args(argv)
    if given.act == "try":
        if bool(given.letter) == given.all:
            parser.error("name one letter, or say --all")
        return _try(given)

    async def work(connection: Connection, by: Scope, at: int) -> str:
        if given.act == "list":
            rows = await store.listed(connection, given.source, given.code)
            return "\n".join(_line(dict(row)) for row in rows) or "Nothing."
        key = _key(given.letter)
        row = await store.letter(connection, key)
        await store.was_read(connection, by, key, "whole" if given.whole else "shape", at)
        text = shape.whole(row["raw"]) if given.whole else shape.shaped(row["raw"])
        return f"{_line(dict(row) | {'outcome': ''})}\n\n{text}"

    return administration.run(given.hospital, work)


def _line(row: dict[str, object]) -> str:
    key = Key(str(row["unit"]), str(row["stream"]), str(row["entry_id"]))
    return _LINE.format_map(row | {"key": key}) + (f"  {row['outcome']}" if row["outcome"] else "")


def _key(text: str) -> Key:
    parts = text.split("/")
    if len(parts) != 3:
        raise ConfigurationError("Name the letter as `letters list` writes it: UNIT/STREAM/ENTRY.")
    return Key(*parts)


def _try(given: argparse.Namespace) -> int:
    scope = Scope(given.hospital, ALL_UNITS, Role.ADMINISTRATOR.value, administration.OPERATOR)
    try:
        return asyncio.run(_run(given, scope))
    except (HospitalOpsError, DatabaseGone) as error:
        print(error, file=sys.stderr)
    except (OSError, ReplyError):
        print("Redis is away: try again.", file=sys.stderr)
    return 2


async def _run(given: argparse.Namespace, scope: Scope) -> int:
    loaded, clock = settings.load(), SystemClock()
    db = await database.connect(administration.address(loaded), "app", name=scope.actor)
    pipe = Pipe(_redis(loaded))
    try:
        appender, projections = Appender(pipe), Projections(pipe)
        places = await projections.places()
        cases = Intake(appender, projections, places, clock)
        retry = Retrying(appender, projections, cases, clock)
        keys = await _keys(given, db, scope)
        words = [await _one(db, scope, retry, key, clock.now_us()) for key in keys]
    finally:
        await pipe.close()
        await db.close()
    return 0 if all(word == TAKEN for word in words) else 1


async def _keys(given: argparse.Namespace, db: Database, scope: Scope) -> list[Key]:
    if given.letter:
        return [_key(given.letter)]
    async with db.transaction(scope) as connection:
        return await store.waiting(connection, given.source, given.code)


async def _one(db: Database, scope: Scope, retry: Retrying, key: Key, at: int) -> str:
    try:
        outcome = await retrying.again(db, scope, retry, key, None, at)
    except Conflict:
        print(f"{key}: taken before")
        return TAKEN
    print(f"{key}: {outcome.word}" + (f", {outcome.reason}" if outcome.reason else ""))
    return outcome.word


def _redis(loaded: Settings) -> str:
    """The Redis that is named, or that of the program that runs on this data directory."""
    if loaded.redis_url:
        return loaded.redis_url
    address: str = json.loads((loaded.data_dir / "run.json").read_text("utf-8"))["redis_url"]
    return address
