"""Which unit a case belongs to, who opened it and where it stands: a projection of the way in.

Bounded: a case is forgotten some time after its end, and one that nobody ever ended after a month.
Until then its late data still find their unit. The record is in the archive.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import wire
from hospital_ops.case_steps import COMING
from hospital_ops.clock import SECOND
from hospital_ops.errors import NotStored
from streams.pipe import Argument, Pipe, ReplyError
from streams.remembered import Remembered
from streams.shard import hall, hospital_of

DAY_US: Final = 86_400 * SECOND
ENDED_KEPT_US: Final = 2 * DAY_US  # a tablet may come back with a day of data (SAFETY F11)
OPEN_KEPT_US: Final = 30 * DAY_US
AT_ONCE: Final = 500  # cases forgotten in a turn, and looked at in one scan


def _key(hospital: str, what: str) -> str:
    return f"{{{hall(hospital)}}}:{what}"


class Cases:
    """Reads and writes the cases of the hospitals over one pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self._cases: Remembered[list[str]] = Remembered()
        self._dated: set[str] = set()  # hospitals whose every case has a day to be forgotten

    async def claim_case(
        self, hospital: str, case: str, unit: str, opened_by: str, now_us: int
    ) -> list[str]:
        """[unit, who opened it, ...] of a case; the first to name it decides both.

        What follows: where it stands, and the units it was at before.
        """
        key = _key(hospital, "cases")
        made, _, found = await self._ask_all(
            ("HSETNX", key, case, wire.to_json([unit, opened_by])),
            ("ZADD", _key(hospital, "cases-until"), "NX", now_us + OPEN_KEPT_US, case),
            ("HGET", key, case),
        )
        if made:
            self._cases.forget(f"{hospital} {case}")
        row: list[str] = wire.from_json(found)
        return row

    async def case(self, hospital: str, case: str) -> list[str] | None:
        """[unit, who opened it, ...] of a case, or None where nobody has named it."""
        name = f"{hospital} {case}"
        known = self._cases.get(name)
        if known is None:
            (row,) = await self._ask_all(("HGET", _key(hospital, "cases"), case))
            return self._cases.put(name, wire.from_json(row)) if row else None
        return known

    async def case_state(self, hospital: str, case: str) -> str:
        """Where a case stands, as far as the way in has heard."""
        (found,) = await self._ask_all(("HGET", _key(hospital, "cases"), case))
        row: list[str] = wire.from_json(found) if found else []
        return row[2] if len(row) > 2 else COMING

    async def case_became(
        self, hospital: str, case: str, state: str, now_us: int, *, ended: bool
    ) -> None:
        """Notes where a case stands now; an ended one is forgotten after two days."""
        key = _key(hospital, "cases")
        (found,) = await self._ask_all(("HGET", key, case))
        if not found:
            return
        row: list[str] = wire.from_json(found)
        kept = ENDED_KEPT_US if ended else OPEN_KEPT_US
        await self._ask_all(
            ("HSET", key, case, wire.to_json([*row[:2], state, *row[3:]])),
            ("ZADD", _key(hospital, "cases-until"), now_us + kept, case),
        )
        self._cases.forget(f"{hospital} {case}")

    async def move_case(self, known: list[str], case: str, unit: str, now_us: int) -> None:
        """A case goes to another unit; every hospital it has been to finds it there.

        `known` is its row: [unit, who opened it, state, units it was at before ...].
        """
        before = [*known[3:], known[0]]
        row = wire.to_json([unit, known[1], COMING, *before])
        for hospital in sorted({hospital_of(each) for each in (unit, *before)}):
            await self._ask_all(
                ("HSET", _key(hospital, "cases"), case, row),
                ("ZADD", _key(hospital, "cases-until"), now_us + OPEN_KEPT_US, case),
            )
            self._cases.forget(f"{hospital} {case}")

    async def attach(self, hospital: str, tablet: str, case: str) -> None:
        """The vehicle's monitor belongs to this case of the tablet from now on; "": to none."""
        await self._ask_all(("HSET", _key(hospital, "attached"), tablet, case))

    async def attached(self, hospital: str, tablet: str) -> str:
        """The case that the monitor of a tablet's vehicle belongs to; "": none."""
        (found,) = await self._ask_all(("HGET", _key(hospital, "attached"), tablet))
        return found.decode() if found else ""

    async def forget_cases(self, hospital: str, now_us: int) -> int:
        """Forgets the cases whose time is over; answers how many."""
        key, until = _key(hospital, "cases"), _key(hospital, "cases-until")
        if hospital not in self._dated:
            await self._date_all(hospital, now_us)
        over = await self.pipe.call("ZRANGEBYSCORE", until, "-inf", now_us, "LIMIT", 0, AT_ONCE)
        if over:
            await self.pipe.call("HDEL", key, *over)
            await self.pipe.call("ZREM", until, *over)
        return len(over)

    async def _date_all(self, hospital: str, now_us: int) -> None:
        """Cases of an earlier version have no day: once in a process each is given one."""
        key, until = _key(hospital, "cases"), _key(hospital, "cases-until")
        cursor: Any = "0"
        while True:
            cursor, flat = await self.pipe.call("HSCAN", key, cursor, "COUNT", AT_ONCE)
            dated = [part for case in flat[::2] for part in (now_us + OPEN_KEPT_US, case)]
            if dated:
                await self.pipe.call("ZADD", until, "NX", *dated)
            if cursor in (b"0", "0"):
                break
        self._dated.add(hospital)

    async def _ask_all(self, *commands: tuple[Argument, ...]) -> list[Any]:
        """For what a sender waits for: while Redis is away nothing of it was stored."""
        try:
            replies = await self.pipe.calls(list(commands))
        except (OSError, ReplyError) as error:
            raise NotStored("not stored, send again: the stream server is away") from error
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise NotStored("not stored, send again: the stream server is away") from reply
        return replies
