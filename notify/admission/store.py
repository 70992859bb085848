"""Word of the admission: one text to a relative who agreed to it, without a figure or a name."""

from __future__ import annotations

from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection
from hospital_ops.identity import derived
from notify import due, segments
from notify.patients.store import Stay
from notify.rules import RULES, Hours, own_words


async def enqueue(
    connection: Connection, by: Scope, contact: str, whose: Stay, hours: Hours, now: int
) -> bool:
    """Puts the text into the outbox, once a stay; False where it is not told or is no news.

    The physician who enabled the relative has confirmed it by that; it leaves outside the quiet
    hours and is dropped when the day is over.
    """
    if now - whose.admitted_at > RULES["admission_news_h"] * 3600 * SECOND:
        return False
    row = await connection.fetchrow(
        "select c.*, s.mode from contact c join stay s using (stay) where c.contact = $1"
        " and c.tells_admission and c.mobile and c.tells <> 'call' and c.withdrawn_at is null"
        " and c.verified_at is not null",
        contact,
    )
    if row is None:
        return False
    own = own_words(row["language"])
    words = own["admission"] + own["sentence_end"]
    parts = segments.count(words)
    made = await connection.fetchval(
        "insert into relative_message (message, hospital_id, unit, stay, patient_id, contact,"
        " kind, local_date, number_index, mode, language, state, words, parts, encoding,"
        " confirmed_by, confirmed_at, opens_at, closes_at, made_at, changed_at)"
        " values ($1, $2, $3, $4, $5, $6, 'admission', $7, $8, $9, $10, 'due', $11, $12, $13,"
        " $14, $15, $15, $16, $15, $15) on conflict do nothing returning true",
        str(derived("admission", whose.stay, contact)),
        by.hospital,
        whose.unit,
        whose.stay,
        whose.patient_id,
        contact,
        due.local_date(now, whose.zone),
        row["number_index"],
        row["mode"],
        row["language"],
        words,
        parts.parts,
        parts.encoding,
        row["enabled_by"],
        to_datetime(now),
        to_datetime(due.asleep_at(now, whose.zone, hours)),
    )
    return bool(made)
