"""A patient with a relative in a real database, and a provider that records what it took."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hospital_ops import database
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, ManualClock, from_iso, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.identity import derived, patient_id
from notify import due
from notify.contacts import store as contacts
from notify.contacts.store import Consent
from notify.desk import store as desk
from notify.patients import store as patients
from notify.phone import read
from notify.planner import Planner
from notify.providers.base import TAKEN, Outcome, Outgoing
from notify.providers.choose import Providers
from notify.sealing import Keys
from notify.sender import Sender

MORNING = from_iso("2026-03-02T07:30:00Z")  # 10:30 in Moscow
KEYS = Keys({"test": b"k" * 32})
DOCTOR = Scope("h1", ("*",), "icu_physician", "icu.h1")
UNIT, ZONE = "h1-icu-1", "Europe/Moscow"


@dataclass(slots=True)
class Recorder:
    """A provider that takes everything and remembers it, or answers as it is told."""

    name: str = "recorder"
    taken: list[Outgoing] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.taken.append(outgoing)
        if self.answers:
            return self.answers.pop(0)
        return Outcome(TAKEN, provider_id=f"SM{len(self.taken)}")

    async def find(self, outgoing: Outgoing, since_us: int) -> Outcome | None:
        return None

    async def close(self) -> None:
        return


class Ward:
    """One ICU of `two_hospitals` seen by notify: admit, measure, enable, confirm, send."""

    def __init__(self, app: Database, superuser: Connection, now: int = MORNING) -> None:
        self.app, self.superuser = app, superuser
        self.clock = ManualClock(now)
        self.provider = Recorder()
        self.planner = Planner(app, self.clock)
        self.planner.units = [("h1", UNIT, ZONE)]
        self.sender = Sender(app, KEYS, Providers(self.provider, self.provider), self.clock)
        self.sender.hospitals = ["h1"]
        self.entries = 0

    async def event(
        self,
        trigger: str,
        bed: str,
        mrn: str = "100",
        *,
        hours_ago: float = 30.0,
        mode: str = "Real",
    ) -> None:
        """An admission, transfer or discharge as the store reader writes it into the archive."""
        self.entries += 1
        at = to_datetime(self.clock.now_us() - round(hours_ago * 3600) * SECOND)
        await self.superuser.execute(
            "insert into patient_event (hospital_id, unit, patient_id, mrn, family, given, sex,"
            " birth_date, trigger, bed, prior_bed, visit, event_at, received_at, mode, source,"
            " entry_id) values ('h1', $1, $2, $3, 'Семёнова', 'Ольга', 'F', '1950-01-01', $4,"
            " $5, '', '', $6, $6, $7, 's', $8)",
            bed.rpartition("-")[0],
            patient_id("h1", mrn),
            mrn,
            trigger,
            bed,
            at,
            mode,
            f"{self.entries}-0",
        )

    async def archive_is_fresh(self) -> None:
        """The store reader stands at now, in what came in and in the alarms that went out."""
        for stream in ("in", "out"):
            await self.alarms_are_archived(stream)

    async def alarms_are_archived(self, stream: str = "out") -> None:
        """The store reader stands at now in one stream."""
        await self.superuser.execute(
            "insert into reader_position (shard, stream, hospital_id, position, epoch)"
            " values ($1, $3, 'h1', $2, 1) on conflict (shard, stream)"
            " do update set position = excluded.position",
            UNIT,
            f"{self.clock.now_us() // 1000}-0",
            stream,
        )

    async def measure(self, bed: str, mrn: str = "100", minutes: int = 45) -> None:
        """Heart rate, saturation and temperature every minute, and what a nurse typed."""
        now = to_datetime(self.clock.now_us())
        values = {"8867-4": 82.0, "59408-5": 97.0, "8310-5": 37.1, "9279-1": 16.0}
        for minute in range(minutes):
            for code, value in values.items():
                await self._store(bed, mrn, code, value, None, now, minute, "monitor")
        await self._store(bed, mrn, "80288-4", None, "A", now, 20, "typed")
        await self._store(bed, mrn, "107117-4", None, "air", now, 20, "typed")
        await self._store(bed, mrn, "8480-6", 118.0, None, now, 10, "monitor")
        await self._store(bed, mrn, "8462-4", 61.0, None, now, 10, "monitor")

    async def _store(
        self,
        bed: str,
        mrn: str,
        code: str,
        value: float | None,
        text: str | None,
        now: datetime,
        minute: int,
        origin: str,
    ) -> None:
        at = now - timedelta(minutes=minute)
        await self.superuser.execute(
            "insert into measurement (hospital_id, unit, place, patient_id, device, source,"
            " source_message_id, event_id, code, channel, value, value_text, physical_unit,"
            " determined_at, received_at, stored_at, validity, mode, origin, remark, entry_id)"
            " values ('h1', $1, $2, $3, 'm', 's', 'x', $4, $5, '', $6, $7, '', $8, $8, $8, 'Vld',"
            " 'Real', $9, '', '1-0')",
            bed.rpartition("-")[0],
            bed,
            patient_id("h1", mrn),
            derived(bed, code, str(at)),
            code,
            value,
            text,
            at,
            origin,
        )

    async def red_alarm(
        self, state: str, minutes_ago: float = 0, mrn: str = "100", *, since: float | None = None
    ) -> None:
        """A high alarm of the patient, as the archive keeps it; began `since` minutes ago."""
        at, began = (
            to_datetime(self.clock.now_us() - round(ago * 60) * SECOND)
            for ago in (minutes_ago, minutes_ago if since is None else since)
        )
        await self.superuser.execute(
            "insert into alert_event values ('h1', $1, $2, 'b', $3, 'map', 'high', $4, $5, $6,"
            " 'MAP 48 < 60', 48, 'Real', '1-0')",
            UNIT,
            derived("alarm", mrn),
            patient_id("h1", mrn),
            state,
            at,
            began,
        )

    async def enable(
        self, bed: str, number: str = "+7 916 123-45-67", relation: str = "daughter", **more: str
    ) -> str:
        """A confirmed contact of whoever lies in the bed."""
        now = self.clock.now_us()
        consent = Consent(
            relation=relation,
            basis="patient",
            document="form 1",
            named_by="patient",
            language=more.get("language", "ru"),
            tells=more.get("tells", "full"),
        )
        async with self.app.transaction(DOCTOR) as connection:
            whose = await patients.open_stay_of_bed(connection, bed)
            phone = read(number)
            contact = await contacts.enable(connection, DOCTOR, whose, phone, consent, KEYS, now)
            if phone.mobile:
                await contacts.read_back(connection, DOCTOR, contact, now)
        return contact

    async def stay(self, bed: str) -> patients.Stay:
        async with self.app.transaction(DOCTOR) as connection:
            return await patients.open_stay_of_bed(connection, bed)

    async def confirm(
        self, bed: str, severity: str = "serious", course: str = ""
    ) -> list[desk.Confirmed]:
        async with self.app.transaction(DOCTOR) as connection:
            whose = await patients.open_stay_of_bed(connection, bed)
            return await desk.confirm(
                connection, DOCTOR, whose, self.clock.now_us(), severity=severity, course=course
            )

    async def todays(self, unit: str = UNIT) -> list[dict[str, object]]:
        """Today's messages as the desk of a unit lists them."""
        day = due.local_date(self.clock.now_us(), ZONE)
        async with self.app.transaction(DOCTOR) as connection:
            return [dict(row) for row in await desk.todays(connection, unit, day)]

    async def states(self) -> list[str]:
        return [str(row["state"]) for row in await self.todays()]

    async def ready(self, bed: str = "h1-icu-1-01", **contact: str) -> None:
        """A patient with values, a relative, a plan and a confirmation: a message is due."""
        await self.event("A01", bed)
        await self.measure(bed)
        await self.archive_is_fresh()
        await self.enable(bed, **contact)
        await self.planner.plan()
        await self.confirm(bed, course="unchanged")

    async def send_all(self) -> None:
        """Lets the sender work until nothing is due."""
        while await self.sender.step("h1"):
            pass


def statements(row: dict[str, object]) -> list[dict[str, object]]:
    """Where the statements of a listed message come from."""
    found: list[dict[str, object]] = json.loads(str(row["statements"]))
    return found


async def ward(database_url: str, app: Database) -> AsyncIterator[Ward]:
    """For a fixture: the ward over the test's database."""
    async with database.single(database_url, name="test") as superuser:
        yield Ward(app, superuser)
