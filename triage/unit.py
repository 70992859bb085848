"""The decisions of an emergency department: entries in, cases and proposals out, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hospital_ops import wire
from hospital_ops.board import HEAD, CaseCell, DecisionCell, Head, Shown
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import PROBE_BED, Decisions, Stamped
from triage.ecgs import with_ecg
from triage.engine import assess
from triage.inputs import engine_inputs
from triage.reopening import codes_of, reopening
from triage.state import CaseState, UnitState

FUTURE_US = 60 * SECOND  # SAFETY rule 6
SHOWN_AFTER_END_US = 600 * SECOND  # a case that was handed over or cancelled stays in sight
STEPS: Final = {"arrival": "arrived", "handover": "handed_over", "cancellation": "cancelled"}
ENDS: Final = ("handed_over", "cancelled")
_load: Callable[[bytes], UnitState] = wire.decoder(UnitState)


class EdUnit:
    """The live state of one department (a `Decider`); changed in place, deterministic."""

    def __init__(self, unit: str, snapshot: bytes = b"") -> None:
        self.state = _load(snapshot) if snapshot else UnitState(unit=unit)

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Takes the entries in, in their order, and proposes again after each that changed inputs.

        Never once for a batch: a replay may cut batches elsewhere and has to decide the same.
        """
        decisions = Decisions()
        for at, entry in entries:
            self.state.now = max(self.state.now, at)
            if isinstance(entry, wire.Observed):
                self._observed(entry, decisions)
            elif isinstance(entry, wire.CaseFacts):
                self._facts(entry, decisions)
            elif isinstance(entry, wire.CaseStep):
                self._step(entry, decisions)
            elif isinstance(entry, wire.EcgReceived):
                self._ecg(entry, decisions)
            elif isinstance(entry, wire.Decided):
                self._decided(entry, decisions)
            elif isinstance(entry, wire.Tick):
                self._tick(decisions)
            elif isinstance(entry, wire.Kept):
                counts = self.state.counts
                counts[entry.code] = counts.get(entry.code, 0) + 1
                decisions.dirty.add(HEAD)
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The encoded cell of a case, or of the unit's head."""
        if name == HEAD:
            state = self.state
            return wire.encode(
                Head(unit=state.unit, probe_at=state.probe_at, counts=dict(state.counts))
            )
        case = self.state.cases.get(name)
        return wire.encode(_cell(case)) if case else None

    def names(self) -> Sequence[str]:
        """The cases on the board, and the head."""
        return [HEAD, *self.state.cases]

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        return wire.encode(self.state)

    def _case(self, case: str) -> CaseState:
        known = self.state.cases.get(case)
        if known is None:
            known = self.state.cases[case] = CaseState(case=case, opened_at=self.state.now)
        known.changed_at = self.state.now
        return known

    def _observed(self, message: wire.Observed, decisions: Decisions) -> None:
        if message.bed == PROBE_BED:
            self.state.probe_at = message.received_at
            decisions.dirty.add(HEAD)
        if not message.case:
            return
        case = self._case(message.case)
        case.mode = message.mode
        for observation in message.observations:
            at = observation.determined_at or message.received_at
            name = observation.code if observation.mapped else observation.text or observation.code
            known = case.values.get(name)
            # The newest by event time is current whatever its age; only older ones are history.
            if at > message.received_at + FUTURE_US or (known is not None and at < known.at):
                continue
            case.values[name] = Shown(
                value=observation.value,
                unit=observation.unit,
                at=at,
                kind="spot",
                validity=observation.validity,
                mapped=observation.mapped,
                text=observation.text,
                mode=message.mode,
                reason=observation.reason,
                origin=observation.origin,
            )
        self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _facts(self, entry: wire.CaseFacts, decisions: Decisions) -> None:
        case = self._case(entry.case)
        case.facts = {**case.facts, **entry.facts}
        case.mode, case.warnings = entry.mode, entry.warnings
        eta = case.facts.get("eta")
        case.eta = from_iso(eta) if isinstance(eta, str) else None
        self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _ecg(self, entry: wire.EcgReceived, decisions: Decisions) -> None:
        case = self._case(entry.case)
        case.ecgs = with_ecg(case.ecgs, entry)
        if entry.findings:  # the machine's reading: a reason to propose, never a decision
            known = case.facts.get("ecg_findings") or ()
            case.facts = {**case.facts, "ecg_findings": sorted({*known, *entry.findings})}
            self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _step(self, entry: wire.CaseStep, decisions: Decisions) -> None:
        case = self._case(entry.case)
        if entry.step == "acknowledgement":
            # Heard once is enough, until something new opens the case again.
            since = iso(case.reopened_at)
            if not any(h["by"] == entry.by and h["at"] >= since for h in case.acknowledgements):
                heard = {"by": entry.by, "at": iso(entry.at)}
                case.acknowledgements = (*case.acknowledgements, heard)
        elif case.step not in ENDS:
            case.step = STEPS[entry.step]
            case.ended_at = self.state.now if case.step in ENDS else 0
        decisions.dirty.add(case.case)

    def _decided(self, entry: wire.Decided, decisions: Decisions) -> None:
        case = self._case(entry.case)
        if case.decision is None or entry.version > case.decision.version:
            case.decision = DecisionCell(
                colour=entry.colour,
                by=entry.by,
                at=entry.at,
                version=entry.version,
                reason=entry.reason,
                destination=entry.destination,
                care=entry.care,
            )
            case.known = tuple(sorted(codes_of(case.triage)))
            case.reopened_at, case.reopened_for = 0, ()
        decisions.dirty.add(case.case)

    def _tick(self, decisions: Decisions) -> None:
        gone = [
            case.case
            for case in self.state.cases.values()
            if case.ended_at and case.ended_at + SHOWN_AFTER_END_US <= self.state.now
        ]
        for name in gone:
            del self.state.cases[name]
        decisions.dirty |= set(gone)

    def _propose(self, case: CaseState, decisions: Decisions) -> None:
        """Assesses anew when an input changed; archives a proposal that differs."""
        inputs = engine_inputs(case.facts, case.values)
        if inputs == case.inputs and case.triage:
            return
        before = case.triage.get("proposed")
        result = assess(inputs).as_json()
        if result != case.triage:
            decisions.outputs.append(
                wire.Assessed(
                    unit=self.state.unit,
                    case=case.case,
                    at=self.state.now,
                    proposed=result["proposed"],
                    chart=result["colour"],
                    urgency=float(result["urgency"]),
                    inputs=inputs,
                    result=result,
                    mode=case.mode,
                )
            )
        case.inputs, case.triage = inputs, result
        decisions.urgent |= result["proposed"] == "red" and before != "red"
        if case.decision is not None:
            self._reopen(case, decisions)

    def _reopen(self, case: CaseState, decisions: Decisions) -> None:
        """A new reason for more than was decided opens the case again, once."""
        new = reopening(
            case.decision.colour if case.decision else "", frozenset(case.known), case.triage
        )
        if new:
            case.reopened_at, case.reopened_for = self.state.now, new
            case.known = tuple(sorted({*case.known, *codes_of(case.triage)}))
            decisions.urgent = True


def _cell(case: CaseState) -> CaseCell:
    return CaseCell(
        case=case.case,
        facts=case.facts,
        values=dict(case.values),
        triage=case.triage,
        decision=case.decision,
        acknowledgements=case.acknowledgements,
        ecgs=case.ecgs,
        step=case.step,
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        version=case.decision.version if case.decision else 0,
        mode=case.mode,
        warnings=case.warnings,
        eta=case.eta,
        reopened_at=case.reopened_at,
        reopened_for=case.reopened_for,
    )
