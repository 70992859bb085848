"""How many alarms a unit had, and what came of them: a page and JSON. Of a unit, of no person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import NotFound
from icu.limit_changes import store as changed
from icu.load import figures, replay, store
from icu.rules import LIMIT_RULES
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of
from web.reading import NOT_HERE, note_reading
from web.views import alarmload as view
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
Days = Annotated[int, Query(ge=1, le=28)]
DAY_US = 86_400 * SECOND


@router.get("/api/v1/icu/units/{unit}/alarm-load")
async def load_json(
    request: Request, unit: str, principal: Someone, days: Days = 7
) -> dict[str, Any]:
    """The last `days` (1 to 28) by bed, shift and rule, and in all by rule."""
    return await _load(request, unit, principal, days)


@router.get("/api/v1/icu/units/{unit}/alarm-replay")
async def replay_json(
    request: Request,
    unit: str,
    principal: Someone,
    rule: str,
    code: str,
    band: str = replay.ADULT,
    limit: float | None = None,
    delay_s: float | None = None,
    days: Annotated[int, Query(ge=1, le=7)] = 1,
) -> dict[str, Any]:
    """What another limit or delay would have rung on the unit's own last days; changes nothing."""
    question = replay.Question(rule, code, limit, delay_s, band)
    return await _replay(request, unit, principal, question, days)


@router.get("/icu/{unit}/alarm-replay")
async def replay_panel(
    request: Request,
    unit: str,
    principal: Someone,
    what: str,
    limit: str = "",
    delay_s: str = "",
    days: Annotated[int, Query(ge=1, le=7)] = 1,
) -> HTMLResponse:
    """The same as a page; `what` is RULE|CODE."""
    web, words = web_of(request), words_of(language_of(request))
    rule, _, code = what.partition("|")
    question = replay.Question(rule, code, view.number(limit), view.number(delay_s))
    found = await _replay(request, unit, principal, question, days)
    page = page_of(request, principal, words.t("replay.title"), unit)
    text = web.renderer.fill(
        "alarm_replay.html", page=page, unit=unit, days=days, found=view.replayed(found, words)
    )
    return HTMLResponse(text)


@router.get("/icu/{unit}/alarm-load")
async def page(request: Request, unit: str, principal: Someone, days: Days = 7) -> HTMLResponse:
    """The same as a page."""
    web, words = web_of(request), words_of(language_of(request))
    found = await _load(request, unit, principal, days)
    page = page_of(request, principal, words.t("load.title"), unit)
    text = web.renderer.fill(
        "alarm_load.html",
        page=page,
        unit=unit,
        days=days,
        rules=view.rows(found["rules"], words),
        beds=view.rows(found["beds"], words),
        whole=found["whole"],
        tunable=view.tunable(LIMIT_RULES, words),
    )
    return HTMLResponse(text)


async def _replay(
    request: Request, unit: str, principal: Principal, question: replay.Question, days: int
) -> dict[str, Any]:
    web = web_of(request)
    _may(request, unit, principal)
    changes = await changed.in_force(web.database, principal.scope, unit)
    edge = replay.loosest(question, changes)
    detail = f"{question.rule} {question.code}, {days} days"
    await note_reading(request, principal, unit, "replay_alarms", unit, detail)
    end = web.clock.now_us()
    span = (end - days * DAY_US, end)
    rows = await store.values(
        web.database, principal.scope, unit, question.code, span, web.mode, edge
    )
    told: dict[str, Any] = {"unit": unit, "days": days, "whole": len(rows) < store.MOST}
    told |= replay.replayed(rows, question, changes)
    told["replay"] = None  # the id by which exactly this may be applied
    if replay.may_apply(told) and allows(principal, Permission.SET_LIMITS, hospital_of(unit), unit):
        told["replay"] = await changed.note_replay(
            web.database, principal, unit, question, told, end, web.mode
        )
    return told


def _may(request: Request, unit: str, principal: Principal) -> None:
    known = web_of(request).places.units.get(unit)
    if known is None or known.kind != "icu":
        raise NotFound(NOT_HERE)
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)


async def _load(request: Request, unit: str, principal: Principal, days: int) -> dict[str, Any]:
    web = web_of(request)
    _may(request, unit, principal)
    await note_reading(request, principal, unit, "read_alarm_load", unit, f"{days} days")
    end = web.clock.now_us()
    start = end - days * DAY_US
    events, acts = await store.load(web.database, principal.scope, unit, start, end, web.mode)
    found = figures.episodes(events, end)
    zone = web.renderer.frame("en", end).zone
    by_rule: dict[str, list[figures.Episode]] = {}
    for each in found:
        by_rule.setdefault(each.rule, []).append(each)
    rules = [{"rule": rule, **figures.figures(group, acts)} for rule, group in by_rule.items()]
    return {
        "unit": unit,
        "from": iso(start),
        "to": iso(end),
        "whole": len(events) < store.MOST,
        "rules": sorted(rules, key=lambda row: -row["count"]),
        "beds": figures.table_of(found, acts, zone),
    }
