"""Isolation of whoever lies in a bed: entered and ended there by a nurse or a physician."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, MessageError
from icu.flags import store
from icu.flags.kinds import KINDS
from icu.stay import store as stays
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of, spoken
from web.lying import json_object, text_of
from web.reading import note_reading, unit_of_bed
from web.views import flags as views
from web.views.refused import sentence

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
NOTE_MAX = 300
SHOWN_WITHIN_S = 2.0


@router.get("/api/v1/icu/beds/{bed}/isolation")
async def listed(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """What holds for whoever lies there: kind, note, who entered it and when."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_isolation", bed)
    return {
        "bed": bed,
        "stay": await stays.present(web.database, principal, bed),
        "isolation": await store.of_bed(web.database, principal, bed),
    }


@router.post("/api/v1/icu/beds/{bed}/isolation")
async def begin(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Enters `{"kind": "contact"|"droplet"|"airborne"|"protective", "note", "stay"}`."""
    web, _ = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    sent = await json_object(request)
    return await store.begin(
        web.database,
        principal,
        bed,
        stay=_stay(text_of(sent, "stay")),
        kind=text_of(sent, "kind"),
        note=text_of(sent, "note", NOTE_MAX),
        at=web.clock.now_us(),
    )


@router.post("/api/v1/icu/beds/{bed}/isolation/{isolation}/end")
async def end(request: Request, bed: str, isolation: str, principal: Someone) -> dict[str, Any]:
    """Ends it: `{"stay"}`."""
    web, _ = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    stay = _stay(text_of(await json_object(request), "stay"))
    at = web.clock.now_us()
    return await store.end(web.database, principal, bed, isolation, stay=stay, at=at)


@router.get("/icu/beds/{bed}/isolation")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel of a bed's page."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await _panel(request, bed, principal)


@router.post("/icu/beds/{bed}/isolation")
async def press(
    request: Request,
    bed: str,
    principal: Someone,
    stay: Annotated[str, Form(max_length=64)] = "",
    kind: Annotated[str, Form(max_length=32)] = "",
    note: Annotated[str, Form(max_length=NOTE_MAX)] = "",
    ends: Annotated[str, Form(max_length=64)] = "",
) -> HTMLResponse:
    """One press on the panel: `ends` names what is ended, else `kind` begins."""
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    web = web_of(request)
    feed, at = web.feed(unit), web.clock.now_us()
    rev = feed.rev if feed else 0
    try:
        if ends:
            await store.end(web.database, principal, bed, ends, stay=_stay(stay), at=at)
        else:
            await store.begin(
                web.database, principal, bed,
                stay=_stay(stay), kind=kind, note=note.strip(), at=at,
            )  # fmt: skip
    except (Conflict, MessageError) as error:
        return await _panel(request, bed, principal, why=sentence(error, spoken(request)))
    if feed is not None:
        await feed.news(rev, SHOWN_WITHIN_S)
    return await _panel(request, bed, principal)


def _stay(stay: str) -> str:
    if not stay:
        raise MessageError("no_stay", "`stay` names whose stay you have looked at")
    return stay


async def _panel(
    request: Request, bed: str, principal: Principal, *, why: str = ""
) -> HTMLResponse:
    web = web_of(request)
    unit = web.places.unit_of_bed(bed) or ""
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    stay, found = "", list[dict[str, Any]]()
    try:
        stay = await stays.present(web.database, principal, bed)
        found = await store.of_bed(web.database, principal, bed)
    except DatabaseGone as error:
        why = sentence(error, frame.words, 503)
    held = {one["kind"] for one in found}
    may = allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit)
    text = web.renderer.fill(
        "_isolation.html",
        w=frame.words,
        bed=bed,
        stay=stay,
        lines=views.lines(found, frame),
        kinds=[kind for kind in KINDS if kind not in held],
        may=may and bool(stay),
        said=why,
    )
    return HTMLResponse(text)
