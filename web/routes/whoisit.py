"""Who is it: the devices of a bed, who lies there, what is nobody's, mother and child, QR codes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.board import BedCell
from hospital_ops.errors import Conflict, MessageError, NotFound
from hospital_ops.events import storable
from hospital_ops.installation import store as installation
from hospital_ops.standing import store as standing
from icu.filing import store as filing
from icu.filing.store import Span
from icu.kinship import store as kinship
from icu.refilings import store as refilings
from icu.waits import store as waits
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of
from web.reading import NOT_HERE, note_reading, unit_of_bed
from web.views import whoisit as views
from web.views.bedquiet import check_why
from web.views.page import Page
from web.views.refused import sentence
from web.views.tablets import qr
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
BY_QR = "qr"


@router.get("/icu/beds/{bed}/binding")
async def page(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The page of a bed's devices and patient; where the code at the bed leads."""
    return await _page(request, bed, principal)


@router.post("/icu/beds/{bed}/binding/devices")
async def devices(request: Request, bed: str, principal: Someone) -> Response:
    """Binds a monitor to the bed, or takes it away, in a few seconds from now."""
    unit_of_bed(request, bed, principal, Permission.CONFIRM_BED)
    web, form = web_of(request), await request.form()
    here = bed if _word(form, "act") == "bind" else ""
    version = _word(form, "version")
    try:
        async with web.database.transaction(principal.scope) as connection:
            await standing.change(
                connection,
                principal.scope,
                _word(form, "device"),
                here,
                int(version) if version.isdecimal() and len(version) < 9 else -1,
                BY_QR if _word(form, "from") == BY_QR else "page",
                web.clock.now_us(),
            )
    except (Conflict, MessageError, NotFound) as error:
        return await _page(request, bed, principal, error)
    return _back(bed)


@router.post("/icu/beds/{bed}/binding/patient")
async def patient(request: Request, bed: str, principal: Someone) -> Response:
    """Admits somebody to a free bed, known or not, or says which number an unknown person has."""
    unit = unit_of_bed(request, bed, principal, Permission.CONFIRM_BED)
    web, form, now = web_of(request), await request.form(), web_of(request).clock.now_us()
    person = wire.PatientFacts(
        mrn=_word(form, "number"),
        family=_word(form, "family"),
        given=_word(form, "given"),
        birth_date=_word(form, "birth_date"),
    )
    try:
        if _word(form, "act") == "merge":
            here = views.patient(_cell(request, unit, bed))["id"]
            if not here or here != _word(form, "patient"):
                raise Conflict("Somebody else lies here by now: look again.")
            units = web.places.units_of(principal.hospital)
            await kinship.merge(web.database, principal, bed, here, person, units, now)
        else:
            if _word(form, "unknown"):
                person = wire.PatientFacts(mrn=f"NN-{bed}-{now // 1_000_000}")
            zone = web.places.units[unit].zone
            since = views.moment(_word(form, "since"), now, zone) if _word(form, "since") else now
            await kinship.admit(web.database, principal, bed, person, since, now)
    except (Conflict, MessageError, NotFound) as error:
        return await _page(request, bed, principal, error)
    return _back(bed)


@router.post("/icu/beds/{bed}/binding/filings")
async def filings(request: Request, bed: str, principal: Someone) -> Response:
    """Files what is nobody's under a patient, or takes a filing back."""
    unit = unit_of_bed(request, bed, principal, Permission.CONFIRM_BED)
    web, form, now = web_of(request), await request.form(), web_of(request).clock.now_us()
    try:
        if _word(form, "act") == "refile":
            why = _word(form, "why") if _word(form, "not") else ""
            if _word(form, "not") and not why:
                raise MessageError("no_reason", "say what was wrong with it")
            await refilings.decide(web.database, principal, _word(form, "id"), now, why=why)
        elif _word(form, "act") == "take_back":
            why = _word(form, "why")
            await filing.take_back(web.database, principal, _word(form, "id"), why, now)
        else:
            whom = _word(form, "number") or _word(form, "patient")
            if not whom:
                raise MessageError("nobody", "say whose values these are: nobody lies here")
            span = _span(form, web.places.units[unit].zone)
            if span.place != bed:
                async with web.database.transaction(principal.scope) as connection:
                    await installation.device_of(connection, span.place)
            await filing.file(web.database, principal, unit, span, whom, now)
    except (Conflict, MessageError, NotFound) as error:
        return await _page(request, bed, principal, error)
    return _back(bed)


@router.post("/icu/beds/{bed}/binding/kin")
async def kin(request: Request, bed: str, principal: Someone) -> Response:
    """Says whose child somebody is, or ends that."""
    unit = unit_of_bed(request, bed, principal, Permission.CONFIRM_BED)
    web, form, now = web_of(request), await request.form(), web_of(request).clock.now_us()
    units = web.places.units_of(principal.hospital)
    try:
        if _word(form, "act") == "unlink":
            await kinship.unlink(web.database, principal, unit, _word(form, "id"), units, now)
        else:
            here, other = _word(form, "patient"), _word(form, "number")
            child, mother = (here, other) if _word(form, "role") == "mother" else (other, here)
            await kinship.link(web.database, principal, unit, child, mother, units, now)
    except (Conflict, MessageError, NotFound) as error:
        return await _page(request, bed, principal, error)
    return _back(bed)


@router.get("/icu/{unit}/bed-codes")
async def codes(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """A sheet for paper: a code for each bed, which opens its page. It names a bed, no secret."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web, words = web_of(request), words_of(language_of(request))
    known = web.places.units.get(unit)
    if known is None or known.kind != "icu":
        raise NotFound(NOT_HERE)
    house = str(request.base_url).rstrip("/")
    beds = [
        {
            "bed": bed.bed,
            "label": bed.label,
            "picture": qr(f"{house}/icu/beds/{bed.bed}/binding?from={BY_QR}"),
        }
        for bed in web.places.beds_of(unit)
    ]
    page = Page(
        words=words, title=words.t("whois.codes"), user=principal.actor, demo=web.demo, unit=unit
    )
    return HTMLResponse(web.renderer.fill("bed_codes.html", page=page, unit=known.name, beds=beds))


async def _page(
    request: Request, bed: str, principal: Principal, error: Exception | None = None
) -> HTMLResponse:
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_binding", bed)
    web, words = web_of(request), words_of(language_of(request))
    now, cell = web.clock.now_us(), _cell(request, unit, bed)
    frame, here = web.renderer.frame(words.language, now), views.patient(cell)
    async with web.database.transaction(principal.scope) as connection:
        at_bed = await standing.of_bed(connection, bed)
        places = [bed, *(row["device"] for row in at_bed)]
        shown: dict[str, Any] = {
            "devices": views.devices(at_bed, frame),
            "others": await standing.others(connection, bed, unit),
            "history": views.history(await standing.history(connection, bed), bed, frame),
            "spans": views.spans(await filing.nobodys(connection, places, now), frame),
            "filings": views.filings(await filing.of_places(connection, places, now), frame),
            "refilings": views.refilings(await refilings.of_places(connection, places, now), frame),
            "behind": views.behind(await waits.left_behind(connection, bed), frame),
            "kin": views.kin(await kinship.of_patient(connection, here["id"]), here["id"]),
        }
    known = web.places.beds.get(bed)
    label = known.label if known else bed
    page = page_of(request, principal, words.t("whois.title", bed=label), unit)
    html = web.renderer.fill(
        "whoisit.html",
        page=page,
        bed=bed,
        label=label,
        patient=here,
        why=check_why(cell.flags) if cell else "",
        came_by=BY_QR if request.query_params.get("from") == BY_QR else "",
        may=allows(principal, Permission.CONFIRM_BED, hospital_of(unit), unit),
        said=sentence(error, words) if error else "",
        **shown,
    )
    status = {Conflict: 409, MessageError: 422, NotFound: 404}.get(type(error), 200)
    return HTMLResponse(html, status_code=status)


def _back(bed: str) -> Response:
    return RedirectResponse(f"/icu/beds/{bed}/binding", status_code=303)


def _cell(request: Request, unit: str, bed: str) -> BedCell | None:
    feed = web_of(request).feed(unit)
    cell = feed.cells.get(bed) if feed else None
    return cell if isinstance(cell, BedCell) else None


def _span(form: FormData, zone: str) -> Span:
    """What somebody wants to file, with the beginning and end as they left or changed them."""
    first, last = (_word(form, name) for name in ("first", "last"))
    if not (first.isdecimal() and last.isdecimal() and len(first) < 18 and len(last) < 18):
        raise MessageError("bad_span", "open the page anew: it has lost its span")
    return Span(
        place=_word(form, "place"),
        device=_word(form, "device"),
        named_other=_word(form, "named_other") == "yes",
        mode=_word(form, "mode"),
        first=views.moment(_word(form, "from"), int(first), zone),
        last=views.moment(_word(form, "until"), int(last), zone, end=True),
        number=0,
    )


def _word(form: FormData, name: str) -> str:
    value = form.get(name)
    return storable(value).strip()[:200] if isinstance(value, str) else ""
