"""The worklist of a unit, for those who carry orders out; and the order sets of the site."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.board import BedCell
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, NotFound
from icu import order_sets
from icu.ordering import store
from icu.set_approvals import store as approvals
from icu.stay_orders import store as stay_orders
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import place_of
from web.orderpanel import with_unit_names
from web.pages import look_of, page_of, units_of
from web.reading import NOT_HERE, note_reading
from web.routes.orders import moved, permitted
from web.views import worklist as views
from web.views.orderwords import goal
from web.views.page import Page
from web.views.refused import sentence
from web.views.values import clock
from web.words import words_of

router = APIRouter(include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/worklist")
async def first_unit(request: Request, principal: Someone) -> Response:
    """To the first intensive care unit that is open to the user."""
    units = [u["id"] for u in units_of(web_of(request), principal) if u["kind"] == "icu"]
    if not units:
        raise NotFound(NOT_HERE)
    return RedirectResponse(f"/worklist/{units[0]}", status_code=303)


@router.get("/worklist/{unit}")
async def page(request: Request, unit: str, principal: Someone, by: str = "bed") -> Response:
    """What is to be done in the unit, by bed and hour or by hour and bed."""
    _may_see(request, unit, principal)
    words = words_of(language_of(request))
    await note_reading(request, principal, unit, "read_worklist", unit)
    shown = await _list(request, unit, principal, by)
    page = _page(request, principal, words.t("worklist.title"), unit)
    html = web_of(request).renderer.fill("worklist.html", page=page, **shown)
    return HTMLResponse(html)


@router.get("/worklist/{unit}/list")
async def listed(
    request: Request, unit: str, principal: Someone, by: str = "bed", have: str = ""
) -> Response:
    """The list alone, where it has changed since `have`; 204 where not."""
    _may_see(request, unit, principal)
    shown = await _list(request, unit, principal, by)
    if shown["away"] or shown["digest"] == have:
        return Response(status_code=204)
    return _fragment(request, shown)


@router.post("/worklist/{unit}/{order}/left")
async def end_left(
    request: Request,
    unit: str,
    order: str,
    principal: Someone,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=500)] = "",
    by: str = "bed",
) -> HTMLResponse:
    """A physician ends an order whose patient lies in no bed of the unit any more."""
    _may_see(request, unit, principal)
    require(principal, Permission.ORDER, hospital_of(unit), unit)
    web, words = web_of(request), words_of(language_of(request))
    said = "" if reason.strip() else words.t("orders.reason_needed")
    if not said:
        try:
            await stay_orders.revoke_left(
                web.database,
                principal,
                unit,
                order,
                on_board=_places(request, unit),
                version=version,
                reason=reason.strip(),
                at=web.clock.now_us(),
            )
        except Conflict as error:
            said = sentence(error, words)
    return _fragment(request, await _list(request, unit, principal, by, said))


@router.post("/worklist/{unit}/{order}/{act}")
async def move(
    request: Request,
    unit: str,
    order: str,
    act: str,
    principal: Someone,
    bed: Annotated[str, Form(max_length=64)],
    version: Annotated[int, Form()],
    by: str = "bed",
) -> HTMLResponse:
    """One press: accept, start or done; whoever was second sees what holds."""
    if permitted(request, bed, act, principal) != unit:
        raise NotFound(NOT_HERE)
    said, done = "", None
    try:
        row = await moved(request, principal, place_of(request, unit, bed), order, act, version, "")
        done = {**row, "bed": bed} if act == "complete" and "undo" in row["acts"] else None
    except (Conflict, NotFound) as error:
        words, lost = words_of(language_of(request)), getattr(error, "current", None)
        said = words.t("orders.lost_race") if lost else sentence(error, words)
    return _fragment(request, {**await _list(request, unit, principal, by, said), "done": done})


@router.get("/order-sets")
async def sets(request: Request, principal: Someone) -> Response:
    """Every set of the table with its sources, and which the site has approved."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    known = await approvals.approved(web.database, principal)
    found = [order_sets.as_json(o, words.language, known.get(o)) for o in order_sets.ids()]
    for item in (item for one in found for item in one["items"]):
        item["goal"] = goal(item["target"], words) if item["target"] else ""
    html = web.renderer.fill(
        "order_sets.html",
        page=_page(request, principal, words.t("worklist.sets"), ""),
        sets=found,
        may=allows(principal, Permission.APPROVE_ORDER_SETS, principal.hospital),
    )
    return HTMLResponse(html)


@router.post("/order-sets/{order_set}")
async def approve(
    request: Request,
    order_set: str,
    principal: Someone,
    version: Annotated[str, Form(max_length=64)],
    act: Annotated[str, Form(max_length=16)] = "approve",
) -> Response:
    """A physician approves what the page showed, or withdraws."""
    require(principal, Permission.APPROVE_ORDER_SETS, principal.hospital)
    web = web_of(request)
    if act == "withdraw":
        await approvals.withdraw(web.database, principal, order_set, web.clock.now_us())
    else:
        await approvals.approve(web.database, principal, order_set, version, web.clock.now_us())
    return RedirectResponse("/order-sets", status_code=303)


def _may_see(request: Request, unit: str, principal: Principal) -> None:
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    known = web_of(request).places.units.get(unit)
    if known is None or known.kind != "icu":
        raise NotFound(NOT_HERE)


async def _list(
    request: Request, unit: str, principal: Principal, by: str, said: str = ""
) -> dict[str, Any]:
    web, words = web_of(request), words_of(language_of(request))
    by = by if by in views.BY else "bed"
    now = web.clock.now_us()
    frame, rows, away = web.renderer.frame(words.language, now), [], False
    try:
        rows = await store.open_of_unit(web.database, principal, unit, now)
        rows = with_unit_names(web, rows)
    except DatabaseGone:
        away = True
    found = views.sections(rows, _places(request, unit), frame, by)
    return {
        "unit": unit,
        "by": by,
        "away": away,
        "said": said,
        "done": None,
        "sections": found,
        "totals": views.totals(rows),
        "digest": views.digest(found),
        "may_carry_out": allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit),
        "may_order": allows(principal, Permission.ORDER, hospital_of(unit), unit),
    }


def _places(request: Request, unit: str) -> dict[str, tuple[int, str, str]]:
    """Where each patient lies now: order on the board, bed, label."""
    web = web_of(request)
    feed = web.feed(unit)
    cells = list(feed.cells.values()) if feed else []
    order = {bed.bed: place for place, bed in enumerate(web.places.beds_of(unit))}
    return {
        cell.patient.patient_id: (order.get(cell.bed, len(order)), cell.bed, cell.label)
        for cell in cells
        if isinstance(cell, BedCell) and cell.patient is not None
    }


def _fragment(request: Request, shown: dict[str, Any]) -> HTMLResponse:
    words = words_of(language_of(request))
    return HTMLResponse(web_of(request).renderer.fill("_worklist.html", w=words, **shown))


def _page(request: Request, principal: Principal, title: str, unit: str) -> Page:
    web, words = web_of(request), words_of(language_of(request))
    now = web.clock.now_us()
    return page_of(
        request,
        principal,
        title,
        unit,
        now_us=now,
        clock=clock(now, web.renderer.frame(words.language, now).zone),
        **look_of(request),
    )
