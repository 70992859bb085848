"""Feeds: whose clock is off, who is silent, what could not be used; for administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops.access import Permission, Principal, require
from hospital_ops.clock import to_datetime
from hospital_ops.feeds import store
from icu.waits import store as waits
from streams import sources
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import units_of
from web.views import feeds as views
from web.views import whoisit
from web.views.page import Page
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/feeds")
async def page(request: Request, principal: Someone) -> Response:
    """Every sender and device, refused requests, and the dead letters of the last day."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    now = web.clock.now_us()
    since = to_datetime(now) - timedelta(days=1)
    async with web.database.transaction(principal.scope) as connection:
        heard = await store.feeds(connection)
        registry = await store.registered(connection)
        behind = await waits.left_behind(connection)
        unused = await store.letters(connection, since)
    hospital, projections = principal.hospital, web.projections
    named = await sources.named(projections.pipe, hospital, now)
    unmapped = await projections.unmapped(hospital)
    frame = web.renderer.frame(words.language, now)
    page = Page(
        words=words,
        title=words.t("feeds.title"),
        user=principal.actor,
        demo=web.demo,
        units=tuple(units_of(web, principal)),
    )
    devices, more = views.devices(heard, registry, frame)
    html = web.renderer.fill(
        "feeds.html",
        page=page,
        senders=views.senders(heard, registry, named, unmapped, unused, frame),
        devices=devices,
        more=more,
        behind=whoisit.behind(behind, frame),
        refusals=await projections.refusals(hospital),
        unmapped=len(unmapped),
        letters=views.letters(unused, frame),
    )
    return HTMLResponse(html)
