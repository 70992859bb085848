"""What a family holds in its hands: the leaflet, printed at consent, and the address on it.

The address is open to whoever has it, names no hospital and no patient, and asking for it changes
nothing; a press on its one button ends the messages.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, require
from hospital_ops.database import Connection
from hospital_ops.errors import NotFound
from notify.leaflet import store as leaflet
from notify.rules import own_words
from notify.sender import scope_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.routes.relatives_api import desk_of
from web.views.page import Page
from web.words import words_of

router = APIRouter(include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
NOT_GOOD = "This address is not good any more. Nothing is sent by it."


@router.post("/relatives/contacts/{contact}/leaflet")
async def print_leaflet(request: Request, contact: UUID, principal: Someone) -> HTMLResponse:
    """A fresh leaflet in the relative's language; the address on an older one is void."""
    require(principal, Permission.CONSENT, principal.hospital)
    known, hours, token = await desk_of(request).leaflet(principal.scope, str(contact))
    require(principal, Permission.CONSENT, principal.hospital, known.unit)
    web, words = web_of(request), words_of(language_of(request))
    here = web.public_url or str(request.base_url).rstrip("/")
    return HTMLResponse(
        web.renderer.fill(
            "leaflet.html",
            page=Page(words=words, title=words.t("leaflet.title"), demo=web.demo),
            **leaflet_words(known.tells, known.language, inbound=bool(web.twilio_token)),
            language=known.language,
            hours=hours,
            address=f"{here}/stop/{token}",
        )
    )


def leaflet_words(tells: str, language: str, *, inbound: bool) -> dict[str, Any]:
    """What a leaflet may promise: what this relative is told, and an answer only where one is read.

    `inbound`: whether the provider passes on what families write back.
    """
    own = own_words(language)
    texts = tells != "call"
    daily = own["leaflet_daily" if tells == "full" else f"leaflet_daily_{tells}"]
    return {"own": own, "daily": daily, "texts": texts, "answers": texts and inbound}


@router.get("/stop/{token}")
async def ask(request: Request, token: str) -> HTMLResponse:
    """One sentence and one button; 404 where the address is not good."""
    for hospital in sorted(web_of(request).places.hospitals):
        async with _as(request, hospital) as connection:
            if await leaflet.knows(connection, token):
                return _page(request, done=False)
    raise NotFound(NOT_GOOD)


@router.post("/stop/{token}")
async def stop(request: Request, token: str) -> HTMLResponse:
    """Ends the messages at once."""
    web = web_of(request)
    for hospital in sorted(web.places.hospitals):
        async with _as(request, hospital) as connection:
            now = web.clock.now_us()
            if await leaflet.stop(connection, scope_of(hospital), token, now):
                return _page(request, done=True)
    raise NotFound(NOT_GOOD)


def _as(request: Request, hospital: str) -> AbstractAsyncContextManager[Connection]:
    return web_of(request).database.transaction(scope_of(hospital))


def _page(request: Request, *, done: bool) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    page = Page(words=words, title=words.t("stop.title"))
    return HTMLResponse(web.renderer.fill("stop.html", page=page, done=done))
