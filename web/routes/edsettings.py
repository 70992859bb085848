"""What a department sets for itself: which reds ring, by what the crew asked for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import MessageError, NotFound
from streams.shard import hospital_of
from triage.calls import RING_KINDS
from triage.places import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.views.page import Page
from web.words import words_of

router = APIRouter(prefix="/ed", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/{unit}/settings")
async def page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """The present choice."""
    _may(request, principal, unit)
    web, words = web_of(request), words_of(language_of(request))
    version, ring = await store.ring_of(web.database, principal, unit)
    about = Page(
        words=words,
        title=words.t("settings.title"),
        user=principal.actor,
        demo=web.demo,
        unit=unit,
    )
    kinds = [(kind or "unsaid", not version or kind in ring) for kind in RING_KINDS]
    values: dict[str, Any] = {"unit": unit, "version": version, "kinds": kinds}
    return HTMLResponse(web.renderer.fill("edsettings.html", page=about, **values))


@router.post("/{unit}/settings")
async def save(request: Request, unit: str, principal: Someone) -> Response:
    """Saves the choice; 409 for the second of two."""
    _may(request, principal, unit)
    web, form = web_of(request), await request.form()
    chosen = [str(kind) for kind in form.getlist("ring")]
    ring = [kind for kind in RING_KINDS if (kind or "unsaid") in chosen]
    version = str(form.get("version", ""))
    if not version.isdecimal():
        raise MessageError("bad_version", "open the page anew: it has lost its version")
    now = web.clock.now_us()
    await store.set_ring(web.database, principal, unit, int(version), ring, now)
    return RedirectResponse(f"/ed/{unit}/settings", status_code=303)


def _may(request: Request, principal: Principal, unit: str) -> None:
    require(principal, Permission.DECIDE_TRIAGE, hospital_of(unit), unit)
    known = web_of(request).places.units.get(unit)
    if known is None or known.kind != "ed":
        raise NotFound("There is no such department.")
