"""The flowsheet of a bed: hand entry that works without PostgreSQL, hours, corrections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import BedCell
from hospital_ops.clock import from_datetime, from_iso, iso
from hospital_ops.database import DatabaseGone, Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from hospital_ops.identity import uuid7
from icu.ordering import store as ordering
from streams.charting import Charting, Correction
from streams.forms import first_at
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.charted import store as charted
from web.hours import Hour, day_of, hours_of, moment_of, stored_at
from web.language import language_of, spoken
from web.lying import cell_of
from web.meant import meant
from web.pages import units_of
from web.reading import NOT_HERE, note_reading, unit_of_bed
from web.trends import store
from web.trends.steps import HOUR
from web.views import byhand, whereabouts
from web.views import flowsheet as views
from web.views.refused import in_words, sentence
from web.views.values import name_words

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
DONE: Final = ("stored", "stored_before", "corrected", "validated")


def _charting(request: Request) -> Charting:
    web = web_of(request)
    return Charting(web.appender, web.clock, web.mode)


@router.post("/api/v1/icu/beds/{bed}/chart", dependencies=[Depends(meant)])
async def chart(request: Request, bed: str, principal: Someone) -> dict[str, list[Any]]:
    """Stores `{"events": [EVENT, ...]}` as typed by whoever is signed in.

    A value from before whoever lies there came to the bed is rejected.
    """
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    body = await request.body()
    sent = events.parse_json(body)
    batch = sent.get("events") if isinstance(sent, dict) else None
    since = _since(request, unit, bed)
    return await _charting(request).take(principal, unit, bed, batch, body, since=since)


@router.post("/api/v1/icu/beds/{bed}/chart/corrections", dependencies=[Depends(meant)])
async def correct(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """`{"event_id", "determined_at", "event": EVENT or null, "reason"}`: the old value is kept."""
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    body = await request.body()
    sent = events.parse_json(body)
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    found = await _charted(request, principal, bed, sent.get("event_id"), sent.get("determined_at"))
    reason = sent.get("reason") if isinstance(sent.get("reason"), str) else ""
    made = await _correct(
        request, principal, (unit, bed), found, sent.get("event"), str(reason), body
    )
    return made.answer


class _Found(NamedTuple):
    """A charted value and those beside it, in which bed it was charted, and whose it is."""

    value: wire.Observation
    beside: list[wire.Observation]
    unit: str
    bed: str
    patient_id: str


async def _correct(
    request: Request,
    principal: Principal,
    lies_in: tuple[str, str],
    found: _Found,
    new: Any,
    reason: str,
    body: bytes,
) -> Correction:
    """Corrects a value of the stay where the patient lies, wherever it was charted."""
    web, moved_on = web_of(request), found.bed != lies_in[1]
    made = _charting(request).correction(
        principal, found.unit, found.bed, found.value, new, reason, body, found.beside,
        found.patient_id if moved_on else "",
    )  # fmt: skip
    await charted.correct(
        web.database, principal, found.unit, found.bed, made.events, made.told,
        web.clock.now_us(), lies_in=lies_in,
    )  # fmt: skip
    return made


async def _charted(
    request: Request, principal: Principal, bed: str, event_id: Any, at: Any
) -> _Found:
    """The charted value that is to be corrected, as the archive has it, and those beside it."""
    try:
        at_us = from_iso(str(at))
    except ValueError as error:
        raise MessageError("bad_time", "`determined_at` is that of the old value") from error
    web = web_of(request)
    row = await charted.charted_one(web.database, principal.scope, bed, str(event_id), at_us)
    unit = web.places.unit_of_bed(row["place"]) if row else None
    if row is None or unit is None:
        raise NotFound(NOT_HERE)
    beside = [
        _observation(one) for one in await charted.beside(web.database, principal.scope, bed, row)
    ]
    whose = str(row["patient_id"] or "")
    return _Found(_observation(row), beside, unit, row["place"], whose)


def _observation(row: Record) -> wire.Observation:
    return wire.Observation(
        code=row["code"],
        value=row["value"] if row["value_text"] is None else row["value_text"],
        unit=row["physical_unit"] or "",
        determined_at=from_datetime(row["determined_at"]),
        channel=row["channel"],
        event_id=str(row["event_id"]),
        origin="typed",
    )


@router.get("/icu/beds/{bed}/flowsheet")
async def page(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The day of a bed by hours, with the form of what is charted by hand."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_flowsheet", bed)
    return await _page(request, bed, unit, principal)


@router.post("/icu/beds/{bed}/flowsheet", dependencies=[Depends(meant)])
async def enter(request: Request, bed: str, principal: Someone) -> Response:
    """Charts what the form holds, all of it or nothing; empty fields are not asked about.

    The same form that comes again (a reload, a second press) is what is there already.
    """
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    form = await request.form()
    fields = {name: str(value).strip() for name, value in form.items()}
    web, words = web_of(request), spoken(request)
    came = f"{principal.actor} {bed} {fields.get('form') or uuid7()}"
    now = web.clock.now_us()
    first = await first_at(web.appender.pipe, came, fields, now)
    try:
        at = moment_of(fields.get("at", ""), first, _zone(request), _since(request, unit, bed))
        batch = views.events_of(fields, iso(at), came) + byhand.events_of(fields, iso(at), came)
        if (doubt := byhand.doubtful(fields, words)) and not fields.get("sure"):
            said, asked = words.t("byhand.doubt", names=", ".join(doubt)), fields | {"asks": "1"}
            return await _page(request, bed, unit, principal, problem=said, fields=asked)
        if not batch:
            return await _page(request, bed, unit, principal, said="flow.nothing")
        body = wire.to_json({"events": batch})
        answer = await _charting(request).take(principal, unit, bed, batch, body, whole=True)
    except MessageError as error:
        said = sentence(error, words)
        return await _page(request, bed, unit, principal, problem=said, fields=fields)
    about = {str(one["event_id"]): name_words(str(one["code"]), words) for one in batch}
    problems = "; ".join(
        f"{about.get(row['event_id'], '')}: {in_words(row['error'], words, 'out_of_range')}"
        for row in answer["rejected"]
    )
    if problems:
        said = f"{problems}. {words.t('flow.none_stored')}"
        return await _page(request, bed, unit, principal, problem=said, fields=fields)
    done = "stored" if first == now else "stored_before"
    return _done(bed, day_of(at, _zone(request)), done, at)


@router.post("/icu/beds/{bed}/flowsheet/corrections", dependencies=[Depends(meant)])
async def corrected(
    request: Request,
    bed: str,
    principal: Someone,
    event: Annotated[str, Form(max_length=40)],
    at: Annotated[str, Form(max_length=40)],
    reason: Annotated[str, Form(max_length=300)],
    value: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Puts another value in the place of one, or takes it back where the field is empty."""
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    found = await _charted(request, principal, bed, event, at)
    old = found.value
    new: dict[str, Any] | None = None
    try:
        if value.strip():
            new = views.event(old.code, value.strip(), at) | {"channel": old.channel}
        sent = wire.to_json({"event_id": str(uuid7()), "replaces": event, "event": new})
        await _correct(request, principal, (unit, bed), found, new, reason, sent)
    except (MessageError, Conflict) as error:
        said, status = sentence(error, spoken(request)), 409 if isinstance(error, Conflict) else 422
        return await _page(request, bed, unit, principal, problem=said, status=status)
    return _done(bed, day_of(old.determined_at or 0, _zone(request)), "corrected")


@router.post("/icu/beds/{bed}/flowsheet/hours", dependencies=[Depends(meant)])
async def validate(
    request: Request, bed: str, principal: Someone, hour: Annotated[str, Form(max_length=40)]
) -> Response:
    """Notes that somebody has looked through the device values of an hour that is over."""
    unit = unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    web = web_of(request)
    try:
        start = from_iso(hour)
    except ValueError as error:
        raise MessageError("bad_hour", "`hour` is the beginning of a column") from error
    span = next(
        (h for h in hours_of(day_of(start, _zone(request)), _zone(request)) if h.from_at == start),
        None,
    )
    if span is None or span.to_at > web.clock.now_us():
        return await _page(request, bed, unit, principal, said="flow.not_over")
    found = await store.trends(
        web.database, principal.scope, bed, list(views.DEVICE), start, span.to_at, HOUR
    )
    figures = {code: trend.points[0].mean for code, trend in found.items() if trend.points}
    await _charting(request).validate(principal, unit, bed, (start, span.to_at), figures)
    return _done(bed, day_of(start, _zone(request)), "validated")


def _done(bed: str, day: str, said: str, at: int = 0) -> RedirectResponse:
    """The page of the day anew: a reload of it asks, and does nothing again.

    `at`: under which time something was stored, microseconds UTC.
    """
    return RedirectResponse(f"/icu/beds/{bed}/flowsheet?day={day}&said={said}&at={at}", 303)


def _since(request: Request, unit: str, bed: str) -> int:
    """When whoever lies in the bed came to it: what was before is somebody else's."""
    cell = cell_of(request, unit, bed)
    return cell.lies_since if cell else 0


def _at(request: Request, zone: ZoneInfo) -> str:
    """The day and time under which something was stored, as the page was asked to say it."""
    try:
        return stored_at(int(request.query_params.get("at", "")), zone)
    except (ValueError, OverflowError, OSError):
        return ""


def _zone(request: Request) -> ZoneInfo:
    frame = web_of(request).renderer.frame("en", 0)
    return ZoneInfo(str(frame.zone))


async def _page(
    request: Request,
    bed: str,
    unit: str,
    principal: Principal,
    said: str = "",
    problem: str = "",
    fields: Mapping[str, str] | None = None,
    status: int = 422,
) -> HTMLResponse:
    web, zone = web_of(request), _zone(request)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    try:
        day = request.query_params.get("day") or day_of(frame.now_us, zone)
        columns = hours_of(day, zone)
    except ValueError as error:
        raise MessageError("bad_day", "`day` is a date such as 2026-03-01") from error
    if (done := request.query_params.get("said", "")) in DONE and not problem:
        said = said or f"flow.{done}"
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    sheet = await _sheet(request, principal, bed, columns)
    lies = cell if isinstance(cell, BedCell) else BedCell(bed, bed, None, {})
    typed = fields or {}
    running = await _running(request, principal, lies) if sheet else []
    by_hand = byhand.vitals(typed, frame.words) + byhand.rates(running, lies, typed, frame)
    return HTMLResponse(
        views.render(
            web.renderer,
            frame,
            cell=lies,
            unit=unit,
            day=day,
            columns=columns,
            sheet=sheet,
            may_chart=allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit),
            said=frame.words.t(said, at=_at(request, zone)) if said else "",
            problem=problem,
            fields=typed,
            by_hand=by_hand,
            user=principal.actor,
            demo=web.demo,
            units=units_of(web, principal),
        ),
        status_code=status if problem else 200,
    )


async def _running(request: Request, principal: Principal, cell: BedCell) -> list[dict[str, Any]]:
    """The orders of whoever lies there; none while the archive is away."""
    web = web_of(request)
    if cell.patient is None:
        return []
    try:
        return await ordering.orders_of(
            web.database, principal, cell.patient.patient_id, web.clock.now_us()
        )
    except DatabaseGone:
        return []


async def _sheet(
    request: Request, principal: Principal, bed: str, columns: list[Hour]
) -> views.Sheet | None:
    """What the archive holds of the day; None while it is away."""
    web, start, end = web_of(request), columns[0].from_at, columns[-1].to_at
    try:
        device = await store.trends(
            web.database, principal.scope, bed, list(views.DEVICE), start, end, HOUR
        )
        lain = await store.lain(web.database, principal.scope, bed)
        rows = await charted.charted(web.database, principal.scope, bed, start, end)
        looked = await charted.validated(web.database, principal.scope, bed, start, end)
    except DatabaseGone:
        return None
    unit, words = web.places.unit_of_bed(bed) or "", spoken(request)
    spans = [s._replace(unit=s.unit or unit) for s in lain if not s.is_case]
    names = {span: whereabouts.name(web.places, span, unit, words) for span in spans}
    hours = [(hour.from_at, hour.to_at) for hour in columns]
    return views.Sheet(
        device=device,
        charted=[dict(row) for row in rows],
        validated={from_datetime(row["from_at"]): row["actor"] for row in looked},
        beds=whereabouts.by_hour(spans, names, hours) if len(spans) > 1 else (),
        names={span.place: name for span, name in names.items() if span.place != bed},
    )
