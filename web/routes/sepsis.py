"""The clock of the first hours of sepsis at a bed: for machines, and as a panel of its page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops import events
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import BedCell, state_of
from hospital_ops.clinical.sepsis import CATEGORIES, SOURCE
from hospital_ops.codes import by_key
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.sepsis import clock, store
from icu.stay import store as stays
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of, spoken
from web.reading import note_reading, unit_of_bed
from web.views import sepsis as views
from web.views.refused import sentence

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
NEEDS = {
    "start": Permission.ORDER,
    "end": Permission.ORDER,
    "done": Permission.CARRY_OUT_ORDER,
    "undo": Permission.CARRY_OUT_ORDER,
}
_MAP = (by_key["abp_mean"].code, by_key["nibp_mean"].code)


@router.get("/api/v1/icu/beds/{bed}/sepsis")
async def shown(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """`clock` is null until a physician has marked the recognition; nothing is ordered by it."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_sepsis_clock", bed)
    return {"bed": bed, "source": SOURCE, "clock": await _told(request, bed, principal)}


@router.post("/api/v1/icu/beds/{bed}/sepsis")
async def act(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """`{"act": "start", "category", "hypotension", "stay"}`; `done`, `undo` of `element`; `end`.

    `minutes_ago` of the recognition or of what was done.
    """
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    await _do(request, bed, principal, sent)
    return {"bed": bed, "source": SOURCE, "clock": await _told(request, bed, principal)}


@router.get("/icu/beds/{bed}/sepsis")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel of a bed's page, asked for again each minute."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await _panel(request, bed, principal)


@router.post("/icu/beds/{bed}/sepsis")
async def press(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """One press on the panel."""
    unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    form = await request.form()
    sent: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    sent["hypotension"] = bool(sent.get("hypotension"))
    minutes = sent.get("minutes_ago", "") or "0"
    sent["minutes_ago"] = int(minutes) if minutes.isdecimal() and len(minutes) < 6 else -1
    try:
        if not sent.get("stay"):
            raise MessageError("no_stay", "a form names whose stay it was made for")
        await _do(request, bed, principal, sent)
    except (Conflict, NotFound, MessageError) as error:
        why = sentence(error, spoken(request))
        return await _panel(request, bed, principal, why=why)
    return await _panel(request, bed, principal)


async def _do(request: Request, bed: str, principal: Principal, sent: dict[str, Any]) -> None:
    what, element = sent.get("act"), sent.get("element", "")
    if what not in NEEDS:
        raise NotFound(f"A sepsis clock knows these acts: {', '.join(NEEDS)}.")
    unit_of_bed(request, bed, principal, NEEDS[what])
    web = web_of(request)
    database, at = web.database, web.clock.now_us()
    ago = sent.get("minutes_ago", 0)
    if not isinstance(ago, int) or isinstance(ago, bool):
        raise MessageError("bad_minutes", "`minutes_ago` is a whole number")
    stay = sent.get("stay") or ""
    if not isinstance(stay, str) or (what == "start" and not stay):
        raise MessageError("no_stay", "`stay` names whose stay you have looked at")
    if what == "start":
        await store.start(
            database, principal, bed, stay=stay, category=str(sent.get("category", "")),
            hypotension=sent.get("hypotension") is True, ago_min=ago, at=at,
        )  # fmt: skip
    elif what == "done":
        await store.mark(
            database, principal, bed, element=str(element), ago_min=ago, at=at, stay=stay
        )
    elif what == "undo":
        await store.undo(database, principal, bed, element=str(element), at=at, stay=stay)
    else:
        await store.end(database, principal, bed, at=at, stay=stay)


async def _told(request: Request, bed: str, principal: Principal) -> dict[str, Any] | None:
    web = web_of(request)
    found = await store.running(web.database, principal, bed)
    if found is None:
        return None
    running, seen = found
    now = web.clock.now_us()
    return clock.told(running, seen._replace(map_mmhg=_pressure(request, bed, now)), now)


def _pressure(request: Request, bed: str, now: int) -> float | None:
    """The mean pressure of now: of the line, else of the cuff; None where nothing is believed."""
    web = web_of(request)
    feed = web.feed(web.places.unit_of_bed(bed) or "")
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell):
        return None
    for code in _MAP:
        value = cell.values.get(code)
        if value is not None and state_of(value, now) in ("live", "stale"):
            return float(value.value) if isinstance(value.value, int | float) else None
    return None


async def _panel(
    request: Request, bed: str, principal: Principal, *, why: str = ""
) -> HTMLResponse:
    web = web_of(request)
    unit = web.places.unit_of_bed(bed) or ""
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    told: dict[str, Any] | None = None
    stay = ""
    try:
        told = await _told(request, bed, principal)
        stay = await stays.present(web.database, principal, bed)
    except DatabaseGone as error:
        why = sentence(error, frame.words, 503)
    return HTMLResponse(
        web.renderer.fill(
            "_sepsis.html",
            w=frame.words,
            bed=bed,
            stay=stay,
            clock=views.view(told, frame) if told else None,
            categories=CATEGORIES,
            said=why,
            may_start=allows(principal, Permission.ORDER, hospital_of(unit), unit),
            may_mark=allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit),
        )
    )
