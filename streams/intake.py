"""The intake of native devices and tablets: what web's device routes call, answered after fsync."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal, Role, allows, require
from hospital_ops.case_steps import ENDS, STEPS, after
from hospital_ops.clock import SECOND, Clock, iso
from hospital_ops.errors import Conflict, MessageError, NotFound
from hospital_ops.identity import message_identity, uuid7, written
from streams import batch as batches
from streams import ecg_about
from streams.append import Appender
from streams.codebooks import Codebooks
from streams.facts import checked_facts
from streams.pacing import Pace
from streams.projections import Places, Projections
from streams.shard import at_us, hall, hospital_of

STEP_OLDEST_US: Final = 86_400 * SECOND  # a step told later than this counts from then
# Who sees only the cases that they opened.
OWN_CASES_ONLY: Final = (Role.CREW, Role.TABLET)


class Intake:
    """Checks, routes and appends what crews and tablets send about pre-arrival cases."""

    def __init__(
        self, appender: Appender, projections: Projections, places: Places, clock: Clock
    ) -> None:
        self.appender, self.projections = appender, projections
        self.places, self.clock = places, clock
        self.codebooks, self.pace = Codebooks(places, clock), Pace(clock)

    async def open_case(self, principal: Principal, case: str, body: bytes) -> dict[str, Any]:
        """Opens or changes a case; answers `{"id", "unit", "warnings"}` once it is on disk."""
        case = case_id(case)
        try:
            facts = events.parse_json(body)
            if not isinstance(facts, dict):
                raise MessageError("not_an_object", "send one JSON object with `destination`")
            destination = facts.get("destination")
            known = self.places.units.get(destination) if isinstance(destination, str) else None
            if known is None or known.kind != "ed":
                raise MessageError(
                    "unknown_destination", "`destination` is no emergency department of ours"
                )
            destination = known.unit
            facts, warnings = checked_facts(facts, self.clock.now_us())
        except MessageError as error:
            await self.keep(principal, error, body)
            raise
        require(principal, Permission.OPEN_CASE, hospital_of(destination), destination)
        unit, before = await self._unit_of(principal, case, destination)
        if unit != destination and destination not in before:
            reason = "the case has another destination already: reroute it"
            raise Conflict(reason, {"unit": unit})
        facts = facts | {"destination": unit}  # a tablet that has not heard of a reroute yet
        await ecg_about.learn(self.appender.pipe, principal.hospital, case, facts)
        entry_id = await self.appender.append(
            unit,
            wire.CaseFacts(
                unit=unit,
                case=case,
                source=principal.actor,
                message_id=str(uuid7()),
                received_at=self.clock.now_us(),
                mode=principal.mode,
                facts=facts,
                warnings=tuple(warnings),
            ),
            body,
        )
        stored_at = iso(at_us(entry_id))
        return {"id": case, "unit": unit, "warnings": warnings, "stored_at": stored_at}

    async def take_measurements(
        self, principal: Principal, case: str, body: bytes
    ) -> dict[str, Any]:
        """Stores the events of a batch; `{"stored", "warnings", "rejected"}` once on disk."""
        unit = await self.case_unit(principal, case, Permission.SEND_VALUES)
        try:
            found = batches.listed(events.parse_json(body))
        except MessageError as error:
            await self.keep(principal, error, body)
            raise
        case, now = case_id(case), self.clock.now_us()
        batch = batches.read(found, principal, "typed", now)
        if batch.problem is not None:
            await self.keep(principal, batch.problem, body)
        made = batches.entries(batch, principal, unit, body, now, case=case, device=principal.actor)
        await self.pace.turn([entry for entry, _ in made])
        ids = await self.appender.append_many(unit, self.read(principal.hospital, made))
        return batch.answer() | ({"stored_at": iso(max(map(at_us, ids)))} if ids else {})

    def read(
        self, hospital: str, made: list[tuple[wire.Entry, bytes]]
    ) -> list[tuple[wire.Entry, bytes]]:
        """The entries with senders' codes under ours, as far as they are mapped."""
        read = self.codebooks.read
        return [(read(hospital, e) if isinstance(e, wire.Observed) else e, b) for e, b in made]

    async def step(
        self,
        principal: Principal,
        case: str,
        step: str,
        note: str,
        *,
        to: str = "",
        where: str = "",
        seen: tuple[str, ...] | None = None,
        at: int | None = None,
    ) -> dict[str, Any]:
        """Appends one step of the way of a case; Conflict where it leads nowhere.

        `to` and `where` are a reroute's: the unit that receives the patient, and its name. `seen`
        are the reasons that whoever hears of the case had before their eyes; None: all. `at` is
        when a crew took the step, never ahead of now: a tablet may tell of it later.
        """
        row = STEPS[step]
        own = principal.role in OWN_CASES_ONLY and row.crew
        needed = Permission.OPEN_CASE if own else Permission.ACKNOWLEDGE_CASE
        unit = await self.case_unit(principal, case, needed)
        if row.reason and not own and not note.strip():
            raise MessageError("no_reason", "say why: this step needs a `reason`")
        now = self.clock.now_us()
        state = await self.standing(principal, case, unit)
        following = after(step, state)
        entry_id = await self.appender.append(
            unit,
            wire.CaseStep(
                unit=unit,
                case=case_id(case),
                step=step,
                at=now if at is None else min(max(at, now - STEP_OLDEST_US), now),
                by=principal.actor,
                source=principal.actor,
                received_at=now,
                mode=principal.mode,
                note=note[:500],
                to=to,
                where=where,
                seen=seen,
            ),
        )
        if following != state:
            await self.projections.case_became(
                hospital_of(unit), case_id(case), following, now, ended=following in ENDS
            )
        return {"id": case, "step": step, "stored_at": iso(at_us(entry_id))}

    async def still_open(self, principal: Principal, case: str) -> None:
        """Conflict where the case has ended: nothing is kept for it any more."""
        unit = await self.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
        state = await self.standing(principal, case, unit)
        if state in ENDS:
            raise Conflict(f"This case has ended ({state.replace('_', ' ')}).")

    async def case_unit(self, principal: Principal, case: str, permission: Permission) -> str:
        """The unit of a case that `principal` may act on; NotFound otherwise."""
        known = await self.projections.case(principal.hospital, case_id(case))
        if known is None:
            raise NotFound("There is no such case, or it is not within your units.")
        unit, opened_by, before = known[0], known[1], known[3:]
        if principal.role in OWN_CASES_ONLY:
            # A crew's own case stays its own wherever the house has sent it.
            first = before[0] if before else unit
            require(principal, permission, hospital_of(first), first)
            if opened_by != principal.actor:
                raise NotFound("There is no such case, or it is not within your units.")
            return unit
        if not allows(principal, permission, hospital_of(unit), unit):
            # Who had the case before it was rerouted may look at what they had of it.
            units = [one for one in before if allows(principal, permission, hospital_of(one), one)]
            unit = units[-1] if units else unit
        require(principal, permission, hospital_of(unit), unit)
        return unit

    async def standing(self, principal: Principal, case: str, unit: str) -> str:
        """Where a case stands at a unit, as far as the way in has heard."""
        known = await self.projections.case(principal.hospital, case_id(case))
        if known is not None and known[0] != unit:
            return "rerouted"
        return await self.projections.case_state(hospital_of(unit), case_id(case))

    async def _unit_of(
        self, principal: Principal, case: str, destination: str
    ) -> tuple[str, list[str]]:
        known = await self.projections.claim_case(
            principal.hospital, case, destination, principal.actor, self.clock.now_us()
        )
        if principal.role in OWN_CASES_ONLY and known[1] != principal.actor:
            raise NotFound("There is no such case, or it is not within your units.")
        return known[0], known[3:]

    async def keep(
        self, principal: Principal, error: MessageError, body: bytes, kind: str = ""
    ) -> None:
        """Keeps what could not be used, with its bytes, in the hospital's hall; `kind` where it
        can be tried again."""
        shard = hall(principal.hospital)
        kept = wire.Kept(
            unit=shard,
            source=principal.actor,
            received_at=self.clock.now_us(),
            code=error.code,
            reason=error.reason,
            identity=message_identity(principal.actor, "", body),
            kind=kind,
            mode=principal.mode,
        )
        await self.appender.append(shard, kept, body)


def case_id(text: str) -> str:
    """The UUID of a case as we write it. MessageError where it is none."""
    try:
        return written(text)
    except ValueError as error:
        raise MessageError("bad_case_id", "the case is named by a UUID of your own") from error
