"""What is decided for all alarms of a bed: seen, stand-by, comfort care, a recorded death.

All of it goes in by the stream, so it works without PostgreSQL. Nothing done here silences the
bedside monitor.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import quiet
from icu.alarms import PAUSE_US
from icu.silencing import SUPPORTS
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.meant import meant
from web.reading import unit_of_bed
from web.routes.alarms import BEDSIDE, audited, done_to
from web.views import bedquiet

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
SHOWN_WITHIN_S = 1.0
STANDBY_USUAL_MIN = 30


@router.post("/api/v1/icu/beds/{bed}/seen")
async def seen(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """One tap, nobody's name: what rings at this bed is silent for the usual pause."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_BOARD)
    now, cell = web.clock.now_us(), _cell(request, unit, bed)
    ringing = [a for a in cell.alarms if a.state in ("active", "latched")] if cell else []
    acts: list[tuple[wire.Entry, bytes]] = [
        (done_to(web, unit, bed, alarm.id, principal, "pause", 0), b"") for alarm in ringing
    ]
    if acts:
        note = audited(request, unit, principal, "seen_bed", bed)
        await web.appender.append_many(unit, [*acts, (note, b"")])
    return {
        "bed": bed,
        "alarms": [alarm.id for alarm in ringing],
        "paused_until": iso(now + PAUSE_US) if ringing else None,
        "bedside": BEDSIDE,
    }


@router.post("/api/v1/icu/beds/{bed}/acts/{act}", dependencies=[Depends(meant)])
async def decide(request: Request, bed: str, act: str, principal: Someone) -> dict[str, Any]:
    """`standby` `{"reason","minutes"}`, `comfort`, `confirm_comfort`, `close`, `resume` or
    `confirm_patient`, or `support` `{"support": [words]}`; the bed of the snapshot says what
    holds then. With the `patient_id` of the snapshot it is refused (409) where another patient
    lies there by now."""
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    reason, minutes = sent.get("reason", ""), sent.get("minutes", 0)
    if not isinstance(reason, str) or not isinstance(minutes, int) or isinstance(minutes, bool):
        raise MessageError("bad_act", "`reason` is a word and `minutes` a whole number")
    support = sent.get("support", [])
    if not isinstance(support, list) or not all(word in SUPPORTS for word in support):
        raise MessageError("bad_support", f"`support` is a list of {', '.join(SUPPORTS)}")
    at = await _do(request, bed, act, principal, reason, minutes, support)
    return {"bed": bed, "act": act, "at": iso(at), "bedside": BEDSIDE}


@router.get("/icu/beds/{bed}/quiet")
async def panel(request: Request, bed: str, principal: Someone, have: str = "") -> HTMLResponse:
    """The panel of a bed's page, or 204 where it has just this."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    return _panel(request, unit, bed, principal, have=have)


@router.post("/icu/beds/{bed}/quiet/{act}", dependencies=[Depends(meant)])
async def press(
    request: Request,
    bed: str,
    act: str,
    principal: Someone,
    reason: Annotated[str, Form(max_length=32)] = "",
    minutes: Annotated[str, Form(max_length=4)] = "",
    sure: Annotated[str, Form(max_length=4)] = "",
    support: Annotated[list[str] | None, Form()] = None,
) -> HTMLResponse:
    """One press on the panel; a death is recorded only with its box ticked."""
    unit = unit_of_bed(request, bed, principal, Permission.SILENCE_ALARM)
    if act == "close" and not sure:
        return _panel(request, unit, bed, principal, said="quiet.sure_needed")
    feed = web_of(request).feed(unit)
    rev = feed.rev if feed else 0
    try:
        length = int(minutes) if minutes.isdecimal() else 0
        await _do(request, bed, act, principal, reason, length, support or [])
    except Conflict:
        return _panel(request, unit, bed, principal, said="quiet.another")
    if feed is not None:
        await feed.news(rev, SHOWN_WITHIN_S)
    return _panel(request, unit, bed, principal)


async def _do(
    request: Request,
    bed: str,
    act: str,
    principal: Principal,
    reason: str,
    minutes: int,
    support: list[str],
) -> int:
    """Checks who may, and appends the act with its audit entry; answers when it was."""
    if act not in quiet.ACTS:
        raise NotFound(f"For a bed there are: {', '.join(quiet.ACTS)}.")
    needed = Permission.ORDER if act in quiet.BY_PHYSICIAN else Permission.SILENCE_ALARM
    needed = Permission.CONFIRM_BED if act == "confirm_patient" else needed
    web, unit = web_of(request), unit_of_bed(request, bed, principal, needed)
    if minutes < 0:
        raise MessageError("bad_minutes", "`minutes` is how long, 0 for the longest")
    if act == "standby" and reason not in quiet.REASONS:
        raise MessageError("bad_reason", f"`reason` is one of {', '.join(quiet.REASONS)}")
    cell = _cell(request, unit, bed)
    lying = cell.patient.patient_id if cell and cell.patient else ""
    if act == "confirm_comfort":
        _second_person(cell, principal)
    now = web.clock.now_us()
    entry = wire.BedAct(
        unit=unit,
        bed=bed,
        act=act,
        at=now,
        by=principal.actor,
        role=principal.role.value,
        source=principal.actor,
        received_at=now,
        mode=web.mode,
        reason=reason if act == "standby" else "",
        minutes=min(minutes, quiet.LONGEST_US[quiet.STANDBY] // quiet.MINUTE_US),
        patient_id=lying,
        support=tuple(word for word in SUPPORTS if act == "support" and word in support),
    )
    note = audited(request, unit, principal, f"{act}_bed", bed)
    await web.appender.append_many(unit, [(entry, b""), (note, b"")])
    return now


def _second_person(cell: BedCell | None, principal: Principal) -> None:
    asked = next((q for q in cell.quiets if q.kind == quiet.ASKED), None) if cell else None
    if asked is None:
        raise Conflict("Nobody has asked for comfort care here: a physician does so first.")
    if asked.by == principal.actor:
        raise Conflict("Comfort care is confirmed by another person than the one who asked.")


def _cell(request: Request, unit: str, bed: str) -> BedCell | None:
    feed = web_of(request).feed(unit)
    cell = feed.cells.get(bed) if feed else None
    return cell if isinstance(cell, BedCell) else None


def _panel(
    request: Request, unit: str, bed: str, principal: Principal, *, have: str = "", said: str = ""
) -> HTMLResponse:
    web = web_of(request)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    cell = _cell(request, unit, bed)
    view = bedquiet.view(cell, frame, principal.actor)
    if have == view.digest:
        return HTMLResponse(status_code=204)

    def may(permission: Permission) -> bool:
        return allows(principal, permission, hospital_of(unit), unit)

    text = web.renderer.fill(
        "_bed_quiet.html",
        w=frame.words,
        bed=bed,
        view=view,
        said=frame.words.t(said) if said else "",
        may_silence=may(Permission.SILENCE_ALARM),
        may_order=may(Permission.ORDER),
        reasons=quiet.REASONS,
        supports=SUPPORTS,
        usual=STANDBY_USUAL_MIN,
        longest=quiet.LONGEST_US[quiet.STANDBY] // (60 * SECOND),
    )
    return HTMLResponse(text)
