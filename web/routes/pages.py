"""Pages: home and the boards."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import PERMISSIONS, Permission, Principal, allows, require
from hospital_ops.errors import NotFound
from streams.intake import OWN_CASES_ONLY
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import look_of, units_of
from web.reading import note_reading

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
# Pages beside the boards, and what one needs to open them.
OTHERS: Final = (
    ("patients", Permission.SEE_PATIENT),
    ("triage-audit", Permission.SEE_PATIENT),
    ("worklist", Permission.CARRY_OUT_ORDER),
    ("relatives", Permission.CONFIRM_MESSAGES),
    ("incidents", Permission.REVIEW_INCIDENTS),
    ("devices", Permission.ADMINISTER),
    ("codes", Permission.ADMINISTER),
    ("feeds", Permission.ADMINISTER),
)


@router.get("/")
async def home(request: Request, principal: Someone) -> Response:
    """The boards that are open to the user."""
    web = web_of(request)
    others = [name for name, needed in OTHERS if needed in PERMISSIONS[principal.role]]
    if principal.role in OWN_CASES_ONLY:
        others.append("triage-audit")  # of its own cases
    page = web.renderer.home_page(
        language_of(request),
        principal.actor,
        units_of(web, principal),
        demo=web.demo,
        others=others,
    )
    return HTMLResponse(page)


@router.get("/icu/{unit}")
@router.get("/ed/{unit}")
async def board(request: Request, unit: str, principal: Someone) -> Response:
    """The board of a unit, with its values, in the mode and theme that the URL asks for."""
    web = web_of(request)
    require(principal, Permission.SEE_BOARD, hospital_of(unit), unit)
    feed = web.feed(unit)
    if feed is None:
        raise NotFound("This does not exist, or it is not within your units.")
    if request.url.path.split("/")[1] != feed.unit.kind:
        return RedirectResponse(f"/{feed.unit.kind}/{unit}", status_code=307)
    await note_reading(request, principal, unit, "read_board", unit)
    look = look_of(request)
    if not allows(principal, Permission.SEE_PATIENT, hospital_of(unit), unit):
        look["mode"] = "wall"  # a wallboard has no buttons and no names
    language = language_of(request)
    feed.used(f"html:{language}")  # its socket comes with the page's revision
    answer = HTMLResponse(
        feed.page(
            language,
            {
                "mode": look["mode"],
                "theme": look["theme"],
                "user": principal.actor,
                "demo": web.demo,
                "units": units_of(web, principal),
            },
        )
    )
    return answer
