"""Hand-over in PostgreSQL: the data of a shift or a stay, and what was signed; never changed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from hospital_ops import audit, codes, identity
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import NotFound
from icu.allergies import store as allergies
from icu.flags import store as flags
from icu.handover.forms import digest

NONE: Final = "There is no such stay, or it is not within your units."
# Of these the lowest of the time is told: pressure and saturation.
LOWEST: Final = ("abp_mean", "nibp_mean", "abp_sys", "nibp_sys", "spo2")
_LISTED: Final = 60

_STAY: Final = """
select s.stay, s.unit, s.bed, s.patient_id, s.mode, s.admitted_at, s.ended_at, s.end_reason,
       e.mrn, e.family, e.given, e.sex, e.birth_date
  from stay s left join lateral (
       select mrn, family, given, sex, birth_date from patient_event
        where hospital_id = s.hospital_id and patient_id = s.patient_id
        order by event_at desc, entry_id desc limit 1) e on true
 where s.stay = $1
"""
# Where somebody lay, and where what was filed under them was measured.
_PLACES: Final = """
select bed from binding where patient_id = $1
 union select place from filing where patient_id = $1 and reversed_at is null
"""
_LATEST: Final = """
select distinct on (code) code, value, value_text, physical_unit, determined_at, origin
  from measurement_in_force
 where place = any ($1::text[]) and patient_id = $2 and determined_at > $3
   and determined_at <= $4 and validity <> 'Inv'
 order by code, determined_at desc
"""
_LOWEST: Final = """
select distinct on (code) code, value, physical_unit, determined_at
  from measurement_in_force
 where place = any ($1::text[]) and patient_id = $2 and determined_at > $3
   and determined_at <= $4 and validity = 'Vld' and value is not null
   and code = any ($5::text[])
 order by code, value, determined_at
"""
_ALARMS: Final = """
select rule, priority, count(distinct alarm_id) as number, min(since) as first, max(since) as last,
       (array_agg(words order by at desc))[1] as words
  from filed_alert_event
 where hospital_id = $1 and patient_id = $2 and since > $3 and since <= $4 and state <> 'past'
 group by rule, priority order by min(case priority when 'high' then 0 when 'medium' then 1
       else 2 end), count(distinct alarm_id) desc limit 60
"""
_ORDERS: Final = """
select kind, words, request, task, due_at, changed_at, changed_by from native_order
 where patient_id = $1 and placed_at <= $3
   and (request in ('active', 'on-hold') or (request = 'completed' and changed_at > $2))
 order by (request = 'completed'), placed_at desc limit 60
"""
_CARE: Final = """
select kind, limits from care_agreement where stay = $1 and state = 'in_force' order by kind
"""
# What was open and agreed on as the patient left, where somebody here has let them go.
_STANDING: Final = """
select closed -> 'standing' from stay_act
 where stay = $1 and kind <> 'move' and reversed_at is null order by at desc limit 1
"""
_DOCUMENT: Final = """
select document, unit, bed, stay, patient_id, kind, from_at, until_at, language, content, words,
       digest, mode, signed_by, signed_at, replaces
  from signed_document
"""


async def place_of(database: Database, principal: Principal, stay: str) -> tuple[str, str]:
    """Unit and bed of a stay within the scope; no bed where it has ended. Raises NotFound."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select unit, bed, ended_at from stay where stay = $1", _uuid(stay)
        )
    if row is None:
        raise NotFound(NONE)
    return row["unit"], "" if row["ended_at"] else row["bed"]


async def content(
    database: Database,
    principal: Principal,
    stay: str,
    since: int,
    until: int,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """The data of a stay between two moments, as the report shows them; `figures`: the board's."""
    async with database.transaction(principal.scope) as connection:
        return await _content(connection, principal, stay, since, until) | figures


async def sign(
    database: Database,
    principal: Principal,
    stay: str,
    *,
    kind: str,
    since: int,
    until: int,
    words: dict[str, str],
    language: str,
    figures: dict[str, Any],
    replaces: str,
    at: int,
) -> str:
    """Keeps the report with the data of its time and what was written; answers its id."""
    document = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        told = await _content(connection, principal, stay, since, until)
        told |= figures
        await connection.execute(
            "insert into signed_document (document, hospital_id, unit, bed, stay, patient_id, kind,"
            " from_at, until_at, language, content, words, digest, mode, signed_by, signed_at,"
            " replaces) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
            " $16, $17)",
            document,
            principal.hospital,
            told["unit"],
            told["bed"],
            stay,
            told["patient_id"],
            kind,
            to_datetime(since),
            to_datetime(until),
            language,
            json.dumps(told, ensure_ascii=False),
            json.dumps(words, ensure_ascii=False),
            digest(told, words),
            told["mode"],
            principal.actor,
            to_datetime(at),
            _uuid(replaces) if replaces else None,
        )
        scope, unit = principal.scope, told["unit"]
        await audit.append(connection, unit, scope, f"sign_{kind}", document, stay, at)
    return document


async def document(database: Database, principal: Principal, wanted: str) -> dict[str, Any]:
    """A signed report as it was signed; `genuine` says whether its digest still fits.

    `lies_in` is the unit within the scope in which its patient lies now.
    """
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(_DOCUMENT + " where document = $1", _uuid(wanted))
        if row is None:
            raise NotFound("There is no such document, or it is not within your units.")
        lies_in = await connection.fetchval(
            "select unit from stay where patient_id = $1 and ended_at is null", row["patient_id"]
        )
    return _view(row) | {"lies_in": lies_in}


async def documents(database: Database, principal: Principal, stay: str) -> list[dict[str, Any]]:
    """The signed reports of a stay, and the summaries with which its patient came, newest first."""
    async with database.transaction(principal.scope) as connection:
        patient = await connection.fetchval(
            "select patient_id from stay where stay = $1", _uuid(stay)
        )
        rows = await connection.fetch(
            _DOCUMENT + " where stay = $1 or (kind = 'transfer' and patient_id = $2)"
            " order by signed_at desc limit 60",
            _uuid(stay),
            patient,
        )
    return [_view(row) for row in rows]


async def _content(
    connection: Connection, principal: Principal, stay: str, since: int, until: int
) -> dict[str, Any]:
    row = await connection.fetchrow(_STAY, _uuid(stay))
    if row is None:
        raise NotFound(NONE)
    beds = await connection.fetch(_PLACES, row["patient_id"])
    places = [bed["bed"] for bed in beds] or [row["bed"]]
    span = places, row["patient_id"], to_datetime(since), to_datetime(until)
    low = [vital.code for vital in codes.VITALS if vital.key in LOWEST]
    alarms = await connection.fetch(
        _ALARMS, principal.hospital, str(row["patient_id"]), span[2], span[3]
    )
    orders, care = await _asked_and_agreed(connection, row, span[2], span[3])
    return {
        "stay": str(row["stay"]),
        "unit": row["unit"],
        "bed": row["bed"],
        "patient_id": str(row["patient_id"]),
        "person": {
            name: row[name] or "" for name in ("mrn", "family", "given", "sex", "birth_date")
        },
        "mode": row["mode"],
        "admitted_at": _moment(row["admitted_at"]),
        "ended_at": _moment(row["ended_at"]),
        "end_reason": row["end_reason"],
        "from": iso(since),
        "to": iso(until),
        "values": [_value(one) for one in await connection.fetch(_LATEST, *span)],
        "lowest": [_value(one) for one in await connection.fetch(_LOWEST, *span, low)],
        "alarms": [
            {
                "rule": one["rule"],
                "priority": one["priority"],
                "words": one["words"],
                "number": one["number"],
                "first": _moment(one["first"]),
                "last": _moment(one["last"]),
            }
            for one in alarms
        ],
        "orders": orders,
        "care": care,
        "allergies": await allergies.listed(connection, str(row["patient_id"])),
        "isolation": await flags.kinds_of(connection, str(row["patient_id"])),
    }


async def _asked_and_agreed(
    connection: Connection, row: Record, since: datetime, until: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Orders and agreements; of a stay that has ended, as they stood when the patient left."""
    left = json.loads(await connection.fetchval(_STANDING, row["stay"]) or "null")
    orders = [
        {
            "kind": one["kind"],
            "words": one["words"],
            "done": one["request"] == "completed",
            "held": one["request"] == "on-hold",
            "due_at": _moment(one["due_at"]),
            "changed_at": _moment(one["changed_at"]),
            "changed_by": one["changed_by"],
        }
        for one in await connection.fetch(_ORDERS, row["patient_id"], since, until)
    ]
    care = [
        {"kind": one["kind"], "limits": list(one["limits"])}
        for one in await connection.fetch(_CARE, row["stay"])
    ]
    if row["ended_at"] and left:
        orders = [*left["orders"], *(one for one in orders if one["done"])]
        care = left["care"]
    return orders, care


def _value(row: Record) -> dict[str, Any]:
    text = dict(row).get("value_text")
    return {
        "code": row["code"],
        "value": row["value"] if text is None else text,
        "unit": row["physical_unit"],
        "at": _moment(row["determined_at"]),
    }


def _moment(at: Any) -> str | None:
    return iso(from_datetime(at)) if at else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(NONE) from error


def _view(row: Record) -> dict[str, Any]:
    told, words = json.loads(row["content"]), json.loads(row["words"])
    return {
        "document": str(row["document"]),
        "unit": row["unit"],
        "bed": row["bed"],
        "stay": str(row["stay"]),
        "kind": row["kind"],
        "language": row["language"],
        "content": told,
        "words": words,
        "genuine": digest(told, words) == row["digest"],
        "signed_by": row["signed_by"],
        "signed_at": _moment(row["signed_at"]),
        "replaces": str(row["replaces"]) if row["replaces"] else None,
    }
