"""Walk-ins: a tablet's page in the department registers who comes in, with signs and values.

What is entered goes in by the same intake as what tablets send: a case, its values, its arrival.
Saying it twice does nothing: case and events have ids that the page was given.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import CaseCell
from hospital_ops.case_steps import COMING
from hospital_ops.clock import to_datetime
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.events import storable
from hospital_ops.identity import uuid7
from streams.shard import hospital_of
from triage.namesakes import Arrival, warnings_of
from web import entered, store
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, units_in
from web.state import Web
from web.views import walkin as views
from web.views.page import Page
from web.words import Words, words_of

router = APIRouter(prefix="/ed", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
SOON_S = 3.0  # what was just sent is given so long to reach the board
AGAIN_H = 72  # who comes again within three days is shown to whoever registers


@router.get("/{unit}/new")
async def new(request: Request, unit: str, principal: Someone, complaint: str = "") -> HTMLResponse:
    """The empty page; with a complaint, its signs stand first."""
    _may(request, principal, unit)
    return _page(request, principal, unit, str(uuid7()), complaint=complaint)


@router.post("/{unit}/new")
async def register(request: Request, unit: str, principal: Someone) -> Response:
    """Opens the case, files its values and its arrival; then the proposal is shown."""
    _may(request, principal, unit)
    web, form = web_of(request), await request.form()
    case = _uuid(str(form.get("case", "")))
    try:
        now = web.clock.now_us()
        today = to_datetime(now).astimezone(web.renderer.frame("en", now).zone).date()
        facts, events = _sent(form, case, unit, now, principal.mode, today)
    except MessageError as error:
        said = refused(error, words_of(language_of(request)))
        return _page(request, principal, unit, case, form=form, said=said, status=400)
    await web.intake.open_case(principal, case, wire.to_json(facts))
    if events:
        await web.intake.take_measurements(principal, case, wire.to_json({"events": events}))
    await web.intake.step(principal, case, "arrival", "")
    return RedirectResponse(f"/ed/{unit}/new/{case}", status_code=303)


@router.get("/{unit}/new/{case}")
async def proposal(request: Request, unit: str, case: UUID, principal: Someone) -> HTMLResponse:
    """What the house proposes, who has the same name, and who was here within three days."""
    _may(request, principal, unit)
    web, words = web_of(request), words_of(language_of(request))
    cell = await _arrived(web, unit, str(case))
    await note_reading(request, principal, unit, "read_case", cell.case)
    now = web.clock.now_us()
    units = units_in(web, principal.hospital)
    rows = await store.arrivals_since(web.database, principal.scope, units, now, AGAIN_H)
    same = warnings_of(cell.case, cell.facts, [Arrival(*row) for row in rows])
    frame = web.renderer.frame(words.language, now)
    html = web.renderer.fill(
        "walkin_done.html",
        page=_about(request, principal, unit),
        unit=unit,
        now_us=now,
        **views.proposal_view(cell, same, frame),
    )
    return HTMLResponse(html)


@router.get("/{unit}/downtime")
async def downtime(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """Everybody who is here or on the way, on paper, and empty lines for when nothing works."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web, words = web_of(request), words_of(language_of(request))
    feed = web.feed(unit)
    if feed is None or feed.unit.kind != "ed":
        raise NotFound("There is no such department.")
    await note_reading(request, principal, unit, "read_downtime_sheet", unit)
    now = web.clock.now_us()
    frame = web.renderer.frame(words.language, now)
    cells = [cell for cell in feed.cells.values() if isinstance(cell, CaseCell)]
    html = web.renderer.fill(
        "downtime.html",
        page=_about(request, principal, unit),
        unit=unit,
        **views.downtime_view(cells, frame),
    )
    return HTMLResponse(html)


async def _arrived(web: Web, unit: str, case: str) -> CaseCell:
    """The case once its arrival, the last that was sent of it, is on the board."""
    feed, end = web.feed(unit), web.clock.monotonic_s() + SOON_S
    cell = await feed.cell_soon(case) if feed else None
    while feed and isinstance(cell, CaseCell) and cell.step == COMING:
        left = end - web.clock.monotonic_s()
        if left <= 0:
            break
        await feed.news(feed.rev, left)
        cell = feed.cells.get(case)
    if not isinstance(cell, CaseCell):
        raise NotFound("This case is no longer on the board.")
    return cell


def _may(request: Request, principal: Principal, unit: str) -> None:
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    require(principal, Permission.OPEN_CASE, hospital_of(unit), unit)
    known = web_of(request).places.units.get(unit)
    if known is None or known.kind != "ed":
        raise NotFound("There is no such department.")


def _about(request: Request, principal: Principal, unit: str) -> Page:
    web, words = web_of(request), words_of(language_of(request))
    return Page(
        words=words,
        title=words.t("walkin.title"),
        mode="touch",
        user=principal.actor,
        demo=web.demo,
        unit=unit,
    )


def _page(
    request: Request,
    principal: Principal,
    unit: str,
    case: str,
    *,
    complaint: str = "",
    form: FormData | None = None,
    said: str = "",
    status: int = 200,
) -> HTMLResponse:
    words = words_of(language_of(request))
    kept = {key: str(value) for key, value in form.items()} if form else {"complaint": complaint}
    html = web_of(request).renderer.fill(
        "walkin.html",
        page=_about(request, principal, unit),
        unit=unit,
        case=case,
        kept=kept,
        ticked={str(sign) for sign in form.getlist("signs")} if form else set(),
        said=said,
        **views.form_view(kept.get("complaint", ""), words.language),
    )
    return HTMLResponse(html, status_code=status)


def _sent(
    form: FormData, case: str, unit: str, now_us: int, mode: str, today: date
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(facts, events) of the page, as a tablet would send them; MessageError in words."""
    text = {key: storable(str(value)).strip() for key, value in form.items()}
    facts: dict[str, Any] = {
        "destination": unit,
        "origin": "walk_in",
        "sex": text.get("sex") or "unknown",
        "complaint": text.get("complaint") or text.get("words") or None,
        "on_oxygen": text.get("on_oxygen") == "yes",
    }
    facts |= {key: text[key] for key in ("family", "given", "birth_date") if text.get(key)}
    facts |= views.age_of(text, today)
    asked = [str(sign) for sign in form.getlist("signs") if sign != "none"]
    if asked or "none" in form.getlist("signs"):  # nobody looked yet is not "none"
        facts["signs"] = asked
    if text.get("pregnant") == "yes":
        facts["pregnant"] = True
    kept = {key: value for key, value in facts.items() if value is not None or key in views.AGES}
    return kept, entered.values_of(text, case, now_us, mode)


def refused(error: MessageError, words: Words) -> str:
    """Why a page was not taken, naming the field in the reader's words."""
    if not isinstance(error, entered.FieldError):
        known = f"walkin.{error.code}"
        return words.t(known) if words.has(known) else error.reason
    label = "walkin.avpu" if error.field == "avpu" else f"walkin.vital.{error.field}"
    return words.t("walkin.bad_value", field=words.t(label))


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise MessageError("bad_case_id", "open the page anew: it has lost its case") from error
