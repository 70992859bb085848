"""The limits of a unit and of a bed: which hold, who approved them, set and taken back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, allows
from icu.limit_changes import store
from streams.shard import hospital_of
from web import limits
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import json_object, text_of
from web.meant import meant
from web.pages import page_of
from web.reading import note_reading
from web.views import alarmload
from web.views import limits as view
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
Reason = Annotated[str, Form(max_length=500)]


@router.get("/api/v1/icu/units/{unit}/alarm-limits")
async def of_unit(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Every change of the unit with who approved it and why; `in_force` marks what holds."""
    limits.permitted(request, unit, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_limits", unit)
    found = await store.history(web_of(request).database, principal.scope, unit)
    return {"unit": unit, "changes": found}


@router.post("/api/v1/icu/units/{unit}/alarm-limits")
async def apply(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Applies what a replay has shown: `{"replay", "reason"}`."""
    sent = await json_object(request)
    return await limits.applied(
        request, unit, principal, text_of(sent, "replay", 36), text_of(sent, "reason")
    )


@router.post("/api/v1/icu/units/{unit}/alarm-limits/{change}/undo")
async def undo(request: Request, unit: str, change: str, principal: Someone) -> dict[str, Any]:
    """Takes a change back: `{"reason"}`; what held before holds again."""
    reason = text_of(await json_object(request), "reason")
    return await limits.undone(request, unit, principal, change, reason)


@router.get("/api/v1/icu/beds/{bed}/limits")
async def of_bed(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """The limits in force at a bed with source and approval, and the patient's own changes."""
    return await limits.of_bed(request, bed, principal)


@router.post("/api/v1/icu/beds/{bed}/limits", dependencies=[Depends(meant)])
async def set_own(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Sets one: `{"rule","code","limit","reason","version"}`; back: `{"undo","reason"}`."""
    sent = await json_object(request)
    if "undo" in sent:
        unit = web_of(request).places.unit_of_bed(bed) or ""
        change, reason = text_of(sent, "undo", 36), text_of(sent, "reason")
        return await limits.undone(request, unit, principal, change, reason)
    return await limits.set_own(request, bed, principal, sent)


@router.get("/icu/{unit}/alarm-limits")
async def unit_page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """The changes of the unit as a page."""
    found = await of_unit(request, unit, principal)
    web, words = web_of(request), words_of(language_of(request))
    text = web.renderer.fill(
        "unit_limits.html",
        page=page_of(request, principal, words.t("limits.unit_title"), unit),
        unit=unit,
        may=_may(principal, unit),
        changes=view.changes(found["changes"], words),
    )
    return HTMLResponse(text)


@router.post("/icu/{unit}/alarm-limits")
async def press_apply(
    request: Request,
    unit: str,
    principal: Someone,
    replay: Annotated[str, Form(max_length=36)],
    reason: Reason = "",
) -> Response:
    """Applies what was shown, then shows the unit's changes."""
    await limits.applied(request, unit, principal, replay, reason)
    return RedirectResponse(f"/icu/{unit}/alarm-limits", status_code=303)


@router.post("/icu/{unit}/alarm-limits/{change}/undo")
async def press_undo(
    request: Request, unit: str, change: str, principal: Someone, reason: Reason = ""
) -> Response:
    """Takes a change back, then shows the unit's changes."""
    await limits.undone(request, unit, principal, change, reason)
    return RedirectResponse(f"/icu/{unit}/alarm-limits", status_code=303)


@router.get("/icu/beds/{bed}/limits")
async def bed_page(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The limits of a bed as a page."""
    found = await limits.of_bed(request, bed, principal)
    web, words = web_of(request), words_of(language_of(request))
    text = web.renderer.fill(
        "bed_limits.html",
        page=page_of(request, principal, words.t("limits.bed_title"), found["unit"]),
        bed=bed,
        may=bool(found["patient_id"]) and _may(principal, found["unit"]),
        patient_id=found["patient_id"],
        rows=view.rows(found["limits"], words),
        devices=view.devices(found["device_limits"], words),
        changes=view.changes(found["history"], words),
    )
    return HTMLResponse(text)


@router.post("/icu/beds/{bed}/limits", dependencies=[Depends(meant)])
async def press_own(
    request: Request,
    bed: str,
    principal: Someone,
    what: Annotated[str, Form(max_length=80)],
    limit: Annotated[str, Form(max_length=8)] = "",
    reason: Reason = "",
) -> Response:
    """Sets a limit of the patient; `what` is RULE|CODE|VERSION."""
    rule, code, version = [*what.split("|"), "", "", ""][:3]
    sent = {
        "rule": rule,
        "code": code,
        "version": int(version) if version.isdecimal() else 0,
        "limit": alarmload.number(limit),
        "reason": reason,
    }
    await limits.set_own(request, bed, principal, sent)
    return RedirectResponse(f"/icu/beds/{bed}/limits", status_code=303)


@router.post("/icu/beds/{bed}/limits/{change}/undo", dependencies=[Depends(meant)])
async def press_own_back(
    request: Request, bed: str, change: str, principal: Someone, reason: Reason = ""
) -> Response:
    """Takes a patient's limit back."""
    unit = web_of(request).places.unit_of_bed(bed) or ""
    await limits.undone(request, unit, principal, change, reason)
    return RedirectResponse(f"/icu/beds/{bed}/limits", status_code=303)


def _may(principal: Principal, unit: str) -> bool:
    return allows(principal, Permission.SET_LIMITS, hospital_of(unit), unit)
