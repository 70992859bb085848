"""Messages to relatives for programs: contacts and consent, the day's list, acts."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.clock import from_datetime, iso
from hospital_ops.database import Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from hospital_ops.events import parse_json
from notify.contacts.store import Contact
from notify.desk.acts import Desk
from notify.rules import Hours
from streams.shard import hospital_of
from web.auth import signed_in, web_of

router = APIRouter(prefix="/api/v1")
Someone = Annotated[Principal, Depends(signed_in)]
NOT_HERE = "This does not exist, or it is not within your units."


def desk_of(request: Request) -> Desk:
    """The desk of this process."""
    desk = web_of(request).desk
    if desk is None:
        raise NotFound("Messages to relatives are not set up in this process.")
    return desk


def unit_of(request: Request, principal: Principal, bed: str, permission: Permission) -> str:
    """The unit of a bed that the principal may do this in. Raises NotFound."""
    unit = web_of(request).places.unit_of_bed(bed)
    if unit is None:
        raise NotFound(NOT_HERE)
    require(principal, permission, hospital_of(unit), unit)
    return unit


def zone_of(request: Request, unit: str) -> str:
    """The zone of a unit's hospital."""
    known = web_of(request).places.units.get(unit)
    if known is None:
        raise NotFound(NOT_HERE)
    return known.zone


async def audit_read(request: Request, principal: Principal, unit: str, subject: str) -> None:
    """Every reading of relatives' messages is an entry of the unit."""
    web = web_of(request)
    await web.appender.append(
        unit,
        wire.Audited(
            unit=unit,
            at=web.clock.now_us(),
            actor=principal.actor,
            role=principal.role,
            action="read_messages",
            subject=subject,
        ),
    )


@router.get("/icu/beds/{bed}/contacts")
async def contacts(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """The relatives of whoever lies in the bed, without their numbers, and what went out."""
    unit = unit_of(request, principal, bed, Permission.SEE_PATIENT)
    found = await desk_of(request).bed(principal.scope, bed)
    await audit_read(request, principal, unit, found.stay.patient_id)
    return {
        "bed": bed,
        "stay": found.stay.stay,
        "version": found.stay.version,
        "patient_id": found.stay.patient_id,
        "automatic": found.stay.automatic,
        "treatment_limited": found.stay.treatment_limited,
        "hold_reason": found.stay.hold_reason,
        "proposal": {
            "dynamics": found.proposal.day.dynamics,
            "delta_sofa": found.proposal.course.get("delta_sofa"),
            "missing": found.proposal.course.get("missing"),
        },
        "contacts": [contact_json(one) for one in found.contacts],
        "messages": [message_json(row) for row in found.messages],
    }


@router.post("/icu/beds/{bed}/contacts", status_code=201)
async def enable(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Enables a relative: `number`, `relation`, `language`, `tells`, `basis`, `document`...

    With `stay` (of the GET): 409 where another patient lies there by now.
    """
    unit_of(request, principal, bed, Permission.CONSENT)
    contact = await desk_of(request).enable(principal.scope, bed, await _body(request))
    return {"contact": contact}


@router.post("/icu/beds/{bed}/contacts/{contact}/{act}")
async def act_on_contact(
    request: Request, bed: str, contact: UUID, act: str, principal: Someone
) -> dict[str, Any]:
    """`code` sends one, `verify` {"code"} or {"read_back": true} confirms, `withdraw` ends."""
    unit_of(request, principal, bed, Permission.CONSENT)
    desk, by, given = desk_of(request), principal.scope, await _body(request)
    if act == "code":
        return {"sent": await desk.send_code(by, str(contact))}
    if act == "verify":
        code = None if given.get("read_back") is True else str(given.get("code", ""))
        return {"verified": await desk.confirm_number(by, str(contact), code)}
    if act == "withdraw":
        await desk.withdraw(by, str(contact), str(given.get("why", "asked"))[:40])
        return {"withdrawn": True}
    raise NotFound("A contact knows these acts: code, verify, withdraw.")


@router.post("/icu/beds/{bed}/patient-decides")
async def patient_decides(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """The patient can decide: consent by law ends at once, and the patient is asked.

    With `stay`: 409 where another patient lies there by now.
    """
    unit_of(request, principal, bed, Permission.CONSENT)
    seen = str((await _body(request)).get("stay", ""))
    return {"withdrawn": await desk_of(request).patient_decides(principal.scope, bed, seen)}


@router.post("/icu/beds/{bed}/messages")
async def confirm(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Confirms today's messages of the patient: `severity`, and `dynamics` to override.

    With `stay`: 409 where another patient lies there by now.
    """
    unit_of(request, principal, bed, Permission.CONFIRM_MESSAGES)
    given, desk = await _body(request), desk_of(request)
    found = await desk.bed(principal.scope, bed)
    if given.get("stay", found.stay.stay) != found.stay.stay:
        raise Conflict("Somebody else lies here by now: look again.")
    done = await desk.confirm(
        principal.scope,
        found.stay.stay,
        str(given.get("severity", "")),
        str(given.get("dynamics", "")),
    )
    return {
        "messages": [
            {"message": one.message, "state": one.state, "reasons": list(one.reasons)}
            for one in done
        ]
    }


@router.post("/icu/beds/{bed}/messages/switches")
async def switch(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """The patient's switches: `automatic`, `treatment_limited`, `hold_reason` ("" ends it).

    With `stay` and `version` (of the GET): 409 where either is another by now.
    """
    unit_of(request, principal, bed, Permission.CONFIRM_MESSAGES)
    given = await _body(request)
    await desk_of(request).change(principal.scope, bed, given)
    return {"changed": sorted(set(given) & {"automatic", "treatment_limited", "hold_reason"})}


@router.get("/relatives/{unit}/messages")
async def messages(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Today's messages of a unit and whether they are stopped."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    zone = zone_of(request, unit)
    rows, stops = await desk_of(request).today(principal.scope, unit, zone)
    await audit_read(request, principal, unit, unit)
    return {
        "unit": unit,
        "stopped": stops,
        "messages": [message_json(row) | {"bed": row["bed"]} for row in rows],
    }


@router.get("/relatives/messages/{message}")
async def proof(request: Request, message: UUID, principal: Someone) -> dict[str, Any]:
    """Every state a message has been in, and by whom."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    rows = await desk_of(request).steps(principal.scope, str(message))
    if not rows:
        raise NotFound(NOT_HERE)
    return {
        "message": str(message),
        "steps": [
            {
                "at": iso(from_datetime(row["at"])),
                "state": row["to_state"],
                "by": row["actor"],
                "detail": row["detail"],
            }
            for row in rows
        ],
    }


@router.post("/relatives/messages/{message}/{act}")
async def act_on_message(
    request: Request, message: UUID, act: str, principal: Someone
) -> dict[str, Any]:
    """`call` {"note"} cancels, `release` {"note"} sends after a call, `settle` {"state"}."""
    require(principal, Permission.CONFIRM_MESSAGES, principal.hospital)
    desk, given = desk_of(request), await _body(request)
    if act in ("call", "release"):
        note = str(given.get("note", ""))
        send = act == "release"
        done = await desk.called(principal.scope, str(message), note, send=send)
        return {"message": done.message, "state": done.state, "reasons": list(done.reasons)}
    if act == "settle":
        state = str(given.get("state", ""))
        await desk.settle(principal.scope, str(message), state)
        return {"message": str(message), "state": state}
    raise NotFound("A message knows these acts: call, release, settle.")


@router.post("/relatives/{unit}/stop")
async def stop(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Emergency stop: {"stopped": true|false, "reason", "hospital": true for all units}."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    given, desk = await _body(request), desk_of(request)
    whole = given.get("hospital") is True
    if given.get("stopped", True) is True:
        await desk.stop(principal.scope, unit, str(given.get("reason", "")), whole=whole)
    else:
        await desk.go_on(principal.scope, unit, whole=whole)
    return {"unit": unit, "stopped": given.get("stopped", True) is True}


@router.get("/relatives/{unit}/hours")
async def hours(request: Request, unit: str, principal: Someone) -> dict[str, str]:
    """When the unit sends (local time) and where families may ask."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    return hours_json(await desk_of(request).hours(principal.scope, unit))


@router.put("/relatives/{unit}/hours")
async def set_hours(request: Request, unit: str, principal: Someone) -> dict[str, str]:
    """Sets `opens`, `closes`, `quiet_from`, `quiet_until` (HH:MM), `desk_phone`, `desk_hours`."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    wanted = await desk_of(request).set_hours(principal.scope, unit, await _body(request))
    return hours_json(wanted)


@router.put("/relatives/{unit}/prices")
async def set_price(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """What one part costs from now on: `provider`, `price` ("" ends it), `currency`."""
    require(principal, Permission.CONFIRM_MESSAGES, hospital_of(unit), unit)
    wanted = await desk_of(request).set_price(principal.scope, unit, await _body(request))
    price = None if wanted.price is None else str(wanted.price)
    return {"provider": wanted.provider, "price": price, "currency": wanted.currency}


def hours_json(hours: Hours) -> dict[str, str]:
    """Hours as a form or a call gives them."""
    return {
        "opens": f"{hours.opens:%H:%M}",
        "closes": f"{hours.closes:%H:%M}",
        "quiet_from": f"{hours.quiet_from:%H:%M}",
        "quiet_until": f"{hours.quiet_until:%H:%M}",
        "desk_phone": hours.desk_phone,
        "desk_hours": hours.desk_hours,
    }


def contact_json(one: Contact) -> dict[str, Any]:
    """A relative without the number."""
    return {
        "contact": one.contact,
        "relation": one.relation,
        "number_ends": one.last_two,
        "mobile": one.mobile,
        "language": one.language,
        "tells": one.tells,
        "basis": one.basis,
        "document": one.document,
        "named_by": one.named_by,
        "until": iso(one.until) if one.until is not None else None,
        "enabled_by": one.enabled_by,
        "verified": one.verified_how or None,
        "withdrawn": one.withdrawn_why or None,
    }


def message_json(row: Record) -> dict[str, Any]:
    """A message with its state and, from the confirmation on, its text."""
    return {
        "message": str(row["message"]),
        "stay": str(row["stay"]),
        "contact": str(row["contact"]),
        "kind": row["kind"],
        "date": row["local_date"].isoformat(),
        "state": row["state"],
        "reasons": list(row["reasons"]),
        "text": row["words"] if row["kind"] != "code" else "",
        "parts": row["parts"],
        "encoding": row["encoding"],
        "cost": None if row["cost"] is None else f"{row['cost'].normalize():f} {row['currency']}",
        "dynamics": row["dynamics"],
        "severity": row["severity"],
        "opens_at": iso(from_datetime(row["opens_at"])),
        "closes_at": iso(from_datetime(row["closes_at"])),
        "confirmed_by": row["confirmed_by"] or None,
        "provider": row["provider"] or None,
    }


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    given = parse_json(body) if body else {}
    if not isinstance(given, dict):
        raise MessageError("malformed_json", "send one JSON object, UTF-8 encoded")
    return given
