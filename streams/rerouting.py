"""A case on its way goes to another department: told to both by the stream, without PostgreSQL.

What the crew sends meanwhile may still land at the former department for a second: whoever calls
says it again a little later, with what has come by then. A repeat only adds.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import wire
from hospital_ops.access import Permission, Principal
from hospital_ops.clock import from_iso
from hospital_ops.errors import Conflict, MessageError
from streams.intake import OWN_CASES_ONLY, Intake, case_id

AGAIN_S: Final = 3.0  # longer than a case's unit is believed (streams.remembered)


async def reroute(
    intake: Intake, principal: Principal, case: str, cell: bytes, *, to: str, reason: str
) -> dict[str, Any]:
    """Moves a case to the department `to`, with its cell as the former board shows it."""
    known_unit = intake.places.units.get(to)
    if known_unit is None or known_unit.kind != "ed":
        raise MessageError("unknown_destination", "`to` is no emergency department of ours")
    own = principal.role in OWN_CASES_ONLY
    needed = Permission.OPEN_CASE if own else Permission.ACKNOWLEDGE_CASE
    unit = await intake.case_unit(principal, case, needed)
    known = await intake.projections.case(principal.hospital, case_id(case))
    if known is None or known[0] != unit:
        raise Conflict("This case has been rerouted already: look again.")
    if to == unit:
        raise Conflict("The patient is on the way to this department already.")
    where = f"{known_unit.name} ({to})"
    answer = await intake.step(principal, case, "reroute", reason, to=to, where=where)
    await intake.projections.move_case(known, case_id(case), to, intake.clock.now_us())
    at = from_iso(answer["stored_at"])
    await tell(intake, principal, case, cell, came_from=unit, to=to, reason=reason, at=at)
    return answer | {"unit": to, "where": where}


async def tell(
    intake: Intake,
    principal: Principal,
    case: str,
    cell: bytes,
    *,
    came_from: str,
    to: str,
    reason: str,
    at: int,
) -> None:
    """Tells the new department what the former one knows; said again it adds what is new.

    `at` is the moment of the reroute: what is told of an earlier one than the last counts no more.
    """
    now, unit = intake.clock.now_us(), intake.places.units[to]
    entry = wire.CaseEntered(
        unit=to,
        case=case_id(case),
        came_from=came_from,
        cell=cell,
        at=at,
        by=principal.actor,
        source=principal.actor,
        received_at=now,
        mode=principal.mode,
        reason=reason[:500],
        where=f"{unit.name} ({to})",
    )
    await intake.appender.append(to, entry)
