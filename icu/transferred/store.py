"""Transfers as they are read, by the sender and by the receiver.

The receiver reads the sender's archive by a scope that the row itself gives: from acceptance on,
for this stay, for its last 24 h. Contacts and consents of relatives are not read here: they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import NotFound
from icu.handover import store as handover
from icu.transfers import forms

NONE: Final = "There is no such transfer, or it is not within your units."
ROW: Final = """
select transfer, hospital_id, unit, bed, stay, patient_id, from_name, to_hospital, to_unit, to_name,
       state, version, why, needs, sex, age_years, mode, asked_by, asked_at, answered_by,
       answered_at, answer, to_bed, eta, left_by, left_at, ended_by, ended_at
  from transfer
"""
# Ventilator settings and what runs, each channel by itself: two pumps are two lines.
_SUPPORT: Final = """
select distinct on (code, channel, device) code, channel, value, value_text, physical_unit,
       determined_at
  from measurement_in_force
 where place = any ($1::text[]) and patient_id = $2 and determined_at > $3
   and determined_at <= $4 and validity <> 'Inv' and code = any ($5::text[])
 order by code, channel, device, determined_at desc
"""


# The same hours where somebody else lies in the bed by now: then the trends are theirs.
_HOURS: Final = """
select code, date_bin('1 hour', determined_at, $3) as bin, min(value) as lowest,
       max(value) as highest, sum(value) as total, count(*) as number, max(physical_unit) as unit
  from measurement_in_force
 where place = any ($1::text[]) and patient_id = $2 and determined_at >= $3
   and determined_at < $4 and validity <> 'Inv' and code = any ($5::text[])
   and value not in ('Infinity', '-Infinity', 'NaN')
 group by code, bin
"""


async def directory(database: Database, principal: Principal) -> list[dict[str, str]]:
    """Units of the other hospitals of this installation: id, kind, name, hospital."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch("select * from transfer_directory()")
    return [dict(row) for row in rows if row["hospital_id"] != principal.hospital]


async def one(database: Database, principal: Principal, transfer: str) -> dict[str, Any]:
    """A transfer within the scope, at the sender's or the receiver's; NotFound otherwise."""
    async with database.transaction(principal.scope) as connection:
        return view_of(await row_of(connection, transfer))


async def of_unit(database: Database, principal: Principal, unit: str) -> list[dict[str, Any]]:
    """The transfers from and to a unit, open ones first, then the newest."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            ROW + " where unit = $1 or to_unit = $1"
            " order by state in ('declined', 'withdrawn', 'arrived'), asked_at desc limit 100",
            unit,
        )
    return [view_of(row) for row in rows]


async def record(
    database: Database, principal: Principal, transfer: str, now: int, support: Sequence[str]
) -> dict[str, Any]:
    """The patient's last 24 h at the sender: NotFound for the receiver before acceptance.

    `support` are codes of which each channel's last value is told: ventilator, infusions.
    """
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetchval(
            "select transfer from transfer where transfer = $1"
            " and (in_hospital(hospital_id) or state = any ($2::text[]))",
            uuid_of(transfer),
            list(forms.READABLE),
        )
        if found is None:
            raise NotFound(NONE)
        told = view_of(await row_of(connection, transfer))
    return await gathered(database, principal, told, now, support)


def lent_to(principal: Principal, told: dict[str, Any]) -> Principal:
    """Who reads at the sender: the same person within the sender's unit, for one transfer."""
    return replace(principal, hospital=told["hospital"], units=(told["unit"],))


async def gathered(
    database: Database, principal: Principal, told: dict[str, Any], now: int, support: Sequence[str]
) -> dict[str, Any]:
    """The record of a transfer, read by the sender's scope: whoever calls has asked who may."""
    lent = lent_to(principal, told)
    since, until = forms.window(told, now)
    known = await handover.content(database, lent, told["stay"], since, until, {})
    async with database.transaction(lent.scope) as connection:
        beds = await connection.fetch(
            "select distinct bed from binding where patient_id = $1", told["patient_id"]
        )
        rows = await connection.fetch(
            _SUPPORT,
            [row["bed"] for row in beds] or [told["bed"]],
            told["patient_id"],
            to_datetime(since),
            to_datetime(until),
            list(support),
        )
    known["support"] = [
        {
            "code": row["code"],
            "channel": row["channel"],
            "value": row["value"] if row["value_text"] is None else row["value_text"],
            "unit": row["physical_unit"],
            "at": iso(from_datetime(row["determined_at"])),
        }
        for row in rows
    ]
    return known


async def hours(
    database: Database, lent: Principal, told: dict[str, Any], codes: Sequence[str], now: int
) -> list[Record]:
    """Lowest and highest of each hour of the record, from the values themselves."""
    since, until = forms.window(told, now)
    async with database.transaction(lent.scope) as connection:
        beds = await connection.fetch(
            "select distinct bed from binding where patient_id = $1", told["patient_id"]
        )
        return await connection.fetch(
            _HOURS,
            [row["bed"] for row in beds] or [told["bed"]],
            told["patient_id"],
            to_datetime(since),
            to_datetime(until),
            list(codes),
        )


async def row_of(connection: Connection, transfer: str) -> Record:
    """The row of a transfer within the scope; NotFound otherwise."""
    row = await connection.fetchrow(ROW + " where transfer = $1", uuid_of(transfer))
    if row is None:
        raise NotFound(NONE)
    return row


def uuid_of(text: str) -> UUID:
    """The id as the database takes it; NotFound where it is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(NONE) from error


def view_of(row: Record) -> dict[str, Any]:
    """A row as routes and pages read it; times in ISO 8601."""
    told = {**dict(row), "hospital": row["hospital_id"], "needs": list(row["needs"])}
    del told["hospital_id"]
    for name in ("transfer", "stay", "patient_id"):
        told[name] = str(told[name])
    for name in ("asked_at", "answered_at", "eta", "left_at", "ended_at"):
        told[name] = iso(from_datetime(row[name])) if row[name] else None
    return told
