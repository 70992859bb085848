"""Pages of messages to relatives: the day's list with the phone, and one bed's relatives."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.clinical.dynamics import SEVERITY_WORDS
from hospital_ops.errors import MessageError, NotFound
from notify.desk.acts import BASES, TELLS
from notify.desk.day import DYNAMICS
from notify.prices.store import PROVIDERS
from notify.rules import languages
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of, units_of
from web.routes.relatives_api import NOT_HERE, audit_read, desk_of, hours_json, unit_of, zone_of
from web.views import messagecosts as costs
from web.views import relatives as views
from web.views.messagecosts import Row
from web.words import words_of

router = APIRouter(include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
RELATIONS = ("wife", "husband", "daughter", "son", "mother", "father", "sister", "brother", "other")


@router.get("/relatives")
async def first_unit(request: Request, principal: Someone) -> Response:
    """To the first intensive care unit that is open to the user."""
    units = [u["id"] for u in units_of(web_of(request), principal) if u["kind"] == "icu"]
    if not units:
        raise NotFound(NOT_HERE)
    return RedirectResponse(f"/relatives/{units[0]}", status_code=303)


@router.get("/relatives/{unit}")
async def day(
    request: Request, unit: str, principal: Someone, message: UUID | None = None
) -> HTMLResponse:
    """Today's messages, held first; the chosen one as the phone shows it."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web, zone, words = web_of(request), zone_of(request, unit), words_of(language_of(request))
    desk = desk_of(request)
    rows, stops = await desk.today(principal.scope, unit, zone)
    waiting = await desk.inbox(principal.scope, unit)
    spent = await desk.spent(principal.scope, unit, zone)
    priced = bool(await desk.prices(principal.scope))
    await audit_read(request, principal, unit, unit)
    chosen = views.chosen(rows, message)
    phone = None
    if chosen is not None:
        steps = await desk.steps(principal.scope, str(chosen["message"]))
        shown: Row = chosen
        if views.is_to_confirm(chosen):
            shown = dict(chosen) | await desk.draft(principal.scope, str(chosen["message"]))
        phone = views.phone(shown, steps, words, zone)
    lines = views.lines(rows, words, zone, phone)
    return HTMLResponse(
        web.renderer.fill(
            "relatives.html",
            page=page_of(request, principal, words.t("relatives.title"), unit),
            unit=unit,
            lines=lines,
            totals=views.totals(lines, words),
            silent=views.silent(rows, words, zone),
            parts=costs.spent(spent, words, priced=priced),
            inbox=views.inbox(waiting, words, zone),
            phone=phone,
            stopped=[place for place in stops if place == unit or place.endswith(":*")],
            whole=any(place.endswith(":*") for place in stops),
            may=allows(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit),
            severities=SEVERITY_WORDS,
            courses=DYNAMICS,
        )
    )


@router.post("/relatives/{unit}")
async def act(request: Request, unit: str, principal: Someone) -> Response:
    """One act of the list's forms, then the list again."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    desk, form, by = desk_of(request), await request.form(), principal.scope
    what, message = _word(form, "act"), _word(form, "message")
    if what == "confirm":
        course = _word(form, "course")
        stay, seen = _word(form, "stay"), _word(form, "seen")
        await desk.confirm(by, stay, _word(form, "severity"), course, seen)
    elif what in ("call", "release"):
        await desk.called(by, message, _word(form, "note"), send=what == "release")
    elif what in ("sent", "failed"):
        await desk.settle(by, message, what)
    elif what == "stop":
        await desk.stop(by, unit, _word(form, "reason"))
    elif what == "go_on":
        await desk.go_on(by, unit, whole=_word(form, "whole") == "on")
    elif what == "answered":
        await desk.answered(by, unit, str(UUID(_word(form, "inbox"))))
    else:
        raise MessageError("unknown_act", "load the page again and repeat")
    chosen = f"?message={message}" if message else ""
    return RedirectResponse(f"/relatives/{unit}{chosen}", status_code=303)


@router.get("/relatives/{unit}/hours")
async def hours(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """When the unit sends, where families may ask, and what a part costs."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    web, words = web_of(request), words_of(language_of(request))
    return HTMLResponse(
        web.renderer.fill(
            "relatives_hours.html",
            page=page_of(request, principal, words.t("relatives.hours"), unit),
            unit=unit,
            zone=zone_of(request, unit),
            hours=hours_json(await desk_of(request).hours(principal.scope, unit)),
            providers=PROVIDERS,
            prices=costs.entries(
                await desk_of(request).prices(principal.scope), words, zone_of(request, unit)
            ),
        )
    )


@router.post("/relatives/{unit}/hours")
async def set_hours(request: Request, unit: str, principal: Someone) -> Response:
    """Sets them, then the day's list; a price, then the same page with it."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    form = dict(await request.form())
    if "provider" in form:
        await desk_of(request).set_price(principal.scope, unit, form)
        return RedirectResponse(f"/relatives/{unit}/hours", status_code=303)
    await desk_of(request).set_hours(principal.scope, unit, form)
    return RedirectResponse(f"/relatives/{unit}", status_code=303)


@router.get("/relatives/beds/{bed}")
async def bed(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The relatives of whoever lies in the bed; the attending enables, confirms and withdraws."""
    unit = unit_of(request, principal, bed, Permission.SEE_PATIENT)
    web, words = web_of(request), words_of(language_of(request))
    found = await desk_of(request).bed(principal.scope, bed)
    await audit_read(request, principal, unit, found.stay.patient_id)
    zone = found.stay.zone
    label = next((b.label for b in web.places.beds_of(unit) if b.bed == bed), bed)
    return HTMLResponse(
        web.renderer.fill(
            "relatives_bed.html",
            page=page_of(request, principal, words.t("relatives.bed", bed=label), unit),
            unit=unit,
            bed=bed,
            who=found.stay,
            proposal=views.proposal_view(found.proposal, words),
            contacts=[(one, views.day_clock(one.enabled_at, zone)) for one in found.contacts],
            by_law=any(one.basis == "law" and not one.withdrawn_at for one in found.contacts),
            history=views.history(found.messages, words, zone),
            may=allows(principal, Permission.CONSENT, hospital_of(unit), unit),
            relations=RELATIONS,
            languages=languages(),
            tells=TELLS,
            bases=BASES,
        )
    )


@router.post("/relatives/beds/{bed}")
async def act_on_bed(request: Request, bed: str, principal: Someone) -> Response:
    """One act of the bed's forms, then the page again."""
    unit_of(request, principal, bed, Permission.CONSENT)
    desk, form, by = desk_of(request), await request.form(), principal.scope
    what, contact = _word(form, "act"), _word(form, "contact")
    seen = _word(form, "stay") or "none"  # a form without one was not made by this page
    if what == "enable":
        given = {name: str(value) for name, value in form.items()}
        contact = await desk.enable(by, bed, given | {"stay": seen})
    elif what == "code":
        if not await desk.send_code(by, contact):
            raise MessageError("code_sent", "this number has had a code today: read it back")
    elif what == "verify":
        if not await desk.confirm_number(by, contact, _word(form, "code")):
            raise MessageError("wrong_code", "this is not the code, or it is too old")
    elif what == "read_back":
        await desk.confirm_number(by, contact, None)
    elif what == "withdraw":
        await desk.withdraw(by, contact, "asked")
    elif what == "patient_decides":
        await desk.patient_decides(by, bed, seen)
    elif what == "switch":
        ticked = {name: _word(form, name) == "on" for name in ("automatic", "treatment_limited")}
        looked_at = {"stay": seen, "version": _word(form, "version")}
        await desk.change(
            by, bed, {**ticked, **looked_at, "hold_reason": _word(form, "hold_reason")}
        )
    else:
        raise MessageError("unknown_act", "load the page again and repeat")
    return RedirectResponse(f"/relatives/beds/{bed}", status_code=303)


def _word(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()[:500]
