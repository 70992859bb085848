"""What was begun first stands first in the stream, whatever is asked of the server beside it."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from streams.append import Appender

HALL = "h1-hall"


class Line:
    """A stream server whose answers take as many turns as they are given."""

    def __init__(self, turns: list[int]) -> None:
        self.turns, self.stream = turns, list[bytes]()

    async def packed(self, packed: list[bytes], *, timeout_s: float | None = None) -> list[Any]:
        self.stream += [command for command in packed if b"XADD" in command]
        for _ in range(self.turns.pop() if self.turns else 0):
            await asyncio.sleep(0)
        return [
            b"1-0" if b"XADD" in command else b"used_memory:1\r\nmaxmemory:100\r\n"
            for command in packed
        ]

    async def call(self, *command: str) -> bytes:
        answers = await self.packed([" ".join(command).encode()])
        return bytes(answers[0])


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 12))
def test_the_first_append_of_a_second_is_not_overtaken(turns: list[int], count: int) -> None:
    line = Line(turns)

    async def sent_together() -> None:
        appender = Appender(line)  # type: ignore[arg-type]
        letters = [wire.Kept(HALL, "s", 0, f"number{n}", "") for n in range(10, 10 + count)]
        await asyncio.gather(*(appender.append(HALL, letter) for letter in letters))

    asyncio.run(sent_together())
    found = [command[command.index(b"number") :][:8] for command in line.stream]
    assert found == [b"number%d" % n for n in range(10, 10 + count)]
