"""The outbox: planned once a day and number, claimed under the stay's lock, finished by token.

SAFETY.md rule 5. Order of locks everywhere: the stay, then the message. Times are microseconds
UTC and come from the caller's clock, so a test may move them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.identity import uuid7
from hospital_ops.sealing import Sealed
from notify import due, hold, states
from notify.patients import store as patients
from notify.patients.store import microseconds
from notify.rules import LEASE_S, RULES, Hours

CANDIDATES: Final = 100

_PLAN: Final = """
insert into relative_message (message, hospital_id, unit, stay, patient_id, contact, kind,
    local_date, number_index, mode, language, state, reasons, opens_at, closes_at, made_at,
    changed_at)
select md5('relative' || s.patient_id || $4::date || c.contact || w.kind)::uuid, s.hospital_id,
       s.unit, s.stay, s.patient_id, c.contact, w.kind, $4, c.number_index, s.mode, c.language,
       'held', array[w.reason], $5, $6, $2, $2
  from stay s join contact c on c.stay = s.stay
  cross join lateral (select case when c.mobile and c.tells <> 'call' then 'daily' else 'call' end,
                             case when not c.mobile then 'no_mobile'
                                  when c.tells = 'call' then 'asked_for_call'
                                  else 'unconfirmed' end) as w (kind, reason)
 where s.unit = $1 and s.ended_at is null and c.withdrawn_at is null
   and c.verified_at is not null and (c.until is null or c.until > $2)
   and s.hospital_id = $3
   and not exists (  -- one person under two numbers, one phone: one message
     select from relative_message o
      where o.hospital_id = s.hospital_id and o.local_date = $4 and o.kind = w.kind
        and o.number_index = c.number_index and o.patient_id <> s.patient_id
        and o.state <> 'cancelled' and (o.patient_id in (select persons(s.patient_id))
             or s.patient_id in (select persons(o.patient_id))))
 order by c.contact
on conflict do nothing
returning message
"""
_LOCK_STAYS: Final = """
select m.message from relative_message m join stay s using (stay)
 where m.message = any ($1::uuid[]) and m.state = 'due' for no key update of s skip locked
"""
_LOCK_MESSAGES: Final = """
select * from relative_message where message = any ($1::uuid[]) and state = 'due'
   for update skip locked
"""
_CLAIM: Final = """
update relative_message m set state = 'sending', attempt = n.attempt, attempts = m.attempts + 1,
       lease_until = $3, changed_at = $4, reasons = '{}'
  from unnest($1::uuid[], $2::uuid[]) n (message, attempt) where m.message = n.message
"""
_CLAIM_FACTS: Final = """
select m.message, s.ended_at is null and s.unit = m.unit as here, s.end_reason,
       c.withdrawn_at is null and c.verified_at is not null and c.mobile
         and c.number_index = m.number_index and (c.until is null or c.until > $2) as consented,
       c.withdrawn_at is null and c.number_index = m.number_index as reachable,
       s.automatic, s.treatment_limited, s.hold_reason <> '' as patient_hold,
       exists (select from relative_stop p where p.hospital_id = m.hospital_id
                and p.lifted_at is null
                and p.place in (m.unit, m.hospital_id || ':*')) as stopped,
       (select case when count(*) = 2 then to_timestamp(
                   min(split_part(p.position, '-', 1)::double precision) / 1000) end
          from reader_position p where p.shard = m.unit and p.stream in ('in', 'out'))
           as position_at,
       exists (select from refiling_in_force f where f.hospital_id = m.hospital_id
                and (f.patient_id = m.patient_id or m.patient_id = any (f.was))
                and f.told_at > coalesce(m.composed_at, m.confirmed_at, m.made_at)
                and f.from_at < f.told_at - interval '1 minute'
                and f.to_at > m.made_at - interval '1 day') as refiled,
       exists (select from correction k join filed_measurement v
                   on v.place = k.bed and v.event_id = k.event_id
                  and v.determined_at = k.determined_at
                where k.unit = m.unit and k.hospital_id = m.hospital_id
                  and k.at > coalesce(m.composed_at, m.confirmed_at, m.made_at)
                  and k.determined_at > m.made_at - interval '2 days'
                  and v.patient_id = m.patient_id) as corrected,
       m.kind <> 'code' and exists (
           select from relative_message o
            where o.hospital_id = m.hospital_id and o.local_date = m.local_date
              and o.kind = m.kind and o.number_index = m.number_index
              and o.patient_id <> m.patient_id and o.state = any ($3::text[])
              and (o.patient_id in (select persons(m.patient_id))
                   or m.patient_id in (select persons(o.patient_id)))) as told_already,
       alarms.red, alarms.worse_at, h.zone, c.number_key, c.number_sealed
  from relative_message m join stay s using (stay) join contact c using (contact)
  join hospital h on h.hospital_id = m.hospital_id
  left join lateral (
    select bool_or(a.state in ('active', 'acknowledged', 'latched')) as red,
           max(case when a.state = 'past' then a.since else a.at end) as worse_at
      from (select distinct on (alarm_id) alarm_id, state, priority, since, at
              from filed_alert_event
             where hospital_id = m.hospital_id and patient_id = m.patient_id::text
               and at > $2::timestamptz - interval '7 days'
             order by alarm_id, at desc) a
     where a.priority = 'high') alarms on true
 where m.message = any ($1::uuid[])
"""
_TOO_MANY: Final = """
insert into relative_stop as was (place, hospital_id, stopped_at, stopped_by, reason)
select h.hospital_id || ':*', h.hospital_id, $1, 'notify', 'too_many' from hospital h
 where (select count(*) from relative_message m where m.hospital_id = h.hospital_id
         and m.local_date = ($1::timestamptz at time zone h.zone)::date and m.kind = 'daily'
         and m.state in ('sending', 'sent', 'delivered', 'unknown', 'failed'))
     > $2::double precision * greatest(1, (select count(*) from contact x join stay y using (stay)
         where x.hospital_id = h.hospital_id and x.verified_at is not null
           and (y.ended_at is null or y.ended_at > $1::timestamptz - interval '1 day')))
on conflict (place) do update
   set stopped_at = excluded.stopped_at, stopped_by = excluded.stopped_by,
       reason = excluded.reason, lifted_at = null
 where was.lifted_at < $1::timestamptz - interval '1 day'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that one attempt of one sender may hand to a provider, once."""

    message: str
    hospital: str
    attempt: str
    contact: str
    number: Sealed
    words: str
    mode: str
    unit: str
    attempts: int
    claimed_at: int


async def plan(connection: Connection, by: Scope, unit: str, window: due.Window, now: int) -> int:
    """The day's rows of a unit's confirmed contacts; what is there stays; answers how many new."""
    rows = await connection.fetch(
        _PLAN,
        unit,
        to_datetime(now),
        by.hospital,
        window.day,
        to_datetime(window.opens_at),
        to_datetime(window.closes_at),
    )
    return len(rows)


async def candidates(connection: Connection, now: int, limit: int = CANDIDATES) -> list[str]:
    """What may be due; judged under the lock. A code first, for somebody waits for it at the desk;
    the rest shuffled: what cannot leave for a while keeps nobody else back."""
    rows = await connection.fetch(
        "select message from relative_message where state = 'due' and opens_at <= $1"
        " and (not_before is null or not_before <= $1)"
        " order by kind <> 'code', random() limit $2",
        to_datetime(now),
        limit,
    )
    return [str(row["message"]) for row in rows]


async def claim(connection: Connection, messages: Sequence[str], now: int) -> list[Claimed]:
    """Claims in the running transaction what may leave; holds, expires or cancels the others.

    The stay's lock is the one that a death, discharge, transfer, withdrawal or hold takes. What
    another holds is left for later, so no claim ever waits for a lock while it has one.
    """
    locked = [row["message"] for row in await connection.fetch(_LOCK_STAYS, messages)]
    if not locked:
        return []
    rows = await connection.fetch(_LOCK_MESSAGES, locked)
    known = {row["message"]: row for row in await _facts_of(connection, locked, now)}
    hours = {
        unit: await patients.hours_of(connection, unit) for unit in {row["unit"] for row in rows}
    }
    leaving = []
    for row in rows:
        facts = known.get(row["message"])
        verdict, reasons = _judge(row, facts, hours[row["unit"]], now)
        if verdict == states.SENDING and facts is not None:
            leaving.append(_claimed(row, facts, now))
        elif verdict != states.DUE:
            await _move(connection, row["message"], verdict, reasons, now)
    if leaving:
        await connection.execute(
            _CLAIM,
            [one.message for one in leaving],
            [one.attempt for one in leaving],
            to_datetime(now + LEASE_S * SECOND),
            to_datetime(now),
        )
    return leaving


def _claimed(row: Record, facts: Record, now: int) -> Claimed:
    return Claimed(
        message=str(row["message"]),
        hospital=row["hospital_id"],
        attempt=str(uuid7()),
        contact=str(row["contact"]),
        number=Sealed(facts["number_key"], facts["number_sealed"]),
        words=row["words"],
        mode=row["mode"],
        unit=row["unit"],
        attempts=row["attempts"] + 1,
        claimed_at=now,
    )


def _judge(
    row: Record, facts: Record | None, hours: Hours, now: int
) -> tuple[str, tuple[str, ...]]:
    """The state a due message takes now (due: stays as it is), and why."""
    if facts is None or not facts["here"]:
        return states.CANCELLED, ((facts and facts["end_reason"]) or "moved",)
    if row["kind"] == "code":
        return (states.SENDING, ()) if facts["reachable"] else (states.CANCELLED, ("withdrawn",))
    if not facts["consented"]:
        return states.CANCELLED, ("withdrawn",)
    if facts["told_already"]:
        return states.CANCELLED, ("told_already",)
    if row["kind"] == "admission":
        return _judge_admission(row, facts, hours, now)
    window = due.Window(
        row["local_date"], from_datetime(row["opens_at"]), from_datetime(row["closes_at"])
    )
    if window.is_over(now) or due.local_date(now, facts["zone"]) > window.day:
        return states.EXPIRED, ("window_over",)
    if not due.may_leave(now, window, facts["zone"], hours):
        return states.DUE, ()
    reasons = hold.why(_facts(row, facts, now))
    if reasons == ("stale",):
        return states.DUE, ()  # nobody has to decide anything: it waits for the archive
    return (states.HELD, reasons) if reasons else (states.SENDING, ())


def _judge_admission(
    row: Record, facts: Record, hours: Hours, now: int
) -> tuple[str, tuple[str, ...]]:
    """Word of the admission carries no figure: it waits for night and archive, and for a person
    where messages are held or something is going on at the bed."""
    if now >= from_datetime(row["closes_at"]):
        return states.EXPIRED, ("window_over",)
    if due.is_quiet(now, facts["zone"], hours):
        return states.DUE, ()
    reasons = hold.why_not_admission(_facts(row, facts, now))
    if reasons == ("stale",):
        return states.DUE, ()
    return (states.HELD, reasons) if reasons else (states.SENDING, ())


def _facts(row: Record, facts: Record, now: int) -> hold.Facts:
    return hold.Facts(
        now=now,
        red_alarm=bool(facts["red"]),
        worse_at=microseconds(facts["worse_at"]),
        position_at=microseconds(facts["position_at"]),
        stopped=facts["stopped"],
        patient_hold=facts["patient_hold"],
        treatment_limited=facts["treatment_limited"] and not row["confirmed_by"],
        confirmed=bool(row["confirmed_by"]),
        automatic=facts["automatic"],
        dynamics=row["dynamics"],
        severity=row["severity"],
        severity_at=microseconds(row["severity_at"]),
        figures=row["figures"],
        forbidden=bool(row["forbidden"]),
        refiled=facts["refiled"] or facts["corrected"],
        composed_at=microseconds(row["composed_at"] or row["confirmed_at"]),
        released=bool(row["released_by"]),
    )


async def facts_of(connection: Connection, message: Any, now: int) -> Record | None:
    """What a hold is judged by, for the confirmation; the same question as in the claim."""
    rows = await _facts_of(connection, [message], now)
    return rows[0] if rows else None


async def _facts_of(connection: Connection, messages: Sequence[Any], now: int) -> list[Record]:
    return await connection.fetch(
        _CLAIM_FACTS, messages, to_datetime(now), list(states.MAY_HAVE_LEFT)
    )


def reasons_of(row: Record, facts: Record, now: int) -> tuple[str, ...]:
    """Why this message would be held at this moment."""
    return hold.why(_facts(row, facts, now))


async def _move(
    connection: Connection, message: Any, to: str, reasons: Sequence[str], now: int
) -> None:
    await connection.execute(
        "update relative_message set state = $2, reasons = $3, changed_at = $4 where message = $1"
        " and state = any ($5::text[])",
        message,
        to,
        list(reasons),
        to_datetime(now),
        states.before(to),
    )


async def finish(
    connection: Connection,
    claimed: Claimed,
    to: str,
    *,
    reason: str = "",
    provider: str = "",
    provider_id: str = "",
    again_at: int | None = None,
    now: int,
) -> bool:
    """Writes what an attempt came to, if it is still this attempt's; False: somebody was ahead.

    A callback may have come before the answer: the state then stays, the provider's id is kept.
    """
    moved = await connection.fetchval(
        "update relative_message set state = $3, reasons = $4, provider = $5, provider_id = $6,"
        " not_before = $7, changed_at = $8, lease_until = null,"
        " sent_at = case when $3 in ('sent', 'delivered') then $8 else sent_at end,"
        " delivered_at = case when $3 = 'delivered' then $8 else delivered_at end,"
        " words = case when kind = 'code' and $3 in ('sent', 'delivered') then '' else words end"
        " where message = $1 and attempt = $2 and state = any ($9::text[]) returning true",
        claimed.message,
        claimed.attempt,
        to,
        [reason] if reason else [],
        provider,
        provider_id,
        None if again_at is None else to_datetime(again_at),
        to_datetime(now),
        states.before(to) if to != states.DUE else [states.SENDING],
    )
    if not moved and provider_id:
        await connection.execute(
            "update relative_message set provider = $3, provider_id = $4"
            " where message = $1 and attempt = $2 and provider_id = ''",
            claimed.message,
            claimed.attempt,
            provider,
            provider_id,
        )
    return bool(moved)


async def tidy(connection: Connection, now: int) -> tuple[int, int, int]:
    """(unknown, expired, escalated): claims whose sender is gone, windows that closed, late ones.

    A claim without an answer is unknown: no machine sends it again (SAFETY I4). More messages
    than relatives can explain stop the hospital until a person lets them go again, once a day.
    """
    at = to_datetime(now)
    lost = await connection.fetch(
        "update relative_message set state = 'unknown', reasons = '{no_answer}', changed_at = $1"
        " where message in (select message from relative_message where state = 'sending'"
        " and lease_until < $1 for update skip locked) returning message",
        at,
    )
    over = await connection.fetch(
        "update relative_message set state = 'expired', changed_at = $1,"
        " reasons = case when reasons = '{}' then '{window_over}' else reasons end"
        " where message in (select message from relative_message"
        " where state in ('due', 'held') and closes_at <= $1 for update skip locked)"
        " returning message",
        at,
    )
    await connection.execute(_TOO_MANY, at, RULES["expected_factor"])
    early = RULES["escalate_before_close_min"] * 60 * SECOND
    late = await connection.fetch(
        "update relative_message set escalated_at = $1 where message in"
        " (select message from relative_message where state = 'held' and escalated_at is null"
        " and closes_at <= $2 and closes_at > $1 for update skip locked) returning message",
        at,
        to_datetime(now + early),
    )
    return len(lost), len(over), len(late)


async def counts(connection: Connection, day: date) -> dict[str, int]:
    """How many messages of a day are in each state."""
    rows = await connection.fetch(
        "select state, count(*) as n from relative_message where local_date = $1 group by state",
        day,
    )
    return {row["state"]: row["n"] for row in rows}
