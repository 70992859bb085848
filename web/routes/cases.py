"""The page of a pre-arrival case: a physician hears of it, and decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from hospital_ops import wire
from hospital_ops.access import PERMISSIONS, Permission, Principal, allows, require
from hospital_ops.board import CaseCell
from hospital_ops.case_steps import ARRIVED
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import store as beds
from streams.shard import hospital_of
from triage import store
from triage.counterfactuals import counterfactuals
from triage.decision import checked_decision, not_on_stale
from triage.engine import assess
from triage.inputs import engine_inputs
from web import store as record
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import case_of, note_reading
from web.rerouting import departments
from web.views import street
from web.views.bedchoice import wards_of
from web.views.casedesk import desk_view
from web.views.casepage import REASONS, render
from web.views.walkin import form_view
from web.words import words_of

router = APIRouter(prefix="/ed/cases")
Someone = Annotated[Principal, Depends(signed_in)]
ENTERS = (Permission.OPEN_CASE, Permission.SEND_VALUES)
SHOWN_WITHIN_S = 3.0  # what was just sent is given a moment to come to the board


@router.get("/{case}")
async def page(request: Request, case: str, principal: Someone) -> HTMLResponse:
    """The case with its proposal, reasons, gaps and the decision."""
    unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_case", cell.case)
    if Permission.DECIDE_TRIAGE in PERMISSIONS[principal.role]:
        await _note_seen(request, unit, cell, principal)
    empty = await beds.empty_beds(web_of(request).database, principal)
    return page_of(request, unit, cell, principal, empty=empty)


@router.post("/{case}/acknowledgement")
async def acknowledge(request: Request, case: str, principal: Someone) -> Response:
    """ "Heard by": the crew sees it, and so does the page that follows."""
    web, form = web_of(request), await request.form()
    await web.intake.step(principal, case, "acknowledgement", "", seen=_seen(form))
    unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    feed, end = web.feed(unit), web.clock.monotonic_s() + SHOWN_WITHIN_S
    while feed is not None and not has_heard(principal, cell):
        left = end - web.clock.monotonic_s()
        if left <= 0:
            break  # it is kept; the page shows it when the board does
        await feed.news(feed.rev, left)
        unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    return RedirectResponse(f"/ed/cases/{case}", status_code=303)


def entry_of(cell: CaseCell, typed: FormData | None, language: str) -> dict[str, Any]:
    """What the form for new values is filled with."""
    kept = {key: str(value) for key, value in typed.items()} if typed else {}
    known = [str(sign) for sign in cell.facts.get("signs") or ()]
    ticked = [str(sign) for sign in typed.getlist("signs")] if typed else known
    asked = form_view(str(cell.facts.get("complaint") or ""), language)
    return {**asked, "kept": kept, "ticked": ticked, "known": known}


def has_heard(principal: Principal, cell: CaseCell) -> bool:
    """Whether somebody heard of all that rings: what is new asks for it again."""
    return cell.call is None and principal.actor in [h.get("by") for h in cell.acknowledgements]


def _seen(form: FormData) -> tuple[str, ...] | None:
    """The reasons that the page showed; None where it did not say (a board shows them live)."""
    said = form.get("seen")
    return None if said is None else tuple(code for code in str(said).split(",") if code)


@router.post("/{case}/decision")
async def decide(request: Request, case: str, principal: Someone) -> Response:
    """Saves a decision; whoever came second sees the first and that theirs was not saved."""
    web, words = web_of(request), words_of(language_of(request))
    unit, cell = await case_of(request, case, principal, Permission.DECIDE_TRIAGE)
    form = await request.form()
    version = str(form.get("version", ""))
    colour, _, tapped = str(form.get("override", "")).partition(":")  # colour and reason in one
    reason = tapped or str(form.get("reason", ""))
    said = words.t(f"case.reason.{reason}") if reason in REASONS else ""
    sent: dict[str, Any] = {
        "colour": colour or form.get("colour"),
        "destination": str(form.get("destination", "")),
        "version": int(version) if version.isdecimal() else None,
        "reason": "; ".join(text for text in (said, str(form.get("words", ""))) if text),
        "care": [str(kind) for kind in form.getlist("care")],
        "seen": list(seen) if (seen := _seen(form)) is not None else None,
    }
    try:
        proposed = str(cell.triage.get("proposed", "incomplete"))
        wanted = checked_decision(sent, proposed)
        try:
            not_on_stale(wanted, cell.triage)
        except Conflict:
            colour = words.t(f"colour.{proposed}")
            unread = words.t("case.unread", colour=colour, mine=words.t(f"colour.{wanted.colour}"))
            return page_of(request, unit, cell, principal, said=unread, status=409)
        await store.decide(web.database, principal, unit, cell.case, wanted, web.clock.now_us())
    except MessageError as error:
        return page_of(request, unit, cell, principal, said=error.reason, status=400)
    except Conflict as error:
        lost = {**(error.current or {}), "mine": wanted.colour}
        return page_of(request, unit, cell, principal, lost=lost, status=409)
    return RedirectResponse(f"/ed/{unit}", status_code=303)


@router.post("/{case}/admission")
async def admit(
    request: Request, case: str, principal: Someone, bed: Annotated[str, Form(max_length=64)]
) -> Response:
    """The case becomes a stay: a free bed is given to it, nothing is typed again."""
    web = web_of(request)
    case_unit, cell = await case_of(request, case, principal, Permission.DECIDE_TRIAGE)
    unit = web.places.unit_of_bed(bed)
    if unit is None:
        raise NotFound("There is no such bed.")
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    only = "Real" if cell.mode == "Real" else None
    rows, _ = await record.case_record(web.database, principal.scope, cell.case, only)
    try:
        await beds.admit_case(
            web.database,
            principal,
            unit=unit,
            bed=bed,
            case=cell.case,
            case_unit=case_unit,
            person=_person(cell),
            lowest=street.kept(rows),
            weight=street.weight(cell),
            at=web.clock.now_us(),
        )
    except Conflict as error:
        empty = await beds.empty_beds(web.database, principal)
        said = str(error)
        return page_of(request, case_unit, cell, principal, said=said, empty=empty, status=409)
    return RedirectResponse(f"/icu/{unit}", status_code=303)


async def _note_seen(request: Request, unit: str, cell: CaseCell, principal: Principal) -> None:
    """The crew sees which of its items a physician had before their eyes."""
    web = web_of(request)
    now = web.clock.now_us()
    seen = wire.CaseSeen(
        unit=unit,
        case=cell.case,
        upto=cell.changed_at,
        at=now,
        by=principal.actor,
        source=principal.actor,
        received_at=now,
        mode=principal.mode,
    )
    await web.appender.append(unit, seen)


def _person(cell: CaseCell) -> wire.PatientFacts:
    """Who the case is about, as far as the crew knows; the registration merges it later."""
    facts = cell.facts
    age = facts.get("age_years")
    sex = facts.get("sex")
    return wire.PatientFacts(
        mrn=f"C{cell.case.replace('-', '')[-10:].upper()}",
        family=str(facts.get("family") or ""),
        given=str(facts.get("given") or ""),
        birth_date=str(facts.get("birth_date") or ""),
        sex=sex if sex in ("F", "M") else "unknown",
        age_years=float(age) if isinstance(age, int | float) else None,
    )


async def shown_soon(request: Request, before: CaseCell) -> None:
    """Gives what was just sent a moment to come to the board, so that the page shows it."""
    web = web_of(request)
    for feed in web.feeds.values():
        end = web.clock.monotonic_s() + SHOWN_WITHIN_S
        while feed.cells.get(before.case) is before:
            left = end - web.clock.monotonic_s()
            if left <= 0:
                break
            await feed.news(feed.rev, left)


def page_of(
    request: Request,
    unit: str,
    cell: CaseCell,
    principal: Principal,
    *,
    typed: FormData | None = None,
    said: str = "",
    lost: dict[str, Any] | None = None,
    empty: Sequence[beds.Choice] = (),
    status: int = 200,
) -> HTMLResponse:
    """The page of a case; `typed` are new values that were not taken, to be corrected."""
    web = web_of(request)
    inputs = engine_inputs(cell.facts, cell.values)
    hospital = hospital_of(unit)
    acknowledges = allows(principal, Permission.ACKNOWLEDGE_CASE, hospital, unit)
    feed, frame = web.feed(unit), web.renderer.frame(language_of(request), web.clock.now_us())
    cells = [
        other for other in (feed.cells if feed else {}).values() if isinstance(other, CaseCell)
    ]
    html = render(
        web.renderer,
        language_of(request),
        cell=cell,
        changes=counterfactuals(inputs, assess(inputs)),
        now_us=web.clock.now_us(),
        user=principal.actor,
        demo=web.demo,
        unit=unit,
        may_decide=allows(principal, Permission.DECIDE_TRIAGE, hospital, unit),
        may_acknowledge=acknowledges and not has_heard(principal, cell),
        said=said,
        lost=lost,
        wards=wards_of(empty, words_of(language_of(request))),
        desk=desk_view(cell, frame, web.places.rooms_of(unit), cells, departments(web, unit)),
        may_acknowledge_any=acknowledges,
        entry=entry_of(cell, typed, words_of(language_of(request)).language)
        if cell.step == ARRIVED and all(allows(principal, one, hospital, unit) for one in ENTERS)
        else None,
    )
    return HTMLResponse(html, status_code=status)
