"""What one may do to the limits of a unit and of a bed: looked at, and done as one act."""

from __future__ import annotations

import math
from typing import Any, Final
from uuid import UUID

from fastapi import Request

from hospital_ops import codes
from hospital_ops.access import Permission, Principal, require
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import device_limits, site_limits
from icu.ages import age_at
from icu.limit_changes import store
from icu.limit_changes.store import Wanted
from icu.load import replay
from icu.rules import HIGH, LIMIT_RULES, ROWS
from streams.shard import hospital_of
from web.auth import web_of
from web.lying import cell_of, taken_place
from web.reading import NOT_HERE, note_reading, unit_of_bed

FEW: Final = "Under thirty alarms, outside the safe range, or not the whole time: not applied."


def permitted(request: Request, unit: str, principal: Principal, permission: Permission) -> None:
    """NotFound where this is no intensive care unit in which one may do this."""
    known = web_of(request).places.units.get(unit)
    if known is None or known.kind != "icu":
        raise NotFound(NOT_HERE)
    require(principal, permission, hospital_of(unit), unit)


def reason_of(text: str) -> str:
    """The reason of an act; there is none without."""
    if not text.strip():
        raise MessageError("no_reason", "give a `reason`")
    return text.strip()[:500]


async def applied(
    request: Request, unit: str, principal: Principal, replayed: str, reason: str
) -> dict[str, Any]:
    """Applies exactly what a replay has shown to this physician."""
    permitted(request, unit, principal, Permission.SET_LIMITS)
    web, why = web_of(request), reason_of(reason)
    now, scope = web.clock.now_us(), principal.scope
    question, found = await store.replay_shown(
        web.database, principal, unit, uuid_of(replayed), now
    )
    if not replay.may_apply(found):
        raise Conflict(FEW)
    changes = await store.in_force(web.database, scope, unit)
    stands = replay.standing(question, changes)
    if found["stands"] != {"limit": stands.limit, "delay_s": stands.delay_us / SECOND}:
        raise Conflict("The limit has changed since this replay: replay it again.")
    before = changes.get(site_limits.name_of(question.rule, question.code, question.band, ""))
    wanted = Wanted(
        unit=unit,
        patient_id="",
        rule=question.rule,
        code=question.code,
        band=question.band,
        limit=_else(question.limit, before.limit if before else None),
        delay_s=_else(question.delay_s, before.delay_s if before else None),
        reason=why,
        version=before.version if before else 0,
        replay=found,
    )
    return await store.apply(web.database, principal, wanted, now, web.mode)


async def undone(
    request: Request, unit: str, principal: Principal, change: str, reason: str
) -> dict[str, Any]:
    """Takes the newest change back."""
    permitted(request, unit, principal, Permission.SET_LIMITS)
    web, why = web_of(request), reason_of(reason)
    now = web.clock.now_us()
    return await store.undo(web.database, principal, unit, uuid_of(change), why, now)


async def of_bed(request: Request, bed: str, principal: Principal) -> dict[str, Any]:
    """The limits in force at a bed: source, who approved, how far each may be set."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    permitted(request, unit, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_limits", bed)
    cell = cell_of(request, unit, bed)
    patient = cell.patient.patient_id if cell and cell.patient else ""
    changes = await store.in_force(web.database, principal.scope, unit, patient)
    history = []
    if patient:
        history = await store.history(web.database, principal.scope, unit, patient)
    return {
        "bed": bed,
        "unit": unit,
        "patient_id": patient or None,
        "limits": _rows(cell, patient, changes, web.clock.now_us()),
        "device_limits": _devices(cell, patient, changes, web.clock.now_us()),
        "history": history,
    }


async def set_own(
    request: Request, bed: str, principal: Principal, sent: dict[str, Any]
) -> dict[str, Any]:
    """Sets a limit for whoever lies in the bed, within the safe range of the table."""
    web, now = web_of(request), web_of(request).clock.now_us()
    unit = unit_of_bed(request, bed, principal, Permission.SET_LIMITS)
    permitted(request, unit, principal, Permission.SET_LIMITS)
    why = reason_of(str(sent.get("reason") or ""))
    place = taken_place(request, unit, bed)
    cell = cell_of(request, unit, bed)
    number, version = sent.get("limit"), sent.get("version", 0)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise MessageError("no_number", "`limit` is a number")
    if not math.isfinite(number) or isinstance(version, bool) or not isinstance(version, int):
        raise MessageError("no_number", "`limit` and `version` are numbers")
    rows = _rows(cell, place.patient_id, {}, now)
    asked = (sent.get("rule"), sent.get("code"))
    row = next((each for each in rows if (each["rule"], each["code"]) == asked), None)
    if row is None or row["range"] is None:
        raise MessageError("no_limit", "this patient has no such limit that may be set")
    least, most = row["range"]
    if not least <= number <= most:
        raise MessageError("not_safe", f"the safe range of this limit is {least:g} to {most:g}")
    wanted = Wanted(
        unit, place.patient_id, row["rule"], row["code"], "", float(number), None, why, version, {}
    )
    return await store.apply(web.database, principal, wanted, now, web.mode)


def uuid_of(text: str) -> UUID:
    """An id as it was sent; NotFound where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(NOT_HERE) from None


def _else(asked: float | None, before: float | None) -> float | None:
    return before if asked is None else asked


def _devices(
    cell: BedCell | None, patient: str, changes: site_limits.Changes, now: int
) -> list[dict[str, Any]]:
    """What the devices at the bed have for limits, each beside that of the board."""
    if cell is None:
        return []
    age = age_at(cell.patient.birth_date if cell.patient else "", now)
    told = cell.device_limits
    held = [x for code in told for x in site_limits.limits_for(changes, patient, code, age)]
    return [
        {
            "code": each.code,
            "name": codes.by_code[each.code].name,
            "unit": codes.by_code[each.code].ucum,
            "side": each.side,
            "device_limit": each.device,
            "board_limit": each.board,
            "device_rings": each.word,
            "told_at": iso(each.at),
            "age_s": round((now - each.at) / SECOND),
            "old": each.old,
            "device": each.sender,
        }
        for each in device_limits.compared(told, held, now)
    ]


def _rows(
    cell: BedCell | None, patient: str, changes: site_limits.Changes, now: int
) -> list[dict[str, Any]]:
    birth_date = cell.patient.birth_date if cell and cell.patient else ""
    age = age_at(birth_date, now)
    found = []
    for code in dict.fromkeys(each.code for each in LIMIT_RULES):
        for limit in site_limits.limits_for(changes, patient, code, age):
            rule = limit.of.rule.id
            of_band = (ROWS[rule]["limits"] or {}).get(age.band) or {}
            own = changes.get(site_limits.name_of(rule, code, "", patient)) if patient else None
            safe = site_limits.safe_range(limit, age.band, age.years)
            found.append(
                {
                    "rule": rule,
                    "code": code,
                    "name": codes.by_code[code].name,
                    "age_band": age.band,
                    "priority": limit.priority,
                    "comparator": limit.of.sign,
                    "limit": limit.limit,
                    "unit": limit.of.unit,
                    "delay_s": limit.delay_us / SECOND,
                    "source": "site" if limit.by else of_band.get("source") or ROWS[rule]["source"],
                    "of": ("patient" if own else "unit") if limit.by else "table",
                    "approved_by": limit.by or None,
                    "range": list(safe) if safe else None,
                    "tighten_only": limit.priority == HIGH,
                    "version": own.version if own else 0,
                }
            )
    return found
