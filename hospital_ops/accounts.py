"""Accounts, sessions and signing in: the SQL of access.

Every function that takes a `connection` works in the caller's transaction, opened with the scope
`by`, and writes its audit row there. Times are microseconds UTC.
"""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hospital_ops import access, audit, tokens
from hospital_ops.access import DEVICE_ROLES, Failures, Principal, Role, Scope, SessionLimits
from hospital_ops.clock import Clock, from_datetime, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import ConfigurationError, NotAllowed, NotFound
from hospital_ops.identity import uuid7

# A refusal comes no sooner than this, so that its time does not tell which names exist.
REFUSAL_S: Final = 0.5
_REFUSED: Final = "Name or password is wrong, or the account is disabled. Try again."


class SignInRefused(NotAllowed):
    """No session: the same sentence for a wrong name, a wrong password and a disabled account."""

    def __init__(self, sentence: str = _REFUSED, wait_s: int = 0) -> None:
        self.wait_s = wait_s
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token for the browser, once, and who it stands for."""

    token: str
    principal: Principal


async def sign_in(
    db: Database,
    name: str,
    password: str,
    address: str,
    clock: Clock,
    limits: SessionLimits | None = None,
) -> SignedIn:
    """Opens a session as role `app`. Raises SignInRefused, with `wait_s` when locked out.

    The password is checked outside any transaction, and the lockout before and after it: of many
    guesses at once only the first few count.
    """
    started_s = clock.monotonic_s()
    digest = _name_digest(name)
    async with db.transaction() as connection:
        await _refuse_locked(connection, digest, address, clock.now_us())
        account = await connection.fetchrow("select * from account_for_sign_in($1)", _plain(name))
    stored = None if account is None else str(account["password_hash"])
    fits = await access.verify_password(password, stored)
    if account is None or not fits or account["disabled"]:
        await _note_failure(db, digest, address, account, clock.now_us())
        await asyncio.sleep(max(0.0, REFUSAL_S - (clock.monotonic_s() - started_s)))
        raise SignInRefused
    async with db.transaction() as connection:
        await _refuse_locked(connection, digest, address, clock.now_us())
    limits = limits or SessionLimits()
    return await _open_session(db, account, digest, address, clock.now_us(), limits)


async def sign_out(db: Database, principal: Principal, at: int) -> None:
    """Ends the session of `principal` for good; the caller takes it out of the projection."""
    async with db.transaction(principal.scope) as connection:
        await connection.execute(
            "update session set revoked_at = $2 where session_hash = $1 and revoked_at is null",
            bytes.fromhex(principal.key),
            to_datetime(at),
        )
        await audit.note(connection, principal.scope, "sign_out", principal.actor, "", at)


async def pair_wall(
    db: Database, by: Principal, unit: str, now_us: int, limits: SessionLimits
) -> SignedIn:
    """A session for a wall screen: read-only, bound to `unit`, not ended by a night, revocable.

    Each screen has an account of its own, whose password nobody knows.
    """
    name = f"wall {unit} {uuid7().hex[-6:]}"
    async with db.transaction(by.scope) as connection:
        await ensure_account(
            connection, by.scope, name, Role.WALLBOARD, tokens.new_password(), now_us, (unit,)
        )
        await audit.note(connection, by.scope, "pair_wall", name, unit, now_us)
        account = await connection.fetchrow("select * from account_for_sign_in($1)", name)
    if account is None:
        raise NotFound("The screen's account was not made: pair it again.")
    return await _open_session(db, account, b"", "", now_us, limits)


async def revoke_sessions(connection: Connection, by: Scope, name: str, at: int) -> list[str]:
    """Ends every session of an account and returns their keys for the projection."""
    rows = await connection.fetch(
        "update session set revoked_at = $2 from account where account.account = session.account"
        " and account.name = $1 and revoked_at is null returning session_hash",
        name,
        to_datetime(at),
    )
    await audit.note(connection, by, "revoke_sessions", name, f"{len(rows)} sessions", at)
    return [row["session_hash"].hex() for row in rows]


async def disable_account(connection: Connection, by: Scope, name: str, at: int) -> list[str]:
    """Ends an account and its sessions; returns the sessions' keys. Raises NotFound."""
    found = await connection.fetchval(
        "update account set disabled_at = coalesce(disabled_at, $2) where name = $1"
        " returning account",
        name,
        to_datetime(at),
    )
    if found is None:
        raise NotFound("There is no such account in this hospital.")
    await audit.note(connection, by, "disable_account", name, "", at)
    return await revoke_sessions(connection, by, name, at)


async def ensure_account(
    connection: Connection,
    by: Scope,
    name: str,
    role: Role,
    password: str,
    at: int,
    units: tuple[str, ...] = access.ALL_UNITS,
) -> bool:
    """Makes an account unless its name exists in this hospital; True where it was made.

    Raises ConfigurationError for a short password, a device's role, or a name taken elsewhere.
    """
    if role in DEVICE_ROLES:
        raise ConfigurationError(f"{role} is a device: give it a token, not an account.")
    if len(password) < access.PASSWORD_LENGTH_MIN:
        raise ConfigurationError(
            f"The password is too short: use at least {access.PASSWORD_LENGTH_MIN} characters."
        )
    name = _plain(name)
    if await connection.fetchval("select account from account where name = $1", name):
        return False
    made = await connection.fetchval(
        "insert into account (account, hospital_id, name, role, units, password_hash, made_at)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict (name) do nothing returning account",
        uuid7(),
        by.hospital,
        name,
        role.value,
        list(units),
        await access.hash_password(password),
        to_datetime(at),
    )
    if made is None:
        raise ConfigurationError("This account name is taken: choose another one.")
    await audit.note(connection, by, "make_account", name, role.value, at)
    return True


async def set_password(
    connection: Connection, by: Scope, name: str, password: str, at: int
) -> list[str]:
    """Changes a password and ends the account's sessions; returns their keys. Raises NotFound."""
    if len(password) < access.PASSWORD_LENGTH_MIN:
        raise ConfigurationError(
            f"The password is too short: use at least {access.PASSWORD_LENGTH_MIN} characters."
        )
    found = await connection.fetchval(
        "update account set password_hash = $2 where name = $1 returning account",
        name,
        await access.hash_password(password),
    )
    if found is None:
        raise NotFound("There is no such account in this hospital.")
    await audit.note(connection, by, "set_password", name, "", at)
    return await revoke_sessions(connection, by, name, at)


async def listed(connection: Connection) -> list[Record]:
    """Names, roles and units of the hospital's accounts."""
    return await connection.fetch(
        "select name, role, units, disabled_at is not null as disabled from account order by name"
    )


async def living_sessions(connection: Connection, now_us: int) -> list[Principal]:
    """Every session of every hospital that is valid now; the connection has the role writer."""
    rows = await connection.fetch(_SESSIONS, to_datetime(now_us))
    return [_principal(row, row["session_hash"], from_datetime(row["expires_at"])) for row in rows]


async def _refuse_locked(connection: Connection, digest: bytes, address: str, now_us: int) -> None:
    since = to_datetime(now_us) - timedelta(seconds=access.LOCKOUT_WINDOW_S)
    row = await connection.fetchrow(_FAILURES, digest, address, since)
    counted = {} if row is None else dict(row)
    failures = Failures(
        **{
            name: value if isinstance(value, int) else (from_datetime(value) if value else 0)
            for name, value in counted.items()
        }
    )
    if wait_s := access.wait_s(failures, now_us):
        raise SignInRefused(f"Too many attempts. Wait {wait_s} seconds and try again.", wait_s)


async def _note_failure(
    db: Database, digest: bytes, address: str, account: Record | None, at: int
) -> None:
    scope = None if account is None else _principal(account, b"", None).scope
    async with db.transaction(scope) as connection:
        await connection.execute(
            "insert into sign_in_failure (name_digest, address, at) values ($1, $2, $3)",
            digest,
            address,
            to_datetime(at),
        )
        if scope is not None:
            await audit.note(connection, scope, "sign_in_refused", scope.actor, address, at)


async def _open_session(
    db: Database, account: Record, digest: bytes, address: str, now_us: int, limits: SessionLimits
) -> SignedIn:
    token = tokens.new_token(account["hospital_id"])
    key = tokens.token_hash(token)
    expires_at = limits.expires_at(Role(account["role"]), now_us)
    principal = _principal(account, key, expires_at)
    async with db.transaction(principal.scope) as connection:
        await connection.execute(
            "insert into session (session_hash, hospital_id, account, made_at, expires_at)"
            " values ($1, $2, $3, $4, $5)",
            key,
            principal.hospital,
            account["account"],
            to_datetime(now_us),
            to_datetime(expires_at),
        )
        await connection.execute(
            "delete from sign_in_failure where name_digest = $1 and address = $2 or at < $3",
            digest,
            address,
            to_datetime(now_us) - timedelta(days=1),
        )
        await audit.note(connection, principal.scope, "sign_in", principal.actor, address, now_us)
    return SignedIn(token, principal)


def _principal(account: Record, key: bytes, expires_at: int | None) -> Principal:
    return Principal(
        actor=account["name"],
        role=Role(account["role"]),
        hospital=account["hospital_id"],
        units=tuple(account["units"]),
        key=key.hex(),
        expires_at=expires_at,
    )


def _plain(name: str) -> str:
    """A name as it is stored: no spaces around, one form of each letter, no zero bytes."""
    return unicodedata.normalize("NFC", name.strip()).replace("\x00", "")[:200]


def _name_digest(name: str) -> bytes:
    return hashlib.sha256(_plain(name).casefold().encode(errors="replace")).digest()


_FAILURES: Final = """
select count(*) filter (where name_digest = $1 and address = $2) as of_both,
       count(*) filter (where name_digest = $1) as of_name,
       count(*) filter (where address = $2) as of_address,
       max(at) filter (where name_digest = $1 and address = $2) as last_of_both,
       max(at) filter (where name_digest = $1) as last_of_name,
       max(at) filter (where address = $2) as last_of_address
from sign_in_failure where (name_digest = $1 or address = $2) and at > $3
"""
_SESSIONS: Final = """
select s.session_hash, s.expires_at, a.name, a.role, a.hospital_id, a.units
from session s join account a on a.account = s.account
where s.revoked_at is null and a.disabled_at is null and s.expires_at > $1
"""
