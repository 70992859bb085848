"""Orders of a bed: placed, accepted, carried out, revoked; two at once have one winner."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from hospital_ops import events
from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import store
from icu.orders import ACTS, BY_PHYSICIAN, KINDS, NEEDS_REASON
from web.auth import signed_in, web_of
from web.reading import unit_of_bed

router = APIRouter(prefix="/api/v1/icu/beds/{bed}/orders")
Someone = Annotated[Principal, Depends(signed_in)]
KNOWN = frozenset(act for act, _ in ACTS)


@router.get("")
async def listed(request: Request, bed: str, principal: Someone) -> list[dict[str, Any]]:
    """The orders of a bed, newest first, each with what can be done with it."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await store.orders_of(web_of(request).database, principal, bed)


@router.post("")
async def place(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Places `{"kind", "text", "due_at"}` for the patient who lies here now."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.ORDER)
    sent = await _object(request)
    kind, words = sent.get("kind"), sent.get("text")
    if kind not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    if not isinstance(words, str) or not words.strip() or len(words) > 500:
        raise MessageError("bad_text", "`text` says what is ordered, in at most 500 characters")
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell) or cell.patient is None:
        raise Conflict("Nobody is admitted to this bed: admit the patient first.")
    return await store.place(
        web.database,
        principal,
        unit=unit,
        bed=bed,
        patient_id=cell.patient.patient_id,
        kind=kind,
        words=words.strip(),
        due_us=_due(sent.get("due_at")),
        at=web.clock.now_us(),
    )


@router.post("/{order}/{act}")
async def move(
    request: Request, bed: str, order: str, act: str, principal: Someone
) -> dict[str, Any]:
    """Does `act` to an order; `{"version", "reason"}`; 409 with what holds for the second."""
    if act not in KNOWN:
        raise NotFound(f"An order can be: {', '.join(sorted(KNOWN))}.")
    needed = Permission.ORDER if act in BY_PHYSICIAN else Permission.CARRY_OUT_ORDER
    unit_of_bed(request, bed, principal, needed)
    sent = await _object(request)
    version, reason = sent.get("version"), sent.get("reason") or ""
    if not isinstance(version, int) or isinstance(version, bool):
        raise MessageError("bad_version", "`version` is that of the order you have seen")
    if not isinstance(reason, str) or (act in NEEDS_REASON and not reason.strip()):
        raise MessageError("no_reason", f"to {act} an order needs a `reason`")
    web = web_of(request)
    return await store.act(
        web.database,
        principal,
        bed,
        order,
        act=act,
        version=version,
        reason=reason[:500],
        at=web.clock.now_us(),
    )


async def _object(request: Request) -> dict[str, Any]:
    sent = events.parse_json(await request.body())
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return sent


def _due(text: Any) -> int | None:
    if text is None:
        return None
    try:
        return from_iso(text)
    except (ValueError, TypeError) as error:
        raise MessageError("bad_time", "`due_at` is ISO 8601 with a zone") from error
