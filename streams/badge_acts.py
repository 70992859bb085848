"""What a badge opens at a wall: one named act within seconds, and few wrong badges.

Redis holds who was read at which wall; whoever acts first takes it away.
"""

from __future__ import annotations

from typing import Final

from streams.pipe import Pipe

ACT_LIFE_S: Final = 15  # from the badge to the tap
WRONG_MOST: Final = 5
WRONG_LIFE_S: Final = 60


class BadgeActs:
    """Badges that were read at walls; a wall is known by the key of its session."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def refused(self, wall: str) -> bool:
        """Whether too many unknown badges were read here in the last minute."""
        count = await self.pipe.call("GET", f"badge-wrong:{wall}")
        return count is not None and int(count) >= WRONG_MOST

    async def wrong(self, wall: str) -> None:
        """One more unknown badge at this wall."""
        count = await self.pipe.call("INCR", f"badge-wrong:{wall}")
        if int(count) == 1:
            await self.pipe.call("EXPIRE", f"badge-wrong:{wall}", WRONG_LIFE_S)

    async def begin(self, wall: str, person: str) -> None:
        """Somebody may do one act at this wall; whoever was read before may no longer."""
        await self.pipe.call("SET", f"badge-act:{wall}", person, "EX", ACT_LIFE_S)

    async def take(self, wall: str) -> str | None:
        """Who acts now; only once."""
        person = await self.pipe.call("GETDEL", f"badge-act:{wall}")
        return None if person is None else str(person.decode())
