"""What routes call: one act of a person, one transaction, with the reading of its input."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.access import Scope
from hospital_ops.clock import Clock, from_iso
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from notify import due, states
from notify.admission import store as admission
from notify.contacts import store as contacts
from notify.contacts.store import Consent, Contact
from notify.desk import day
from notify.desk import store as desk
from notify.inbox import store as inbox
from notify.leaflet import store as leaflet
from notify.outbox import store as outbox
from notify.patients import store as patients
from notify.patients.store import Stay
from notify.phone import read
from notify.prices import store as prices
from notify.prices.store import Price
from notify.rules import Hours, hours_in, languages, own_words
from notify.sealing import Keys

TELLS: Final = ("full", "state", "call")
BASES: Final = ("patient", "law")
_TEXT_MAX: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class BedDay:
    """All that the page of one bed shows."""

    stay: Stay
    contacts: list[Contact]
    messages: list[Record]
    proposal: day.Proposal
    hours: Hours


@dataclass(slots=True)
class Desk:
    """The acts, over the objects of one process."""

    database: Database
    keys: Keys
    clock: Clock

    async def bed(self, by: Scope, bed: str) -> BedDay:
        """Who lies there, whom they named, what went out, and the proposal of now."""
        now = self.clock.now_us()
        async with self.database.transaction(by) as connection:
            stay = await patients.open_stay_of_bed(connection, bed)
            hours = await patients.hours_of(connection, stay.unit)
            readings = await patients.readings(connection, stay, now)
            return BedDay(
                stay=stay,
                contacts=await contacts.of_stay(connection, stay.stay),
                messages=await desk.of_stay(connection, stay.stay),
                proposal=day.propose(stay, readings, hours, now),
                hours=hours,
            )

    async def enable(self, by: Scope, bed: str, given: Mapping[str, Any]) -> str:
        """Enables a relative of whoever lies in the bed; answers the contact's id.

        `stay` is the one that was looked at. Raises Conflict where another lies there by now.
        """
        phone = read(_word(given, "number"), _word(given, "region", "RU"))
        consent = _consent(given)
        now = self.clock.now_us()
        async with self.database.transaction(by) as connection:
            stay = await patients.seen_stay_of_bed(connection, bed, _word(given, "stay", ""))
            contact = await contacts.enable(connection, by, stay, phone, consent, self.keys, now)
            await self._plan(connection, by, stay, now)
        return contact

    async def send_code(self, by: Scope, contact: str) -> bool:
        """Sends a code to the number; False: it has had one today, so read it back by phone."""
        now = self.clock.now_us()
        code = f"{secrets.randbelow(1_000_000):06d}"
        async with self.database.transaction(by) as connection:
            stay, known = await self._of_contact(connection, contact)
            words = own_words(known.language)["code"].format(code=code)
            today = due.local_date(now, stay.zone)
            fresh = await contacts.enqueue_code(connection, by, contact, today, words, now)
            if fresh:
                digest = self.keys.code_hash(contact, code)
                await contacts.begin_code(connection, contact, digest, now)
        return fresh

    async def confirm_number(self, by: Scope, contact: str, code: str | None) -> bool:
        """By the code that was read back; None: somebody phoned and heard who is there."""
        now = self.clock.now_us()
        async with self.database.transaction(by) as connection:
            stay, _ = await self._of_contact(connection, contact)
            fits = True
            if code is None:
                await contacts.read_back(connection, by, contact, now)
            else:
                digest = self.keys.code_hash(contact, code.strip())
                fits = await contacts.check_code(connection, by, contact, digest, now)
            if fits:
                await self._plan(connection, by, stay, now)
                hours = await patients.hours_of(connection, stay.unit)
                await admission.enqueue(connection, by, contact, stay, hours, now)
        return fits

    async def withdraw(self, by: Scope, contact: str, why: str = "asked") -> None:
        """At once."""
        async with self.database.transaction(by) as connection:
            await contacts.withdraw(connection, by, contact, why, self.clock.now_us())

    async def patient_decides(self, by: Scope, bed: str, seen: str = "") -> int:
        """The patient is asked from now on: consent by law ends; answers for how many."""
        async with self.database.transaction(by) as connection:
            stay = await patients.seen_stay_of_bed(connection, bed, seen)
            return await contacts.patient_decides(connection, by, stay.stay, self.clock.now_us())

    async def leaflet(self, by: Scope, contact: str) -> tuple[Contact, Hours, str]:
        """(relative, hours of the desk, token of the address that ends the messages)."""
        async with self.database.transaction(by) as connection:
            stay, known = await self._of_contact(connection, contact)
            token = await leaflet.issue(connection, by, contact, self.clock.now_us())
            return known, await patients.hours_of(connection, stay.unit), token

    async def inbox(self, by: Scope, unit: str) -> list[Record]:
        """What relatives said and nobody has answered, calls first."""
        async with self.database.transaction(by) as connection:
            return await inbox.waiting(connection, unit)

    async def answered(self, by: Scope, unit: str, message: str) -> None:
        """Somebody has seen to it. Raises NotFound."""
        async with self.database.transaction(by) as connection:
            await inbox.done(connection, by, unit, message, self.clock.now_us())

    async def hours(self, by: Scope, unit: str) -> Hours:
        """When the unit sends and where families may ask."""
        async with self.database.transaction(by) as connection:
            return await patients.hours_of(connection, unit)

    async def set_hours(self, by: Scope, unit: str, given: Mapping[str, Any]) -> Hours:
        """Sets them; refused in words where a window cannot be kept. Raises MessageError."""
        wanted = hours_in(given)
        async with self.database.transaction(by) as connection:
            await patients.set_hours(connection, by, unit, wanted, self.clock.now_us())
        return wanted

    async def spent(self, by: Scope, unit: str, zone: str) -> list[Record]:
        """SMS parts and cost of what left today and in this month, by currency."""
        today = due.local_date(self.clock.now_us(), zone)
        async with self.database.transaction(by) as connection:
            return await prices.spent(connection, unit, today)

    async def prices(self, by: Scope) -> list[Record]:
        """What a part costs with each provider, as entered, newest first."""
        async with self.database.transaction(by) as connection:
            return await prices.entered(connection)

    async def set_price(self, by: Scope, unit: str, given: Mapping[str, Any]) -> Price:
        """What a part costs from now on, for the whole hospital. Raises MessageError."""
        wanted = prices.read(given)
        async with self.database.transaction(by) as connection:
            await prices.enter(connection, by, unit, wanted, self.clock.now_us())
        return wanted

    async def confirm(
        self, by: Scope, stay: str, severity: str, course: str = "", seen: str | None = None
    ) -> list[desk.Confirmed]:
        """Confirms today's messages of a patient; on a page the draft with the mark `seen`."""
        async with self.database.transaction(by) as connection:
            whose = await patients.stay(connection, stay)
            return await desk.confirm(
                connection,
                by,
                whose,
                self.clock.now_us(),
                severity=severity,
                course=course,
                seen=seen,
            )

    async def called(self, by: Scope, message: str, note: str, *, send: bool) -> desk.Confirmed:
        """The call is recorded; the message is released or cancelled."""
        async with self.database.transaction(by) as connection:
            now = self.clock.now_us()
            return await desk.call_made(connection, by, message, note, now, send=send)

    async def settle(self, by: Scope, message: str, to: str) -> None:
        """A person says what became of an unknown message."""
        async with self.database.transaction(by) as connection:
            await desk.settle(connection, by, message, to, self.clock.now_us())

    async def of_stay(self, by: Scope, stay: str) -> list[Record]:
        """The messages of a stay that has ended: what was sent, and what may be in flight."""
        async with self.database.transaction(by) as connection:
            return await desk.of_stay(connection, stay)

    async def change(self, by: Scope, bed: str, given: Mapping[str, Any]) -> None:
        """The patient's switches: automatic, treatment_limited, hold_reason.

        `stay` and `version` are those that were looked at. Raises Conflict where another lies there
        by now, where somebody changed the switches meanwhile, and where a limit of treatment that
        two persons have signed would be lifted.
        """
        wanted = {
            name: bool(given[name]) for name in ("automatic", "treatment_limited") if name in given
        }
        more = {"hold_reason": _word(given, "hold_reason", "")} if "hold_reason" in given else {}
        async with self.database.transaction(by) as connection:
            stay = await patients.seen_stay_of_bed(connection, bed, _word(given, "stay", ""))
            await patients.change(
                connection,
                by,
                stay,
                self.clock.now_us(),
                version=_version(given),
                **wanted,
                **more,
            )

    async def stop(self, by: Scope, unit: str, reason: str, *, whole: bool = False) -> None:
        """Stops a unit's messages, or the whole hospital's."""
        async with self.database.transaction(by) as connection:
            place = f"{by.hospital}:*" if whole else unit
            await desk.stop(connection, by, place, unit, reason, self.clock.now_us())

    async def go_on(self, by: Scope, unit: str, *, whole: bool = False) -> None:
        """Ends that stop."""
        async with self.database.transaction(by) as connection:
            place = f"{by.hospital}:*" if whole else unit
            await desk.go_on(connection, by, place, unit, self.clock.now_us())

    async def today(self, by: Scope, unit: str, zone: str) -> tuple[list[Record], list[str]]:
        """Today's messages of a unit and the stopped places."""
        today = due.local_date(self.clock.now_us(), zone)
        async with self.database.transaction(by) as connection:
            return await desk.todays(connection, unit, today), await desk.stops(connection)

    async def draft(self, by: Scope, message: str) -> dict[str, Any]:
        """What a message that waits for its confirmation would say now, as columns of its row."""
        async with self.database.transaction(by) as connection:
            return await desk.draft(connection, message, self.clock.now_us())

    async def left_today(self, by: Scope, stay: str, zone: str) -> list[Record]:
        """What left today for a stay or may be on its way: who tells a family must know of it."""
        today = due.local_date(self.clock.now_us(), zone)
        async with self.database.transaction(by) as connection:
            rows = await desk.of_stay(connection, stay)
        return [
            row
            for row in rows
            if row["local_date"] == today and row["state"] in states.MAY_HAVE_LEFT
        ]

    async def steps(self, by: Scope, message: str) -> list[Record]:
        """The proof of what became of a message."""
        async with self.database.transaction(by) as connection:
            return await desk.steps(connection, message)

    async def _of_contact(self, connection: Connection, contact: str) -> tuple[Stay, Contact]:
        stay = await connection_stay(connection, contact)
        known = {one.contact: one for one in await contacts.of_stay(connection, stay.stay)}
        return stay, known[contact]

    async def _plan(self, connection: Connection, by: Scope, stay: Stay, now: int) -> None:
        """Today's row at once, where the window is not over: nobody waits for the next minute."""
        hours = await patients.hours_of(connection, stay.unit)
        window = due.window(due.local_date(now, stay.zone), stay.zone, hours)
        if not window.is_over(now):
            await outbox.plan(connection, by, stay.unit, window, now)


async def connection_stay(connection: Connection, contact: str) -> Stay:
    """The open stay of a contact. Raises NotFound, Conflict."""
    stay = await contacts.stay_of(connection, contact)
    if stay is None:
        raise NotFound("There is no such contact, or it is not within your units.")
    found = await patients.stay(connection, stay)
    if found.ended_at is not None:
        raise Conflict("The stay has ended: nothing is sent any more.")
    return found


def _consent(given: Mapping[str, Any]) -> Consent:
    """Raises MessageError for what is missing or unknown."""
    until = _word(given, "until", "")
    try:
        ends = from_iso(until) if until else None
    except ValueError as error:
        raise MessageError("bad_until", "`until` is ISO 8601 with a zone") from error
    consent = Consent(
        relation=_word(given, "relation"),
        language=_word(given, "language"),
        tells=_word(given, "tells", "full"),
        basis=_word(given, "basis"),
        document=_word(given, "document"),
        named_by=_word(given, "named_by"),
        until=ends,
        admission=given.get("admission") in (True, "on"),
    )
    for name, allowed in (
        ("language", languages()),
        ("tells", TELLS),
        ("basis", BASES),
    ):
        if getattr(consent, name) not in allowed:
            raise MessageError(f"bad_{name}", f"`{name}` is one of {', '.join(allowed)}")
    return consent


def _version(given: Mapping[str, Any]) -> int | None:
    """The version of a stay that was looked at; None where none is given."""
    if "version" not in given:
        return None
    version = str(given["version"])
    return int(version) if version.isdecimal() and len(version) < 9 else -1


def _word(given: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = given.get(name, default)
    if not isinstance(value, str) or (not value.strip() and default is None):
        raise MessageError(f"no_{name}", f"give `{name}`: it belongs to the consent")
    return value.strip()[:_TEXT_MAX]
