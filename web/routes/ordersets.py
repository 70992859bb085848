"""Order sets: which the site has approved, and a set signed as a whole for a bed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import Conflict
from icu import order_sets
from icu.ordering import store
from icu.ordering.store import Signing
from icu.set_approvals import store as approvals
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import json_object, seen_of, taken_place, text_of
from web.meant import meant
from web.reading import unit_of_bed

router = APIRouter(prefix="/api/v1/icu")
Someone = Annotated[Principal, Depends(signed_in)]
NOT_APPROVED = "The site has not approved this set: a physician does so under Order sets."


@router.get("/order-sets")
async def listed(request: Request, principal: Someone) -> list[dict[str, Any]]:
    """All sets with their items, and who approved which for this hospital."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    language = language_of(request)
    known = await approvals.approved(web_of(request).database, principal)
    return [order_sets.as_json(each, language, known.get(each)) for each in order_sets.ids()]


@router.post("/order-sets/{order_set}/approval")
async def approve(request: Request, order_set: str, principal: Someone) -> dict[str, Any]:
    """A physician approves the `version` that was read, or withdraws with `{"withdraw": true}`."""
    require(principal, Permission.APPROVE_ORDER_SETS, principal.hospital)
    web, sent = web_of(request), await json_object(request)
    now = web.clock.now_us()
    if sent.get("withdraw") is True:
        await approvals.withdraw(web.database, principal, order_set, now)
    else:
        version = text_of(sent, "version")
        await approvals.approve(web.database, principal, order_set, version, now)
    known = await approvals.approved(web.database, principal)
    return order_sets.as_json(order_set, language_of(request), known.get(order_set))


@router.post("/beds/{bed}/order-sets/{order_set}", dependencies=[Depends(meant)])
async def sign(request: Request, bed: str, order_set: str, principal: Someone) -> dict[str, Any]:
    """Signs the chosen `items` of a `version` as one act, all or none; `override` and `seen`."""
    unit = unit_of_bed(request, bed, principal, Permission.ORDER)
    sent = await json_object(request)
    return {"orders": await signed(request, principal, unit, bed, order_set, sent)}


async def signed(
    request: Request,
    principal: Principal,
    unit: str,
    bed: str,
    order_set: str,
    sent: dict[str, Any],
) -> list[dict[str, Any]]:
    """The orders of a set that was signed; Conflict where the site has not approved it."""
    web = web_of(request)
    now = web.clock.now_us()
    wanted = order_sets.signed(order_set, sent, now)
    if order_set not in await approvals.approved(web.database, principal):
        raise Conflict(NOT_APPROVED)
    override, seen = text_of(sent, "override"), seen_of(sent)
    signing = Signing(order_set=order_set, override=override, seen=seen)
    where = taken_place(request, unit, bed)
    return await store.place(web.database, principal, where, wanted, signing, now)
