"""A reroute as the routes call it: the board's cell goes along, at once and once more later."""

from __future__ import annotations

import asyncio
from typing import Any

from hospital_ops import wire
from hospital_ops.access import Permission, Principal
from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError, NotStored
from streams.intake import OWN_CASES_ONLY, case_id
from streams.rerouting import AGAIN_S, reroute, tell
from web.reading import NOT_HERE
from web.state import Web

TEXT_MAX = 120


def departments(web: Web, but: str) -> list[tuple[str, str]]:
    """The other emergency departments of the installation, the same hospital's first."""
    units = [unit for unit in web.places.units.values() if unit.kind == "ed" and unit.unit != but]
    units.sort(key=lambda unit: (unit.hospital != but.partition("-")[0], unit.unit))
    return [(unit.unit, f"{unit.name} ({unit.unit})") for unit in units]


async def send_elsewhere(
    web: Web, principal: Principal, case: str, *, to: str, outside: str, reason: str
) -> dict[str, Any]:
    """To another department of this installation (`to`), or out of it (`outside`, a name)."""
    if not to:
        where = outside.strip()[:TEXT_MAX]
        return await web.intake.step(principal, case, "reroute", reason, where=where)
    own = principal.role in OWN_CASES_ONLY
    needed = Permission.OPEN_CASE if own else Permission.ACKNOWLEDGE_CASE
    unit = await web.intake.case_unit(principal, case, needed)
    feed = web.feed(unit)
    cell = await feed.cell_soon(case_id(case)) if feed else None
    if not isinstance(cell, CaseCell):
        raise MessageError("not_yet", NOT_HERE)
    answer = await reroute(web.intake, principal, case, wire.encode(cell), to=to, reason=reason)
    at = from_iso(answer["stored_at"])
    again = asyncio.create_task(_again(web, principal, cell.case, unit, to, reason, at))
    web.tasks.add(again)
    again.add_done_callback(web.tasks.discard)
    return answer


async def _again(
    web: Web, principal: Principal, case: str, unit: str, to: str, reason: str, at: int
) -> None:
    """What the crew had sent to the former department while it was told."""
    await asyncio.sleep(AGAIN_S)
    feed = web.feed(unit)
    cell = feed.cells.get(case) if feed else None
    if not isinstance(cell, CaseCell):
        return
    known = wire.encode(cell)
    for _ in range(3):
        try:
            await tell(
                web.intake, principal, case, known, came_from=unit, to=to, reason=reason, at=at
            )
        except NotStored:
            await asyncio.sleep(AGAIN_S)
        else:
            return
