"""Codes without code: what came under a sender's own name, and what it means here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import codes
from hospital_ops.access import Permission, Principal, require
from hospital_ops.codebook import store
from hospital_ops.codebook.rules import Rule
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import units_of
from web.views import codes as views
from web.views.page import Page
from web.words import words_of

router = APIRouter(prefix="/codes")
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("")
async def page(request: Request, principal: Someone) -> Response:
    """What is unmapped, what is mapped, and what was changed when by whom."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    async with web.database.transaction(principal.scope) as connection:
        rows = await store.newest(connection)
        past = await store.history(connection)
    frame = web.renderer.frame(words.language, web.clock.now_us())
    rules = [store.rule_of(row) for row in rows]
    unmapped = await web.projections.unmapped(principal.hospital)
    page = Page(
        words=words,
        title=words.t("codes.title"),
        user=principal.actor,
        demo=web.demo,
        units=tuple(units_of(web, principal)),
    )
    html = web.renderer.fill(
        "codes.html",
        page=page,
        unmapped=views.unmapped(unmapped, rules, frame),
        rules=[rule for rule in rules if rule.key],
        names={key: vital.name for key, vital in codes.by_key.items()},
        history=views.history(past, frame),
    )
    return HTMLResponse(html)


@router.post("/map")
async def map_code(
    request: Request,
    principal: Someone,
    code: Annotated[str, Form(max_length=200)],
    version: Annotated[int, Form(ge=0)],
    scope: Annotated[str, Form(max_length=200)] = "",
    unit: Annotated[str, Form(max_length=200)] = "",
    key: Annotated[str, Form(max_length=80)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Says what a code means from now on, `VITAL` or `VITAL|UNIT` where its unit means that one;
    an empty key ends the mapping."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web = web_of(request)
    vital, _, read_as = key.partition("|")
    wanted = Rule(scope, code, unit, vital, version, read_as)
    now = web.clock.now_us()
    async with web.database.transaction(principal.scope) as connection:
        made = await store.change(connection, principal.scope, wanted, reason.strip(), now)
    await web.projections.map_code(principal.hospital, made)
    return RedirectResponse("/codes", status_code=303)
