"""An entry that holds the room up: once alone, then beside the loop, and never a third time."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.deciding import Decisions, Stamped
from hospital_ops.errors import Fenced
from streams.lease import Lease
from streams.trying import LARGE, SLOW_S, TURN_S, Trying, Undecidable

UNIT = "h1-icu-1"
LEASE = Lease(UNIT, "one", 1)


class Server:
    """Counts what is begun as the script does; the lease is lost when it is told so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.tries, self.renewed, self.lost = 0, 0, False
        self.letters: list[wire.Kept] = []

    @property
    def pipe(self) -> "Server":
        return self

    async def call(self, *command: Any) -> int:
        if command[0] == "HDEL":
            self.tries = 0
        elif command[2] == 2:  # two keys: an entry is begun
            self.begun.append(command[-1])
            self.tries += 1
            return self.tries
        else:
            self.renewed += 1
        return not self.lost

    async def append(self, shard: str, entry: wire.Kept, raw: bytes) -> str:
        self.letters.append(entry)
        return "1-0"


class Room:
    """Takes so many seconds for an entry of a code."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.decided = seconds, list[str]()

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        for entry in (stamped.entry for stamped in entries):
            assert isinstance(entry, wire.Kept)
            self.decided.append(entry.code)
            if entry.code == "held":
                time.sleep(self.seconds)
            if entry.code == "wrong":
                raise ZeroDivisionError
        return Decisions(dirty={code for code in self.decided})


def entries(*codes: str, reason: str = "") -> list[tuple[str, list[bytes]]]:
    return [
        (f"{n}-0", [b"d", wire.encode(wire.Kept(UNIT, "s", 0, code, reason))])
        for n, code in enumerate(codes, 1)
    ]


async def decided(trying: Trying, room: Room, came: list[tuple[str, list[bytes]]]) -> Any:
    return await trying.decide(LEASE, room, came)  # type: ignore[arg-type]


async def test_usual_entries_ask_nothing_of_the_server() -> None:
    server, room = Server(), Room()
    found, last = await decided(Trying(server, UNIT), room, entries("a", "b"))  # type: ignore[arg-type]
    assert (found.dirty, last, room.decided) == ({"a", "b"}, "2-0", ["a", "b"])
    assert (server.begun, server.renewed) == ([], 0)


async def test_a_slow_entry_has_the_lease_renewed_and_comes_beside_the_loop_next_time() -> None:
    server, room = Server(), Room(SLOW_S + 0.05)
    trying = Trying(server, UNIT)  # type: ignore[arg-type]
    _, last = await decided(trying, room, entries("held", "later"))
    assert SLOW_S >= TURN_S
    assert (last, room.decided, server.renewed) == ("1-0", ["held"], 1)  # its turn is over
    server.lost = True
    with pytest.raises(Fenced):
        await decided(trying, Room(SLOW_S + 0.05), [("2-0", entries("held")[0][1])])
    server.lost = False
    others = asyncio.create_task(asyncio.sleep(0))
    _, last = await decided(trying, room, entries("held"))
    assert others.done()  # the loop was free meanwhile
    assert server.begun == ["1-0"]


async def test_an_entry_that_two_owners_did_not_end_is_passed_over_and_the_rest_goes_on() -> None:
    server, came = Server(), entries("held", "later", reason="x" * LARGE)
    for _ in range(2):  # each time a new owner
        with pytest.raises(Fenced):
            await decided(Trying(server, UNIT, 0.05), Room(0.2), came)  # type: ignore[arg-type]
    room, trying = Room(0.2), Trying(server, UNIT, 0.05)  # type: ignore[arg-type]
    assert server.letters == []
    await decided(trying, room, came[:1])
    assert room.decided == []
    assert [letter.code for letter in server.letters] == ["undecidable"]
    server.tries = 0
    _, last = await decided(trying, room, came)
    assert (last, room.decided) == ("2-0", ["later"])


async def test_where_the_rules_fail_the_entry_alone_is_found() -> None:
    server = Server()
    trying = Trying(server, UNIT)  # type: ignore[arg-type]
    with pytest.raises(Undecidable):
        await decided(trying, Room(), entries("a", "wrong", "b"))
    assert "ZeroDivisionError in decide" in server.letters[0].reason
    room = Room()
    await decided(trying, room, entries("a", "wrong", "b"))
    assert room.decided == ["a", "b"]
