"""Hand-over: the shift's report and the summary of a stay, from the data, completed and signed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events
from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError
from icu.handover import store
from icu.handover.forms import FIELDS, HOUR_US, SHIFTS_H, written
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import moment, note_reading
from web.views import handover as views
from web.views.page import Page
from web.views.values import Frame
from web.views.whereabouts import called
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
SHIFT_H = 12
FIGURES = ("balance", "sofa")


@router.get("/api/v1/icu/stays/{stay}/reports")
async def listed(request: Request, stay: str, principal: Someone) -> list[dict[str, Any]]:
    """The signed reports of a stay, newest first, each with its data and what was written."""
    await _place(request, stay, principal, Permission.SEE_PATIENT)
    return await store.documents(web_of(request).database, principal, stay)


@router.post("/api/v1/icu/stays/{stay}/reports", status_code=201)
async def signed(request: Request, stay: str, principal: Someone) -> dict[str, Any]:
    """Signs `{"kind","hours","to","replaces", and the fields of the kind}`."""
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return {"document": await _sign(request, stay, principal, sent)}


@router.get("/icu/stays/{stay}/report")
async def page(
    request: Request, stay: str, principal: Someone, kind: str = "shift", hours: int = SHIFT_H
) -> HTMLResponse:
    """The report as it is now, with its fields to write in."""
    web = web_of(request)
    unit, bed = await _place(request, stay, principal, Permission.SEE_PATIENT)
    now = web.clock.now_us()
    since = await _since(request, principal, stay, kind, hours, now)
    figures = _figures(request, unit, bed)
    told = await store.content(web.database, principal, stay, since, now, figures)
    frame = web.renderer.frame(language_of(request), now)
    title = frame.words.t(f"report.kind.{kind}")
    return HTMLResponse(
        web.renderer.fill(
            "report.html",
            page=_page(request, principal, title),
            kind=kind,
            hours=hours,
            shifts=SHIFTS_H,
            fields=FIELDS[kind],
            until=told["to"],
            report=_report(request, told, frame),
            document=None,
            others=[
                views.listed(one, frame)
                for one in await store.documents(web.database, principal, stay)
            ],
        )
    )


@router.post("/icu/stays/{stay}/report")
async def press(request: Request, stay: str, principal: Someone) -> Response:
    """Signs from the page, then shows the signed report."""
    form = await request.form()
    sent = {name: value for name, value in form.items() if isinstance(value, str)}
    document = await _sign(request, stay, principal, sent)
    return RedirectResponse(f"/icu/documents/{document}", status_code=303)


@router.get("/icu/documents/{document}")
async def show(request: Request, document: str, principal: Someone) -> HTMLResponse:
    """A signed report, as it was signed, for the screen and for paper."""
    web = web_of(request)
    found = await store.document(web.database, principal, document)
    unit = found["unit"]  # or where the patient lies by now: it goes along with them
    if not allows(principal, Permission.SEE_PATIENT, principal.hospital, unit):
        unit = found["lies_in"] or unit
    require(principal, Permission.SEE_PATIENT, principal.hospital, unit)
    await note_reading(request, principal, unit, "read_document", document)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    title = frame.words.t(f"report.kind.{found['kind']}")
    return HTMLResponse(
        web.renderer.fill(
            "report.html",
            page=_page(request, principal, title),
            kind=found["kind"],
            report=_report(request, found["content"], frame),
            document=views.listed(found, frame),
            fields=FIELDS[found["kind"]],
            others=[],
        )
    )


async def _sign(request: Request, stay: str, principal: Principal, sent: dict[str, Any]) -> str:
    kind = str(sent.get("kind", ""))
    words = written(kind, sent)
    # A nurse hands the shift over; what goes to the next physician, a physician signs.
    needed = Permission.CARRY_OUT_ORDER if kind == "shift" else Permission.ORDER
    unit, bed = await _place(request, stay, principal, needed)
    web = web_of(request)
    now = web.clock.now_us()
    until = min(moment(str(sent.get("to") or "")) or now, now) if sent.get("to") else now
    hours = sent.get("hours", SHIFT_H)
    if not str(hours).isdecimal():
        raise MessageError("bad_hours", f"`hours` is one of {SHIFTS_H}")
    since = await _since(request, principal, stay, kind, int(str(hours)), until)
    return await store.sign(
        web.database,
        principal,
        stay,
        kind=kind,
        since=since,
        until=until,
        words=words,
        language=language_of(request),
        figures=_figures(request, unit, bed),
        replaces=str(sent.get("replaces") or ""),
        at=now,
    )


async def _since(
    request: Request, principal: Principal, stay: str, kind: str, hours: int, until: int
) -> int:
    if kind not in FIELDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(FIELDS)}")
    if kind == "shift":
        if hours not in SHIFTS_H:
            raise MessageError("bad_hours", f"`hours` is one of {SHIFTS_H}")
        return until - hours * HOUR_US
    told = await store.content(web_of(request).database, principal, stay, until, until, {})
    return from_iso(told["admitted_at"]) - 1


async def _place(
    request: Request, stay: str, principal: Principal, needed: Permission
) -> tuple[str, str]:
    unit, bed = await store.place_of(web_of(request).database, principal, stay)
    require(principal, needed, hospital_of(unit), unit)
    await note_reading(request, principal, unit, "read_report", stay)
    return unit, bed


def _figures(request: Request, unit: str, bed: str) -> dict[str, Any]:
    """Fluid balance and SOFA as the board has them for whoever lies there now."""
    feed = web_of(request).feed(unit)
    cell = feed.cells.get(bed) if feed else None
    known = cell.indicators if isinstance(cell, BedCell) else {}
    return {name: known[name] for name in FIGURES if isinstance(known.get(name), dict)}


def _page(request: Request, principal: Principal, title: str) -> Page:
    web = web_of(request)
    words = words_of(language_of(request))
    return Page(words=words, title=title, user=principal.actor, demo=web.demo)


def _report(request: Request, told: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """A report in words, with its bed as the unit calls it."""
    bed = called(web_of(request).places, told["bed"], frame.words)
    return views.report(told, frame) | {"bed": bed}
