"""What every route that reads does first: find the unit, ask whether one may, and note it."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError, NotFound
from streams.shard import hospital_of
from web.auth import web_of
from web.state import Web

NOT_HERE = "This does not exist, or it is not within your units."


def unit_of_bed(request: Request, bed: str, principal: Principal, permission: Permission) -> str:
    """The unit of a bed on which `principal` may do this; NotFound otherwise."""
    unit = web_of(request).places.unit_of_bed(bed)
    if unit is None:
        raise NotFound(NOT_HERE)
    require(principal, permission, hospital_of(unit), unit)
    return unit


def units_in(web: Web, hospital: str) -> frozenset[str]:
    """The units of a hospital: where a patient may be sent to."""
    return frozenset(u.unit for u in web.places.units.values() if u.hospital == hospital)


async def case_of(
    request: Request, case: str, principal: Principal, permission: Permission
) -> tuple[str, CaseCell]:
    """(unit, cell) of a case on which `principal` may do this; NotFound otherwise."""
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, permission)
    feed = web.feed(unit)
    cell = await feed.cell_soon(str(UUID(case))) if feed else None
    if not isinstance(cell, CaseCell):
        raise NotFound("This case is no longer on the board.")
    return unit, cell


async def note_reading(
    request: Request, principal: Principal, shard: str, action: str, subject: str, detail: str = ""
) -> None:
    """Says in the shard's stream who reads what (SAFETY I15); `subject` is an id, never a name."""
    web = web_of(request)
    entry = wire.Audited(
        unit=shard,
        at=web.clock.now_us(),
        actor=principal.actor,
        role=principal.role,
        action=action,
        subject=subject,
        detail=detail,
    )
    await web.appender.append(shard, entry)


def moment(text: str | None) -> int | None:
    """Microseconds of `from` and `to`; MessageError where it is no ISO 8601 time with a zone."""
    if text is None:
        return None
    try:
        return from_iso(text.replace(" ", "+"))  # a plus that was not escaped arrives as a blank
    except ValueError as error:
        raise MessageError("bad_time", "`from` and `to` are ISO 8601 with a zone") from error
