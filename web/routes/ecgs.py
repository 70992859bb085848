"""12-lead ECGs of a case: parts on their way in, the curves and the sheet on their way out."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops import wire
from hospital_ops.access import Permission, Principal
from hospital_ops.board import CaseCell
from hospital_ops.clock import iso
from hospital_ops.ecg.files.packing import unpacked
from hospital_ops.errors import MessageError, NotFound
from streams.ecg_intake import EcgIntake, Part, picture_type
from streams.intake import OWN_CASES_ONLY
from web import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.views import ecg12

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
UNKNOWN = "There is no such ECG of this case, or it is not whole yet."


@router.post("/api/v1/prearrivals/{case}/ecgs")
async def take(
    request: Request,
    case: str,
    principal: Someone,
    ecg: Annotated[str, Query(alias="id", max_length=40)] = "",
    offset: int = 0,
    total: int | None = None,
    sha256: Annotated[str, Query(max_length=64)] = "",
    rate_hz: float | None = None,
    step_mv: float | None = None,
    stage: Annotated[str, Query(max_length=16)] = "",
) -> dict[str, Any]:
    """Stores a part of an ECG file (bytes `offset` to `offset` + length of `total`), or all of it.

    Parts may come in any order and again; the answer names what is `missing`. The last one reads
    the whole, once its sha256 agrees. `rate_hz` and `step_mv` are for text files. `stage` (preview,
    coarse) is a small file of low resolution that is shown until the whole is here.
    """
    if stage:
        intake = EcgIntake(web_of(request).intake)
        return await intake.take_stage(principal, case, ecg, stage, await request.body())
    part = Part(
        ecg=ecg, offset=offset, total=total, sha256=sha256, rate_hz=rate_hz, step_mv=step_mv
    )
    return await EcgIntake(web_of(request).intake).take(principal, case, part, await request.body())


@router.get("/api/v1/prearrivals/{case}/ecgs/{ecg}")
async def show(request: Request, case: str, ecg: str, principal: Someone) -> dict[str, Any]:
    """The curves in mV (null: nothing measured); before the last part, what is still missing."""
    unit = await _unit(request, case, principal)
    found = await _stored(request, unit, case, ecg, principal)
    if found is None:
        state = await EcgIntake(web_of(request).intake).state(unit, case, ecg)
        if state is None:
            raise NotFound(UNKNOWN)
        return state
    await _note(request, unit, found.case, principal)
    return {
        "id": found.ecg,
        "case": found.case,
        "complete": True,
        "at": iso(found.at),
        "received_at": iso(found.received_at),
        "rate_hz": found.rate_hz,
        "unit": "mV",
        "leads": {lead.name: unpacked(lead) for lead in found.leads},
        "device": found.device,
        "format": found.source_format,
        "notes": list(found.notes),
        "findings": list(found.findings),
        "reading": found.reading,
        "mode": found.mode,
        "sha256": found.sha256,
    }


@router.get("/ed/cases/{case}/ecgs/{ecg}")
async def sheet(
    request: Request,
    case: str,
    ecg: str,
    principal: Someone,
    speed: float = ecg12.SPEED,
    gain: float = ecg12.GAIN,
) -> HTMLResponse:
    """The ECG on its paper: 3 x 4 leads and the rhythm, to be read and printed."""
    if speed not in ecg12.SPEEDS or gain not in ecg12.GAINS:
        raise MessageError("bad_scale", "speed is 12.5, 25 or 50 mm/s; gain 5, 10 or 20 mm/mV")
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, Permission.SEE_PATIENT)
    found = await _stored(request, unit, case, ecg, principal)
    found = found or await EcgIntake(web.intake).best(unit, case, ecg)
    if found is None:
        raise NotFound(UNKNOWN)
    await _note(request, unit, found.case, principal)
    feed = web.feed(unit)
    cell = feed.cells.get(found.case) if feed else None
    html = ecg12.render(
        web.renderer,
        language_of(request),
        ecg=found,
        cell=cell if isinstance(cell, CaseCell) else None,
        speed=speed,
        gain=gain,
        now_us=web.clock.now_us(),
        user=principal.actor,
        demo=web.demo,
    )
    return HTMLResponse(html)


@router.get("/ed/cases/{case}/ecgs/{ecg}/picture")
async def picture(request: Request, case: str, ecg: str, principal: Someone) -> Response:
    """The photograph of an ECG, as the crew took it."""
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, Permission.SEE_PATIENT)
    data = await EcgIntake(web.intake).picture(unit, case, ecg)
    if not data:
        data = await store.ecg_picture(web.database, principal.scope, str(UUID(case)), ecg.lower())
    kind = picture_type(data)
    if not kind:
        raise NotFound(UNKNOWN)
    await _note(request, unit, str(UUID(case)), principal)
    return Response(data, media_type=kind)


async def _unit(request: Request, case: str, principal: Principal) -> str:
    """The case's unit, for those who sent it and those who may see its patient."""
    sends = principal.role in OWN_CASES_ONLY
    permission = Permission.OPEN_CASE if sends else Permission.SEE_PATIENT
    return await web_of(request).intake.case_unit(principal, case, permission)


async def _stored(
    request: Request, unit: str, case: str, ecg: str, principal: Principal
) -> wire.EcgReceived | None:
    """The whole ECG: from beside the stream while it is fresh, else from the archive."""
    web = web_of(request)
    found = await EcgIntake(web.intake).stored(unit, case, ecg)
    if found is not None:
        return found
    return await store.ecg(web.database, principal.scope, str(UUID(case)), ecg.lower())


async def _note(request: Request, unit: str, case: str, principal: Principal) -> None:
    web = web_of(request)
    entry = wire.Audited(
        unit=unit,
        at=web.clock.now_us(),
        actor=principal.actor,
        role=principal.role,
        action="read_ecg",
        subject=case,
    )
    await web.appender.append(unit, entry)
