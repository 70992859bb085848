"""Reviews of what the cross-check rejects, and what a unit has enabled: a page and JSON."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError, NotFound
from icu.crosscheck import CHECKED
from icu.reviews import store
from icu.reviews.figures import LEAST, Needed
from streams.shard import hospital_of
from web import limits
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import json_object, text_of
from web.pages import page_of
from web.reading import note_reading
from web.views import silencing as view

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
Reason = Annotated[str, Form(max_length=500)]
API, PAGE = "/api/v1/icu/units/{unit}/alarm-reviews", "/icu/{unit}/alarm-reviews"


@router.get(API)
async def listed(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """What waits for this person's review, and each rule: count, bound, whether it is enabled."""
    limits.permitted(request, unit, principal, Permission.SEE_PATIENT)
    web = web_of(request)
    await note_reading(request, principal, unit, "read_alarm_reviews", unit)
    needed, version, rules = await store.rules(web.database, principal.scope, unit, web.mode)
    waiting = await store.waiting(web.database, principal, unit, web.mode)
    return {
        "unit": unit,
        "needed": needed._asdict() | {"version": version} if needed else None,
        "rules": rules,
        "waiting": [each._asdict() | {"at": iso(each.at)} for each in waiting],
    }


@router.post(API + "/{alarm}")
async def review(request: Request, unit: str, alarm: str, principal: Someone) -> dict[str, Any]:
    """What a physician found of an alarm: `{"was_false": bool, "note"}`; once for each person."""
    sent = await json_object(request)
    if not isinstance(sent.get("was_false"), bool):
        raise MessageError("bad_review", "`was_false` is true or false")
    note = str(sent.get("note") or "")[:500]
    return await _review(request, unit, alarm, principal, sent["was_false"], note)


@router.put("/api/v1/icu/units/{unit}/silencing-settings")
async def settings(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """What the site asks for: `{"least","most_share","version"}`; the house has no figure."""
    limits.permitted(request, unit, principal, Permission.ADMINISTER)
    sent = await json_object(request)
    least, share, version = sent.get("least"), sent.get("most_share"), sent.get("version")
    if not isinstance(least, int) or isinstance(least, bool) or not LEAST <= least < 1 << 20:
        raise MessageError("bad_least", f"`least` is how many reviewed alarms, {LEAST} or more")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share < 1:
        raise MessageError("bad_share", "`most_share` is the most that may be wrong, 0 to 1")
    if not isinstance(version, int) or isinstance(version, bool) or not math.isfinite(share):
        raise MessageError("bad_version", "`version` is the one you have seen, 0 at first")
    web = web_of(request)
    needed = Needed(least, float(share))
    await store.set_site(web.database, principal, unit, needed, version, web.clock.now_us())
    return {"unit": unit, "least": least, "most_share": share, "version": version + 1}


@router.post("/api/v1/icu/units/{unit}/silencing/{rule}/{act}")
async def decide(
    request: Request, unit: str, rule: str, act: str, principal: Someone
) -> dict[str, Any]:
    """`enable` or `undo` for one rule of the unit: `{"reason"}`."""
    reason = text_of(await json_object(request), "reason")
    return await _decide(request, unit, rule, act, principal, reason)


@router.get(PAGE)
async def page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """The same as a page."""
    web = web_of(request)
    found = await listed(request, unit, principal)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    made = page_of(request, principal, frame.words.t("reviews.title"), unit)
    text = web.renderer.fill(
        "alarm_reviews.html",
        page=made,
        unit=unit,
        may=allows(principal, Permission.SET_LIMITS, hospital_of(unit), unit),
        needed=view.needed(found["needed"], frame.words),
        rules=[view.rule(row, frame) for row in found["rules"]],
        waiting=[view.waiting(row, frame) for row in found["waiting"]],
    )
    return HTMLResponse(text)


@router.post(PAGE + "/rules/{rule}/{act}")
async def press_decide(
    request: Request, unit: str, rule: str, act: str, principal: Someone, reason: Reason = ""
) -> Response:
    """Enables or takes back, then shows the page."""
    await _decide(request, unit, rule, act, principal, reason)
    return RedirectResponse(f"/icu/{unit}/alarm-reviews", status_code=303)


@router.post(PAGE + "/{alarm}")
async def press_review(
    request: Request,
    unit: str,
    alarm: str,
    principal: Someone,
    found: Annotated[str, Form(max_length=8)],
    note: Reason = "",
) -> Response:
    """One press: the alarm was false, or true."""
    if found not in ("false", "true"):
        raise MessageError("bad_review", "say whether the alarm was false or true")
    await _review(request, unit, alarm, principal, found == "false", note)
    return RedirectResponse(f"/icu/{unit}/alarm-reviews", status_code=303)


async def _review(
    request: Request, unit: str, alarm: str, principal: Principal, was_false: bool, note: str
) -> dict[str, Any]:
    limits.permitted(request, unit, principal, Permission.SET_LIMITS)
    web, now = web_of(request), web_of(request).clock.now_us()
    return await store.review(
        web.database, principal, unit, limits.uuid_of(alarm), was_false, note, now, web.mode
    )


async def _decide(
    request: Request, unit: str, rule: str, act: str, principal: Principal, reason: str
) -> dict[str, Any]:
    limits.permitted(request, unit, principal, Permission.SET_LIMITS)
    if rule not in CHECKED or act not in ("enable", "undo"):
        raise NotFound("There is no such rule or act.")
    why, web = limits.reason_of(reason), web_of(request)
    now = web.clock.now_us()
    if act == "undo":
        return await store.take_back(web.database, principal, unit, rule, why, now)
    return await store.enable(web.database, principal, unit, rule, why, now, web.mode)
