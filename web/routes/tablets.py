"""Pairing a crew's tablet, and ending it: the administrator's side and the tablet's."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events, tokens
from hospital_ops.access import ALL_UNITS, Permission, Principal, Role, Scope, require
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.installation import store as installation
from streams.tablet_pairing import CODE_LIFE_S, TabletPairing, Waiting
from web.auth import check_origin, signed_in, web_of
from web.language import language_of
from web.views.page import Page
from web.views.tablets import qr
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,40}")


@router.post("/devices/tablets")
async def begin(
    request: Request, principal: Someone, device: Annotated[str, Form(max_length=48)]
) -> HTMLResponse:
    """Registers a tablet unless it is known, and shows the code that pairs it."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    name = device.strip()
    if not NAME.fullmatch(name):
        raise MessageError("bad_name", "a tablet is named by letters, digits and dashes")
    own = name if name.startswith(f"{principal.hospital}-") else f"{principal.hospital}-{name}"
    now = web.clock.now_us()
    async with web.database.transaction(principal.scope) as connection:
        await installation.ensure_device(connection, principal.scope, own, "tablet", web.mode, now)
        if (await installation.device_of(connection, own))["kind"] != "tablet":
            raise MessageError("not_a_tablet", "a device of this name is no tablet")
    waiting = Waiting(own, principal.hospital, principal.actor)
    code = await TabletPairing(web.appender.pipe).begin(waiting)
    address = f"{str(request.base_url).rstrip('/')}/tablet#pair={code}"
    page = Page(words=words, title=words.t("tablets.title"), user=principal.actor, demo=web.demo)
    html = web.renderer.fill(
        "tablets.html", page=page, device=own, code=code, picture=qr(address), life_s=CODE_LIFE_S
    )
    return HTMLResponse(html)


@router.post("/devices/tablets/revocation")
async def revoke(
    request: Request, principal: Someone, device: Annotated[str, Form(max_length=48)]
) -> Response:
    """Ends a tablet's token at once; what it has not sent stays on it, sealed."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web = web_of(request)
    async with web.database.transaction(principal.scope) as connection:
        known = await installation.device_of(connection, device)
        now = web.clock.now_us()
        await installation.revoke_device(connection, principal.scope, device, now)
    if known["key"]:
        await web.projections.dismiss_key(principal.hospital, known["key"])
    return RedirectResponse("/devices", status_code=303)


@router.post("/tablet/pairing")
async def pair(request: Request) -> dict[str, Any]:
    """`{"code"}` of a tablet: its token, told this once."""
    check_origin(request)
    web = web_of(request)
    sent = events.parse_json(await request.body())
    code = sent.get("code") if isinstance(sent, dict) else None
    waiting = await TabletPairing(web.appender.pipe).take(code) if isinstance(code, str) else None
    if waiting is None:
        raise NotFound("This code pairs nothing now: ask for a new one under Devices.")
    by = Scope(waiting.hospital, ALL_UNITS, Role.ADMINISTRATOR.value, waiting.by)
    now = web.clock.now_us()
    async with web.database.transaction(by) as connection:
        known = await installation.device_of(connection, waiting.device)
        token = await installation.issue_device_token(connection, by, waiting.device, now)
    if known["key"]:
        await web.projections.dismiss_key(waiting.hospital, known["key"])
    principal = Principal(
        actor=f"device:{waiting.device}",
        role=Role.TABLET,
        hospital=waiting.hospital,
        units=(known["unit"],) if known["unit"] else ALL_UNITS,
        key=tokens.token_hash(token).hex(),
        mode=known["mode"],
    )
    await web.projections.admit(principal, now)
    return {"device": waiting.device, "token": token}
