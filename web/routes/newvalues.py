"""New values and signs of a patient who is here, typed in the department.

They go in by the same intake as what a tablet sends, under the same limits as a walk-in's page.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import CaseCell
from hospital_ops.case_steps import ARRIVED
from hospital_ops.errors import Conflict, MessageError
from hospital_ops.events import storable
from streams.shard import hospital_of
from web import entered
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import case_of
from web.routes import cases
from web.routes.walkins import refused
from web.words import words_of

router = APIRouter(prefix="/ed/cases", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]


@router.post("/{case}/values")
async def enter(request: Request, case: str, principal: Someone) -> Response:
    """Files what was typed; a field that cannot be is said, and nothing was filed then."""
    web, words = web_of(request), words_of(language_of(request))
    unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    for needed in (Permission.OPEN_CASE, Permission.SEND_VALUES):
        require(principal, needed, hospital_of(unit), unit)
    if cell.step != ARRIVED:
        raise Conflict("Values are entered here for who is in the department.")
    form, now = await request.form(), web.clock.now_us()
    text = {key: storable(str(said)).strip() for key, said in form.items()}
    try:
        events = entered.values_of(text, cell.case, now, cell.mode)
    except MessageError as error:
        said = refused(error, words)
        return cases.page_of(request, unit, cell, principal, said=said, typed=form, status=400)
    facts = changed_facts(cell, form)
    if facts:
        body = wire.to_json({"destination": unit, **facts})
        await web.intake.open_case(principal, cell.case, body)
    if events:
        await web.intake.take_measurements(principal, cell.case, wire.to_json({"events": events}))
    if facts or events:
        entry = wire.Audited(
            unit=unit,
            at=now,
            actor=principal.actor,
            role=principal.role,
            action="enter_values",
            subject=cell.case,
            detail=f"{len(events)} values, {', '.join(sorted(facts)) or 'no facts'}",
        )
        await web.appender.append(unit, entry)
        await cases.shown_soon(request, cell)
    return RedirectResponse(f"/ed/cases/{cell.case}", status_code=303)


def changed_facts(cell: CaseCell, form: FormData) -> dict[str, Any]:
    """The signs and the oxygen, where the page says something else than it was shown with."""
    facts: dict[str, Any] = {}
    shown = [sign for sign in str(form.get("signs_shown", "")).split(",") if sign]
    ticked = [str(sign) for sign in form.getlist("signs") if sign != "none"]
    asked = "none" in form.getlist("signs") and cell.facts.get("signs") is None
    if set(shown) != set(ticked) or asked:
        facts["signs"] = entered.signs_after(cell.facts.get("signs") or (), shown, ticked)
    oxygen = form.get("oxygen")
    if oxygen in ("yes", "no") and (oxygen == "yes") != cell.facts.get("on_oxygen"):
        facts["on_oxygen"] = oxygen == "yes"
    return facts
