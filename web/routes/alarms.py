"""What people do to an alarm, by the stream and so without PostgreSQL; and why it rings.

Nothing done here silences the bedside monitor, and every answer says so.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import AlarmCell, BedCell, alarm_json
from hospital_ops.clock import SECOND, iso
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import MessageError, NotFound
from icu import explained
from icu.alarms import PAUSE_MAX_US, PAUSE_US
from streams.shard import hospital_of
from web import store
from web.auth import signed_in, web_of
from web.state import Web

router = APIRouter(prefix="/api/v1/icu/beds/{bed}/alarms/{alarm}")
Someone = Annotated[Principal, Depends(signed_in)]
BEDSIDE: Final = "The bedside monitor is the primary alarm and goes on: look after it at the bed."
UNKNOWN: Final = "This alarm has ended, or it is not within your units."
RECENT_US: Final = 120 * SECOND  # of the stored values beside an explanation
RECENT_MOST: Final = 240


@router.post("/acknowledge")
async def acknowledge(request: Request, bed: str, alarm: str, principal: Someone) -> dict[str, Any]:
    """Somebody has taken the alarm on, by name; a latched one ends with it."""
    unit, _, _ = find(request, bed, alarm, principal, Permission.SILENCE_ALARM)
    return await act_on(request, unit, bed, alarm, principal, "acknowledge", 0)


@router.post("/pause")
async def pause(request: Request, bed: str, alarm: str, principal: Someone) -> dict[str, Any]:
    """The sound of one alarm is off for a while; `{"seconds"}` by a name, else the usual time.

    A wall may do it too (one tap "seen", nobody's name): it ends by itself within two minutes.
    """
    unit, _, _ = find(request, bed, alarm, principal, Permission.SEE_BOARD)
    seconds = await _seconds(request)
    if seconds:
        require(principal, Permission.SILENCE_ALARM, hospital_of(unit), unit)
    return await act_on(request, unit, bed, alarm, principal, "pause", seconds)


@router.get("")
async def explain(request: Request, bed: str, alarm: str, principal: Someone) -> dict[str, Any]:
    """Rule, value, limit and its source, duration, who took it on, and the values around it."""
    web = web_of(request)
    unit, cell, found = find(request, bed, alarm, principal, Permission.SEE_PATIENT)
    now = web.clock.now_us()
    await web.appender.append(unit, audited(request, unit, principal, "read_alarm", alarm))
    shown = cell.values.get(found.about)
    birth_date = cell.patient.birth_date if cell.patient else ""
    return {
        **alarm_json(found),
        "bed": cell.bed,
        "duration_s": round((now - found.since) / SECOND, 1),
        "acknowledged_by": found.acknowledged_by or None,
        "rule": explained.rule_json(
            found.code, found.about, birth_date, now, explained.of_cell(found)
        ),
        "now": None
        if shown is None
        else {"value": shown.value, "unit": shown.unit, "determined_at": iso(shown.at)},
        "recent": await _recent(request, principal, cell.bed, found, now),
        "bedside": BEDSIDE,
    }


async def act_on(
    request: Request,
    unit: str,
    bed: str,
    alarm: str,
    principal: Principal,
    act: str,
    seconds: int,
    seen: int = 0,
) -> dict[str, Any]:
    """Appends the act with its audit entry; answers once both are on disk.

    `seen`: when the burst that was on the screen began; what rang anew since is not acknowledged.
    """
    web = web_of(request)
    done = done_to(web, unit, bed, alarm, principal, act, seconds, seen)
    note = audited(request, unit, principal, f"{act}_alarm", alarm)
    await web.appender.append_many(unit, [(done, b""), (note, b"")])
    answer: dict[str, Any] = {"alarm": alarm, "act": act, "at": iso(done.at), "bedside": BEDSIDE}
    if act == "pause":
        length = min(seconds * SECOND, PAUSE_MAX_US) if seconds else PAUSE_US
        answer["paused_until"] = iso(done.at + length)
    return answer


def done_to(
    web: Web,
    unit: str,
    bed: str,
    alarm: str,
    principal: Principal,
    act: str,
    seconds: int,
    seen: int = 0,
) -> wire.AlarmAct:
    """What somebody does to an alarm at this moment, as the stream takes it."""
    now = web.clock.now_us()
    return wire.AlarmAct(
        unit=unit,
        bed=bed,
        alarm=alarm,
        act=act,
        at=now,
        by=principal.actor,
        role=principal.role.value,
        source=principal.actor,
        received_at=now,
        mode=web.mode,
        seconds=min(seconds, PAUSE_MAX_US // SECOND),
        seen=seen,
    )


def find(
    request: Request, bed: str, alarm: str, principal: Principal, permission: Permission
) -> tuple[str, BedCell, AlarmCell]:
    """Unit, bed and alarm as they stand on the board; a patient may have changed beds."""
    web = web_of(request)
    unit = web.places.unit_of_bed(bed)
    if unit is None:
        raise NotFound("This does not exist, or it is not within your units.")
    require(principal, permission, hospital_of(unit), unit)
    feed = web.feed(unit)
    cells = [cell for cell in feed.cells.values() if isinstance(cell, BedCell)] if feed else []
    for cell in cells:
        for found in cell.alarms:
            if found.id == alarm:
                return unit, cell, found
    raise NotFound(UNKNOWN)


def audited(
    request: Request, unit: str, principal: Principal, action: str, subject: str
) -> wire.Audited:
    """The audit entry of an act at this moment; `subject` is an alarm or a bed."""
    return wire.Audited(
        unit=unit,
        at=web_of(request).clock.now_us(),
        actor=principal.actor,
        role=principal.role,
        action=action,
        subject=subject,
    )


async def _seconds(request: Request) -> int:
    """`seconds` of the body, 0 where there is none."""
    body = await request.body()
    if not body.startswith(b"{"):
        return 0
    sent = events.parse_json(body)
    seconds = sent.get("seconds", 0) if isinstance(sent, dict) else 0
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise MessageError("bad_seconds", "`seconds` is how long the sound is off, at most 120")
    return seconds


async def _recent(
    request: Request, principal: Principal, bed: str, alarm: AlarmCell, now: int
) -> list[dict[str, Any]] | None:
    """The stored values around the alarm; None while the archive is away."""
    web = web_of(request)
    if not alarm.about:
        return []
    start = max(alarm.since, now - RECENT_US) - RECENT_US // 2
    rows = store.measurements(web.database, principal.scope, bed, alarm.about, start, None)
    found: list[dict[str, Any]] = []
    try:
        async for lines in rows:
            found += [wire.from_json(line) for line in lines.splitlines()]
    except DatabaseGone:
        return None
    return [
        {name: row[name] for name in ("value", "unit", "determined_at", "validity")}
        for row in found[-RECENT_MOST:]
    ]
