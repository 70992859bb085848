"""Pre-arrival cases: what crews and tablets send, and what physicians decide."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal
from hospital_ops.board import CaseCell, case_json
from hospital_ops.case_steps import STEPS
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.events import parse_json, storable
from streams.ecg_intake import EcgIntake
from streams.intake import OWN_CASES_ONLY
from triage import store
from triage.decision import not_on_stale, read_decision
from triage.readiness import checklists
from web.auth import signed_in, web_of
from web.reading import note_reading, units_in
from web.rerouting import send_elsewhere

router = APIRouter(prefix="/api/v1/prearrivals")
Someone = Annotated[Principal, Depends(signed_in)]


@router.put("/{case}")
async def open_case(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """Opens or changes a case; doubtful facts are kept and named in `warnings`."""
    web = web_of(request)
    answer = await web.intake.open_case(principal, case, await request.body())
    await EcgIntake(web.intake).read_again(principal, answer["unit"], answer["id"])
    return answer


@router.post("/{case}/measurements")
async def take_measurements(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """Stores a batch of events; the answer names what was stored, doubtful, rejected.

    This is what the OpenAPI document describes; web/busy.py answers it before the router does.
    """
    return await web_of(request).intake.take_measurements(principal, case, await request.body())


@router.get("/{case}")
async def show(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """The case as it stands on the board of its unit."""
    web = web_of(request)
    sends = principal.role in ("crew", "tablet")
    permission = Permission.OPEN_CASE if sends else Permission.SEE_PATIENT
    unit = await web.intake.case_unit(principal, case, permission)
    cell = await _cell(request, unit, case)
    await note_reading(request, principal, unit, "read_case", cell.case)
    shown = case_json(cell, web.clock.now_us()) | {"readiness": checklists(cell)}
    return shown | {"facts": cell.facts}  # who may read a case may read whose it is


@router.post("/{case}/decision")
async def decide(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """A physician's decision; 409 with the first decision for whoever came second."""
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, Permission.DECIDE_TRIAGE)
    cell = await _cell(request, unit, case)
    proposed = str(cell.triage.get("proposed", "incomplete"))
    wanted = read_decision(await request.body(), proposed, units_in(web, principal.hospital))
    not_on_stale(wanted, cell.triage)
    return await store.decide(web.database, principal, unit, cell.case, wanted, web.clock.now_us())


@router.post("/{case}/{step}")
async def step(request: Request, case: str, step: str, principal: Someone) -> dict[str, Any]:
    """Acknowledgement, arrival, take-over, hand-over, cancellation and the other ends."""
    if step not in STEPS:
        raise NotFound(f"A case knows these steps: {', '.join(STEPS)}, decision, measurements.")
    body = await request.body()
    if step == "reroute":
        sent = parse_json(body) if body.startswith(b"{") else {}
        to, outside = (str(sent.get(name) or "") for name in ("to", "outside"))
        return await send_elsewhere(
            web_of(request), principal, case, to=to, outside=outside, reason=said(body)
        )
    at = told_at(body) if principal.role in OWN_CASES_ONLY else None
    return await web_of(request).intake.step(principal, case, step, said(body), at=at)


def said(body: bytes) -> str:
    """The reason in a body: `{"reason": text}`, or the text itself."""
    if not body.startswith(b"{"):
        return storable(body.decode(errors="replace"))
    sent = parse_json(body)
    reason = sent.get("reason") if isinstance(sent, dict) else None
    return reason if isinstance(reason, str) else ""


def told_at(body: bytes) -> int | None:
    """When the step was taken, `{"at": time}`, microseconds since 1970; None: not said."""
    sent = parse_json(body) if body.startswith(b"{") else None
    at = sent.get("at") if isinstance(sent, dict) else None
    if at is None:
        return None
    try:
        return from_iso(at)
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError("bad_time", "`at` is ISO 8601 with a zone") from error


async def _cell(request: Request, unit: str, case: str) -> CaseCell:
    web = web_of(request)
    feed = web.feed(unit)
    if feed is None:
        raise NotFound("There is no such case, or it is not within your units.")
    cell = await feed.cell_soon(str(UUID(case)))
    if not isinstance(cell, CaseCell):
        raise MessageError("not_yet", "the case is stored and not on the board yet: ask again")
    return cell
