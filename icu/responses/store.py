"""Changes of doses and settings of a patient, and the signals around them, out of the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops import codes, wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Database
from icu.response import (
    AFTER_US,
    BEFORE_US,
    READ,
    RULES,
    Bin,
    Change,
    Disturbance,
    Response,
    Signals,
    drug_of,
    responses,
    together,
)

SPAN_US: Final = 24 * 3600 * SECOND  # what is looked at where nobody says
MOST: Final = RULES["changes_most"]
ROUNDING: Final = 1e-9  # of a dose that was converted: no change
_BIN_S: Final = float(RULES["bin_s"])
# A value that differs from the one before it, from the same channel, by at least the step.
_CHANGES: Final = """
select determined_at, code, previous, value, physical_unit
  from (select m.determined_at, m.code, m.value, m.physical_unit, s.least,
               lag(m.value) over (partition by m.code, m.device, m.channel
                                  order by m.determined_at) as previous
          from measurement_in_force m
          join unnest($2::text[], $3::float8[]) as s(code, least) on s.code = m.code
         where m.place = $1 and m.patient_id = $4 and m.value is not null
           and m.validity <> 'Inv'
           and m.determined_at >= $5 and m.determined_at < $6) as series
 where previous is not null and value <> previous and abs(value - previous) >= least
 order by determined_at desc
 limit $7
"""
# What was carried out: a medicine given, an infusion or ventilation begun without a pump's word.
_GIVEN: Final = """
select coalesce(e.done_at, e.at) as at, o.order_id, o.kind, o.words, e.changed
  from order_event e join native_order o using (order_id)
 where o.patient_id = $1 and coalesce(e.done_at, e.at) >= $2 and coalesce(e.done_at, e.at) < $3
   and ((o.kind = 'medication' and e.act = 'complete')
        or (o.kind in ('infusion', 'ventilation') and e.act = 'start')
        or (o.kind = 'infusion' and e.act = 'adjust'
            and coalesce(e.changed->'before'->>'rate', e.changed->'before'->>'text') is not null))
   and not exists (select from order_event u
                    where u.order_id = e.order_id and u.undoes = e.version)
 order by 1 desc
 limit $4
"""
_SIGNALS: Final = """
select w.number, m.code,
       date_bin(make_interval(secs => $6), m.determined_at, w.start) as bin,
       percentile_cont(0.5) within group (order by m.value)
         filter (where m.validity = 'Vld') as value,
       bool_or(m.validity <> 'Vld' or m.value is null) as bad
  from unnest($3::timestamptz[], $4::timestamptz[]) with ordinality as w(start, stop, number)
  join measurement_in_force m on m.place = $1 and m.code = any ($2) and m.patient_id = $5
   and m.determined_at >= w.start and m.determined_at < w.stop
 group by 1, 2, 3
"""
_TECHNICAL: Final = """
select at, rule
  from alert_event
 where bed = $1 and rule = any ($2) and state = 'active' and at >= $3 and at < $4
 order by at limit 500
"""


async def found(
    database: Database,
    principal: Principal,
    bed: str,
    patient_id: str,
    start: int,
    end: int,
    now: int,
) -> list[tuple[Change, list[Response]]]:
    """The changes between two moments, oldest first, each with what the signals did after it.

    At most `changes_most`, the newest. Changes just outside are read as well: they disturb.
    """
    async with database.transaction(principal.scope) as connection:
        first, last = start - BEFORE_US - AFTER_US, end + AFTER_US
        changes = together(await _changes(connection, bed, patient_id, first, last))
        asked = [change for change in changes if start <= change.at < end][-MOST:]
        if not asked:
            return []
        technical = await _technical(connection, bed, asked)
        signals = await _signals(connection, bed, patient_id, asked)
    return [
        (change, responses(change, signals[number], changes, technical, now))
        for number, change in enumerate(asked)
    ]


async def _changes(
    connection: Connection, bed: str, patient_id: str, start: int, end: int
) -> list[Change]:
    least = {codes.by_key[key].code: ROUNDING for key in RULES["doses"]}
    least |= {codes.by_key[key].code: float(s) for key, s in RULES["settings"].items()}
    between = to_datetime(start), to_datetime(end)
    rows = await connection.fetch(
        _CHANGES, bed, list(least), list(least.values()), patient_id, *between, MOST * 4
    )
    changes = []
    for row in rows:
        vital = codes.by_code[row["code"]]
        kind = "dose" if vital.key in RULES["doses"] else "setting"
        at = from_datetime(row["determined_at"])
        before, after = row["previous"], row["value"]
        changes.append(Change(at, vital.key, kind, before, after, row["physical_unit"]))
    by_pump = {change.what for change in changes}  # what the pump says itself is not said twice
    given = await connection.fetch(_GIVEN, patient_id, *between, MOST)
    changes += [
        Change(from_datetime(row["at"]), row["words"], "given", order=str(row["order_id"]))
        for row in given
        if not (wire.from_json(row["changed"]) and drug_of(row["words"]) in by_pump)
    ]
    return changes


async def _technical(
    connection: Connection, bed: str, asked: Sequence[Change]
) -> list[Disturbance]:
    rows = await connection.fetch(
        _TECHNICAL,
        bed,
        list(RULES["technical"]),
        to_datetime(asked[0].at - BEFORE_US),
        to_datetime(asked[-1].at + AFTER_US),
    )
    return [
        Disturbance(from_datetime(row["at"]), "technical", codes.by_key[signal].code)
        for row in rows
        for signal in RULES["technical"][row["rule"]]
    ]


async def _signals(
    connection: Connection, bed: str, patient_id: str, asked: Sequence[Change]
) -> list[Signals]:
    """For each change the bins of every signal that is looked at."""
    keys = {codes.by_key[key].code: key for key in READ}
    rows = await connection.fetch(
        _SIGNALS,
        bed,
        list(keys),
        [to_datetime(change.at - BEFORE_US) for change in asked],
        [to_datetime(change.at + AFTER_US) for change in asked],
        patient_id,
        _BIN_S,
    )
    made: list[dict[str, list[Bin]]] = [{} for _ in asked]
    for row in rows:
        one = Bin(from_datetime(row["bin"]), row["value"], row["bad"])
        made[row["number"] - 1].setdefault(keys[row["code"]], []).append(one)
    return [{key: sorted(bins) for key, bins in each.items()} for each in made]
