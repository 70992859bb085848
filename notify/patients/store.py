"""What messages need of the archive: open stays, readings of two days, names that must not slip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import Conflict, NotFound
from notify.dynamics import PRESSORS
from notify.figures import Reading
from notify.rules import Hours, default_hours

_STAY: Final = """
select s.*, u.name as unit_name, h.zone,
       (select e.family || ' ' || e.given from patient_event e
         where e.hospital_id = s.hospital_id and e.patient_id = s.patient_id
         order by e.event_at desc limit 1) as name,
       (select e.sex from patient_event e
         where e.hospital_id = s.hospital_id and e.patient_id = s.patient_id
         order by e.event_at desc limit 1) as sex
from stay s join unit u using (unit) join hospital h on h.hospital_id = s.hospital_id
where s.stay = $1
"""
# The primary figures come every second or so: one a minute is enough for a median, one an hour of
# a pump for the course. What was corrected is told by what replaced it, or not at all. Of the days
# everything that was the patient's in this unit counts, in whichever bed.
_READINGS: Final = """
with bed_of as (
    select $1::text as bed
     union select e.bed from patient_event e
            where e.hospital_id = $8 and e.patient_id = $2 and e.unit = $9 and e.bed <> ''
              and e.event_at <= $4),
filed as (
    select m.code, m.value, m.value_text, m.determined_at, m.validity, m.origin, m.mode, m.device,
           m.place, m.place <> $1 as moved
      from bed_of b join measurement_in_force m on m.place = b.bed
     where m.patient_id = $2 and m.determined_at > $6 and m.determined_at <= $4
       and (m.origin <> 'monitor' or m.code = any ($7::text[]) or m.code = any ($10::text[])
            or (m.code = any ($5::text[]) and m.place = $1 and m.determined_at > $3)))
(select distinct on (code, device, date_trunc('minute', determined_at))
       code, value, value_text, determined_at, validity, origin, mode, device, moved
  from filed
 where origin = 'monitor' and code = any ($5::text[]) and not moved and determined_at > $3
 order by code, device, date_trunc('minute', determined_at), (validity = 'Vld') desc,
          determined_at desc)
union all
(select distinct on (code, place, device, date_trunc('hour', determined_at))
       code, value, value_text, determined_at, validity, origin, mode, device, moved
  from filed
 where origin = 'monitor' and code = any ($10::text[])
 order by code, place, device, date_trunc('hour', determined_at), (validity = 'Vld') desc,
          determined_at desc)
union all
select code, value, value_text, determined_at, validity, origin, mode, device, moved
  from filed
 where origin <> 'monitor' or code = any ($7::text[])
"""
_MINUTELY: Final = ["8310-5", "8867-4", "8889-8", "76215-3", "76213-8", "59408-5", "9279-1"]
_ALL_DAY: Final = ["8480-6", "8462-4", "8478-0", "3150-0", "20124-4"]
_DAYS_S: Final = 60 * 3600  # two days, and the RASS that counts at their beginning
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A patient in a unit from an admission on, with what a physician has said for messages."""

    stay: str
    hospital: str
    unit: str
    unit_name: str
    bed: str
    patient_id: str
    mode: str
    admitted_at: int
    ended_at: int | None
    end_reason: str
    zone: str
    automatic: bool
    treatment_limited: bool
    hold_reason: str
    severity: str
    severity_at: int | None
    name: str
    sex: str
    version: int = 0  # of the switches

    @property
    def initials(self) -> str:
        """As pages show the patient."""
        return " ".join(f"{part[:1].upper()}." for part in self.name.split()[:2])


def microseconds(moment: datetime | None) -> int | None:
    """Microseconds UTC of a column that may be null."""
    return None if moment is None else from_datetime(moment)


async def stay(connection: Connection, wanted: str) -> Stay:
    """The stay within the scope. Raises NotFound."""
    row = await connection.fetchrow(_STAY, wanted)
    if row is None:
        raise NotFound("There is no such stay, or it is not within your units.")
    return _stay(row)


async def open_stay_of_bed(connection: Connection, bed: str) -> Stay:
    """The stay of whoever lies in the bed now. Raises NotFound."""
    found = await connection.fetchval(
        "select stay from stay where bed = $1 and ended_at is null order by moved_at desc limit 1",
        bed,
    )
    if found is None:
        raise NotFound("Nobody is admitted to this bed.")
    return await stay(connection, found)


async def seen_stay_of_bed(connection: Connection, bed: str, seen: str) -> Stay:
    """The open stay of a bed, which is the one that was looked at; "": whoever lies there.

    Raises NotFound, and Conflict where another has come to lie there.
    """
    found = await open_stay_of_bed(connection, bed)
    if seen and found.stay != seen:
        raise Conflict("Somebody else lies here by now: look again.")
    return found


async def readings(connection: Connection, whose: Stay, now: int) -> list[Reading]:
    """What was measured at the patient: an hour minute by minute, two days of spots and pumps.

    The last hour's monitor values are those of the bed of now, thinned to one a minute, which a
    median of minutes is; day courses use cuffs, pumps, typed values and laboratory.
    """
    hour, days = now - _HOUR_S * 1_000_000, now - _DAYS_S * 1_000_000
    rows = await connection.fetch(
        _READINGS,
        whose.bed,
        whose.patient_id,
        to_datetime(hour),
        to_datetime(now),
        _MINUTELY,
        to_datetime(days),
        _ALL_DAY,
        whose.hospital,
        whose.unit,
        list(PRESSORS),
    )
    return [_reading(row) for row in rows]


async def hours_of(connection: Connection, unit: str) -> Hours:
    """When the unit sends."""
    row = await connection.fetchrow("select * from relative_hours where unit = $1", unit)
    if row is None:
        return default_hours()
    return Hours(
        opens=row["opens"],
        closes=row["closes"],
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
        desk_phone=row["desk_phone"],
        desk_hours=row["desk_hours"],
    )


async def set_hours(connection: Connection, by: Scope, unit: str, hours: Hours, now: int) -> None:
    """When a unit sends, in its hospital's local time, and where families may ask; audited."""
    await connection.execute(
        "insert into relative_hours values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (unit)"
        " do update set opens = $3, closes = $4, quiet_from = $5, quiet_until = $6,"
        " desk_phone = $7, desk_hours = $8",
        unit,
        by.hospital,
        hours.opens,
        hours.closes,
        hours.quiet_from,
        hours.quiet_until,
        hours.desk_phone,
        hours.desk_hours,
    )
    detail = f"{hours.opens:%H:%M}-{hours.closes:%H:%M}"
    await audit.append(connection, unit, by, "set_message_hours", unit, detail, now)


async def change(
    connection: Connection,
    by: Scope,
    whose: Stay,
    now: int,
    version: int | None = None,
    **wanted: Any,
) -> None:
    """Switches of a patient: automatic, treatment_limited, hold_reason ("": none).

    Raises Conflict where they are no longer those of `version`, and where a limit of treatment
    would be lifted that an agreement of two persons still sets.
    """
    changed = await connection.fetchval(
        "update stay set automatic = coalesce($2, automatic), version = version + 1,"
        " treatment_limited = coalesce($3, treatment_limited),"
        " hold_reason = coalesce($4, hold_reason) where stay = $1"
        " and version = coalesce($5, version) returning true",
        whose.stay,
        wanted.get("automatic"),
        wanted.get("treatment_limited"),
        wanted.get("hold_reason"),
        version,
    )
    if not changed:
        raise Conflict("Somebody has changed this patient's messages meanwhile: look again.")
    if wanted.get("treatment_limited") is False and await connection.fetchval(
        "select exists (select from care_agreement where stay = $1 and state = 'in_force')",
        whose.stay,
    ):
        raise Conflict("An agreement limits the treatment: end it first, on the page of the bed.")
    detail = " ".join(f"{name}={value}" for name, value in sorted(wanted.items()))
    await audit.append(connection, whose.unit, by, "change_messages", whose.stay, detail, now)


def _stay(row: Record) -> Stay:
    return Stay(
        stay=str(row["stay"]),
        hospital=row["hospital_id"],
        unit=row["unit"],
        unit_name=row["unit_name"],
        bed=row["bed"],
        patient_id=str(row["patient_id"]),
        mode=row["mode"],
        admitted_at=from_datetime(row["admitted_at"]),
        ended_at=microseconds(row["ended_at"]),
        end_reason=row["end_reason"],
        zone=row["zone"],
        automatic=row["automatic"],
        treatment_limited=row["treatment_limited"],
        hold_reason=row["hold_reason"],
        severity=row["severity"],
        severity_at=microseconds(row["severity_at"]),
        name=row["name"] or "",
        sex=row["sex"] or "unknown",
        version=row["version"],
    )


def _reading(row: Record) -> Reading:
    return Reading(
        code=row["code"],
        value=row["value"] if row["value_text"] is None else row["value_text"],
        at=from_datetime(row["determined_at"]),
        validity=row["validity"],
        origin=row["origin"],
        mode=row["mode"],
        device=row["device"],
        moved=row["moved"],
    )
