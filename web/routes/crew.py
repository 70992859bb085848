"""A crew's own calls about its case: what it did, what it moves, and what it hears back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from hospital_ops import codes
from hospital_ops.access import Permission, Principal, knows_of, require
from hospital_ops.board import CaseCell
from hospital_ops.case_steps import COMING, ENDS
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError
from hospital_ops.events import parse_json
from streams.crew_intake import CrewIntake
from streams.vehicles import attach
from triage.readiness import checklists
from web.auth import signed_in, web_of
from web.reading import note_reading
from web.rerouting import departments

router = APIRouter(prefix="/api/v1")
Someone = Annotated[Principal, Depends(signed_in)]
REASONS = 5
# Values of the vehicle's monitor that the tablet shows beside what is typed on it.
MEASURED = tuple(
    codes.by_key[key].code for key in ("hr", "nibp_sys", "nibp_dia", "spo2", "rr", "temp", "etco2")
)
READY = 4
# What a crew reads is its own; one line of the audit stands for so long of it.
NOTED_US = 60_000_000


@router.get("/crew")
async def crew(request: Request, principal: Someone) -> dict[str, Any]:
    """Who the device is to us, and where it may bring patients."""
    web = web_of(request)
    require(principal, Permission.OPEN_CASE, principal.hospital)
    units = [
        {"id": unit.unit, "name": unit.name, "zone": unit.zone}
        for unit in web.places.units.values()
        if unit.kind == "ed" and knows_of(principal, unit.hospital, unit.unit)
    ]
    tablet = principal.actor.removeprefix("device:")
    monitors = [
        known.device
        for (hospital, name), known in web.places.devices.items()
        if hospital == principal.hospital and known.vehicle == tablet and name == known.device
    ]
    return {
        "device": principal.actor,
        "mode": principal.mode,
        "destinations": units,
        "elsewhere": [
            {"id": unit, "name": name}
            for unit, name in departments(web, "")
            if unit not in [one["id"] for one in units]
        ],
        "monitor": monitors[0] if monitors else None,
    }


@router.post("/prearrivals/{case}/items")
async def take_items(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """Stores treatments, treatment limits, notes and withdrawals, each under its `item_id`."""
    return await CrewIntake(web_of(request).intake).take_items(
        principal, case, await request.body()
    )


@router.post("/prearrivals/{case}/moves")
async def move(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """Moves items to the case they belong to, or joins the whole case to another; audited."""
    return await CrewIntake(web_of(request).intake).move(principal, case, await request.body())


@router.post("/prearrivals/{case}/monitor")
async def monitor(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """`{"attached": bool}`: whether the vehicle's monitor measures this patient."""
    sent = parse_json(await request.body() or b"{}")
    attached = sent.get("attached", True) if isinstance(sent, dict) else None
    if not isinstance(attached, bool):
        raise MessageError("bad_attached", "`attached` is true or false")
    return await attach(web_of(request).intake, principal, case, attached=attached)


@router.get("/prearrivals/{case}/summary")
async def summary(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """What a crew has to know, in few bytes: proposal, reasons, decision, who heard and saw."""
    web = web_of(request)
    unit = await web.intake.case_unit(principal, case, Permission.OPEN_CASE)
    feed = web.feed(unit)  # None: this process has just begun and follows no board yet
    now = web.clock.now_us()
    state = await web.intake.standing(principal, case, unit)
    known = str(UUID(case))
    cell = None
    if feed is not None:
        cell = feed.cells.get(known) if state in ENDS else await feed.cell_soon(known)
    if not isinstance(cell, CaseCell):
        if state in ENDS:  # it has left the board, and its crew still asks
            return {"id": known, "at": iso(now), "step": state, "unit": unit}
        raise MessageError("not_yet", "the case is stored and not on the board yet: ask again")
    name = f"{principal.key} {cell.case}"
    if now - web.noted.get(name, 0) >= NOTED_US:
        if len(web.noted) > 10_000:
            web.noted.clear()
        web.noted[name] = now
        await note_reading(request, principal, unit, "read_case", cell.case)
    return short(cell, unit, now)


def short(cell: CaseCell, unit: str, now_us: int) -> dict[str, Any]:
    """The few bytes: a link of 20 kbit/s carries them in half a second."""
    triage, decision = cell.triage, cell.decision
    return {
        "id": cell.case,
        "at": iso(now_us),
        "step": cell.step,
        "unit": unit,
        "rerouted": {"to": cell.rerouted.get("where"), "by": cell.rerouted["by"]}
        if cell.rerouted
        else None,
        "proposed": triage.get("proposed", "incomplete"),
        "reasons": [
            {key: reason[key] for key in ("code", "text", "value") if reason.get(key) is not None}
            for reason in list(triage.get("reasons", ()))[:REASONS]
        ],
        "missing": list(triage.get("missing", ()))[:REASONS],
        "decided": decision.colour if decision else None,
        "decided_by": decision.by if decision else None,
        "care": list(decision.care) if decision else [],
        "heard": [dict(one) for one in cell.acknowledgements][-3:],
        "seen": cell.seen,
        "messages": [
            {key: each[key] for key in ("id", "phrase", "text", "by", "at")}
            for each in cell.messages
            if each["to"] == "crew" and not each["read_back"]
        ][-3:],
        "said": [
            {"id": each["id"], "phrase": each["phrase"], "read_back": each["read_back"]}
            for each in cell.messages
            if each["to"] == "hospital"
        ][-3:],
        "monitor": {
            code: [shown.value, iso(shown.at)]
            for code, shown in cell.values.items()
            if code in MEASURED and shown.origin == "monitor" and shown.validity != "Inv"
        },
        "at_the_door": cell.arrivals.get("position") if cell.step == COMING else None,
        "ready": _ready(cell),
        "places": [place.place for place in cell.places],
        "ecgs": [{"id": ecg["id"], "stage": ecg["stage"]} for ecg in cell.ecgs],
        "joined": list(cell.joined),
    }


def _ready(cell: CaseCell) -> list[dict[str, str]]:
    """What the department has made ready, the newest first."""
    done = [
        {"pathway": row["pathway"], "item": item["id"], "at": item["done_at"], "note": item["note"]}
        for row in checklists(cell)
        for item in row["items"]
        if item["done_at"]
    ]
    return sorted(done, key=lambda item: item["at"], reverse=True)[:READY]
