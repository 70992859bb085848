"""Allergies of whoever lies in a bed: recorded there by whoever asked, ended with a reason."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal
from hospital_ops.errors import MessageError
from icu.allergies import store
from web.auth import signed_in, web_of
from web.lying import json_object, place_of, taken_place, text_of
from web.meant import meant
from web.reading import note_reading, unit_of_bed

router = APIRouter(prefix="/api/v1/icu/beds/{bed}/allergies", dependencies=[Depends(meant)])
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("")
async def listed(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """What is recorded; `recorded` is false where nobody has asked yet."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    place = place_of(request, unit, bed)
    await note_reading(request, principal, unit, "read_allergies", place.patient_id or bed)
    found = []
    if place.patient_id:
        found = await store.of_patient(web.database, principal, place.patient_id)
    return {"recorded": bool(found), "allergies": found}


@router.post("")
async def record(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Records `{"substance", "reaction", "criticality", "told_by"}`, or `{"none_known": true}`."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    sent = await json_object(request)
    substance, none_known = text_of(sent, "substance", 120), sent.get("none_known") is True
    if bool(substance) == none_known:
        raise MessageError("bad_allergy", "send a `substance`, or `none_known` as true")
    criticality = sent.get("criticality") or "unable-to-assess"
    if criticality not in store.CRITICALITIES:
        known = ", ".join(store.CRITICALITIES)
        raise MessageError("bad_allergy", f"`criticality` is one of {known}")
    place = taken_place(request, unit, bed)
    found = await store.record(
        web.database,
        principal,
        unit=unit,
        patient_id=place.patient_id,
        substance=substance,
        reaction=text_of(sent, "reaction"),
        criticality=criticality,
        told_by=text_of(sent, "told_by", 120),
        at=web.clock.now_us(),
    )
    return {"recorded": True, "allergies": found}


@router.post("/{allergy}/confirmation")
async def confirm(request: Request, bed: str, allergy: str, principal: Someone) -> dict[str, Any]:
    """Says that somebody here has asked again: what was told before the bed is so."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    place, at = taken_place(request, unit, bed), web.clock.now_us()
    await store.confirm(
        web.database, principal, unit=unit, patient_id=place.patient_id, allergy=allergy, at=at
    )
    return {"confirmed": allergy}


@router.post("/{allergy}/end")
async def end(request: Request, bed: str, allergy: str, principal: Someone) -> dict[str, Any]:
    """Ends a record with a `reason`: refuted, or entered in error."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    reason = text_of(await json_object(request), "reason")
    if not reason:
        raise MessageError("no_reason", "to end the record of an allergy needs a `reason`")
    place = taken_place(request, unit, bed)
    await store.end(
        web.database,
        principal,
        unit=unit,
        patient_id=place.patient_id,
        allergy=allergy,
        reason=reason,
        at=web.clock.now_us(),
    )
    return {"ended": allergy}
