"""'Something is wrong here': one tap files it, those with the right review it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import BedCell, alarm_json, bed_json, case_json, value_json
from hospital_ops.clock import ManualClock, from_datetime, from_iso, iso
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.versions import versions
from streams.shard import hall, hospital_of
from web.auth import signed_in, web_of
from web.boards import MAKE, Feed
from web.incidents import store
from web.language import language_of
from web.pages import page_of
from web.quota import INCIDENTS, INCIDENTS_OF_UNIT
from web.reading import NOT_HERE, moment, note_reading, unit_of_bed
from web.routes.past import board_at
from web.views import incidents as views
from web.views import past as past_views
from web.views.whereabouts import called
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.post("/api/v1/incidents", status_code=201)
async def file(request: Request, principal: Someone) -> dict[str, Any]:
    """`{"unit","place" (bed or case),"kind","about","at","words"}`; `at`: a past second."""
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    texts = {
        name: str(sent.get(name) or "")[:500]
        for name in ("unit", "place", "kind", "about", "at", "words")
    }
    return {"incident": await _file(request, principal, **texts)}


@router.get("/api/v1/incidents")
async def listed(request: Request, principal: Someone) -> list[dict[str, Any]]:
    """The incidents of one's units, those that wait for review first."""
    await _may_review(request, principal, "read_incidents", "")
    return await store.listed(web_of(request).database, principal)


@router.get("/api/v1/incidents/{incident}")
async def one(request: Request, incident: str, principal: Someone) -> dict[str, Any]:
    """One incident with what was copied around it, and the board at its moment."""
    await _may_review(request, principal, "read_incident", incident)
    found = await store.one(web_of(request).database, principal, incident)
    board = await _board(request, principal, found)
    return found | {"board": board.snapshot_json() if board else None}


@router.post("/api/v1/incidents/{incident}/review")
async def review(request: Request, incident: str, principal: Someone) -> dict[str, Any]:
    """`{"version","outcome","finding"}`; 409 for whoever was second."""
    sent = events.parse_json(await request.body() or b"{}")
    version = sent.get("version") if isinstance(sent, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise MessageError("bad_version", "`version` is that of the incident you have seen")
    outcome, finding = str(sent.get("outcome", "")), str(sent.get("finding") or "")
    await _review(request, principal, incident, version, outcome, finding)
    return {"incident": incident, "outcome": outcome}


@router.get("/icu/beds/{bed}/wrong")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """A button for each value, alarm and message of a bed."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await _panel(request, principal, unit, bed)


@router.post("/icu/beds/{bed}/wrong")
async def press(
    request: Request, bed: str, principal: Someone, about: Annotated[str, Form(max_length=200)]
) -> HTMLResponse:
    """One tap; `about` is `KIND:ID`."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    kind, _, name = about.partition(":")
    await _file(request, principal, unit=unit, place=bed, kind=kind, about=name)
    return await _panel(request, principal, unit, bed, filed=about)


@router.get("/incidents")
async def page(request: Request, principal: Someone) -> HTMLResponse:
    """The list as a page."""
    await _may_review(request, principal, "read_incidents", "")
    web, words = web_of(request), words_of(language_of(request))
    frame = web.renderer.frame(words.language, web.clock.now_us())
    found = await store.listed(web.database, principal)
    return HTMLResponse(
        web.renderer.fill(
            "incidents.html",
            page=page_of(request, principal, words.t("incidents.title")),
            incidents=[
                views.line(one, frame) | {"place": called(web.places, one["place"], words)}
                for one in found
            ],
        )
    )


@router.get("/incidents/{incident}")
async def show(request: Request, incident: str, principal: Someone) -> HTMLResponse:
    """One incident as a page: what was seen, the board then, the versions, the review."""
    await _may_review(request, principal, "read_incident", incident)
    web, language = web_of(request), language_of(request)
    frame = web.renderer.frame(language, web.clock.now_us())
    found = await store.one(web.database, principal, incident)
    board = await _board(request, principal, found)
    known = web.places.units[found["unit"]]
    wanted = past_views.Wanted(
        unit=known.unit,
        kind=known.kind,
        name=known.name,
        bed=found["place"] if known.kind == "icu" else "",
        at_us=from_iso(found["at"]),
        now_us=web.clock.now_us(),
    )
    return HTMLResponse(
        web.renderer.fill(
            "incident.html",
            page=page_of(request, principal, frame.words.t("incidents.one")),
            one=views.line(found, frame)
            | views.details(found, frame)
            | {"place": called(web.places, found["place"], frame.words)},
            outcomes=store.OUTCOMES,
            inside=True,
            **past_views.parts(web.renderer, language, wanted, board),
        )
    )


@router.post("/incidents/{incident}")
async def press_review(
    request: Request,
    incident: str,
    principal: Someone,
    version: Annotated[int, Form()],
    outcome: Annotated[str, Form(max_length=40)],
    finding: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """The review from the page, then the list."""
    await _review(request, principal, incident, version, outcome, finding)
    return RedirectResponse("/incidents", status_code=303)


async def _file(
    request: Request,
    principal: Principal,
    *,
    unit: str,
    place: str,
    kind: str,
    about: str,
    at: str = "",
    words: str = "",
) -> str:
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    quotas, now = web_of(request).quotas, web_of(request).clock.now_us()
    with (
        quotas.one(INCIDENTS, principal.actor, now),
        quotas.one(INCIDENTS_OF_UNIT, unit, now),
    ):
        wrong = await _wrong(request, principal, unit, place, kind, about, at, words, now)
        return await store.file(web_of(request).database, principal, wrong, versions(), now)


async def _wrong(
    request: Request,
    principal: Principal,
    unit: str,
    place: str,
    kind: str,
    about: str,
    at: str,
    words: str,
    now: int,
) -> store.Wrong:
    """What was pointed at, with what stood there; NotFound where it is not there."""
    web = web_of(request)
    then = moment(at) if at else None
    feed: Feed | None
    if then is not None:
        feed, when = await board_at(request, principal, unit, then), then
    else:
        feed, when = web.feed(unit), now
    cell = feed.cells.get(place) if feed else None
    if cell is None or not about:
        raise NotFound(NOT_HERE)
    seen: dict[str, Any]
    if kind == "value" and about in cell.values:
        seen = value_json(cell.values[about], when)
    elif kind == "alarm" and isinstance(cell, BedCell):
        alarms = [alarm for alarm in cell.alarms if alarm.id == about]
        seen = alarm_json(alarms[0]) if alarms else {}
    else:
        seen = bed_json(cell, when) if isinstance(cell, BedCell) else case_json(cell, when)
    patient = cell.patient.patient_id if isinstance(cell, BedCell) and cell.patient else ""
    return store.Wrong(unit, place, patient, kind, about, when, seen, cell.mode, words)


async def _board(request: Request, principal: Principal, found: dict[str, Any]) -> Feed | None:
    """The board at the moment of an incident: its own copy, else what is kept still."""
    web, at = web_of(request), from_iso(found["at"])
    known = web.places.units.get(found["unit"])
    if known is None:
        return None
    seen = await store.frozen_board(web.database, principal, found["incident"], at)
    if seen is None:
        try:
            return await board_at(request, principal, known.unit, at)
        except MessageError:
            return None
    board = MAKE[known.kind](web.redis_url, known, web.places, web.renderer, ManualClock(at))
    board.become(seen.rev, seen.cells)
    return board


async def _review(
    request: Request, principal: Principal, incident: str, version: int, outcome: str, finding: str
) -> None:
    web = web_of(request)
    require(principal, Permission.REVIEW_INCIDENTS, principal.hospital)
    await store.review(
        web.database,
        principal,
        incident,
        version=version,
        outcome=outcome,
        finding=finding.strip(),
        at=web.clock.now_us(),
    )


async def _may_review(request: Request, principal: Principal, action: str, subject: str) -> None:
    require(principal, Permission.REVIEW_INCIDENTS, principal.hospital)
    await note_reading(request, principal, hall(principal.hospital), action, subject)


async def _panel(
    request: Request, principal: Principal, unit: str, bed: str, *, filed: str = ""
) -> HTMLResponse:
    web = web_of(request)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    messages: list[tuple[str, str]] = []
    away = False
    try:
        rows = await store.messages_of(web.database, principal, bed)
        messages = [(str(r["message"]), iso(from_datetime(r["changed_at"]))) for r in rows]
    except DatabaseGone:
        away = True
    return HTMLResponse(
        web.renderer.fill(
            "_wrong.html",
            w=frame.words,
            bed=bed,
            away=away,
            filed=filed,
            things=views.things(cell if isinstance(cell, BedCell) else None, messages, frame),
        )
    )
