"""Allergies go with the patient from the street to the bed, with who said them, untyped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import identity, wire
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from icu.allergies import store as allergies
from icu.flags import store as flags
from streams.pipe import Pipe
from tests.integration.streams_help import BED, UNIT, admitted, carry

NOW = SystemClock().now_us() - 600 * SECOND
UNKNOWN, KNOWN = "NN-17", "4711"
OLD, NEW = (identity.patient_id("h1", number) for number in (UNKNOWN, KNOWN))
NURSE = Principal(
    actor="nurse.h1", role=Role.NURSE, hospital="h1", units=ALL_UNITS, key="k", mode="Test"
)


@pytest.fixture
async def pipe(fresh_valkey: Valkey, two_hospitals: None) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


def told(case: str, at: int, kind: str = "allergy", role: str = "tablet", **said: Any) -> Any:
    """What somebody said of the patient of a case, as the intake appends it."""
    about = said if kind != "allergy" else {**said, "role": role}
    return wire.CaseItem(
        unit="h1-ed", case=case, item=str(uuid4()), kind=kind, at=at, source=f"{role}-7",
        received_at=at, mode="Test", said=about,
    )  # fmt: skip


def comes(mrn: str, at: int, case: str = "") -> wire.Admission:
    return wire.replaced(admitted(mrn, at), case=case)


async def listed(app: Database, patient: str = OLD) -> dict[str | None, bool]:
    """What holds, and whether somebody has confirmed it; None: none known."""
    rows = await allergies.of_patient(app, NURSE, patient)
    return {row["substance"]: row["confirmed"] for row in rows}


async def said_to_the_unit(superuser: Connection) -> list[wire.Flagged]:
    rows = await superuser.fetch("select entry from outbox order by number")
    entries = [wire.decode(row["entry"]) for row in rows]
    return [entry for entry in entries if isinstance(entry, wire.Flagged)]


async def test_what_the_crew_was_told_stands_at_the_bed_and_is_confirmed_not_typed(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    case = str(uuid4())
    mistake = told(case, NOW, what="Latex")
    await carry(
        pipe, writer, superuser,
        told(case, NOW, what="Penicillin", reaction="rash", who="wife"),
        told(case, NOW + 1, what="penicillin"),  # two of the crew asked
        mistake, told(case, NOW + 2, "withdrawal", of=mistake.item),
        told(case, NOW + 3, none_known=True),
        told(case, NOW + 4, role="nurse", what="Iodine"),
        comes(UNKNOWN, NOW + SECOND, case),
    )  # fmt: skip
    assert await listed(app) == {"Penicillin": False, "Iodine": True}
    entry = (await said_to_the_unit(superuser))[-1]
    assert (entry.unit, entry.patient_id, entry.allergy) == (UNIT, OLD, True)
    first = (await allergies.of_patient(app, NURSE, OLD))[0]
    assert (first["told_by"], first["reaction"]) == ("wife", "rash")
    assert (first["recorded_by"], first["heard"]) == ("tablet-7", "crew")

    about: dict[str, Any] = {"unit": UNIT, "patient_id": OLD, "at": NOW + 9 * SECOND}
    await allergies.confirm(app, NURSE, allergy=first["id"], **about)
    await allergies.confirm(app, NURSE, allergy=first["id"], **about)
    assert await listed(app) == {"Penicillin": True, "Iodine": True}
    kept = (await allergies.of_patient(app, NURSE, OLD))[0]
    assert (kept["confirmed_by"], kept["recorded_by"]) == ("nurse.h1", "tablet-7")

    known = len(await said_to_the_unit(superuser))
    # A tablet without a network: what it was told comes after the admission, and counts.
    late = told(case, NOW + 5, what="Aspirin")
    await carry(pipe, writer, superuser, late, late)
    assert await listed(app) == {"Penicillin": True, "Iodine": True, "Aspirin": False}
    assert len(await said_to_the_unit(superuser)) == known + 1
    # What a nurse has ended does not come back with whatever the tablet sends next.
    aspirin = (await allergies.of_patient(app, NURSE, OLD))[2]
    await allergies.end(app, NURSE, allergy=aspirin["id"], reason="refuted", **about)
    await carry(pipe, writer, superuser, told(case, NOW + 6, none_known=True))
    assert await listed(app) == {"Penicillin": True, "Iodine": True}
    # What the crew takes back now, after a nurse has asked again, stays.
    (item,) = await superuser.fetch("select item from allergy where substance = 'Penicillin'")
    await carry(pipe, writer, superuser, told(case, NOW + 7, "withdrawal", of=str(item["item"])))
    assert await listed(app) == {"Penicillin": True, "Iodine": True}


async def test_the_crew_heard_of_none_and_a_nurse_who_asks_again_confirms_it(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    case, other = str(uuid4()), str(uuid4())
    moved = told(other, NOW, what="Latex")
    away = wire.CaseMoved(
        unit="h1-ed", case=other, to=case, move=str(uuid4()), items=(moved.item,), at=NOW + 1,
        by="tablet-7", source="tablet-7", received_at=NOW + 1, mode="Test",
    )  # fmt: skip
    none = told(case, NOW, none_known=True)
    await carry(pipe, writer, superuser, moved, none, comes(UNKNOWN, NOW + SECOND, case))
    assert await listed(app) == {None: False}
    about: dict[str, Any] = {
        "unit": UNIT,
        "patient_id": OLD,
        "reaction": "",
        "criticality": "low",
        "told_by": "",
    }
    await allergies.record(app, NURSE, substance="", at=NOW + 2 * SECOND, **about)
    assert await listed(app) == {None: True}
    # It was typed for the wrong patient of two: it moves, and "none known" ends.
    await carry(pipe, writer, superuser, away)
    assert await listed(app) == {"Latex": False}
    back = wire.replaced(away, case=case, to=other, move=str(uuid4()), at=NOW + 2)
    await carry(pipe, writer, superuser, back)
    assert await listed(app) == {}


async def test_what_the_registration_says_is_added_once_and_waits_for_somebody_who_asks(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    said = (wire.AllergyTold("Penicillin", "rash"), wire.AllergyTold("Iodine"))
    comes_in = wire.replaced(admitted(UNKNOWN, NOW), allergies=said)
    await carry(pipe, writer, superuser, comes_in)
    assert await listed(app) == {"Penicillin": False, "Iodine": False}
    assert (await said_to_the_unit(superuser))[-1].allergy
    first, second = await allergies.of_patient(app, NURSE, OLD)
    assert first["heard"] == second["heard"] == "adt"
    about: dict[str, Any] = {"unit": UNIT, "patient_id": OLD, "at": NOW + 9 * SECOND}
    iodine = first if first["substance"] == "Iodine" else second
    await allergies.end(app, NURSE, allergy=iodine["id"], reason="refuted", **about)
    again = admitted(UNKNOWN, NOW + 20 * SECOND, trigger="A08")  # the system says all it has, again
    none = (*said, wire.AllergyTold(""))
    await carry(pipe, writer, superuser, wire.replaced(again, allergies=none))
    assert await listed(app) == {"Penicillin": False}


async def test_isolation_and_allergies_of_both_numbers_hold_once_somebody_unknown_is_known(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    about: dict[str, Any] = {"unit": UNIT, "reaction": "", "criticality": "high", "told_by": ""}
    enters: dict[str, Any] = {"note": "", "at": NOW + 2}
    await carry(pipe, writer, superuser, comes(KNOWN, NOW))  # a year ago, under the own name
    stay = str(await superuser.fetchval("select stay from stay where ended_at is null"))
    await allergies.record(app, NURSE, patient_id=NEW, substance="Penicillin", at=NOW + 1, **about)
    await flags.begin(app, NURSE, BED, stay=stay, kind="droplet", **enters)
    home = admitted(KNOWN, NOW + SECOND, trigger="A03")
    await carry(pipe, writer, superuser, home, comes(UNKNOWN, NOW + 2 * SECOND))
    stay = str(await superuser.fetchval("select stay from stay where ended_at is null"))
    enters["at"] = NOW + 3 * SECOND
    await allergies.record(app, NURSE, patient_id=OLD, substance="", at=NOW + 3 * SECOND, **about)
    await flags.begin(app, NURSE, BED, stay=stay, kind="contact", **enters)
    told_before = len(await said_to_the_unit(superuser))

    named = admitted(KNOWN, NOW + 4 * SECOND, bed="", trigger="A40")
    merge = wire.replaced(named, unit="h1-hall", merged=(UNKNOWN,))
    await carry(pipe, writer, superuser, merge, merge)
    entry = (await said_to_the_unit(superuser))[told_before:]
    assert [(one.unit, one.patient_id) for one in entry] == [(UNIT, OLD)]
    assert entry[0].allergy
    assert entry[0].isolation == ("contact",), "of the stay before: it ended with the next one"
    assert entry[0].version > max(
        one.version for one in (await said_to_the_unit(superuser))[:told_before]
    )
    for patient in (OLD, NEW):
        assert await listed(app, patient) == {"Penicillin": True}, "and no longer none known"
    # Ended at the bed, by whichever number it was recorded.
    (row,) = await allergies.of_patient(app, NURSE, OLD)
    at = NOW + 5 * SECOND
    await allergies.end(
        app, NURSE, unit=UNIT, patient_id=OLD, allergy=row["id"], reason="refuted", at=at
    )
    assert await listed(app) == {}
