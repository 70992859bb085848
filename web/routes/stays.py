"""A stay at its bed: a move, a discharge, a death and their reversal; limits that two agree on."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from hospital_ops import events
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import SECOND
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.agreements import store as agreements
from icu.bed_map import store as bed_map
from icu.stay import store as stays
from icu.stay.care import LIMITS
from streams.projections import Unit
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of, spoken
from web.reading import note_reading, unit_of_bed
from web.routes.relatives_api import desk_of, message_json
from web.state import Web
from web.views import relatives
from web.views import stays as views
from web.views.refused import sentence
from web.views.whereabouts import called
from web.words import Words

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
SHOWN_US = 24 * 3600 * SECOND  # so long an act can be seen and taken back here
TEXT_MAX = 500
ENDS = ("death", "discharge")
# What each act of the panel and of the interface needs.
NEEDS = {
    "move": Permission.CONFIRM_BED,
    "discharge": Permission.ORDER,
    "death": Permission.ORDER,
    "reverse": Permission.ORDER,
    "propose": Permission.ORDER,
    "confirm": Permission.CARRY_OUT_ORDER,
    "end": Permission.ORDER,
    "confirm_end": Permission.CARRY_OUT_ORDER,
    "keep": Permission.CARRY_OUT_ORDER,
    "reinstate": Permission.ORDER,
}
AGREED = ("confirm", "end", "confirm_end", "keep", "reinstate")  # acts on an agreement


@router.get("/api/v1/icu/beds/{bed}/stay")
async def shown(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Who lies here since when, what was done to stays of this bed, and what was agreed on."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_stay", bed)
    return await _known(request, bed, principal)


@router.post("/api/v1/icu/beds/{bed}/stay/acts")
async def act(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """`{"act": "move"|"discharge"|"death", "stay", "to_bed", "words"}`, as one transaction."""
    sent = await _object(request)
    return await _do(request, bed, principal, _text(sent, "act"), sent)


@router.post("/api/v1/icu/beds/{bed}/stay/end")
async def end(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """The same act as `{"reason": "death"|"discharge"}` of whoever lies there, or of `stay`.

    `messages` are those to relatives: what was cancelled, was sent, and may be in flight.
    """
    unit_of_bed(request, bed, principal, Permission.ORDER)
    desk, sent = desk_of(request), await _object(request)
    reason = _text(sent, "reason")
    if reason not in stays.ENDS:
        raise MessageError("bad_reason", f"`reason` is {' or '.join(stays.ENDS)}")
    if not _text(sent, "stay"):
        open_stay = await stays.present(web_of(request).database, principal, bed)
        if not open_stay:
            raise NotFound(stays.NOBODY)
        sent |= {"stay": open_stay}
    done = await _do(request, bed, principal, reason, sent)
    rows = await desk.of_stay(principal.scope, done["stay"])
    return done | {"messages": [message_json(row) for row in rows]}


@router.post("/api/v1/icu/beds/{bed}/stay/acts/{act}/reversal")
async def reversal(request: Request, bed: str, act: str, principal: Someone) -> dict[str, Any]:
    """Takes an act back as one: `{"why"}`."""
    sent = await _object(request)
    return await _do(request, bed, principal, "reverse", sent | {"id": act})


@router.post("/api/v1/icu/beds/{bed}/care")
async def propose(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Proposes `{"kind": "treatment_limits"|"comfort_care", "limits": [...], "words", "stay"}`.

    Where limits are in force it is a change of them, with its reason in `words`.
    """
    return await _do(request, bed, principal, "propose", await _object(request))


@router.post("/api/v1/icu/beds/{bed}/care/{agreement}/{act}")
async def agree(
    request: Request, bed: str, agreement: str, act: str, principal: Someone
) -> dict[str, Any]:
    """Acts on an agreement: `{"version", "reason"}`.

    `confirm` by a second person; `end` by a physician, with the reason, then `confirm_end` or
    `keep` by another; `reinstate` by a physician where its end was an error, with the reason.
    """
    if act not in AGREED:
        raise NotFound(f"An agreement knows these acts: {', '.join(AGREED)}.")
    sent = await _object(request)
    return await _do(request, bed, principal, act, sent | {"id": agreement})


@router.get("/icu/beds/{bed}/stay")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel of a bed's page."""
    unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return await _panel(request, bed, principal)


@router.post("/icu/beds/{bed}/stay")
async def press(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """One press on the panel; the end of a stay needs its box ticked."""
    unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    form = await request.form()
    what = _word(form, "act")
    if what in ENDS and _word(form, "sure") != what:
        return await _panel(request, bed, principal, said="stay.sure_needed")
    sent: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    sent["limits"] = [str(limit) for limit in form.getlist("limits")]
    version = sent.get("version", "")
    sent["version"] = int(version) if version.isdecimal() and len(version) < 10 else 0
    try:
        await _do(request, bed, principal, what, sent)
    except (Conflict, MessageError) as error:
        why = sentence(error, spoken(request))
        return await _panel(request, bed, principal, why=why)
    return await _panel(request, bed, principal)


async def _do(
    request: Request, bed: str, principal: Principal, what: str, sent: dict[str, Any]
) -> dict[str, Any]:
    if what not in NEEDS:
        raise NotFound(f"A stay knows these acts: {', '.join(NEEDS)}.")
    unit_of_bed(request, bed, principal, NEEDS[what])
    web = web_of(request)
    database, at = web.database, web.clock.now_us()
    words, stay = _text(sent, "words"), _text(sent, "stay")
    if what == "reverse":
        why = _text(sent, "why")
        if not why:
            raise MessageError("no_reason", "say in `why` what was the error")
        return await stays.reverse(database, principal, bed, _text(sent, "id"), why=why, at=at)
    if what in AGREED:
        return await _agreed(request, bed, principal, what, sent)
    if not stay:
        raise MessageError("no_stay", "`stay` names whose stay you have looked at")
    if what == "propose":
        limits = sent.get("limits", [])
        if not isinstance(limits, list) or not all(isinstance(one, str) for one in limits):
            raise MessageError("bad_limits", f"`limits` is a list of {', '.join(LIMITS)}")
        return await agreements.propose(
            database, principal, bed,
            stay=stay, kind=_text(sent, "kind"), limits=limits, words=words, at=at,
        )  # fmt: skip
    if what == "move":
        to_bed = _text(sent, "to_bed")
        unit_of_bed(request, to_bed, principal, Permission.CONFIRM_BED)
        return await stays.move(database, principal, bed, to_bed, stay=stay, words=words, at=at)
    return await stays.end(database, principal, bed, kind=what, stay=stay, words=words, at=at)


async def _agreed(
    request: Request, bed: str, principal: Principal, what: str, sent: dict[str, Any]
) -> dict[str, Any]:
    web, version = web_of(request), sent.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise MessageError("bad_version", "`version` is that of what you have seen")
    whose = web.database, principal, bed, _text(sent, "id")
    at, reason = web.clock.now_us(), _text(sent, "reason")
    if what in ("end", "reinstate"):
        ask = agreements.end if what == "end" else agreements.reinstate
        return await ask(*whose, version=version, reason=reason, at=at)
    second = {"confirm": agreements.confirm, "keep": agreements.keep}
    change = second.get(what, agreements.confirm_end)
    return await change(*whose, version=version, at=at)


async def _known(request: Request, bed: str, principal: Principal) -> dict[str, Any]:
    web = web_of(request)
    since = web.clock.now_us() - SHOWN_US
    return {
        "bed": bed,
        "stay": await stays.present(web.database, principal, bed),
        "acts": await stays.acts(web.database, principal, bed, since),
        "agreements": await agreements.of_bed(web.database, principal, bed),
    }


async def _panel(
    request: Request, bed: str, principal: Principal, *, said: str = "", why: str = ""
) -> HTMLResponse:
    web = web_of(request)
    unit = web.places.unit_of_bed(bed) or ""
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    known: dict[str, Any] = {}
    free: list[dict[str, Any]] = []
    try:
        known = await _known(request, bed, principal)
        for place in _reachable(web, principal, unit):
            beds = await bed_map.of_unit(web.database, principal, place.unit)
            there = "" if place.unit == unit else f"{place.name} · "
            free += [
                one | {"label": f"{there}{views.offered(one, frame.words)}"}
                for one in beds
                if one["state"] in ("free", "reserved")
            ]
        free.sort(key=lambda one: one["state"] != "free")  # nobody takes a reserved one unseen
        await _add_messages(request, principal, unit, known["acts"], frame.words)
    except DatabaseGone as error:
        why = sentence(error, frame.words, 503)

    def may(permission: Permission) -> bool:
        return allows(principal, permission, hospital_of(unit), unit)

    return HTMLResponse(
        web.renderer.fill(
            "_stay.html",
            w=frame.words,
            bed=bed,
            known=views.known(
                known,
                frame,
                principal.actor,
                partial(called, web.places, words=frame.words),
            ),
            free=free,
            limits=LIMITS,
            said=frame.words.t(said) if said else why,
            may_end=may(Permission.ORDER),
            may_move=may(Permission.CONFIRM_BED),
        )
    )


async def _add_messages(
    request: Request, principal: Principal, unit: str, acts: list[dict[str, Any]], words: Words
) -> None:
    """To each end of a stay: what its relatives were sent today and what may be on its way."""
    web = web_of(request)
    place = web.places.units.get(unit)
    for one in acts:
        if web.desk and place and one["kind"] in ENDS and not one["reversed_at"]:
            rows = await web.desk.left_today(principal.scope, one["stay"], place.zone)
            one["messages"] = relatives.left(rows, words, place.zone)


def _reachable(web: Web, principal: Principal, unit: str) -> list[Unit]:
    """The intensive care units of the house where this person may give a bed, the own first."""
    hospital = hospital_of(unit)
    units = [
        one
        for one in web.places.units.values()
        if one.kind == "icu"
        and one.hospital == hospital
        and allows(principal, Permission.CONFIRM_BED, hospital, one.unit)
    ]
    return sorted(units, key=lambda one: (one.unit != unit, one.unit))


async def _object(request: Request) -> dict[str, Any]:
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return sent


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name) or ""
    if not isinstance(value, str):
        raise MessageError(f"bad_{name}", f"`{name}` is a text")
    return value.strip()[:TEXT_MAX]


def _word(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
