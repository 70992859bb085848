"""What units are told of the acts of a stay. Pure."""

from __future__ import annotations

import hashlib

from hospital_ops import identity, wire
from hospital_ops.access import Principal


def admission(
    principal: Principal,
    act: str,
    unit: str,
    trigger: str,
    person: wire.PatientFacts,
    at: int,
    bed: str = "",
    prior_bed: str = "",
    *,
    event_at: int = 0,
    to: tuple[str, str] = ("", ""),
) -> wire.Admission:
    """An admission, move or end as a unit is told of it; the same act is the same message.

    `to`: unit and bed of whoever leaves for another unit, which is told by an entry of its own and
    by the live reader of the one that is left (`icu/carrying.py`).
    """
    message = str(identity.derived("stay", act, unit, trigger))
    return wire.Admission(
        unit=unit,
        source=principal.actor,
        message_id=message,
        identity=hashlib.sha256(message.encode()).digest(),
        received_at=at,
        mode=principal.mode,
        trigger=trigger,
        patient=person,
        event_at=event_at or at,
        bed=bed,
        prior_bed=prior_bed,
        to_unit=to[0],
        to_bed=to[1],
    )


def moved(
    principal: Principal,
    act: str,
    trigger: str,
    person: wire.PatientFacts,
    at: int,
    left: tuple[str, str],
    to: tuple[str, str],
) -> list[tuple[str, wire.Entry]]:
    """(unit, entry) of a move from one unit and bed to another; two units have one each."""
    if left[0] == to[0]:
        entry = admission(principal, act, to[0], trigger, person, at, to[1], left[1])
        return [(to[0], entry)]
    leaves = admission(principal, act, left[0], trigger, person, at, "", left[1], to=to)
    comes = admission(principal, act, to[0], trigger, person, at, to[1])
    return [(left[0], leaves), (to[0], wire.replaced(comes, from_unit=left[0]))]


def silence(principal: Principal, unit: str, bed: str, patient_id: str, at: int) -> wire.BedAct:
    """What still hangs on the bed of somebody who died rings for nobody."""
    return wire.BedAct(
        unit=unit,
        bed=bed,
        act="close",
        at=at,
        by=principal.actor,
        role=principal.role.value,
        source=principal.actor,
        received_at=at,
        mode=principal.mode,
        patient_id=patient_id,
    )
