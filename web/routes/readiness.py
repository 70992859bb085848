"""Readiness of a case as calls: checklists, places, preset phrases with read-back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import MessageError
from hospital_ops.events import parse_json
from streams.case_notes import note
from streams.intake import OWN_CASES_ONLY
from streams.shard import hospital_of
from triage.pathways import PATHWAYS, items_of
from triage.phrases import PHRASES
from triage.places import store
from web.auth import signed_in, web_of

router = APIRouter(prefix="/api/v1")
Someone = Annotated[Principal, Depends(signed_in)]
ACTS = {"hold": store.hold, "ready": store.ready, "release": store.release}


@router.get("/ed/phrases")
async def phrases(request: Request, principal: Someone) -> list[dict[str, Any]]:
    """The preset phrases: id, whom they are for, in English and Russian."""
    return list(PHRASES.values())


@router.get("/ed/{unit}/places")
async def places(request: Request, unit: str, principal: Someone) -> list[dict[str, Any]]:
    """The places of a department, each free, held or ready, and for which case."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    return await store.places_of(web_of(request).database, principal, unit)


@router.post("/prearrivals/{case}/places")
async def keep(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """`{"place", "act": "hold"|"ready"|"release"}`; 409 with whose it is to who came second."""
    sent = await _object(request)
    act = ACTS.get(str(sent.get("act", "hold")))
    if act is None:
        raise MessageError("bad_act", f"`act` is one of {', '.join(ACTS)}")
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
    await web.intake.still_open(principal, case)
    place, at = str(sent.get("place", "")), web.clock.now_us()
    return await act(web.database, principal, unit, str(UUID(case)), place, at)


@router.post("/prearrivals/{case}/readiness")
async def tick(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """`{"pathway", "item", "done": bool, "note"}`; without `item` opens or closes the checklist."""
    sent = await _object(request)
    pathway, item, done = sent.get("pathway"), sent.get("item"), sent.get("done", True)
    kind, key = checked_item(pathway, item)
    if not isinstance(done, bool):
        raise MessageError("bad_done", "`done` is true or false")
    text = str(sent.get("note") or "")
    return await note(web_of(request).intake, principal, case, kind, key, text=text, done=done)


@router.post("/prearrivals/{case}/messages")
async def say(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """`{"phrase", "id"}`: a preset phrase to the other side, who reads it back."""
    sent = await _object(request)
    whom = "hospital" if principal.role in OWN_CASES_ONLY else "crew"
    phrase = PHRASES.get(str(sent.get("phrase", "")))
    if phrase is None or phrase["to"] != whom:
        known = ", ".join(row["id"] for row in PHRASES.values() if row["to"] == whom)
        raise MessageError("bad_phrase", f"`phrase` is one of {known}")
    name = str(sent.get("id") or "")
    intake = web_of(request).intake
    return await note(intake, principal, case, "message", phrase["id"], about=whom, name=name)


@router.post("/prearrivals/{case}/messages/{message}/read-back")
async def read_back(
    request: Request, case: str, message: str, principal: Someone
) -> dict[str, Any]:
    """The other side has read the phrase, and says so; of a phrase to others nothing is noted."""
    return await note(web_of(request).intake, principal, case, "read_back", "", about=message)


async def _object(request: Request) -> dict[str, Any]:
    sent = parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return sent


def checked_item(pathway: Any, item: Any) -> tuple[str, str]:
    """(kind, key) of the note for an item, or for the whole checklist; MessageError in words."""
    if not isinstance(pathway, str) or pathway not in PATHWAYS:
        raise MessageError("bad_pathway", f"`pathway` is one of {', '.join(PATHWAYS)}")
    if item is None:
        return "pathway", pathway
    if item not in [row["id"] for row in items_of(pathway)]:
        raise MessageError("bad_item", "`item` is no item that is on in this checklist")
    return "readiness", f"{pathway}:{item}"
