"""Search, one patient's page and the device list; every reading is audited."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import NotFound
from hospital_ops.installation import store as installation
from streams.shard import hall
from triage.handover import store as sheets
from web import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of, units_of
from web.reading import note_reading
from web.routes import bedecgs
from web.streetecgs import store as ecgs
from web.views import patients as views
from web.views import whereabouts
from web.views.page import Page
from web.views.sheet import signed_view
from web.views.streetecgs import lines
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/patients")
async def search_page(request: Request, principal: Someone) -> HTMLResponse:
    """The empty search."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    return _search(request, principal, "", None)


@router.post("/patients")
async def search(
    request: Request, principal: Someone, q: Annotated[str, Form(max_length=80)]
) -> HTMLResponse:
    """Finds people by number or family name; by POST, so that no name stands in an address."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    web = web_of(request)
    rows = await store.find_patients(web.database, principal.scope, q.strip())
    await note_reading(
        request, principal, hall(principal.hospital), "search_patients", "", f"{len(rows)} found"
    )
    return _search(request, principal, q, [views.person(row) for row in rows])


@router.get("/patients/{patient_id}")
async def patient(request: Request, patient_id: UUID, principal: Someone) -> HTMLResponse:
    """One person: where they lie, the newest values, the way here, and what was before."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    database, scope, wanted = web.database, principal.scope, str(patient_id)
    found = await store.patient(database, scope, wanted)
    if found is None:
        raise NotFound("There is no such patient, or not within your units.")
    await note_reading(request, principal, hall(principal.hospital), "read_patient", wanted)
    frame = web.renderer.frame(words.language, web.clock.now_us())
    cases = await store.cases_of(database, scope, wanted)
    name_of = partial(whereabouts.called, web.places, words=words)
    reach = await bedecgs.of_patient(web, principal, wanted)
    page = page_of(request, principal, words.t("patients.title"))
    taken = await ecgs.of_cases(database, reach.scope, reach.cases, reach.only)
    html = web.renderer.fill(
        "patient.html",
        page=page,
        person=views.person(found, name_of),
        values=views.values(await store.latest_values(database, scope, wanted), frame, name_of),
        way=views.way(await store.way_of(database, scope, wanted), frame, name_of),
        prehospital=[
            views.prehospital(await store.case_record(database, scope, case), frame)
            | {"sheet": signed_view(await sheets.signed(database, scope, case), frame)}
            for case in cases
        ],
        ecgs=lines(taken, frame),
        at=f"/patients/{wanted}",
    )
    return HTMLResponse(html)


@router.get("/devices")
async def devices(request: Request, principal: Someone) -> HTMLResponse:
    """The registered devices of the hospital, for administrators."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web, words = web_of(request), words_of(language_of(request))
    async with web.database.transaction(principal.scope) as connection:
        rows = await installation.listed_devices(connection)
    page = Page(words=words, title=words.t("devices.title"), user=principal.actor, demo=web.demo)
    return HTMLResponse(
        web.renderer.fill("devices.html", page=page, devices=rows, units=units_of(web, principal))
    )


def _search(
    request: Request, principal: Principal, asked: str, found: list[dict[str, object]] | None
) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    page = Page(words=words, title=words.t("patients.title"), user=principal.actor, demo=web.demo)
    return HTMLResponse(web.renderer.fill("patients.html", page=page, asked=asked, found=found))
