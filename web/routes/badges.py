"""A named act at a wall by a badge; and whose badges there are, for administrators.

A reader types the number and Enter. The number is looked up by its keyed hash and kept nowhere;
it opens one act at that wall, for fifteen seconds.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, Role, allows, require
from hospital_ops.accounts import SignInRefused
from hospital_ops.badges import store
from hospital_ops.board import BedCell
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError, NotFound
from streams.badge_acts import ACT_LIFE_S, WRONG_LIFE_S, BadgeActs
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.limits import uuid_of
from web.lying import json_object, text_of
from web.reading import NOT_HERE, note_reading, unit_of_bed
from web.routes.alarms import BEDSIDE, audited, done_to
from web.state import Web
from web.views.page import Page
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
NUMBER: Final = re.compile(r"[0-9A-Za-z]{4,40}")
UNKNOWN: Final = "This badge is not known here."


@router.post("/api/v1/icu/units/{unit}/badge")
async def read(request: Request, unit: str, wall: Someone) -> dict[str, Any]:
    """A badge was read at this wall: `{"badge"}`; answers whose it is and for how long."""
    web = _at_wall(request, unit, wall)
    acts = BadgeActs(web.appender.pipe)
    if await acts.refused(wall.key):
        raise SignInRefused("Too many unknown badges: wait a minute.", WRONG_LIFE_S)
    number = _number(text_of(await json_object(request), "badge", 64))
    person = await store.person_of(web.database, wall, _hashed(web, wall.hospital, number))
    hospital = hospital_of(unit)
    if person is None or not allows(person, Permission.SILENCE_ALARM, hospital, unit):
        await acts.wrong(wall.key)
        await note_reading(request, wall, unit, "unknown_badge", unit)
        raise NotFound(UNKNOWN)
    await acts.begin(wall.key, f"{person.role.value} {person.actor}")
    return {"name": person.actor, "seconds": ACT_LIFE_S}


@router.post("/api/v1/icu/beds/{bed}/badge-acknowledge")
async def acknowledge(request: Request, bed: str, wall: Someone) -> dict[str, Any]:
    """Whoever's badge was just read at this wall takes on what rings at the bed."""
    unit = unit_of_bed(request, bed, wall, Permission.SEE_BOARD)
    web = _at_wall(request, unit, wall)
    read_here = await BadgeActs(web.appender.pipe).take(wall.key)
    if read_here is None:
        raise NotFound("No badge was read here in the last seconds: hold it to the reader again.")
    role, _, name = read_here.partition(" ")
    person = Principal(
        actor=name, role=Role(role), hospital=wall.hospital, units=(unit,), key="", mode=wall.mode
    )
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    ringing = (
        [a for a in cell.alarms if a.state in ("active", "latched")]
        if isinstance(cell, BedCell)
        else []
    )
    done: list[tuple[wire.Entry, bytes]] = [
        (done_to(web, unit, bed, each.id, person, "acknowledge", 0, each.burst_at), b"")
        for each in ringing
    ]
    note = wire.replaced(
        audited(request, unit, person, "acknowledge_by_badge", bed), detail=f"at {wall.actor}"
    )
    await web.appender.append_many(unit, [*done, (note, b"")])
    return {
        "bed": bed,
        "by": person.actor,
        "alarms": [alarm.id for alarm in ringing],
        "at": iso(web.clock.now_us()),
        "bedside": BEDSIDE,
    }


@router.get("/api/v1/badges")
async def listed(request: Request, principal: Someone) -> dict[str, Any]:
    """Whose badges there are; never a number."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    return {"badges": await store.listed(web_of(request).database, principal.scope)}


@router.post("/api/v1/badges")
async def add(request: Request, principal: Someone) -> dict[str, Any]:
    """Registers `{"name","badge"}`."""
    sent = await json_object(request)
    return await _add(request, principal, text_of(sent, "name", 80), text_of(sent, "badge", 64))


@router.delete("/api/v1/badges/{badge}")
async def revoke(request: Request, badge: str, principal: Someone) -> dict[str, Any]:
    """Ends a badge at once."""
    await _revoke(request, principal, badge)
    return {"badge": badge, "revoked": True}


@router.get("/badges")
async def page(request: Request, principal: Someone) -> HTMLResponse:
    """The same as a page."""
    found = await listed(request, principal)
    web, words = web_of(request), words_of(language_of(request))
    made = Page(words=words, title=words.t("badges.title"), user=principal.actor, demo=web.demo)
    return HTMLResponse(web.renderer.fill("badges.html", page=made, badges=found["badges"]))


@router.post("/badges")
async def press_add(
    request: Request,
    principal: Someone,
    name: Annotated[str, Form(max_length=80)],
    badge: Annotated[str, Form(max_length=64)],
) -> Response:
    """Registers one, then shows the page."""
    await _add(request, principal, name, badge)
    return RedirectResponse("/badges", status_code=303)


@router.post("/badges/{badge}/revocation")
async def press_revoke(request: Request, badge: str, principal: Someone) -> Response:
    """Ends one, then shows the page."""
    await _revoke(request, principal, badge)
    return RedirectResponse("/badges", status_code=303)


async def _add(request: Request, principal: Principal, name: str, badge: str) -> dict[str, Any]:
    require(principal, Permission.ADMINISTER, principal.hospital)
    web = web_of(request)
    digest = _hashed(web, principal.hospital, _number(badge))
    made = await store.add(web.database, principal, name.strip(), digest, web.clock.now_us())
    return {"badge": made, "name": name.strip()}


async def _revoke(request: Request, principal: Principal, badge: str) -> None:
    require(principal, Permission.ADMINISTER, principal.hospital)
    web = web_of(request)
    await store.revoke(web.database, principal, uuid_of(badge), web.clock.now_us())


def _at_wall(request: Request, unit: str, wall: Principal) -> Web:
    """A badge is read at a wall of this intensive care unit, and nowhere else."""
    web = web_of(request)
    known = web.places.units.get(unit)
    if known is None or known.kind != "icu" or wall.role is not Role.WALLBOARD:
        raise NotFound(NOT_HERE)
    require(wall, Permission.SEE_BOARD, hospital_of(unit), unit)
    return web


def _number(text: str) -> str:
    number = text.strip()
    if not NUMBER.fullmatch(number):
        raise MessageError("bad_badge", "a badge is 4 to 40 letters and digits")
    return number.upper()


def _hashed(web: Web, hospital: str, number: str) -> bytes:
    if web.keys is None:
        raise NotFound("This installation has no key for badges.")
    return web.keys.index(hospital, f"badge\x1f{number}")
