"""What becomes of a message after its attempt: callbacks, and the search for lost answers.

A callback names the message and the token of its attempt; a state only moves forward.
"""

from __future__ import annotations

from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection
from hospital_ops.sealing import Sealed
from notify import states
from notify.outbox.store import CANDIDATES, Claimed


async def told(
    connection: Connection,
    message: str,
    attempt: str,
    provider_id: str,
    what: str,
    reason: str,
    now: int,
) -> str | None:
    """A provider's callback: forward or nothing; None where this attempt or id is not ours."""
    row = await connection.fetchrow(
        "select state, provider_id from relative_message where message = $1 and attempt = $2"
        " for update",
        message,
        attempt,
    )
    if row is None or row["provider_id"] not in ("", provider_id):
        return None
    to = states.of_callback(row["state"], what)
    if to != row["state"]:
        await connection.execute(
            "update relative_message set state = $2, reasons = $3, provider_id = $4,"
            " changed_at = $5, sent_at = coalesce(sent_at, $5), lease_until = null,"
            " delivered_at = case when $2 = 'delivered' then $5 else delivered_at end"
            " where message = $1",
            message,
            to,
            [reason] if reason else [],
            provider_id,
            to_datetime(now),
        )
    return to


async def unknown(connection: Connection, now: int) -> list[Claimed]:
    """Messages of the last day whose outcome nobody knows, to be looked up and never re-sent."""
    rows = await connection.fetch(
        "select m.*, c.number_key, c.number_sealed from relative_message m"
        " join contact c using (contact) where m.state = 'unknown' and m.provider_id = ''"
        " and m.changed_at > $1::timestamptz - interval '1 day' order by m.message limit $2",
        to_datetime(now),
        CANDIDATES,
    )
    return [
        Claimed(
            message=str(row["message"]),
            hospital=row["hospital_id"],
            attempt=str(row["attempt"]),
            contact=str(row["contact"]),
            number=Sealed(row["number_key"], row["number_sealed"]),
            words=row["words"],
            mode=row["mode"],
            unit=row["unit"],
            attempts=row["attempts"],
            claimed_at=from_datetime(row["changed_at"]),
        )
        for row in rows
    ]


async def is_known(connection: Connection, provider: str, provider_id: str) -> bool:
    """Whether a provider's id is already that of a message of ours."""
    return bool(
        await connection.fetchval(
            "select exists (select from relative_message where provider = $1 and provider_id = $2)",
            provider,
            provider_id,
        )
    )


async def contact_of(connection: Connection, message: str) -> str:
    """The contact a message went to."""
    return str(
        await connection.fetchval(
            "select contact from relative_message where message = $1", message
        )
    )
