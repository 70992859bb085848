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
from triage.items import add_item, add_value, everything, facts_of_both, put_in, take_out
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
            elif isinstance(entry, wire.CaseItem):
                self._item(entry, decisions)
            elif isinstance(entry, wire.CaseMoved):
                self._moved(entry, decisions)
            elif isinstance(entry, wire.CaseSeen):
                self._seen(entry, decisions)
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
        case = self.state.merged.get(case, case)
        known = self.state.cases.get(case)
        if known is None:
            known = self.state.cases[case] = CaseState(case=case, opened_at=self.state.now)
        known.changed_at = self.state.now
        return known

    def _home(self, case: CaseState, id_: str) -> CaseState:
        """The case that something belongs to now: it may have been moved before it came."""
        to = case.gone.get(id_, "") if id_ else ""
        return self._case(to) if to else case

    def _observed(self, message: wire.Observed, decisions: Decisions) -> None:
        if message.bed == PROBE_BED:
            self.state.probe_at = message.received_at
            decisions.dirty.add(HEAD)
        if not message.case:
            return
        case = self._case(message.case)
        case.mode = message.mode
        homes = {case.case: case}
        for observation in message.observations:
            at = observation.determined_at or message.received_at
            name = observation.code if observation.mapped else observation.text or observation.code
            if at > message.received_at + FUTURE_US:
                continue
            shown = Shown(
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
            home = self._home(case, observation.event_id)
            add_value(home, name, observation.event_id, shown)
            homes[home.case] = home
        for home in homes.values():
            self._propose(home, decisions)
            decisions.dirty.add(home.case)

    def _facts(self, entry: wire.CaseFacts, decisions: Decisions) -> None:
        case = self._case(entry.case)
        case.facts = {**case.facts, **entry.facts}
        case.mode, case.warnings = entry.mode, entry.warnings
        eta = case.facts.get("eta")
        case.eta = from_iso(eta) if isinstance(eta, str) else None
        self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _ecg(self, entry: wire.EcgReceived, decisions: Decisions) -> None:
        case = self._home(self._case(entry.case), entry.ecg)
        if entry.ecg in case.gone:
            return  # it was withdrawn
        case.ecgs = with_ecg(case.ecgs, entry)
        if entry.findings:  # the machine's reading: a reason to propose, never a decision
            known = case.facts.get("ecg_findings") or ()
            case.facts = {**case.facts, "ecg_findings": sorted({*known, *entry.findings})}
            self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _item(self, entry: wire.CaseItem, decisions: Decisions) -> None:
        case = self._case(entry.case)
        if add_item(case, entry) and entry.kind == "withdrawal":
            self._propose(case, decisions)
        decisions.dirty.add(case.case)

    def _moved(self, entry: wire.CaseMoved, decisions: Decisions) -> None:
        """Items go to the case they belong to; without a list the whole case joins the other."""
        source, target = self._case(entry.case), self._case(entry.to)
        if source is target:
            return
        ids = set(entry.items) or everything(source)
        put_in(target, take_out(source, ids, target.case), source.case)
        if not entry.items:
            target.facts = facts_of_both(target.facts, source.facts)
            target.eta = target.eta if target.eta is not None else source.eta
            target.joined = (*target.joined, source.case, *source.joined)
            target.acknowledgements = (*target.acknowledgements, *source.acknowledgements)
            merged = self.state.merged
            merged |= {old: target.case for old, new in merged.items() if new == source.case}
            merged[source.case] = target.case
            del self.state.cases[source.case]
        else:
            self._propose(source, decisions)
        self._propose(target, decisions)
        decisions.dirty |= {source.case, target.case}

    def _seen(self, entry: wire.CaseSeen, decisions: Decisions) -> None:
        case = self.state.cases.get(self.state.merged.get(entry.case, entry.case))
        if case is None or (case.seen is not None and from_iso(case.seen["upto"]) > entry.upto):
            return
        case.seen = {"by": entry.by, "at": iso(entry.at), "upto": iso(entry.upto)}
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
            merged = self.state.merged
            for old in [old for old, new in merged.items() if new == name]:
                del merged[old]
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
        items=case.items,
        seen=case.seen,
        joined=case.joined,
    )
