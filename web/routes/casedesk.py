"""What somebody does at the desk of a case, as forms of its page; every act leads back to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from hospital_ops.access import Permission, Principal
from hospital_ops.case_steps import STEPS
from hospital_ops.clock import from_datetime
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.events import storable
from streams.case_notes import note
from streams.crew_intake import CrewIntake
from streams.facts import SIGNS
from triage.complaints import name_of
from triage.phrases import PHRASES
from web.auth import signed_in, web_of
from web.rerouting import send_elsewhere
from web.routes.readiness import ACTS, checked_item

router = APIRouter(prefix="/ed/cases", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
Text = Annotated[str, Form(max_length=300)]
FINDINGS_MAX = 40


@router.post("/{case}/steps/{step}")
async def step(
    request: Request,
    case: str,
    step: str,
    principal: Someone,
    reason: Text = "",
    to: Text = "",
    outside: Text = "",
) -> Response:
    """Arrival, take-over, hand-over, an end: a step of the way."""
    if step not in STEPS:
        raise NotFound("A case knows no such step.")
    web, why = web_of(request), storable(reason)
    if step == "reroute":
        where = storable(outside)
        await send_elsewhere(web, principal, case, to=to, outside=where, reason=why)
        return RedirectResponse(f"/ed/cases/{UUID(case)}", status_code=303)
    await web.intake.step(principal, case, step, why)
    return _back(case)


@router.post("/{case}/places")
async def keep(
    request: Request, case: str, principal: Someone, place: Text, act: Text = "hold"
) -> Response:
    """Keeps a place, says that it is ready, or gives it back."""
    web = web_of(request)
    if act not in ACTS:
        raise MessageError("bad_act", f"`act` is one of {', '.join(ACTS)}")
    unit = await web.intake.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
    await web.intake.still_open(principal, case)
    now = web.clock.now_us()
    await ACTS[act](web.database, principal, unit, str(UUID(case)), place, now)
    return _back(case)


@router.post("/{case}/readiness")
async def tick(
    request: Request, case: str, principal: Someone, item: Text, done: Text = "yes", text: Text = ""
) -> Response:
    """Ticks an item (`pathway:item`), takes the tick back, opens or closes a checklist."""
    pathway, _, one = item.partition(":")
    kind, key = checked_item(pathway, one or None)
    intake = web_of(request).intake
    await note(intake, principal, case, kind, key, text=storable(text), done=done == "yes")
    return _back(case)


@router.post("/{case}/messages")
async def say(request: Request, case: str, principal: Someone, phrase: Text) -> Response:
    """A preset phrase to the crew."""
    if PHRASES.get(phrase, {}).get("to") != "crew":
        raise MessageError("bad_phrase", "choose one of the phrases for the crew")
    await note(web_of(request).intake, principal, case, "message", phrase, about="crew")
    return _back(case)


@router.post("/{case}/messages/{message}/read-back")
async def read_back(request: Request, case: str, message: UUID, principal: Someone) -> Response:
    """A phrase of the crew was read."""
    await note(web_of(request).intake, principal, case, "read_back", "", about=str(message))
    return _back(case)


@router.post("/{case}/onset")
async def onset(
    request: Request,
    case: str,
    principal: Someone,
    item: Annotated[UUID, Form()],
    how: Text,
    since: Text = "",
) -> Response:
    """When the symptoms began; the time is of the hospital's own clock."""
    web = web_of(request)
    began = None
    if since:
        try:
            said = datetime.fromisoformat(since)
        except ValueError as error:
            raise MessageError("bad_onset", "the time is YYYY-MM-DDTHH:MM") from error
        zone = web.renderer.frame("en", web.clock.now_us()).zone
        began = from_datetime(said if said.tzinfo else said.replace(tzinfo=zone))
    await CrewIntake(web.intake).say_onset(principal, case, str(item), how, began)
    return _back(case)


@router.post("/{case}/view")
async def view(request: Request, case: str, principal: Someone, text: Text) -> Response:
    """The physician's own view, before the conditions to rule out are shown."""
    if not text.strip():
        raise MessageError("no_view", "say your own view first, in a word or two")
    await note(web_of(request).intake, principal, case, "view", "", text=storable(text))
    return _back(case)


@router.post("/{case}/findings")
async def findings(request: Request, case: str, principal: Someone) -> Response:
    """What was looked for: each finding present or absent; those not answered stay open."""
    form = await request.form()
    answered = [(name, said) for name, said in form.items() if said in ("yes", "no")]
    for name, said in answered[:FINDINGS_MAX]:
        if name_of(name, "en") or name in SIGNS:
            intake = web_of(request).intake
            await note(intake, principal, case, "finding", name, done=said == "yes")
    return _back(case)


def _back(case: str) -> Response:
    return RedirectResponse(f"/ed/cases/{UUID(case)}", status_code=303)
