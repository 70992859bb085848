"""The ECGs from the ambulance and the emergency department, opened where the patient lies now.

Whoever may see the bed may see them; in a patient's record, whoever may see the case or the bed.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops.access import Permission, Principal, Scope, allows, require
from hospital_ops.board import BedCell
from hospital_ops.errors import MessageError, NotFound
from streams.ecg_intake import picture_type
from streams.shard import hall, hospital_of
from web import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, unit_of_bed
from web.state import Web
from web.streetecgs import store as ecgs
from web.views import ecg12
from web.whereabouts import store as whereabouts

router = APIRouter(include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
UNKNOWN = "There is no such ECG of this patient, or it is not within your units."


class Reach(NamedTuple):
    """The cases that led to a stay, and the scope in which they may be read."""

    cases: list[str]
    scope: Scope
    only: str | None  # of this mode alone


async def of_bed(web: Web, principal: Principal, bed: str, patient_id: str) -> Reach:
    """What may be read of whoever lies in the bed, in whatever department it was taken."""
    here, wide = await whereabouts.stay(web.database, principal.scope, bed)
    return Reach(await store.cases_of(web.database, wide, patient_id), wide, here.only)


async def of_patient(web: Web, principal: Principal, patient_id: str) -> Reach:
    """As of the bed where the patient lies, if it may be seen; else of one's own units."""
    found = await store.patient(web.database, principal.scope, patient_id)
    if found is None:
        raise NotFound("There is no such patient, or not within your units.")
    unit = web.places.unit_of_bed(found["bed"]) if found["bed"] else None
    if unit and allows(principal, Permission.SEE_PATIENT, hospital_of(unit), unit):
        here, wide = await whereabouts.stay(web.database, principal.scope, found["bed"])
        async with web.database.transaction(principal.scope) as connection:
            same = await store.persons(connection, patient_id)
        if here.patient_id in same:
            cases = await store.cases_of(web.database, wide, patient_id)
            return Reach(cases, wide, here.only)
    cases = await store.cases_of(web.database, principal.scope, patient_id)
    return Reach(cases, principal.scope, None)


@router.get("/icu/beds/{bed}/ecgs/{case}/{ecg}")
async def sheet(
    request: Request,
    bed: str,
    case: UUID,
    ecg: UUID,
    principal: Someone,
    speed: float = ecg12.SPEED,
    gain: float = ecg12.GAIN,
) -> HTMLResponse:
    """The ECG on its paper, beside the bed."""
    reach = await _beside(request, bed, principal)
    return await _sheet(
        request, principal, reach, (case, str(ecg)), f"/icu/beds/{bed}", speed, gain
    )


@router.get("/icu/beds/{bed}/ecgs/{case}/{ecg}/picture")
async def picture(
    request: Request, bed: str, case: UUID, ecg: UUID, principal: Someone
) -> Response:
    """The photograph of an ECG, beside the bed."""
    return await _picture(request, await _beside(request, bed, principal), case, str(ecg))


@router.get("/patients/{patient_id}/ecgs/{case}/{ecg}")
async def kept_sheet(
    request: Request,
    patient_id: UUID,
    case: UUID,
    ecg: UUID,
    principal: Someone,
    speed: float = ecg12.SPEED,
    gain: float = ecg12.GAIN,
) -> HTMLResponse:
    """The ECG on its paper, beside a patient's record."""
    reach = await _recorded(request, str(patient_id), principal)
    back = f"/patients/{patient_id}"
    return await _sheet(request, principal, reach, (case, str(ecg)), back, speed, gain)


@router.get("/patients/{patient_id}/ecgs/{case}/{ecg}/picture")
async def kept_picture(
    request: Request, patient_id: UUID, case: UUID, ecg: UUID, principal: Someone
) -> Response:
    """The photograph of an ECG, beside a patient's record."""
    reach = await _recorded(request, str(patient_id), principal)
    return await _picture(request, reach, case, str(ecg))


async def _beside(request: Request, bed: str, principal: Principal) -> Reach:
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_ecg", bed)
    web = web_of(request)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell) or cell.patient is None:
        raise NotFound(UNKNOWN)
    return await of_bed(web, principal, bed, cell.patient.patient_id)


async def _recorded(request: Request, patient_id: str, principal: Principal) -> Reach:
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    await note_reading(request, principal, hall(principal.hospital), "read_ecg", patient_id)
    return await of_patient(web_of(request), principal, patient_id)


async def _sheet(
    request: Request,
    principal: Principal,
    reach: Reach,
    which: tuple[UUID, str],
    back: str,
    speed: float,
    gain: float,
) -> HTMLResponse:
    if speed not in ecg12.SPEEDS or gain not in ecg12.GAINS:
        raise MessageError("bad_scale", "speed is 12.5, 25 or 50 mm/s; gain 5, 10 or 20 mm/mV")
    web, (case, ecg) = web_of(request), which
    found = None
    if await ecgs.is_of(web.database, reach.scope, reach.cases, reach.only, case, ecg):
        found = await store.ecg(web.database, reach.scope, str(case), ecg)
    if found is None:
        raise NotFound(UNKNOWN)
    html = ecg12.render(
        web.renderer,
        language_of(request),
        ecg=found,
        cell=None,
        speed=speed,
        gain=gain,
        now_us=web.clock.now_us(),
        user=principal.actor,
        demo=web.demo,
        back=back,
    )
    return HTMLResponse(html)


async def _picture(request: Request, reach: Reach, case: UUID, ecg: str) -> Response:
    web, data = web_of(request), b""
    if await ecgs.is_of(web.database, reach.scope, reach.cases, reach.only, case, ecg):
        data = await store.ecg_picture(web.database, reach.scope, str(case), ecg)
    kind = picture_type(data)
    if not kind:
        raise NotFound(UNKNOWN)
    return Response(data, media_type=kind)
