"""The monitor of a vehicle: what it measures belongs to the case that the crew has given it.

Nobody guesses whose values they are: without a case of the tablet nothing is taken, and the
monitor keeps it. The crew's typing goes on beside it.
"""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, Role
from hospital_ops.case_steps import ENDS
from hospital_ops.errors import MessageError, NotFound
from streams import batch as batches
from streams.intake import OWN_CASES_ONLY, Intake, case_id
from streams.shard import hospital_of

NO_CASE = "no case is open to this monitor: choose it on the tablet"


def tablet_of(intake: Intake, principal: Principal) -> str:
    """The tablet whose vehicle a monitor belongs to; "": of none."""
    if principal.role is not Role.MONITOR:
        return ""
    known = intake.places.device(principal.hospital, principal.actor.removeprefix("device:"))
    return known.vehicle if known else ""


async def attach(
    intake: Intake, principal: Principal, case: str, *, attached: bool
) -> dict[str, Any]:
    """A tablet says whose values its vehicle's monitor measures; only ever one case's."""
    if principal.role not in OWN_CASES_ONLY:
        raise NotFound("Only the crew says which case its monitor belongs to.")
    await intake.case_unit(principal, case, Permission.SEND_VALUES)
    tablet, wanted = principal.actor.removeprefix("device:"), case_id(case)
    if attached or await intake.projections.attached(principal.hospital, tablet) == wanted:
        named = wanted if attached else ""
        await intake.projections.attach(principal.hospital, tablet, named)
    return {"id": wanted, "attached": attached}


async def take(
    intake: Intake, principal: Principal, tablet: str, found: list[Any], body: bytes
) -> dict[str, list[Any]]:
    """Stores a batch of the vehicle's monitor under the case; MessageError where there is none."""
    case = await intake.projections.attached(principal.hospital, tablet)
    known = await intake.projections.case(principal.hospital, case) if case else None
    if known is None or known[1] != f"device:{tablet}":
        raise MessageError("no_case", NO_CASE)
    unit = known[0]
    state = await intake.projections.case_state(hospital_of(unit), case)
    if state in ENDS:
        raise MessageError("no_case", f"the case has ended ({state}): choose another on the tablet")
    now, device = intake.clock.now_us(), principal.actor.removeprefix("device:")
    batch = batches.read(found, principal, "monitor", now)
    if batch.problem is not None:
        await intake.keep(principal, batch.problem, body)
    made: list[tuple[wire.Entry, bytes]] = batches.entries(
        batch, principal, unit, body, now, case=case, device=device
    )
    if made:
        await intake.pace.turn([entry for entry, _ in made])
        await intake.appender.append_many(unit, intake.read(principal.hospital, made))
    return batch.answer()
