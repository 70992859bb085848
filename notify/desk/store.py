"""The desk: the day's list, confirmation by the attending, calls, release, stops, history.

Every act takes the stay's lock, changes rows and writes its audit in one transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clinical.dynamics import SEVERITY_WORDS
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from notify.desk import day
from notify.outbox import store as outbox
from notify.patients import store as patients
from notify.patients.store import Stay
from notify.rules import RULES, SEVERITY_AGE_MAX_S
from notify.text import Composed

_LIST: Final = """
select m.*, c.relation, c.last_two, c.basis, c.until, c.verified_at, c.verified_how, c.tells,
       c.enabled_at, c.withdrawn_at is not null as withdrawn, s.bed, b.label, h.zone,
       s.severity as stay_severity, p.cost, p.currency,
       (select e.family || ' ' || e.given from patient_event e
         where e.hospital_id = s.hospital_id and e.patient_id = s.patient_id
         order by e.event_at desc limit 1) as name
  from relative_message m join contact c using (contact) join stay s on s.stay = m.stay
  join hospital h on h.hospital_id = m.hospital_id left join bed b on b.bed = s.bed
  left join lateral relative_cost(m) p on true
 where m.unit = $1 and m.local_date = $2 and m.kind <> 'code'
 order by b.position nulls last, m.made_at, m.message
"""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation came to, for one relative."""

    message: str
    state: str
    reasons: tuple[str, ...]


async def todays(connection: Connection, unit: str, today: date) -> list[Record]:
    """The day's messages of a unit with what a page shows; sorted by bed."""
    return await connection.fetch(_LIST, unit, today)


async def steps(connection: Connection, message: str) -> list[Record]:
    """Every state the message has been in: the proof of what became of it."""
    return await connection.fetch(
        "select at, from_state, to_state, actor, detail from relative_step where message = $1"
        " order by number",
        message,
    )


async def of_stay(connection: Connection, stay: str) -> list[Record]:
    """All messages of a stay, newest first: the patient's history, and the death screen."""
    return await connection.fetch(
        "select m.*, c.relation, c.last_two, p.cost, p.currency from relative_message m"
        " join contact c using (contact) left join lateral relative_cost(m) p on true"
        " where m.stay = $1 and m.kind <> 'code' order by m.local_date desc, m.made_at",
        stay,
    )


async def draft(connection: Connection, message: str, now: int) -> dict[str, Any]:
    """The row of a message that waits, with what it would say now. Raises NotFound.

    The word on the condition is the physician's: it is there only where one was chosen before.
    """
    row = await connection.fetchrow(
        "select m.stay, m.language, c.tells, not exists (select from relative_message p where"
        " p.contact = m.contact and p.state in ('sent', 'delivered') and p.kind = 'daily')"
        " as first from relative_message m join contact c using (contact) where m.message = $1",
        message,
    )
    if row is None:
        raise NotFound("There is no such message, or it is not within your units.")
    whose = await patients.stay(connection, row["stay"])
    hours = await patients.hours_of(connection, whose.unit)
    proposal = day.propose(whose, await patients.readings(connection, whose, now), hours, now)
    composed = _composed(proposal, whose, row, whose.severity)
    return {
        "words": composed.text,
        "statements": json.dumps(day.statements_json(composed)),
        "proposal": json.dumps(day.course_json(proposal.course)),
        "dynamics": proposal.course["dynamics"],
        "forbidden": list(composed.forbidden),
        "mark": day.mark(proposal),
    }


async def confirm(
    connection: Connection,
    by: Scope,
    whose: Stay,
    now: int,
    *,
    severity: str,
    course: str = "",
    automatic: bool = False,
    seen: str | None = None,
) -> list[Confirmed]:
    """Composes and confirms today's messages of one patient; each becomes due, or stays held.

    `severity` is one of the permitted words; `course` overrides the proposed dynamics; `seen` is
    the mark of the draft that was looked at. Raises MessageError for an unknown word, Conflict
    where nothing waits, and where the draft would say something else by now.
    """
    _check(severity, course, automatic=automatic)
    await _lock(connection, whose.stay)
    hours = await patients.hours_of(connection, whose.unit)
    proposal = day.propose(whose, await patients.readings(connection, whose, now), hours, now)
    if seen is not None and not day.is_seen(proposal, seen):
        raise Conflict("The text would be another by now: look at it again, then confirm it.")
    rows = await connection.fetch(
        "select m.*, c.tells, not exists (select from relative_message p where"
        " p.contact = m.contact and p.state in ('sent', 'delivered') and p.kind = 'daily')"
        " as first from relative_message m join contact c using (contact)"
        " where m.stay = $1 and m.kind = 'daily' and m.state = 'held' and m.closes_at > $2"
        " order by m.message for update of m",
        whose.stay,
        to_datetime(now),
    )
    if not rows:
        raise Conflict("Nothing of today waits for a confirmation here.")
    done = [
        await _confirm_one(connection, by, whose, row, proposal, severity, course, now, automatic)
        for row in rows
    ]
    if not automatic:
        await connection.execute(
            "update stay set severity = $2, severity_by = $3, severity_at = $4,"
            " version = version + 1 where stay = $1",
            whose.stay,
            severity,
            by.actor,
            to_datetime(now),
        )
    detail = f"{severity} {course or proposal.course['dynamics']} {len(done)}"
    await audit.append(connection, whose.unit, by, "confirm_messages", whose.stay, detail, now)
    return done


def _check(severity: str, course: str, *, automatic: bool) -> None:
    if severity not in SEVERITY_WORDS and not automatic:
        raise MessageError("no_severity", f"choose one of {', '.join(SEVERITY_WORDS)}")
    if course and course not in day.DYNAMICS:
        raise MessageError("bad_dynamics", f"choose one of {', '.join(day.DYNAMICS)}")


async def _confirm_one(
    connection: Connection,
    by: Scope,
    whose: Stay,
    row: Record,
    proposal: day.Proposal,
    severity: str,
    course: str,
    now: int,
    automatic: bool,
) -> Confirmed:
    composed = _composed(proposal, whose, row, severity, course)
    at = to_datetime(now)
    severity_at = whose.severity_at if automatic else now
    await connection.execute(
        "update relative_message set words = $2, parts = $3, encoding = $4, figures = $5,"
        " statements = $6, proposal = $7, dynamics = $8, severity = $9, severity_at = $10,"
        " confirmed_by = $11, confirmed_at = $12, template = $13, forbidden = $14,"
        " composed_at = $15"
        " where message = $1",
        row["message"],
        composed.text,
        composed.parts,
        composed.encoding,
        composed.figures if _tells(whose, row) == "full" else 1,
        json.dumps(day.statements_json(composed)),
        json.dumps(day.course_json(proposal.course)),
        course or proposal.course["dynamics"],
        severity,
        None if severity_at is None else to_datetime(severity_at),
        "" if automatic else by.actor,
        None if automatic else at,
        day.template(),
        list(composed.forbidden),
        at,
    )
    return await reconsider(connection, row["message"], now)


def _tells(whose: Stay, row: Record) -> str:
    return "state" if whose.treatment_limited else str(row["tells"])


def _composed(
    proposal: day.Proposal, whose: Stay, row: Record, severity: str, course: str = ""
) -> Composed:
    return day.write(
        proposal,
        whose,
        row["language"],
        severity=severity,
        course=course,
        tells=_tells(whose, row),
        first=row["first"],
    )


async def reconsider(connection: Connection, message: Any, now: int) -> Confirmed:
    """Judges a held message anew: due where nothing holds it any more."""
    row = await connection.fetchrow("select * from relative_message where message = $1", message)
    facts = await outbox.facts_of(connection, message, now)
    if row is None or facts is None:
        raise NotFound("There is no such message, or it is not within your units.")
    reasons = tuple(one for one in outbox.reasons_of(row, facts, now) if one != "stale")
    if not row["confirmed_by"] and not await _wording_is_known(connection, row["template"]):
        reasons = (*reasons, "template_changed")
    await connection.execute(
        "update relative_message set reasons = $2, changed_at = $3,"
        " state = case when $2::text[] = '{}' then 'due' else 'held' end where message = $1",
        message,
        list(reasons),
        to_datetime(now),
    )
    return Confirmed(str(message), "held" if reasons else "due", reasons)


async def _wording_is_known(connection: Connection, template: str) -> bool:
    """Whether a person has confirmed enough messages of this wording (issue: the first five)."""
    seen = await connection.fetchval(
        "select count(*) from relative_message where template = $1 and confirmed_by <> ''"
        " and state in ('sent', 'delivered')",
        template,
    )
    return bool(seen >= RULES["template_first_count"])


async def call_made(
    connection: Connection, by: Scope, message: str, note: str, now: int, *, send: bool
) -> Confirmed:
    """The call is recorded; then the message is released (`send`) or cancelled.

    Of an expired one only the call is recorded: it never leaves late. Raises Conflict where it
    does not wait for a person.
    """
    row = await _held(connection, message)
    await connection.execute(
        "update relative_message set called_by = $2, called_at = $3, call_note = $4,"
        " released_by = case when $5 then $2 else '' end where message = $1",
        message,
        by.actor,
        to_datetime(now),
        note[:500],
        send,
    )
    action = "release_message" if send else "call_relative"
    if row["state"] == "expired":
        done = Confirmed(message, "expired", tuple(row["reasons"]))
    elif send and row["words"]:
        done = await reconsider(connection, message, now)
    else:
        await connection.execute(
            "update relative_message set state = 'cancelled', reasons = '{called}',"
            " changed_at = $2 where message = $1",
            message,
            to_datetime(now),
        )
        done = Confirmed(message, "cancelled", ("called",))
    await audit.append(connection, row["unit"], by, action, message, ",".join(done.reasons), now)
    return done


async def settle(connection: Connection, by: Scope, message: str, to: str, now: int) -> None:
    """A person says what became of an unknown message: sent or failed. Nothing is sent again."""
    if to not in ("sent", "failed"):
        raise MessageError("bad_state", "say `sent` or `failed`")
    unit = await connection.fetchval(
        "update relative_message set state = $2, reasons = '{settled}', changed_at = $3"
        " where message = $1 and state = 'unknown' returning unit",
        message,
        to,
        to_datetime(now),
    )
    if unit is None:
        raise Conflict("This message is not unknown any more: look again.")
    await audit.append(connection, unit, by, "settle_message", message, to, now)


async def stop(
    connection: Connection, by: Scope, place: str, unit: str, reason: str, now: int
) -> None:
    """Emergency stop of a unit, or of the hospital (`HOSPITAL:*`): holds at every claim."""
    await connection.execute(
        "insert into relative_stop as was values ($1, $2, $3, $4, $5) on conflict (place) do update"
        " set stopped_at = $3, stopped_by = $4, reason = $5, lifted_at = null"
        " where was.lifted_at is not null",
        place,
        by.hospital,
        to_datetime(now),
        by.actor,
        reason[:200],
    )
    await audit.append(connection, unit, by, "stop_messages", place, "", now)


async def go_on(connection: Connection, by: Scope, place: str, unit: str, now: int) -> None:
    """Ends an emergency stop; what it held waits for a person or the next look."""
    await connection.execute(
        "update relative_stop set lifted_at = $2 where place = $1 and lifted_at is null",
        place,
        to_datetime(now),
    )
    await audit.append(connection, unit, by, "end_stop", place, "", now)


async def stops(connection: Connection) -> list[str]:
    """The places that are stopped."""
    rows = await connection.fetch("select place from relative_stop where lifted_at is null")
    return [row["place"] for row in rows]


async def automatic_ready(connection: Connection, now: int) -> list[Any]:
    """Stays that send automatically and whose day has opened with something unconfirmed.

    Only with a word on the condition that still counts: without one there is no text to make.
    """
    rows = await connection.fetch(
        "select distinct s.stay from stay s join relative_message m on m.stay = s.stay"
        " where s.automatic and s.ended_at is null and m.state = 'held' and m.kind = 'daily'"
        " and m.opens_at <= $1 and m.closes_at > $1 and m.words = ''"
        " and s.severity <> '' and s.severity_at >= $2",
        to_datetime(now),
        to_datetime(now - SEVERITY_AGE_MAX_S * SECOND),
    )
    return [row["stay"] for row in rows]


async def _lock(connection: Connection, stay: str) -> None:
    found = await connection.fetchval(
        "select true from stay where stay = $1 and ended_at is null for no key update", stay
    )
    if not found:
        raise Conflict("The stay has ended: nothing is sent any more.")


async def _held(connection: Connection, message: str) -> Record:
    stay = await connection.fetchval(
        "select stay from relative_message where message = $1", message
    )
    if stay is None:
        raise NotFound("There is no such message, or it is not within your units.")
    await connection.execute("select from stay where stay = $1 for no key update", stay)
    row = await connection.fetchrow(
        "select * from relative_message where message = $1 for update", message
    )
    if row is None or row["state"] not in ("held", "expired"):
        raise Conflict("This message does not wait for a person any more: look again.")
    return row
