"""Trends of a bed: lowest, highest and mean for every step, the events beside, and the page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hospital_ops import codes
from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, from_datetime, iso
from hospital_ops.errors import MessageError
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import look_of, units_of
from web.reading import moment, note_reading, unit_of_bed
from web.trends import store
from web.trends.steps import MINUTE, Row
from web.views import trendpage, whereabouts
from web.views.alarms import stored_text
from web.views.values import name_words
from web.whereabouts.spans import Span
from web.words import Words, words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
POINTS_MOST, CODES_MOST, DAYS_MOST = 4000, 20, 400
Codes = Annotated[list[str], Query(alias="code", max_length=CODES_MOST)]


@router.get("/api/v1/icu/beds/{bed}/trends")
async def trends(
    request: Request,
    bed: str,
    principal: Someone,
    wanted: Codes,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
    points: Annotated[int, Query(ge=1, le=POINTS_MOST)] = 600,
) -> dict[str, Any]:
    """Each code's `points`: `[from, lowest, highest, mean, number]` for every step with values.

    Of whoever lies there now (`patient_id`) it is the whole stay, also in the beds before: `beds`
    names them with the time of each. Without `from` and `to` the whole of what is stored. A step is
    a whole number of minutes, or shorter than one where the question is close enough.
    """
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_trends", bed)
    start, end = moment(since), moment(until)
    known = [_code(each) for each in wanted]
    if start is None or end is None:
        whole = await store.span(web.database, principal.scope, bed)
        now = web.clock.now_us()
        start = start if start is not None else (whole[0] if whole else now)
        end = end if end is not None else max((whole[1] if whole else now) + 1, start + 1)
    start, end, step = steps(start, end, points)
    found = await store.trends(web.database, principal.scope, bed, known, start, end, step)
    lying = await store.lying(web.database, principal.scope, bed)
    lain = await _lain(request, principal, unit, bed)
    words = words_of(language_of(request))
    return {
        "bed": bed,
        "patient_id": str(lying.patient_id) if lying.patient_id else None,
        "mode": lying.mode or next((trend.mode for trend in found.values()), ""),
        "from": iso(start),
        "to": iso(end),
        "step_s": step / SECOND,
        "beds": whereabouts.listed(web.places, lain, unit, words),
        "trends": {
            code: {
                "unit": trend.unit,
                "mode": trend.mode,
                "points": [
                    [iso(p.at), p.lowest, p.highest, round(p.mean, 6), p.number]
                    for p in trend.points
                ],
            }
            for code, trend in found.items()
        },
    }


def steps(start: int, end: int, points: int) -> tuple[int, int, int]:
    """(from, to, step) in microseconds: beginning on a whole step, at most about `points` of them.

    Raises MessageError where the question is upside down or longer than a stay can be.
    """
    if end <= start or end - start > DAYS_MOST * 86_400 * SECOND:
        raise MessageError("bad_range", "`from` lies before `to`, at most 400 days")
    step = max(-(-(end - start) // points), SECOND // 100)
    if step >= MINUTE // 2:
        step = -(-step // MINUTE) * MINUTE
        return start // MINUTE * MINUTE, -(-end // MINUTE) * MINUTE, step
    return start, end, step


def _code(text: str) -> str:
    """The public code of a code or key."""
    vital = codes.by_loinc.get(text) or codes.by_key.get(text)
    return vital.code if vital else text


@router.get("/api/v1/icu/beds/{bed}/trends/events")
async def events(
    request: Request,
    bed: str,
    principal: Someone,
    since: Annotated[str, Query(alias="from")],
    until: Annotated[str, Query(alias="to")],
) -> dict[str, Any]:
    """Alarms, acts on orders, notes, corrections and changes of devices, oldest first."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_trend_events", bed)
    start, end = moment(since), moment(until)
    at = web.database, principal.scope, bed, start or 0, end or 0
    words = words_of(language_of(request))
    found = [
        {
            "at": iso(from_datetime(row["at"])),
            "kind": row["kind"],
            "text": _said(row, words),
            "tone": row["tone"] or "",
            "act": row["act"] or "",
        }
        for row in await store.events(*at)
    ]
    for change in await store.device_changes(*at):
        about = f" {name_words(change.about, words)}" if change.about else ""
        found.append(
            {
                "at": iso(from_datetime(change.at)),
                "kind": "device",
                "text": f"{words.t('trend.page.device.' + change.what)}{about}: {change.said}",
                "tone": change.what,
                "act": "",
            }
        )
    lain = await _lain(request, principal, unit, bed)
    found += whereabouts.moves(web.places, lain, unit, words, start or 0, end or 0)
    return {"events": sorted(found, key=lambda event: event["at"])}


def _said(row: Row, words: Words) -> str:
    """What an event of the axis says; of a note that was entered in error, that it was."""
    if row["rule"]:
        return stored_text(row["rule"], row["said"] or "", words)
    said = row["said"] or ""
    return words.t("trend.page.withdrawn", text=said) if row["act"] == "withdrawn" else said


async def _lain(request: Request, principal: Principal, unit: str, bed: str) -> list[Span]:
    """The beds of the stay in order, each with its unit; empty where this is the only one."""
    found = await store.lain(web_of(request).database, principal.scope, bed)
    return [span if span.unit else span._replace(unit=unit) for span in found]


@router.get("/icu/beds/{bed}/trends")
async def page(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The page of trends, from ten minutes to the whole stay and down to the single beat."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_trend_page", bed)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    return HTMLResponse(
        trendpage.render(
            web.renderer,
            frame,
            cell=cell if isinstance(cell, BedCell) else BedCell(bed, bed, None, {}),
            unit=unit,
            theme=look_of(request)["theme"],
            user=principal.actor,
            demo=web.demo,
            units=units_of(web, principal),
        )
    )
