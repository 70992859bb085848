"""The pages of transfers: ask at a bed, the list of a unit, one transfer with its record."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.clock import SECOND
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.bed_map import store as bed_map
from icu.stay import store as stays
from icu.transferred import store as reading
from icu.transfers import forms
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of, spoken
from web.pages import page_of
from web.reading import note_reading, unit_of_bed
from web.routes.transfers import ACTS, asked, done, record_of, transfer_of
from web.trends import store as trends
from web.trends.steps import merged
from web.views import transfers as views
from web.views.refused import sentence
from web.words import words_of

router = APIRouter(include_in_schema=False)
Someone = Annotated[Principal, Depends(signed_in)]
HOUR_US = 3600 * SECOND


@router.get("/transfers/unit/{unit}")
async def listed(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """Who is to come here and who is to leave, open ones first."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web = web_of(request)
    if unit not in web.places.units:
        raise NotFound(reading.NONE)
    await note_reading(request, principal, unit, "read_transfers", unit)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    rows = await reading.of_unit(web.database, principal, unit)
    shown = [views.request_view(row, frame, principal.hospital) for row in rows]
    title = frame.words.t("transfer.list", unit=web.places.units[unit].name)
    page = page_of(request, principal, title, unit)
    return HTMLResponse(web.renderer.fill("transfers.html", page=page, rows=shown))


@router.get("/icu/beds/{bed}/transfer")
async def new(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The form that asks another hospital to take the patient of this bed."""
    return await _form(request, bed, principal)


@router.post("/icu/beds/{bed}/transfer")
async def ask(request: Request, bed: str, principal: Someone) -> Response:
    """Asks; then the request is shown."""
    unit_of_bed(request, bed, principal, Permission.ORDER)
    form = await request.form()
    sent: dict[str, Any] = {name: said for name, said in form.items() if isinstance(said, str)}
    sent["needs"] = [str(need) for need in form.getlist("needs")]
    try:
        told = await asked(request, principal, bed, sent)
    except (MessageError, Conflict) as error:
        return await _form(
            request, bed, principal, sent=sent, said=sentence(error, spoken(request))
        )
    return RedirectResponse(f"/transfers/{told['transfer']}", status_code=303)


@router.get("/transfers/{transfer}")
async def page(request: Request, transfer: str, principal: Someone) -> HTMLResponse:
    """The request, what may be done, and the record once it may be read."""
    return await _page(request, transfer, principal)


@router.post("/transfers/{transfer}")
async def press(request: Request, transfer: str, principal: Someone) -> Response:
    """One act; then the transfer is shown as it stands."""
    form = await request.form()
    act = _text(form, "act")
    minutes, version = _text(form, "minutes"), _text(form, "version")
    sent = {
        "version": int(version) if version.isdecimal() and len(version) < 10 else -1,
        "words": _text(form, "words"),
        "bed": _text(form, "bed"),
        "eta": int(minutes) if minutes.isdecimal() and len(minutes) < 5 else None,
    }
    try:
        told = await done(request, principal, transfer, act, sent)
        if act == "leave" and _text(form, "end"):
            await _end_stay(request, principal, told)
    except (Conflict, MessageError) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(
            request,
            transfer,
            principal,
            said=sentence(error, spoken(request)),
            status=status,
        )
    return RedirectResponse(f"/transfers/{transfer}", status_code=303)


async def _end_stay(request: Request, principal: Principal, told: dict[str, Any]) -> None:
    """The patient has left: the stay here ends as a discharge, in one act of its own."""
    web = web_of(request)
    require(principal, Permission.ORDER, hospital_of(told["unit"]), told["unit"])
    await stays.end(
        web.database, principal, told["bed"], kind="discharge", stay=told["stay"],
        words=told["to_name"], at=web.clock.now_us(),
    )  # fmt: skip


async def _form(
    request: Request,
    bed: str,
    principal: Principal,
    *,
    sent: dict[str, Any] | None = None,
    said: str = "",
) -> HTMLResponse:
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.ORDER)
    stay = await stays.present(web.database, principal, bed)
    page = page_of(request, principal, words_of(language_of(request)).t("transfer.ask"), unit)
    html = web.renderer.fill(
        "transfer_ask.html",
        page=page,
        bed=bed,
        stay=stay,
        units=await reading.directory(web.database, principal),
        needs=forms.NEEDS,
        sent=sent or {},
        said=said,
    )
    return HTMLResponse(html, status_code=400 if said else 200)


async def _page(
    request: Request, transfer: str, principal: Principal, *, said: str = "", status: int = 200
) -> HTMLResponse:
    web = web_of(request)
    told = await transfer_of(request, transfer, principal, Permission.SEE_PATIENT)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    shown = views.request_view(told, frame, principal.hospital)
    record, hours = None, None
    if shown["readable"]:
        known = await record_of(request, principal, told)
        record = views.record_view(known, frame)
        since, until = forms.window(told, frame.now_us)
        lent = reading.lent_to(principal, told)
        found = await trends.trends(
            web.database, lent.scope, told["bed"], list(views.HOURLY), since, until, HOUR_US
        )
        if not found:  # somebody else lies in that bed by now
            stored = await reading.hours(web.database, lent, told, views.HOURLY, frame.now_us)
            found = merged(stored)
        hours = views.hours_view(found, since, frame)
    own = told["unit"] if shown["sending"] else told["to_unit"]
    receiving = not shown["sending"] or not shown["here"]
    kind = web.places.units[told["to_unit"]].kind if shown["here"] else ""
    beds = []
    if receiving and kind == "icu":
        rows = await bed_map.of_unit(web.database, principal, own)
        beds = [row for row in rows if row["state"] == "free" or row["bed"] == told["to_bed"]]

    def may(act: str) -> bool:
        return allows(principal, ACTS[act][0], hospital_of(own), own)

    html = web.renderer.fill(
        "transfer.html",
        page=page_of(request, principal, frame.words.t("transfer.title"), own),
        one=shown,
        kind=kind,
        beds=beds,
        record=record,
        hours=hours,
        said=said,
        receiving=receiving,
        may={act: may(act) for act in ACTS},
    )
    return HTMLResponse(html, status_code=status)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
