"""Consent and contacts: enabled by a physician, confirmed by a code, withdrawn at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import Conflict, NotFound
from hospital_ops.identity import derived, uuid7
from notify import segments
from notify.patients.store import Stay, microseconds
from notify.phone import Phone
from notify.rules import RULES
from notify.sealing import Keys

_CODE_TRIES: Final[int] = RULES["code_attempts_max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the physician enters when enabling a relative; no default for what the law asks."""

    relation: str
    language: str
    tells: str  # full, state, call
    basis: str  # patient, law
    document: str
    named_by: str
    until: int | None = None
    admission: bool = False  # also told, once, that the patient came in


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A relative as pages show one: never the number."""

    contact: str
    stay: str
    unit: str
    relation: str
    last_two: str
    mobile: bool
    language: str
    tells: str
    basis: str
    document: str
    named_by: str
    until: int | None
    enabled_by: str
    enabled_at: int
    verified_at: int | None
    verified_how: str
    withdrawn_at: int | None
    withdrawn_why: str


async def enable(
    connection: Connection,
    by: Scope,
    whose: Stay,
    phone: Phone,
    consent: Consent,
    keys: Keys,
    now: int,
) -> str:
    """A new contact of an open stay; answers its id. Raises Conflict where the stay has ended.

    A landline, or "call", is a contact too: it makes a call task each day and needs no code.
    """
    still_open = await connection.fetchval(
        "select true from stay where stay = $1 and ended_at is null for no key update", whose.stay
    )
    if not still_open:
        raise Conflict("The stay has ended: nothing is sent any more.")
    contact = str(uuid7())
    sealed = keys.seal(phone.e164, contact)
    by_phone = not phone.mobile or consent.tells == "call"
    await connection.execute(
        "insert into contact (contact, hospital_id, unit, stay, patient_id, relation,"
        " number_sealed, number_key, number_index, last_two, mobile, language, tells, basis,"
        " document, named_by, until, enabled_by, enabled_at, verified_at, verified_how,"
        " tells_admission)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
        " $18, $19, $20, $21, $22)",
        contact,
        by.hospital,
        whose.unit,
        whose.stay,
        whose.patient_id,
        consent.relation,
        sealed.sealed,
        sealed.key,
        keys.index(by.hospital, phone.e164),
        phone.last_two,
        phone.mobile,
        consent.language,
        consent.tells,
        consent.basis,
        consent.document,
        consent.named_by,
        None if consent.until is None else to_datetime(consent.until),
        by.actor,
        to_datetime(now),
        to_datetime(now) if by_phone else None,
        "by_phone" if by_phone else "",
        consent.admission,
    )
    detail = f"{consent.relation} {consent.basis} {consent.tells} {consent.language}"
    await audit.append(connection, whose.unit, by, "enable_contact", contact, detail, now)
    return contact


async def begin_code(connection: Connection, contact: str, code_hash: bytes, now: int) -> None:
    """A code is on its way: its hash and until when it counts."""
    until = now + RULES["code_valid_min"] * 60 * 1_000_000
    await connection.execute(
        "update contact set code_hash = $2, code_until = $3, code_tries = 0"
        " where contact = $1 and withdrawn_at is null and verified_at is null",
        contact,
        code_hash,
        to_datetime(until),
    )


async def enqueue_code(
    connection: Connection, by: Scope, contact: str, day: date, words: str, now: int
) -> bool:
    """Puts the code's text into the outbox; False: this number has had one today (SAFETY I4)."""
    until = now + RULES["code_valid_min"] * 60 * 1_000_000
    size = segments.count(words)
    made = await connection.fetchval(
        "insert into relative_message (message, hospital_id, unit, stay, patient_id, contact,"
        " kind, local_date, number_index, mode, language, state, words, opens_at, closes_at,"
        " made_at, changed_at, parts, encoding)"
        " select $1, c.hospital_id, c.unit, c.stay, c.patient_id, c.contact, 'code', $3,"
        " c.number_index, s.mode, c.language, 'due', $4, $5, $6, $5, $5, $7, $8"
        " from contact c join stay s using (stay) where c.contact = $2"
        " on conflict do nothing returning true",
        str(uuid7()),
        contact,
        day,
        words,
        to_datetime(now),
        to_datetime(until),
        size.parts,
        size.encoding,
    )
    return bool(made)


async def check_code(
    connection: Connection, by: Scope, contact: str, code_hash: bytes, now: int
) -> bool:
    """Whether the code read back is the one that was sent; then the number is confirmed.

    Each try counts; after five the code is dead and a new one has to be sent.
    """
    row = await connection.fetchrow(
        "update contact set code_tries = code_tries + 1 where contact = $1"
        " and withdrawn_at is null and verified_at is null and code_until > $2"
        " and code_tries < $3 returning code_hash, unit",
        contact,
        to_datetime(now),
        _CODE_TRIES,
    )
    if row is None or row["code_hash"] != code_hash:
        return False
    await _verified(connection, by, contact, str(row["unit"]), "code", now)
    return True


async def read_back(connection: Connection, by: Scope, contact: str, now: int) -> None:
    """Somebody phoned the number and heard who is there. Raises NotFound."""
    unit = await connection.fetchval(
        "select unit from contact where contact = $1 and withdrawn_at is null", contact
    )
    if unit is None:
        raise NotFound("There is no such contact, or it was withdrawn.")
    await _verified(connection, by, contact, str(unit), "read_back", now)


async def _verified(
    connection: Connection, by: Scope, contact: str, unit: str, how: str, now: int
) -> None:
    await connection.execute(
        "update contact set verified_at = $2, verified_how = $3, code_hash = null"
        " where contact = $1",
        contact,
        to_datetime(now),
        how,
    )
    await audit.append(connection, unit, by, "verify_contact", contact, how, now)


async def withdraw(connection: Connection, by: Scope, contact: str, why: str, now: int) -> None:
    """At once: takes the stay's lock, so that no claim is between, and cancels what waits."""
    row = await connection.fetchrow("select stay, unit from contact where contact = $1", contact)
    if row is None:
        raise NotFound("There is no such contact, or it is not within your units.")
    await connection.execute("select from stay where stay = $1 for no key update", row["stay"])
    await connection.execute(
        "update contact set withdrawn_at = $2, withdrawn_by = $3, withdrawn_why = $4"
        " where contact = $1 and withdrawn_at is null",
        contact,
        to_datetime(now),
        by.actor,
        why,
    )
    await connection.execute(
        "update relative_message set state = 'cancelled', reasons = '{withdrawn}',"
        " changed_at = $2 where contact = $1 and state in ('due', 'held')",
        contact,
        to_datetime(now),
    )
    await audit.append(connection, row["unit"], by, "withdraw_contact", contact, why, now)


async def patient_decides(connection: Connection, by: Scope, stay: str, now: int) -> int:
    """The patient can decide: what rests on the law alone ends; answers how many were told."""
    rows = await connection.fetch(
        "select contact from contact where stay = $1 and basis = 'law' and withdrawn_at is null",
        stay,
    )
    for row in rows:
        await withdraw(connection, by, str(row["contact"]), "patient_decides", now)
    return len(rows)


async def of_stay(connection: Connection, stay: str) -> list[Contact]:
    """The contacts of a stay, withdrawn ones too, oldest first."""
    rows = await connection.fetch("select * from contact where stay = $1 order by contact", stay)
    return [_contact(row) for row in rows]


async def stay_of(connection: Connection, contact: str) -> str | None:
    """The stay that a contact belongs to."""
    found = await connection.fetchval("select stay from contact where contact = $1", contact)
    return None if found is None else str(found)


async def by_number(connection: Connection, index: bytes) -> list[Contact]:
    """Living contacts of the scope that have this number, for inbound messages."""
    rows = await connection.fetch(
        "select * from contact where number_index = $1 and withdrawn_at is null", index
    )
    return [_contact(row) for row in rows]


async def take_inbound(
    connection: Connection, by: Scope, index: bytes, kind: str, words: str, now: int
) -> int:
    """A text from a relative: stop withdraws, call and anything else wait in the unit's inbox.

    Answers how many contacts the number belongs to; the same words in the same second are one.
    """
    found = await by_number(connection, index)
    for one in found:
        if kind == "stop":
            await withdraw(connection, by, one.contact, "stop_word", now)
        await note_inbound(connection, by, one.contact, one.unit, kind, words, to_datetime(now))
    return len(found)


async def note_inbound(
    connection: Connection,
    by: Scope,
    contact: str,
    unit: str,
    kind: str,
    words: str,
    at: datetime,
) -> None:
    """Puts what a relative said into the unit's inbox; twice in one second is once."""
    await connection.execute(
        "insert into relative_inbox (inbox, hospital_id, unit, contact, kind, words,"
        " received_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        str(derived("inbox", contact, words, str(int(at.timestamp())))),
        by.hospital,
        unit,
        contact,
        kind,
        words[:500],
        at,
    )


def _contact(row: Record) -> Contact:
    return Contact(
        contact=str(row["contact"]),
        stay=str(row["stay"]),
        unit=row["unit"],
        relation=row["relation"],
        last_two=row["last_two"],
        mobile=row["mobile"],
        language=row["language"],
        tells=row["tells"],
        basis=row["basis"],
        document=row["document"],
        named_by=row["named_by"],
        until=microseconds(row["until"]),
        enabled_by=row["enabled_by"],
        enabled_at=from_datetime(row["enabled_at"]),
        verified_at=microseconds(row["verified_at"]),
        verified_how=row["verified_how"],
        withdrawn_at=microseconds(row["withdrawn_at"]),
        withdrawn_why=row["withdrawn_why"],
    )
