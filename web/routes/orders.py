"""Orders of a bed: placed, signed, carried out, revoked; two at once have one winner."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal
from hospital_ops.errors import MessageError, NotFound
from icu import offers
from icu.order_kinds import moment, wanted
from icu.ordering import store
from icu.ordering.store import PLAIN, Doing, Place, Signing
from icu.orders import ACT_NAMES, BY_PHYSICIAN, NEEDS_REASON
from web.auth import signed_in, web_of
from web.lying import cell_of, json_object, place_of, seen_of, taken_place, text_of
from web.meant import meant
from web.reading import note_reading, unit_of_bed

router = APIRouter(prefix="/api/v1/icu/beds/{bed}/orders", dependencies=[Depends(meant)])
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("")
async def listed(request: Request, bed: str, principal: Someone) -> list[dict[str, Any]]:
    """The orders of whoever lies here, open ones first, each with what can be done with it."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    place = place_of(request, unit, bed)
    await note_reading(request, principal, unit, "read_orders", place.patient_id or bed)
    if not place.patient_id:
        return []
    return await store.orders_of(web.database, principal, place.patient_id, web.clock.now_us())


@router.post("")
async def place(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Places one order: `{"kind", "text" or "details", "target", "priority", "due_at", "repeat"}`.

    `"draft": true` writes it down for a physician to sign. 409 carries the checks where they ask
    for a reason; `override` is the reason, `seen` the digests of the checks that it is for.
    """
    web, sent = web_of(request), await json_object(request)
    draft = sent.get("draft") is True
    needed = Permission.CARRY_OUT_ORDER if draft else Permission.ORDER
    unit = unit_of_bed(request, bed, principal, needed)
    now = web.clock.now_us()
    order = wanted(sent, now)
    signing = Signing(draft=draft, override=text_of(sent, "override"), seen=seen_of(sent))
    where = taken_place(request, unit, bed)
    placed = await store.place(web.database, principal, where, [order], signing, now)
    return placed[0]


@router.post("/checks")
async def check(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """What the checks say of an order before it is signed; nothing is placed."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    order = wanted(await json_object(request), web.clock.now_us())
    found = await store.look(web.database, principal, taken_place(request, unit, bed), [order])
    return {
        "checks": [finding.as_json() for finding in found],
        "asks": any(finding.asks for finding in found),
        "text": order.text,
    }


@router.get("/{order}")
async def one(request: Request, bed: str, order: str, principal: Someone) -> dict[str, Any]:
    """One order with its history, and the alarm limits that its goal offers (only an offer)."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_order", order[:36])
    where, now = place_of(request, unit, bed), web.clock.now_us()
    found = await store.order_of(web.database, principal, where, order, now)
    cell = cell_of(request, unit, bed)
    born = cell.patient.birth_date if cell and cell.patient else ""
    return {**found, "offers": offers.as_json(offers.offers(found["target"], born, now))}


@router.post("/{order}/{act}")
async def move(
    request: Request, bed: str, order: str, act: str, principal: Someone
) -> dict[str, Any]:
    """Does `act` to an order; `{"version", "reason"}`; 409 with what holds for the second.

    `done_at` says when it was started or done, `seen` names the findings that a reason is for, and
    `rate`, `rate_unit`, `max_rate`, `target` or `text` are what an infusion is adjusted to.
    """
    unit = permitted(request, bed, act, principal)
    sent = await json_object(request)
    version, reason = sent.get("version"), text_of(sent, "reason")
    if not isinstance(version, int) or isinstance(version, bool):
        raise MessageError("bad_version", "`version` is that of the order you have seen")
    if act in NEEDS_REASON and not reason:
        raise MessageError("no_reason", f"to {act} an order needs a `reason`")
    where = place_of(request, unit, bed)
    how = Doing(moment(sent.get("done_at"), "done_at") or 0, seen_of(sent), sent)
    return await moved(request, principal, where, order, act, version, reason, how)


def permitted(request: Request, bed: str, act: str, principal: Principal) -> str:
    """The unit of the bed, where the principal may do this; NotFound otherwise."""
    if act not in ACT_NAMES:
        raise NotFound(f"An order can be: {', '.join(sorted(ACT_NAMES))}.")
    needed = Permission.ORDER if act in BY_PHYSICIAN else Permission.CARRY_OUT_ORDER
    return unit_of_bed(request, bed, principal, needed)


async def moved(
    request: Request,
    principal: Principal,
    where: Place,
    order: str,
    act: str,
    version: int,
    reason: str,
    how: Doing = PLAIN,
) -> dict[str, Any]:
    """The order after the act."""
    web = web_of(request)
    return await store.act(
        web.database,
        principal,
        where,
        order,
        act=act,
        version=version,
        reason=reason,
        at=web.clock.now_us(),
        how=how,
    )
