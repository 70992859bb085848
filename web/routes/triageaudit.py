"""Triage against the later course: a page, JSON, and the cases behind each number. Of no person.

Whoever may see patients sees the departments of their scope; a crew sees the cases it opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, allows, knows_of
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError, NotFound
from streams.intake import OWN_CASES_ONLY
from streams.shard import hall
from triage.audit import store
from triage.audit.course import (
    HOURS_MAX,
    JUDGES,
    TABLE,
    Measure,
    Setting,
    Told,
    measures,
    switchable,
)
from triage.audit.figures import Figures, figures, quarters, span_of, tables, unknown
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import NOT_HERE, note_reading
from web.views import triageaudit as view
from web.views.page import Page
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
Word = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a quarter found."""

    quarter: str
    quarters: list[str]
    whole: bool
    own: bool  # a crew's own cases only
    measures: tuple[Measure, ...]
    settings: list[Setting]
    figures: Figures
    told: dict[str, Told]
    unknown: int | None
    zone: tzinfo


@router.get("/api/v1/triage/audit")
async def audit_json(request: Request, principal: Someone, quarter: Word = "") -> dict[str, Any]:
    """A quarter (`2026-Q4`): shares with 95 % intervals; null where fewer than 20 would show."""
    look = await _look(request, principal, quarter)
    return {
        "quarter": look.quarter,
        "own_cases_only": look.own,
        "whole": look.whole,
        "interval": TABLE["interval"],
        "course_unknown": look.unknown,
        "tables": [
            {**table, "site_setting_of": iso(at) if (at := table["site_setting_of"]) else None}
            for table in tables(look.figures, look.measures)
        ],
        "off": [name for name in switchable() if name not in {m.id for m in look.measures}],
    }


@router.get("/triage-audit")
async def page(request: Request, principal: Someone, quarter: Word = "") -> HTMLResponse:
    """The same as a page."""
    look = await _look(request, principal, quarter)
    names = {unit.unit: unit.name for unit in web_of(request).places.units.values()}
    words = words_of(language_of(request))
    return _page(
        request,
        principal,
        "triage_audit.html",
        look=look,
        tables=view.tables(
            tables(look.figures, look.measures), look.quarter, words, look.zone, names
        ),
        unknown=view.unknown(look.unknown, words),
        off=view.switches(look.settings, words, look.zone),
        rules=view.rules(words),
        may_set=_may_set(request, principal),
    )


@router.get("/triage-audit/cases")
async def listed(
    request: Request,
    principal: Someone,
    quarter: Word,
    measure: Word,
    judge: Word,
    by: Word = "all",
    key: Word = "",
) -> HTMLResponse:
    """The cases behind a number, those counted as mistaken first; each reading is audited."""
    look = await _look(request, principal, quarter)
    found = look.figures.ids(measure, judge, (by, key)) if judge in JUDGES else frozenset()
    if not found:
        raise NotFound(NOT_HERE)
    web, words = web_of(request), words_of(language_of(request))
    wrong = look.figures.mistaken[measure, judge]
    told = [each for case, each in look.told.items() if case in found]
    told.sort(key=lambda each: (each.case.case not in wrong, each.case.at))
    await _note_cases(request, principal, told)
    on_board = {name for feed in web.feeds.values() for name in feed.cells}
    names = {unit.unit: unit.name for unit in web.places.units.values()}
    asked = next(each for each in look.measures if each.id == measure)
    return _page(
        request,
        principal,
        "triage_audit_cases.html",
        look=look,
        about=view.about(asked, judge, (by, key), words, look.zone, names),
        rows=[view.line(each, wrong, on_board, words, look.zone, names) for each in told],
    )


@router.post("/triage-audit/measures/{measure}", include_in_schema=False)
async def switch(
    request: Request,
    measure: str,
    principal: Someone,
    version: Annotated[int, Form(ge=0)],
    on: Annotated[str, Form(max_length=3)],
    within_h: Annotated[int, Form(ge=1, le=HOURS_MAX)],
) -> Response:
    """Switches a measure without a source on or off, as a dated setting of this hospital."""
    if measure not in switchable() or not _may_set(request, principal):
        raise NotFound(NOT_HERE)
    if on not in ("yes", "no"):
        raise MessageError("bad_switch", "`on` is yes or no")
    web = web_of(request)
    wanted = Setting(measure, version + 1, on == "yes", within_h, web.clock.now_us())
    await store.change(web.database, principal, wanted)
    return RedirectResponse("/triage-audit", status_code=303)


def _departments(request: Request, principal: Principal) -> list[str]:
    """The emergency departments that somebody may ask about; NotFound where there is none."""
    needed = Permission.OPEN_CASE if _own_only(principal) else Permission.SEE_PATIENT
    found = [
        unit.unit
        for unit in web_of(request).places.units.values()
        if unit.kind == "ed" and allows(principal, needed, unit.hospital, unit.unit)
    ]
    if not found:
        raise NotFound(NOT_HERE)
    return found


def _own_only(principal: Principal) -> bool:
    return principal.role in OWN_CASES_ONLY


def _may_set(request: Request, principal: Principal) -> bool:
    """A physician of every department of the hospital, for whom all of them it holds."""
    departments = [
        unit
        for unit in web_of(request).places.units.values()
        if unit.kind == "ed" and knows_of(principal, unit.hospital, None)
    ]
    return bool(departments) and all(
        allows(principal, Permission.DECIDE_TRIAGE, unit.hospital, unit.unit)
        for unit in departments
    )


async def _look(request: Request, principal: Principal, quarter: str) -> Look:
    web, own = web_of(request), _own_only(principal)
    units = _departments(request, principal)
    now = web.clock.now_us()
    zone = web.renderer.frame("en", now).zone
    known = quarters(now, zone)
    chosen = quarter or known[0]
    span = span_of(chosen, zone)
    await note_reading(
        request, principal, hall(principal.hospital), "read_triage_audit", "", chosen
    )
    set_ = await store.settings(web.database, principal.scope)
    told = await store.cases(
        web.database, principal.scope, units, span, web.mode, principal.actor if own else ""
    )
    in_force, cases = measures(set_), [each.case for each in told]
    return Look(
        quarter=chosen,
        quarters=known,
        whole=len(told) < store.MOST,
        own=own,
        measures=in_force,
        settings=set_,
        figures=figures(cases, in_force, zone, now),
        told={each.case.case: each for each in told},
        unknown=unknown(cases, in_force, now),
        zone=zone,
    )


async def _note_cases(request: Request, principal: Principal, told: list[Told]) -> None:
    """One line of the audit for each case whose course is shown."""
    web = web_of(request)
    by_unit: dict[str, list[tuple[wire.Entry, bytes]]] = {}
    for each in told:
        noted = wire.Audited(
            unit=each.case.unit,
            at=web.clock.now_us(),
            actor=principal.actor,
            role=principal.role,
            action="read_course",
            subject=each.case.case,
            detail="",
        )
        by_unit.setdefault(each.case.unit, []).append((noted, b""))
    for unit, entries in by_unit.items():
        await web.appender.append_many(unit, entries)


def _page(request: Request, principal: Principal, template: str, **values: Any) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    about = Page(words=words, title=words.t("audit.title"), user=principal.actor, demo=web.demo)
    return HTMLResponse(web.renderer.fill(template, page=about, **values))
