"""Where browsers may be called, and which calls were handed over: once each, claimed before."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from hospital_ops import audit
from hospital_ops.access import Principal
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database

FRESH_S: Final = 60  # an older call is no news: the ladder has gone on
FEW: Final = 20  # of one claim
DEVICES_MOST: Final = 5  # of one person
WAIT_S: Final = 30  # after a failure, doubled each time
WAIT_MOST_S: Final = 3600

# Calls of the last minute that nobody has read, for browsers of whoever was called.
_CLAIM = """
with due as (
    select distinct c.alarm_id, c.hospital_id, c.unit, c.bed, c.who, c.at, s.subscription_id
      from alarm_call c
      join push_subscription s on s.hospital_id = c.hospital_id and s.who = c.who
     where c.at > $1::timestamptz - make_interval(secs => $2) and c.at <= $1 and c.mode = $3
       and s.ended_at is null and coalesce(s.not_before, $1) <= $1 and s.made_at <= c.at
       and not exists (select from alarm_call r where r.alarm_id = c.alarm_id and r.who = c.who
                        and r.at = c.at and r.read_at is not null)
       and not exists (select from push_sent p where p.alarm_id = c.alarm_id and p.who = c.who
                        and p.subscription_id = s.subscription_id and p.called_at = c.at)
     order by c.at limit $4),
taken as (
    insert into push_sent (alarm_id, hospital_id, unit, who, subscription_id, called_at, claimed_at)
    select alarm_id, hospital_id, unit, who, subscription_id, at, $1 from due
    on conflict do nothing returning alarm_id, who, subscription_id, called_at)
select d.alarm_id, d.bed, d.unit, b.label, u.name as unit_name, d.who, d.at, d.subscription_id,
       s.endpoint, s.p256dh, s.auth, s.language
  from taken t
  join due d on d.alarm_id = t.alarm_id and d.who = t.who
            and d.subscription_id = t.subscription_id and d.at = t.called_at
  join push_subscription s on s.subscription_id = d.subscription_id
  left join bed b on b.bed = d.bed
  left join unit u on u.unit = d.unit
"""
_FINISH = """
update push_sent set outcome = $5
 where alarm_id = $1 and who = $2 and subscription_id = $3 and called_at = $4
"""


class Due(NamedTuple):
    """A call to hand over to a push service."""

    alarm: UUID
    who: str
    subscription: UUID
    called_at: Any
    bed: str
    label: str
    unit: str
    endpoint: str
    p256dh: str
    auth: str
    language: str


async def subscribe(
    database: Database,
    by: Principal,
    endpoint: str,
    p256dh: str,
    auth: str,
    language: str,
    at: int,
) -> None:
    """A browser of this person may be called; the oldest of too many is forgotten."""
    digest, now = hashlib.sha256(endpoint.encode()).digest(), to_datetime(at)
    async with database.transaction(by.scope) as connection:
        await connection.execute(
            "update push_subscription set ended_at = $2 where endpoint_hash = $1"
            " and ended_at is null",
            digest,
            now,
        )
        await connection.execute(
            "insert into push_subscription (subscription_id, hospital_id, who, endpoint,"
            " endpoint_hash, p256dh, auth, language, made_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            uuid4(),
            by.hospital,
            by.actor,
            endpoint,
            digest,
            p256dh,
            auth,
            language,
            now,
        )
        await connection.execute(
            "update push_subscription set ended_at = $2 where who = $1 and ended_at is null"
            " and subscription_id not in (select subscription_id from push_subscription"
            " where who = $1 and ended_at is null order by made_at desc limit $3)",
            by.actor,
            now,
            DEVICES_MOST,
        )
        await audit.note(connection, by.scope, "subscribe_push", by.actor, "", at)


async def unsubscribe(database: Database, by: Principal, endpoint: str, at: int) -> None:
    """This browser is called no more; empty: none of this person's."""
    async with database.transaction(by.scope) as connection:
        await connection.execute(
            "update push_subscription set ended_at = $3 where who = $1 and ended_at is null"
            " and ($2::bytea is null or endpoint_hash = $2)",
            by.actor,
            hashlib.sha256(endpoint.encode()).digest() if endpoint else None,
            to_datetime(at),
        )
        await audit.note(connection, by.scope, "unsubscribe_push", by.actor, "", at)


async def claim(connection: Connection, now: int, mode: str) -> list[Due]:
    """Calls that nobody has handed over yet: written down before anything is sent."""
    rows = await connection.fetch(_CLAIM, to_datetime(now), float(FRESH_S), mode, FEW)
    return [
        Due(
            alarm=row["alarm_id"],
            who=row["who"],
            subscription=row["subscription_id"],
            called_at=row["at"],
            bed=row["bed"],
            label=row["label"] or row["bed"],
            unit=row["unit_name"] or row["unit"],
            endpoint=row["endpoint"],
            p256dh=row["p256dh"],
            auth=row["auth"],
            language=row["language"],
        )
        for row in rows
    ]


async def finish(connection: Connection, due: Due, outcome: str, retry_s: int, now: int) -> None:
    """What came of it: a browser that is gone is called no more, a tired service has a rest."""
    await connection.execute(_FINISH, due.alarm, due.who, due.subscription, due.called_at, outcome)
    if outcome == "taken":
        await connection.execute(
            "update push_subscription set failures = 0, not_before = null"
            " where subscription_id = $1 and failures > 0",
            due.subscription,
        )
    elif outcome in ("gone", "refused"):
        await connection.execute(
            "update push_subscription set ended_at = $2 where subscription_id = $1",
            due.subscription,
            to_datetime(now),
        )
    else:
        failures = await connection.fetchval(
            "update push_subscription set failures = failures + 1 where subscription_id = $1"
            " returning failures",
            due.subscription,
        )
        wait_s = max(retry_s, min(WAIT_S * 2 ** min(failures - 1, 10), WAIT_MOST_S))
        await connection.execute(
            "update push_subscription set not_before = $2 where subscription_id = $1",
            due.subscription,
            to_datetime(now) + timedelta(seconds=wait_s),
        )
