"""Why an alarm rang, with the ten seconds of all curves around its beginning: JSON and a panel."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops import waveform, wire
from hospital_ops.access import Permission, Principal
from hospital_ops.board import AlarmCell, BedCell, verdict_json
from hospital_ops.clock import SECOND, from_datetime, iso
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import NotFound
from hospital_ops.waveform import Frame
from icu import explained
from icu.ages import age_at
from icu.explained import SiteLimit
from icu.limit_changes.store import held_at
from streams.evidence import store as evidence
from streams.waves import frame_of, recent
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, unit_of_bed
from web.routes.alarms import BEDSIDE, UNKNOWN
from web.views import evidence as view

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
STRIP_US: Final = round((evidence.BEFORE_S + evidence.AFTER_S) * SECOND)


@router.get("/api/v1/icu/beds/{bed}/alarms/{alarm}/evidence")
async def evidence_json(
    request: Request, bed: str, alarm: str, principal: Someone
) -> dict[str, Any]:
    """Rule, value, limit, duration, verdict, who approved the limit, and the strip.

    `stored` is false where the strip comes from the live curves (the archive has it some seconds
    later, or is away); then it is the last ten seconds.
    """
    return await _evidence(request, bed, alarm, principal)


@router.get("/icu/beds/{bed}/alarms/{alarm}/evidence")
async def panel(request: Request, bed: str, alarm: str, principal: Someone) -> HTMLResponse:
    """The same as a panel of the bed's page; the page draws the strip."""
    found = await _evidence(request, bed, alarm, principal)
    web = web_of(request)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    return HTMLResponse(
        web.renderer.fill("_evidence.html", w=frame.words, bed=bed, e=view.shown(found, frame))
    )


async def _evidence(request: Request, bed: str, alarm: str, principal: Principal) -> dict[str, Any]:
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    try:
        UUID(alarm)
    except ValueError:
        raise NotFound(UNKNOWN) from None
    await note_reading(request, principal, unit, "read_alarm_evidence", alarm)
    cell, live = _live(request, unit, bed, alarm)
    try:
        row = await evidence.kept(web.database, principal.scope, unit, alarm)
    except DatabaseGone:
        row = None
    if row is not None:
        site = await _site_limit(request, principal, unit, row, cell, live)
        return _of_row(row, cell, live, site, web.clock.now_us())
    if live is None:
        raise NotFound(UNKNOWN)
    now = web.clock.now_us()
    pieces = [
        next(waveform.unpack(frame_of(wave)))
        for wave in await recent(web.appender.pipe, unit, now - STRIP_US)
        if wave.bed == bed
    ]
    return {
        **_head(live.id, live.code, live.about, cell, now, explained.of_cell(live)),
        "priority": live.priority,
        "value": live.value,
        "limit": live.limit,
        "since": iso(live.since),
        "raised_at": iso(live.burst_at or live.since),
        "duration_s": round((now - live.since) / SECOND, 1),
        "state": live.state,
        "verdict": verdict_json(live.verdict),
        "stored": False,
        "strip": _strip(pieces, now - STRIP_US, now),
    }


def _live(
    request: Request, unit: str, bed: str, alarm: str
) -> tuple[BedCell | None, AlarmCell | None]:
    feed = web_of(request).feed(unit)
    cells = [cell for cell in feed.cells.values() if isinstance(cell, BedCell)] if feed else []
    for cell in cells:
        for found in cell.alarms:
            if found.id == alarm:
                return cell, found
    return next((cell for cell in cells if cell.bed == bed), None), None


def _of_row(
    row: dict[str, Any],
    cell: BedCell | None,
    live: AlarmCell | None,
    site: SiteLimit | None,
    now: int,
) -> dict[str, Any]:
    since, last = from_datetime(row["since"]), from_datetime(row["last_at"])
    ended = row["last_state"] in ("inactive", "moved")
    verdict = live.verdict if live else None
    stored = wire.from_json(row["verdict"]) if row["verdict"] else None
    frames = list(waveform.unpack(row["curves"])) if row["curves"] else []
    return {
        **_head(str(row["alarm_id"]), row["rule"], row["about"], cell, now, site),
        "priority": row["priority"],
        "value": row["value"],
        "limit": row["limit_value"],
        "since": iso(since),
        "raised_at": iso(from_datetime(row["raised_at"])),
        "duration_s": round(((last if ended else now) - since) / SECOND, 1),
        "state": live.state if live else row["last_state"],
        "verdict": verdict_json(verdict) or stored,
        "stored": True,
        "strip": _strip(frames, from_datetime(row["from_at"]), from_datetime(row["to_at"])),
    }


async def _site_limit(
    request: Request,
    principal: Principal,
    unit: str,
    row: dict[str, Any],
    cell: BedCell | None,
    live: AlarmCell | None,
) -> SiteLimit | None:
    """Who had approved the limit when the alarm began, also long after it has ended."""
    if live is not None:
        return explained.of_cell(live)
    birth_date = cell.patient.birth_date if cell and cell.patient else ""
    band = age_at(birth_date, from_datetime(row["raised_at"])).band
    database = web_of(request).database
    found = await held_at(database, principal.scope, unit, row["alarm_id"], band)
    if found is None:
        return None
    return SiteLimit(row["limit_value"], found["delay_s"], found["approved_by"])


def _head(
    alarm: str, rule: str, about: str, cell: BedCell | None, now: int, site: SiteLimit | None
) -> dict[str, Any]:
    birth_date = cell.patient.birth_date if cell and cell.patient else ""
    told = explained.rule_json(rule, about, birth_date, now, site)
    return {
        "alarm": alarm,
        "about": about,
        "rule": told,
        "approved_by": told["approved_by"],
        "bedside": BEDSIDE,
    }


def _strip(frames: list[Frame], start: int, end: int) -> dict[str, Any]:
    """The pieces as they are; their times are those of the device."""
    return {
        "from": iso(start),
        "to": iso(end),
        "seconds": (end - start) / SECOND,
        "curves": [
            {
                "code": frame.code,
                "channel": frame.channel,
                "unit": frame.unit,
                "mode": frame.mode,
                "rate_hz": frame.rate_hz,
                "scale": frame.scale,
                "offset": frame.offset,
                "started_us": frame.started_at,
                "samples": view.samples(frame.samples),
            }
            for frame in frames
        ],
    }
