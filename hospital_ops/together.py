"""Work that goes on side by side, and whoever ends it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Runs all until one fails, whose error is raised, or until it is cancelled itself.

    `asyncio.TaskGroup` of Python 3.11 and 3.12 forgets a cancellation that comes while one of its
    tasks fails: who catches that failure and goes on could then not be ended any more.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
