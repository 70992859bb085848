"""Work side by side ends when it is told to, also at the moment in which a part of it fails."""

import asyncio

import pytest

from hospital_ops.together import together


async def test_who_is_told_to_end_while_a_part_fails_ends() -> None:
    fails, rounds = asyncio.Event(), 0

    async def part() -> None:
        await fails.wait()
        raise OSError("the connection is lost")

    async def other() -> None:
        await asyncio.Event().wait()

    async def goes_on_after_every_failure() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            try:
                await together(part(), other())
            except OSError:
                fails.clear()

    work = asyncio.create_task(goes_on_after_every_failure())
    for turns in range(8):  # the word to end comes before, with and after the failure
        fails.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        ended, _ = await asyncio.wait([work], timeout=60)
        assert ended, f"{turns} turns after the failure it was not heard"
        work = asyncio.create_task(goes_on_after_every_failure())
        await asyncio.sleep(0)
        fails.clear()
    work.cancel()
    assert rounds >= 8


async def test_the_failure_of_one_is_raised_and_ends_the_others() -> None:
    ended: list[str] = []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise OSError("the connection is lost")

    with pytest.raises(OSError, match="lost"):
        await together(other(), fails())
    assert ended == ["other"]
