"""What boards and pages say of refilings that wait for somebody to decide."""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.database import Database
from icu.waits import store as waits
from tests.integration.streams_help import admitted, observed, until
from tests.integration.web_help import BED, OTHER_BED, UNIT

NOW = SystemClock().now_us


async def twenty_minutes_in_each_bed(house: Any) -> tuple[Any, list[int]]:
    """P is admitted to one bed; values come from there, then from another; some there name Q."""
    append, began = house.running.web.appender.append, NOW() - 3 * 3600 * SECOND
    at = [began + minute * 60 * SECOND for minute in range(40)]
    await append(UNIT, admitted("P", began))
    for moment in at[1:20]:
        await append(UNIT, observed(80.0, moment, received_at=moment))
    for moment in at[20:]:
        await append(UNIT, observed(90.0, moment, received_at=moment, bed=OTHER_BED))
        await append(UNIT, observed(91.0, moment + 1, received_at=moment, bed=OTHER_BED, mrn="Q"))
    return append, at


async def told_far_too_late(house: Any) -> str:
    """Three days ago it was Q, and not P: the name of what is proposed."""
    append, began = house.running.web.appender.append, NOW() - 72 * 3600 * SECOND
    await append(UNIT, admitted("P", began))
    await append(UNIT, observed(80.0, began + 60 * SECOND, received_at=began + 60 * SECOND))
    await append(UNIT, wire.replaced(admitted("Q", NOW()), event_at=began + 30 * SECOND))

    async def proposed() -> str:
        return str(await house.rows.fetchval("select refiling from refiling where proposed") or "")

    return str(await until(proposed, "the change is proposed"))


async def one_refiling_waits(house: Any, writer: Database) -> None:
    """The bed is told once; its tile, the bar of the unit and the map of its beds say so."""
    assert (await waits.tell(writer, NOW()), await waits.tell(writer, NOW())) == (1, 0)
    cell = await house.cell("the board of the bed says so", BED, "refiling_proposed")
    assert cell.refilings == 1
    for path, said in ((f"/icu/{UNIT}", "1 refiling proposed"), (f"/icu/{UNIT}/beds", "refilings")):
        listed = await house.http.get(path, headers=house.running.bearer("h1-nurse"))
        assert said in listed.text, path


async def none_waits(house: Any, writer: Database) -> None:
    """Somebody has decided: the bed is told, and says so no more."""
    assert await waits.tell(writer, NOW()) == 1

    async def over() -> bool:
        cell = house.running.web.feeds[UNIT].cells.get(BED)
        return isinstance(cell, BedCell) and not cell.refilings

    await until(over, "nothing waits at the bed any more")
