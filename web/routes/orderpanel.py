"""The orders of a bed as a panel of its page: listed, placed, moved on, each in one press."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import store
from icu.orders import ACTS, BY_PHYSICIAN, KINDS, NEEDS_REASON
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import unit_of_bed
from web.views import orders as views
from web.words import words_of

router = APIRouter(prefix="/icu/beds/{bed}/orders")
Someone = Annotated[Principal, Depends(signed_in)]
KNOWN = frozenset(act for act, _ in ACTS)


@router.get("")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel; without PostgreSQL a sentence in its place."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await _panel(request, bed, principal)


@router.post("")
async def place(
    request: Request,
    bed: str,
    principal: Someone,
    kind: Annotated[str, Form(max_length=32)],
    words: Annotated[str, Form(max_length=500)],
    minutes: Annotated[str, Form(max_length=5)] = "",
) -> HTMLResponse:
    """Places an order for whoever lies here now."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.ORDER)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell) or cell.patient is None:
        return await _panel(request, bed, principal, said="orders.nobody")
    if kind not in KINDS or not words.strip():
        return await _panel(request, bed, principal, said="orders.what")
    now = web.clock.now_us()
    await store.place(
        web.database,
        principal,
        unit=unit,
        bed=bed,
        patient_id=cell.patient.patient_id,
        kind=kind,
        words=words.strip(),
        due_us=now + int(minutes) * 60 * SECOND if minutes.isdecimal() else None,
        at=now,
    )
    return await _panel(request, bed, principal)


@router.post("/{order}/{act}")
async def move(
    request: Request,
    bed: str,
    order: str,
    act: str,
    principal: Someone,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> HTMLResponse:
    """Does `act`; whoever was second sees what holds, and that theirs was not saved."""
    if act not in KNOWN:
        raise NotFound("An order cannot be moved on in this way.")
    needed = Permission.ORDER if act in BY_PHYSICIAN else Permission.CARRY_OUT_ORDER
    unit_of_bed(request, bed, principal, needed)
    if act in NEEDS_REASON and not reason.strip():
        return await _panel(request, bed, principal, said="orders.reason_needed")
    web = web_of(request)
    try:
        await store.act(
            web.database,
            principal,
            bed,
            order,
            act=act,
            version=version,
            reason=reason,
            at=web.clock.now_us(),
        )
    except (Conflict, MessageError):
        return await _panel(request, bed, principal, said="orders.lost_race")
    return await _panel(request, bed, principal)


async def _panel(
    request: Request, bed: str, principal: Principal, *, said: str = ""
) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    unit = web.places.unit_of_bed(bed) or ""
    frame = web.renderer.frame(words.language, web.clock.now_us())
    try:
        listed = await store.orders_of(web.database, principal, bed)
        away = False
    except DatabaseGone:
        listed, away = [], True
    html = web.renderer.fill(
        "_orders.html",
        w=words,
        bed=bed,
        away=away,
        said=words.t(said) if said else "",
        orders=[views.order(row, frame) for row in listed],
        kinds=KINDS,
        may_order=allows(principal, Permission.ORDER, hospital_of(unit), unit),
        may_carry_out=allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit),
    )
    return HTMLResponse(html)
