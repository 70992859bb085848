"""What a department sets for itself: which reds ring, where its door is, and its places."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.errors import Conflict, MessageError, NotFound
from streams.shard import hospital_of
from triage.calls import RING_KINDS
from triage.places import store
from triage.places.store import Door
from triage.rooms import store as rooms
from web.auth import signed_in, web_of
from web.language import language_of
from web.views.page import Page
from web.words import words_of

router = APIRouter(prefix="/ed", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
RADIUS_M = (20.0, 5000.0)
BAD_DOOR = "give degrees (latitude, longitude) and a radius of 20 to 5000 m, or none of them"


@router.get("/{unit}/settings")
async def page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """The present choice, and the places."""
    _may(request, principal, unit)
    return await _page(request, unit, principal)


@router.post("/{unit}/settings")
async def save(request: Request, unit: str, principal: Someone) -> Response:
    """Saves which reds ring and where the door is; 409 for the second of two."""
    _may(request, principal, unit)
    web, form = web_of(request), await request.form()
    chosen = [str(kind) for kind in form.getlist("ring")]
    ring = [kind for kind in RING_KINDS if (kind or "unsaid") in chosen]
    version = str(form.get("version", ""))
    if not version.isdecimal():
        raise MessageError("bad_version", "open the page anew: it has lost its version")
    now = web.clock.now_us()
    try:
        door = _door(form)
    except MessageError as error:
        return await _page(request, unit, principal, said=error.reason)
    await store.set_ring(web.database, principal, unit, int(version), ring, now, door)
    return RedirectResponse(f"/ed/{unit}/settings", status_code=303)


@router.post("/{unit}/places")
async def place(request: Request, unit: str, principal: Someone) -> Response:
    """Adds a place (no `place`), or changes one: name, kind, zone, entrance, in use or not."""
    _may(request, principal, unit)
    web, form = web_of(request), await request.form()
    sent = {key: value for key, value in form.items() if isinstance(value, str)}
    name, now = sent.get("place", ""), web.clock.now_us()
    try:
        wanted = rooms.checked(sent)
        if name:
            used = sent.get("used") == "yes"
            await rooms.change(web.database, principal, unit, name, wanted, now, used=used)
        else:
            await rooms.add(web.database, principal, unit, wanted, now)
    except MessageError as error:
        return await _page(request, unit, principal, said=error.reason)
    except Conflict as error:
        return await _page(request, unit, principal, said=str(error))
    return RedirectResponse(f"/ed/{unit}/settings#places", status_code=303)


async def _page(
    request: Request, unit: str, principal: Principal, *, said: str = ""
) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    version, ring, door = await store.ring_of(web.database, principal, unit)
    about = Page(
        words=words,
        title=words.t("settings.title"),
        user=principal.actor,
        demo=web.demo,
        unit=unit,
    )
    kinds = [(kind or "unsaid", not version or kind in ring) for kind in RING_KINDS]
    values: dict[str, Any] = {"unit": unit, "version": version, "kinds": kinds, "door": door}
    values |= {"kinds_of_place": rooms.KINDS, "zones": rooms.ZONES, "said": said}
    values["places"] = await store.places_of(web.database, principal, unit)
    html = web.renderer.fill("edsettings.html", page=about, **values)
    return HTMLResponse(html, status_code=400 if said else 200)


def _door(form: FormData) -> Door:
    """Where the door is; nowhere where nothing was typed. Raises MessageError in words."""
    typed = [str(form.get(name) or "").strip() for name in ("latitude", "longitude", "radius_m")]
    if not any(typed):
        return Door()
    try:
        latitude, longitude, radius = (float(text.replace(",", ".")) for text in typed)
    except ValueError as error:
        raise MessageError("bad_door", BAD_DOOR) from error
    near, far = RADIUS_M
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and near <= radius <= far):
        raise MessageError("bad_door", BAD_DOOR)
    return Door(latitude, longitude, radius, form.get("arrives") == "yes")


def _may(request: Request, principal: Principal, unit: str) -> None:
    """Physicians of the department, and the hospital's administrators."""
    needed = (Permission.DECIDE_TRIAGE, Permission.ADMINISTER)
    known = web_of(request).places.units.get(unit)
    may = any(allows(principal, one, hospital_of(unit), unit) for one in needed)
    if not may or known is None or known.kind != "ed":
        raise NotFound("There is no such department.")
