"""Who may do what, where: one table of roles, one function that decides, secrets as hashes.

Pure but for argon2, which runs in two threads of its own. Rows are guarded a second time by
row-level security with the same `Scope` (database.py).
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import argon2

from hospital_ops.errors import NotFound

ALL_UNITS: Final = ("*",)


class Role(StrEnum):
    """What somebody is in a hospital (DESIGN section 4), or which kind of device it is."""

    ED_PHYSICIAN = "ed_physician"
    ICU_PHYSICIAN = "icu_physician"
    NURSE = "nurse"
    TRIAGE_NURSE = "triage_nurse"
    CREW = "crew"
    WALLBOARD = "wallboard"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    PRIVACY_OFFICER = "privacy_officer"
    TABLET = "tablet"
    MONITOR = "monitor"
    GATEWAY = "gateway"


DEVICE_ROLES: Final = frozenset({Role.TABLET, Role.MONITOR, Role.GATEWAY})


class Permission(StrEnum):
    """One act that a route or socket asks for."""

    SEE_BOARD = "see_board"
    SEE_PATIENT = "see_patient"
    SEND_VALUES = "send_values"
    OPEN_CASE = "open_case"
    ACKNOWLEDGE_CASE = "acknowledge_case"
    DECIDE_TRIAGE = "decide_triage"
    SILENCE_ALARM = "silence_alarm"
    CONFIRM_BED = "confirm_bed"
    ORDER = "order"
    CARRY_OUT_ORDER = "carry_out_order"
    APPROVE_ORDER_SETS = "approve_order_sets"
    ADMINISTER = "administer"
    READ_AUDIT = "read_audit"
    CONSENT = "consent"
    CONFIRM_MESSAGES = "confirm_messages"
    REVIEW_INCIDENTS = "review_incidents"
    SET_LIMITS = "set_limits"


_P = Permission
_PHYSICIAN: Final = frozenset(
    {
        _P.SEE_BOARD,
        _P.SEE_PATIENT,
        _P.ACKNOWLEDGE_CASE,
        _P.DECIDE_TRIAGE,
        _P.SILENCE_ALARM,
        _P.CONFIRM_BED,
        _P.ORDER,
        _P.CARRY_OUT_ORDER,
        _P.REVIEW_INCIDENTS,
    }
)
_NURSE: Final = _PHYSICIAN - {_P.REVIEW_INCIDENTS, _P.DECIDE_TRIAGE, _P.ORDER}

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ED_PHYSICIAN: _PHYSICIAN,
    Role.ICU_PHYSICIAN: _PHYSICIAN
    | {_P.CONSENT, _P.CONFIRM_MESSAGES, _P.APPROVE_ORDER_SETS, _P.SET_LIMITS},
    Role.NURSE: _NURSE,
    Role.TRIAGE_NURSE: _NURSE | {_P.OPEN_CASE, _P.SEND_VALUES},
    Role.CREW: frozenset({_P.OPEN_CASE, _P.SEND_VALUES}),
    Role.WALLBOARD: frozenset({_P.SEE_BOARD}),
    Role.ADMINISTRATOR: frozenset({_P.ADMINISTER}),
    Role.AUDITOR: frozenset({_P.READ_AUDIT}),
    Role.PRIVACY_OFFICER: frozenset({_P.READ_AUDIT, _P.SEE_PATIENT, _P.REVIEW_INCIDENTS}),
    Role.TABLET: frozenset({_P.OPEN_CASE, _P.SEND_VALUES}),
    Role.MONITOR: frozenset({_P.SEND_VALUES}),
    Role.GATEWAY: frozenset({_P.SEND_VALUES}),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What one transaction may see: a hospital, and its units or ("*",) for all of them."""

    hospital: str
    units: tuple[str, ...]
    role: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking, as a session or a device token proved it.

    `actor` is what the audit names: the account's name, or `device:ID`. `key` is the sha256 of
    the session or device token as hex: revoking it closes what it opened. Crews and tablets see
    only the cases they opened: the routes of a case look at that.
    """

    actor: str
    role: Role
    hospital: str
    units: tuple[str, ...]
    key: str
    expires_at: int | None = None  # microseconds UTC; None: until revoked
    mode: str = "Real"  # Test, Demo: nothing it sends may pass as real
    bed: str = ""  # a device fixed at one bed: it may send for no other

    @property
    def scope(self) -> Scope:
        """The same, as row-level security understands it."""
        return Scope(self.hospital, self.units, self.role.value, self.actor)


def allows(
    principal: Principal, permission: Permission, hospital: str, unit: str | None = None
) -> bool:
    """Whether `principal` may do this there: the only place that decides.

    `unit` None asks about the hospital as a whole, or about what belongs to no unit.
    """
    return permission in PERMISSIONS[principal.role] and knows_of(principal, hospital, unit)


def knows_of(principal: Principal, hospital: str, unit: str | None) -> bool:
    """Whether the place may be known to exist: else the answer is 404, as if it did not."""
    if principal.hospital != hospital:
        return False
    return unit is None or principal.units == ALL_UNITS or unit in principal.units


def require(
    principal: Principal, permission: Permission, hospital: str, unit: str | None = None
) -> None:
    """Raises NotFound where `allows` says no: what one may not do, one may not know of."""
    if not allows(principal, permission, hospital, unit):
        raise NotFound("This does not exist, or it is not within your units.")


# Passwords ---------------------------------------------------------------------------------------

PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_BYTES_MAX: Final = 1024
# 64 MiB and three passes each: two threads bound the memory when a whole shift signs in at once.
_hasher: Final = argon2.PasswordHasher()
_threads: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The argon2id hash with its parameters and salt; takes about 0.1 s in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password fits; `stored` None is an unknown name and takes the same time."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, stored)


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _hash(password: str) -> str:
    return _hasher.hash(_bytes(password))


def _verify(password: str, stored: str | None) -> bool:
    given = _bytes(password)
    if len(given) > PASSWORD_BYTES_MAX:
        given, stored = b"", None
    try:
        _hasher.verify(stored or _nobodys_hash(), given)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return stored is not None


def _bytes(password: str) -> bytes:
    """The same bytes from every keyboard: some send one letter as two code points."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")


def _nobodys_hash() -> str:
    """A hash that no password fits, with today's parameters, so that checking takes as long."""
    p = _hasher
    salt, digest = "A" * 22, "A" * 43  # 16 and 32 zero bytes in base64
    return f"$argon2id$v=19$m={p.memory_cost},t={p.time_cost},p={p.parallelism}${salt}${digest}"


# Lockout -----------------------------------------------------------------------------------------

LOCKOUT_WINDOW_S: Final = 900


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed sign-ins of the last 15 minutes; `last_*` are microseconds UTC, 0 where none."""

    of_both: int = 0  # this name from this address
    of_name: int = 0  # this name from anywhere
    of_address: int = 0  # any name from this address
    last_of_both: int = 0
    last_of_name: int = 0
    last_of_address: int = 0


# (failures from which it counts, first wait in seconds, longest wait): the wait doubles each time.
# A name alone waits briefly, else anyone could lock out a physician; a hospital is one address.
_BOTH: Final = (5, 15, 900)
_NAME: Final = (50, 5, 30)
_ADDRESS: Final = (100, 5, 120)


def wait_s(failures: Failures, now_us: int) -> int:
    """Seconds until this name may be tried again from this address; 0: now."""
    rules = (
        (failures.of_both, failures.last_of_both, _BOTH),
        (failures.of_name, failures.last_of_name, _NAME),
        (failures.of_address, failures.last_of_address, _ADDRESS),
    )
    return max(_one_wait_s(count, last, rule, now_us) for count, last, rule in rules)


def _one_wait_s(count: int, last_us: int, rule: tuple[int, int, int], now_us: int) -> int:
    start, first_s, longest_s = rule
    if count < start:
        return 0
    penalty_s: int = min(first_s << min(count - start, 16), longest_s)
    left_us = last_us + penalty_s * 1_000_000 - now_us
    # Rounded up; a clock set back must not lock out for longer than the penalty.
    return min(max(0, -(-left_us // 1_000_000)), penalty_s)


# Sessions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """How long a session may last, in hours; a wallboard's night must not end it."""

    idle_h: float = 2.0
    absolute_h: float = 14.0
    wallboard_h: float = 24.0 * 365

    def expires_at(self, role: Role, now_us: int) -> int:
        """When a session opened now ends whatever is done, in microseconds UTC."""
        hours = self.wallboard_h if role is Role.WALLBOARD else self.absolute_h
        return now_us + round(hours * 3_600_000_000)

    def is_over(self, role: Role, expires_at: int, seen_at: int, now_us: int) -> bool:
        """Whether a session last used at `seen_at` has ended; a wallboard is never idle."""
        idle = role is not Role.WALLBOARD and now_us - seen_at >= round(self.idle_h * 3_600_000_000)
        return idle or now_us >= expires_at
