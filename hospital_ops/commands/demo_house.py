"""The two hospitals of the demonstration: units, beds, people, devices; the same at every start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from hospital_ops import accounts, database, identity, tokens
from hospital_ops.access import ALL_UNITS, Role, Scope
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.installation import store as installation
from hospital_ops.settings import Settings
from streams.shard import hospital_of

HOSPITALS: Final = (
    ("h1", "Городская больница № 1", (("h1-icu-1", "icu", "ОРИТ 1"), ("h1-ed", "ed", "Приёмное"))),
    ("h2", "Городская больница № 2", (("h2-icu-1", "icu", "ОРИТ 1"), ("h2-ed", "ed", "Приёмное"))),
)
UNITS: Final = tuple(unit for _, _, units in HOSPITALS for unit, _, _ in units)
PEOPLE: Final = (
    ("ed", Role.ED_PHYSICIAN),
    ("icu", Role.ICU_PHYSICIAN),
    ("nurse", Role.NURSE),
    ("triage", Role.TRIAGE_NURSE),
    ("crew", Role.CREW),
    ("wall", Role.WALLBOARD),
    ("admin", Role.ADMINISTRATOR),
    ("auditor", Role.AUDITOR),
    ("privacy", Role.PRIVACY_OFFICER),
)


class House:
    """What the demonstration consists of; secrets and seed are kept in `D/demo.json` (0600)."""

    def __init__(self, data: Path, seed: int, icu_beds: int, ambulances: int) -> None:
        self.path = data / "demo.json"
        kept = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        self.seed: int = kept.get("seed", seed)
        self.icu_beds: int = kept.get("icu_beds", icu_beds)
        self.ambulances = ambulances
        # The patients came the day before yesterday: a ward is never all on its first day.
        two_days_ago = SystemClock().now_us() - 50 * 3600 * SECOND
        self.started_at: int = kept.get("started_at", two_days_ago)
        self.admitted: bool = kept.get("admitted", False)
        self.past_until: int = kept.get("past_until", 0)  # microseconds UTC; 0: they have none
        self.passwords: dict[str, str] = kept.get("passwords", {})
        self.tokens: dict[str, str] = kept.get("tokens", {})
        self.patients: dict[str, tuple[str, str]] = {}  # bed to (number, id)

    @property
    def beds(self) -> list[str]:
        """All ICU beds, the first hospital's first."""
        return [
            f"{unit}-{number:02d}"
            for _, _, units in HOSPITALS
            for unit, kind, _ in units
            if kind == "icu"
            for number in range(1, self.icu_beds + 1)
        ]

    @property
    def users(self) -> list[dict[str, str]]:
        """Who can sign in: one of each role in each hospital."""
        return [
            {
                "name": f"{name}.{hospital}",
                "role": role.value,
                "hospital": hospital,
                "password": self.passwords[f"{name}.{hospital}"],
            }
            for hospital, _, _ in HOSPITALS
            for name, role in PEOPLE
        ]

    def patient_id(self, bed: str, mrn: str) -> str:
        """The id under which the patient of a bed is kept."""
        return identity.patient_id(hospital_of(bed), mrn)

    def note_admitted(self, *, has_past: bool) -> None:
        """The patients lie in their beds: a later start does not admit them again.

        `has_past`: what they lived through before this moment is told as well.
        """
        self.admitted = True
        self.past_until = SystemClock().now_us() if has_past else 0
        self._save()

    def _save(self) -> None:
        self.path.touch(mode=0o600)
        self.path.write_text(
            json.dumps(
                {
                    "seed": self.seed,
                    "icu_beds": self.icu_beds,
                    "started_at": self.started_at,
                    "admitted": self.admitted,
                    "past_until": self.past_until,
                    "passwords": self.passwords,
                    "tokens": self.tokens,
                }
            ),
            "utf-8",
        )

    async def prepare(self, full: Settings) -> None:
        """Fills an empty installation; does nothing in one that it has filled before."""
        devices = [name for h, _, _ in HOSPITALS for name, _ in self._devices(h)]
        if self.passwords and all(name in self.tokens for name in devices):
            return
        db = await database.connect(full.database_url, "app", name="demo")
        try:
            for hospital, name, units in HOSPITALS:
                await self._prepare_hospital(db, hospital, name, units)
        finally:
            await db.close()
        self._save()

    async def _prepare_hospital(
        self,
        db: database.Database,
        hospital: str,
        name: str,
        units: tuple[tuple[str, str, str], ...],
    ) -> None:
        by = Scope(hospital, ALL_UNITS, Role.ADMINISTRATOR.value, "demo")
        now = SystemClock().now_us()
        async with db.transaction(by) as connection:
            await installation.ensure_hospital(connection, by, name, now)
            for unit, kind, title in units:
                await installation.ensure_unit(connection, by, unit, kind, title, now)
                if kind == "icu":
                    beds = [(b, b[-2:].lstrip("0")) for b in self.beds if b.startswith(unit)]
                    await installation.ensure_beds(connection, by, unit, beds, now)
            for device, bed in self._devices(hospital):
                kind, at = ("monitor", _unit_of(bed)) if bed else ("tablet", None)
                await installation.ensure_device(
                    connection, by, device, kind, "Demo", now, at, bed or None
                )
                if device not in self.tokens:
                    self.tokens[device] = await installation.issue_device_token(
                        connection, by, device, now
                    )
        for short, role in PEOPLE:
            user = f"{short}.{hospital}"
            if user in self.passwords:
                continue
            password = tokens.new_password()
            async with db.transaction(by) as connection:
                await accounts.ensure_account(connection, by, user, role, password, now)
            self.passwords[user] = password

    def _devices(self, hospital: str) -> list[tuple[str, str]]:
        """(device, bed) of each tablet, which has no bed, and of each bed's monitor."""
        tablets = [(f"{hospital}-tablet-{n}", "") for n in range(1, self.ambulances + 1)]
        beds = [bed for bed in self.beds if hospital_of(bed) == hospital]
        return tablets + [(f"{bed}-monitor", bed) for bed in beds]

    def lie_here(self, beds: list[tuple[str, str, bytes]]) -> None:
        """Who lies where: bed, number, and the admission that says so."""
        self.patients = {bed: (mrn, self.patient_id(bed, mrn)) for bed, mrn, _ in beds}

    @property
    def lying(self) -> list[tuple[str, str]]:
        """(bed, patient id) of the first hospital's intensive care."""
        first = HOSPITALS[0][0]
        return [(b, p) for b, (_, p) in self.patients.items() if hospital_of(b) == first]

    def as_json(self) -> dict[str, Any]:
        """The part of run.json that says what there is."""
        patients = self.patients
        return {
            "hospitals": [{"id": h, "name": name} for h, name, _ in HOSPITALS],
            "units": [
                {"id": unit, "hospital": h, "kind": kind, "name": title}
                for h, _, units in HOSPITALS
                for unit, kind, title in units
            ],
            "beds": [
                {
                    "bed": bed,
                    "unit": _unit_of(bed),
                    "device": f"{bed}-monitor",
                    "patient_id": patients[bed][1] if bed in patients else None,
                    "mrn": patients[bed][0] if bed in patients else None,
                }
                for bed in self.beds
            ],
            "users": self.users,
            "devices": [
                {
                    "id": name,
                    "kind": "monitor" if bed else "tablet",
                    "hospital": h,
                    "token": self.tokens[name],
                    **({"bed": bed} if bed else {}),
                }
                for h, _, _ in HOSPITALS
                for name, bed in self._devices(h)
            ],
        }


def _unit_of(bed: str) -> str:
    return bed.rpartition("-")[0]
