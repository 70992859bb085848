"""The orders of a bed as a panel of its page: listed, placed, signed, moved on in one press."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops.access import Permission, Principal
from hospital_ops.errors import Conflict, MessageError
from icu import offers, order_sets
from icu.allergies import store as allergies
from icu.order_kinds import wanted
from icu.ordering import store
from icu.ordering.store import Doing, Signing
from icu.orders import DOSED, NEEDS_REASON
from icu.responses import store as responses
from icu.set_approvals import store as approvals
from web import orderpanel as views
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import cell_of, place_of
from web.meant import meant
from web.orderform import change_of, done_at, order_of, seen_in, set_of
from web.orderpanel import Said
from web.reading import unit_of_bed
from web.routes.orders import moved, permitted
from web.routes.ordersets import signed
from web.views import responses as answers
from web.views.orders import history, offer_text
from web.words import words_of

router = APIRouter(prefix="/icu/beds/{bed}", include_in_schema=False, dependencies=[Depends(meant)])
Someone = Annotated[Principal, Depends(signed_in)]
ANSWERED = ("medication", "infusion", "ventilation")  # kinds that a signal may follow


@router.get("/orders")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel; without PostgreSQL a sentence in its place."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await views.panel(request, bed, principal)


@router.get("/orders/list")
async def listed(request: Request, bed: str, principal: Someone, have: str = "") -> Response:
    """The list alone, where it has changed since `have`; 204 where not."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await views.listed(request, bed, principal, have)


@router.get("/orders/fields")
async def fields(request: Request, bed: str, principal: Someone, kind: str) -> HTMLResponse:
    """The fields of a kind, for the form."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    web, words = web_of(request), words_of(language_of(request))
    return HTMLResponse(
        web.renderer.fill("_order_fields.html", w=words, **views.fields(kind, {}, words))
    )


@router.post("/orders")
async def place(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """Places an order for whoever lies here now, or writes a draft down."""
    web, form = web_of(request), await request.form()
    draft = "draft" in form
    needed = Permission.CARRY_OUT_ORDER if draft else Permission.ORDER
    unit = unit_of_bed(request, bed, principal, needed)
    where, now = place_of(request, unit, bed), web.clock.now_us()
    if not where.patient_id:
        return await views.panel(request, bed, principal, Said("orders.nobody"))
    try:
        sent = order_of(form, now)
        signing = Signing(draft=draft, override=sent["override"], seen=frozenset(sent["seen"]))
        await store.place(web.database, principal, where, [wanted(sent, now)], signing, now)
    except MessageError as error:
        return await views.panel(request, bed, principal, Said(error=error, entered=form))
    except Conflict as error:
        said = replace(views.refusal(error), entered=form)
        return await views.panel(request, bed, principal, said)
    return await views.panel(request, bed, principal)


@router.get("/orders/{order}")
async def more(request: Request, bed: str, order: str, principal: Someone) -> HTMLResponse:
    """What is behind an order, for whoever opens it: history, what followed, what it offers."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    web, words = web_of(request), words_of(language_of(request))
    now, place = web.clock.now_us(), place_of(request, unit, bed)
    row = await store.order_of(web.database, principal, place, order, now)
    frame = web.renderer.frame(words.language, now)
    found: answers.Found = []
    if row["kind"] in ANSWERED and place.patient_id == row["patient_id"]:
        found = await responses.found(
            web.database, principal, bed, place.patient_id, now - responses.SPAN_US, now, now
        )
    told, each = answers.lines(answers.of_order(found, row), frame)
    cell = cell_of(request, unit, bed)
    born = cell.patient.birth_date if cell and cell.patient else ""
    offered = offers.offers(row["target"], born, now) if row["request"] == "active" else []
    return HTMLResponse(
        web.renderer.fill(
            "_order_more.html",
            w=words,
            bed=bed,
            lines=history(row["history"], frame),
            told=told,
            each=each,
            offers=list(dict.fromkeys(offer_text(offer, words) for offer in offered)),
        )
    )


@router.post("/orders/{order}/{act}")
async def move(
    request: Request,
    bed: str,
    order: str,
    act: str,
    principal: Someone,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> HTMLResponse:
    """Does `act`; whoever was second sees what holds, and that theirs was not saved."""
    unit = permitted(request, bed, act, principal)
    if act in NEEDS_REASON and not reason.strip():
        return await views.panel(request, bed, principal, Said("orders.reason_needed"))
    where, form = place_of(request, unit, bed), await request.form()
    try:
        told_at = done_at(form, web_of(request).clock.now_us()) if act in DOSED else 0
        how = Doing(told_at, frozenset(seen_in(form)), change_of(form) if act == "adjust" else None)
        await moved(request, principal, where, order, act, version, reason.strip(), how)
    except Conflict as error:
        if act in ("sign", "adjust") and isinstance(error.current, dict) and _asks(error.current):
            said = Said("ordering.sign_asks", asks=error.current)
        else:
            lost = Said("orders.lost_race") if error.current else views.refusal(error)
            said = Said("ordering.not_yours") if act == "undo" and not error.current else lost
        return await views.panel(request, bed, principal, said)
    except MessageError as error:
        return await views.panel(request, bed, principal, Said(error=error))
    return await views.panel(request, bed, principal)


def _asks(current: dict[str, Any]) -> bool:
    """Whether what a Conflict holds is findings, and not the order as it stands."""
    return "id" not in current


@router.get("/order-sets/{order_set}")
async def sheet(request: Request, bed: str, order_set: str, principal: Someone) -> HTMLResponse:
    """A set before it is signed: every item with its source, nothing ticked but monitoring."""
    unit_of_bed(request, bed, principal, Permission.ORDER)
    return await _sheet(request, bed, principal, order_set, {}, None)


@router.post("/order-sets/{order_set}")
async def sign(request: Request, bed: str, order_set: str, principal: Someone) -> HTMLResponse:
    """Signs what is ticked, as one act; the checks may ask for a reason first."""
    unit = unit_of_bed(request, bed, principal, Permission.ORDER)
    form = await request.form()
    if not place_of(request, unit, bed).patient_id:
        return await views.panel(request, bed, principal, Said("orders.nobody"))
    try:
        placed = await signed(request, principal, unit, bed, order_set, set_of(form))
    except MessageError as error:
        return await _sheet(request, bed, principal, order_set, form, Said(error=error))
    except Conflict as error:
        said = views.refusal(error)
        return await _sheet(request, bed, principal, order_set, form, said)
    return await views.panel(request, bed, principal, Said("ordering.placed", number=len(placed)))


async def _sheet(
    request: Request, bed: str, principal: Principal, order_set: str, form: Any, said: Said | None
) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    unit = web.places.unit_of_bed(bed) or ""
    known = await approvals.approved(web.database, principal)
    found = order_sets.as_json(order_set, words.language, known.get(order_set))
    place = place_of(request, unit, bed)
    shown = views.sheet(found, form, place, said, words)
    shown["patient"] = place.patient_id
    return HTMLResponse(web.renderer.fill("_order_set.html", w=words, bed=bed, **shown))


@router.post("/allergies")
async def record(
    request: Request,
    bed: str,
    principal: Someone,
    substance: Annotated[str, Form(max_length=120)] = "",
    reaction: Annotated[str, Form(max_length=500)] = "",
    criticality: Annotated[str, Form(max_length=32)] = "unable-to-assess",
    none_known: Annotated[str, Form(max_length=8)] = "",
) -> HTMLResponse:
    """Records an allergy, or that none is known."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    place = place_of(request, unit, bed)
    if not place.patient_id or criticality not in allergies.CRITICALITIES:
        return await views.panel(request, bed, principal, Said("orders.nobody"))
    if not substance.strip() and not none_known:
        return await views.panel(request, bed, principal, Said("ordering.allergy.what"))
    try:
        await allergies.record(
            web.database,
            principal,
            unit=unit,
            patient_id=place.patient_id,
            substance="" if none_known else substance.strip(),
            reaction=reaction.strip(),
            criticality=criticality,
            told_by="",
            at=web.clock.now_us(),
        )
    except Conflict:
        return await views.panel(request, bed, principal, Said("ordering.allergy.first_end"))
    return await views.panel(request, bed, principal)


@router.post("/allergies/{allergy}/confirmation")
async def confirm_allergy(
    request: Request, bed: str, allergy: str, principal: Someone
) -> HTMLResponse:
    """Somebody at the bed has asked again: what was told before it is so."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    place = place_of(request, unit, bed)
    await allergies.confirm(
        web.database,
        principal,
        unit=unit,
        patient_id=place.patient_id,
        allergy=allergy,
        at=web.clock.now_us(),
    )
    return await views.panel(request, bed, principal)


@router.post("/allergies/{allergy}/end")
async def end_allergy(
    request: Request,
    bed: str,
    allergy: str,
    principal: Someone,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> HTMLResponse:
    """Ends the record of an allergy with a reason."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    place = place_of(request, unit, bed)
    if not reason.strip():
        return await views.panel(request, bed, principal, Said("orders.reason_needed"))
    await allergies.end(
        web.database,
        principal,
        unit=unit,
        patient_id=place.patient_id,
        allergy=allergy,
        reason=reason.strip(),
        at=web.clock.now_us(),
    )
    return await views.panel(request, bed, principal)
