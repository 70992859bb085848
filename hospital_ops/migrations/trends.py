"""Makes the minutes of the trends behind the archive, an hour of a bed at a time (role owner)."""

from __future__ import annotations

from typing import Final

from hospital_ops.clock import to_datetime
from hospital_ops.database import Database

HOURS_AT_ONCE: Final = 50  # in one transaction: about three million values, some seconds


async def build_trends(owner: Database, now_us: int) -> int:
    """Makes hours that are due; answers how many: the caller goes on while there are any."""
    async with owner.transaction() as connection:
        made = await connection.fetchval(
            "select build_trends($1, $2)", to_datetime(now_us), HOURS_AT_ONCE
        )
    return int(made)
