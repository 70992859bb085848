"""Allergies of a patient on the way or in the department, as somebody there was told of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from hospital_ops.access import Permission, Principal
from hospital_ops.errors import MessageError
from hospital_ops.events import storable
from hospital_ops.identity import uuid7
from streams.crew_intake import CrewIntake
from web.auth import signed_in, web_of
from web.reading import case_of
from web.routes.cases import shown_soon

router = APIRouter(prefix="/ed/cases", include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
Text = Annotated[str, Form(max_length=200)]


@router.post("/{case}/allergies")
async def record(
    request: Request,
    case: str,
    principal: Someone,
    item: Annotated[UUID, Form()],
    what: Text = "",
    reaction: Text = "",
    who: Text = "",
    none_known: Text = "",
) -> Response:
    """An allergy, or that none are known; sent twice it is one."""
    said = storable(what).strip()
    if bool(said) == bool(none_known):
        raise MessageError("bad_allergy", "name the substance, or say that none is known")
    _, before = await case_of(request, case, principal, Permission.ACKNOWLEDGE_CASE)
    crew = CrewIntake(web_of(request).intake)
    about = storable(reaction).strip(), storable(who).strip()
    await crew.say_allergy(principal, case, str(item), said, *about)
    await shown_soon(request, before)
    return RedirectResponse(f"/ed/cases/{UUID(case)}", status_code=303)


@router.post("/{case}/allergies/{item}/withdrawal")
async def take_back(request: Request, case: str, item: UUID, principal: Someone) -> Response:
    """What was told was a mistake."""
    _, before = await case_of(request, case, principal, Permission.ACKNOWLEDGE_CASE)
    crew = CrewIntake(web_of(request).intake)
    await crew.take_back(principal, case, str(uuid7()), str(item))
    await shown_soon(request, before)
    return RedirectResponse(f"/ed/cases/{UUID(case)}", status_code=303)
