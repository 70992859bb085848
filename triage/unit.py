"""The decisions of an emergency department: entries in, cases and proposals out, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hospital_ops import wire
from hospital_ops.board import HEAD, DecisionCell
from hospital_ops.case_steps import ARRIVED, ENDS, follows
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import PROBE_BED, Decisions, Stamped
from triage import calls, entering, notes, notice, observing, travel
from triage.cells import cell_of, head_of
from triage.ecgs import READ_AGAIN, with_ecg
from triage.editions import EDITION
from triage.engine import assess
from triage.inputs import engine_inputs
from triage.items import (
    add_item,
    everything,
    facts_of_both,
    findings_of,
    put_in,
    take_out,
)
from triage.reopening import codes_of, reopening
from triage.state import CaseState, UnitState
from triage.timers import SHOWN_AFTER_END_US, Timers

GONE_KEPT_US = 172_800 * SECOND  # as long as the way in knows the case
_load: Callable[[bytes], UnitState] = wire.decoder(UnitState)


class EdUnit:
    """The live state of one department (a `Decider`); changed in place, deterministic."""

    def __init__(self, unit: str, snapshot: bytes = b"") -> None:
        self.state = _load(snapshot) if snapshot else UnitState(unit=unit)
        for case in self.state.cases.values():
            notice.adopt(case)
        self.timers = Timers(self.state.cases.values(), self.state.ring)

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Takes the entries in, in their order, and proposes again after each that changed inputs.

        Never once for a batch: a replay may cut batches elsewhere and has to decide the same.
        """
        decisions = Decisions()
        for stamped in entries:
            entry = stamped.entry
            self.state.now = max(self.state.now, stamped.at)
            if isinstance(entry, wire.Tick):
                self._tick(decisions)
            elif isinstance(entry, wire.Kept):
                counts = self.state.counts
                counts[entry.code] = counts.get(entry.code, 0) + 1
                decisions.dirty.add(HEAD)
            elif isinstance(entry, wire.EdSettings):
                self._settings(entry, decisions)
            elif isinstance(entry, wire.Observed) and entry.bed == PROBE_BED:
                self.state.probe_at = entry.received_at
                decisions.dirty.add(HEAD)
            else:
                self._of_case(entry, decisions)
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The encoded cell of a case, or of the unit's head."""
        if name == HEAD:
            return wire.encode(head_of(self.state))
        case = self.state.cases.get(name)
        return wire.encode(cell_of(case)) if case else None

    def names(self) -> Sequence[str]:
        """The cases on the board, and the head."""
        return [HEAD, *self.state.cases]

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        return wire.encode(self.state)

    def _of_case(self, entry: wire.Entry, decisions: Decisions) -> None:
        """An entry about one case; what comes for one that has left the board is archived only."""
        name = getattr(entry, "case", "")
        if isinstance(entry, wire.CaseEntered):
            self.state.gone.pop(name, None)  # it comes back
        if not name or isinstance(entry, wire.Admission) or self._has_left(name):
            return
        if isinstance(entry, wire.CaseSeen):
            self._seen(entry, decisions)
            return
        case = self._case(name)
        touched = [case]
        if isinstance(entry, wire.Observed):
            touched = self._observed(case, entry, decisions)
        elif isinstance(entry, wire.CaseFacts):
            self._facts(case, entry, decisions)
        elif isinstance(entry, wire.CaseStep):
            self._step(case, entry)
        elif isinstance(entry, wire.EcgReceived):
            touched = [self._ecg(case, entry, decisions)]
        elif isinstance(entry, wire.CaseEntered):
            entering.enter(case, entry)
            self.state.merged |= dict.fromkeys(case.joined, case.case)
            self._propose(case, decisions)
        elif isinstance(entry, wire.CaseItem):
            touched = [self._item(case, entry, decisions)]
        elif isinstance(entry, wire.CaseMoved):
            touched = self._moved(case, entry, decisions)
        elif isinstance(entry, wire.Decided):
            self._decided(case, entry, decisions)
        elif isinstance(entry, wire.CaseNote):
            notes.take(case, entry)
        elif isinstance(entry, wire.PlaceGiven):
            notes.take_place(case, entry)
        elif isinstance(entry, wire.SheetSigned):
            case.signed = {"by": entry.by, "at": iso(entry.at), "version": entry.version}
        for each in touched:
            notes.open_pathways(each, self.state.now)
            self._changed(each, decisions)

    def _has_left(self, name: str) -> bool:
        """Whether a case, or the one it was found to be, has ended and left the board."""
        return self.state.merged.get(name, name) in self.state.gone

    def _case(self, case: str) -> CaseState:
        case = self.state.merged.get(case, case)
        known = self.state.cases.get(case)
        if known is None:
            known = self.state.cases[case] = CaseState(
                case=case, opened_at=self.state.now, noticed={}
            )
        known.changed_at = self.state.now
        return known

    def _home(self, case: CaseState, id_: str) -> CaseState:
        """The case that something belongs to now: it may have been moved before it came."""
        to = case.gone.get(id_, "") if id_ else ""
        return self._case(to) if to and not self._has_left(to) else case

    def _changed(self, case: CaseState, decisions: Decisions) -> None:
        """After every change of a case: its call, its next moment, its cell."""
        if calls.advance(self.state, case) and case.call is not None:
            call = case.call
            decisions.outputs.append(
                wire.Rang(
                    unit=self.state.unit,
                    case=case.case,
                    at=call.rang_at,
                    count=call.count,
                    level=call.level,
                    mode=case.mode,
                )
            )
            decisions.urgent = True
            decisions.dirty.add(HEAD)
        if calls.note_use(self.state, case):
            decisions.dirty.add(HEAD)
        self.timers.plan(case, self.state.ring)
        decisions.dirty.add(case.case)

    def _observed(
        self, case: CaseState, message: wire.Observed, decisions: Decisions
    ) -> list[CaseState]:
        homes = observing.take(case, message, self._home)
        for home in homes:
            self._propose(home, decisions)
        return homes

    def _facts(self, case: CaseState, entry: wire.CaseFacts, decisions: Decisions) -> None:
        if not case.facts:
            observing.became(case, entry.mode)
        case.facts = {**case.facts, **entry.facts}
        case.warnings = entry.warnings
        eta = case.facts.get("eta")
        case.eta = from_iso(eta) if isinstance(eta, str) else None
        site = self.state.site
        if travel.take(case, site, entry.received_at) and site is not None and site.arrives:
            self._arrive(case, self.state.now)
        self._propose(case, decisions)

    def _ecg(self, case: CaseState, entry: wire.EcgReceived, decisions: Decisions) -> CaseState:
        case = self._home(case, entry.ecg)
        if entry.ecg in case.gone:
            return case  # it was withdrawn
        before = findings_of(case.ecgs)
        case.ecgs = with_ecg(case.ecgs, entry)
        after = findings_of(case.ecgs)
        known = set(case.facts.get("ecg_findings") or ())
        said = (known - before if entry.stage == READ_AGAIN else known) | after
        if said != known:  # the machine's reading: a reason to propose, never a decision
            case.facts = {**case.facts, "ecg_findings": sorted(said)}
            self._propose(case, decisions)
        return case

    def _item(self, case: CaseState, entry: wire.CaseItem, decisions: Decisions) -> CaseState:
        """What was moved before is where it belongs now, and is taken back there."""
        withdrawn = entry.kind == "withdrawal"
        home = self._home(case, str(entry.said.get("of", "")) if withdrawn else entry.item)
        if add_item(home, entry) and withdrawn:
            self._propose(home, decisions)
        return home

    def _moved(
        self, source: CaseState, entry: wire.CaseMoved, decisions: Decisions
    ) -> list[CaseState]:
        """Items go to the case they belong to; without a list the whole case joins the other."""
        target = self._case(entry.to)
        if source is target:
            return [target]
        ids = set(entry.items) or everything(source)
        put_in(target, take_out(source, ids, target.case), source.case)
        if not entry.items:
            target.facts = facts_of_both(target.facts, source.facts)
            target.eta = target.eta if target.eta is not None else source.eta
            target.joined = (*target.joined, source.case, *source.joined)
            target.acknowledgements = (*target.acknowledgements, *source.acknowledgements)
            notes.join(target, source)
            merged = self.state.merged
            merged |= {old: target.case for old, new in merged.items() if new == source.case}
            merged[source.case] = target.case
            del self.state.cases[source.case]
            decisions.dirty.add(source.case)
        else:
            self._propose(source, decisions)
        self._propose(target, decisions)
        return [target] if not entry.items else [source, target]

    def _seen(self, entry: wire.CaseSeen, decisions: Decisions) -> None:
        case = self.state.cases.get(self.state.merged.get(entry.case, entry.case))
        if case is None or (case.seen is not None and from_iso(case.seen["upto"]) > entry.upto):
            return
        case.seen = {"by": entry.by, "at": iso(entry.at), "upto": iso(entry.upto)}
        decisions.dirty.add(case.case)

    def _step(self, case: CaseState, entry: wire.CaseStep) -> None:
        if entry.step == "acknowledgement":
            # Heard once is enough, until something new asks for it again.
            if notice.unheard(case) or entry.by not in (h["by"] for h in case.acknowledgements):
                heard = {"by": entry.by, "at": iso(entry.at)}
                case.acknowledgements = (*case.acknowledgements, heard)
            notice.take(case, entry.seen)
            return
        following = follows(entry.step, case.step)
        if following == ARRIVED:
            self._arrive(case, min(entry.at, self.state.now))
            if entry.step == "takeover" and not case.taken_over_at:
                case.taken_over_at, case.taken_over_by = entry.at, entry.by
                case.untaken = False
                notice.take(case)
        elif following in ENDS and following != case.step:
            case.ended_at, case.ended_for = self.state.now, entry.note
            case.places, case.untaken = (), False
            if entry.step == "reroute":
                entering.leave(case, entry)
        if entry.step in ("arrival", "takeover"):
            whose = "crew" if entry.by.startswith("device:") else "department"
            case.arrivals.setdefault(whose, iso(entry.at))
        case.step = following

    def _arrive(self, case: CaseState, at: int) -> None:
        """The patient is here: by crew, position or department, whoever says it first."""
        case.arrived_at = case.arrived_at or at
        case.step = follows("arrival", case.step)

    def _decided(self, case: CaseState, entry: wire.Decided, decisions: Decisions) -> None:
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
            notice.take(case, entry.seen)
            seen = codes_of(case.triage) if entry.seen is None else entry.seen
            case.known = tuple(sorted(seen))
            case.reopened_at, case.reopened_for = 0, ()
            self._reopen(case, decisions)  # for what came while it was being decided

    def _settings(self, entry: wire.EdSettings, decisions: Decisions) -> None:
        """Which reds ring from now on; what rings already is asked again."""
        if entry.version <= self.state.settings:
            return
        self.state.ring, self.state.settings = entry.ring, entry.version
        self.state.site = entry
        for case in self.state.cases.values():
            self._changed(case, decisions)
        decisions.dirty.add(HEAD)

    def _tick(self, decisions: Decisions) -> None:
        """What is due: a ring, the net, a case that leaves; it costs no more than what is due."""
        now, state = self.state.now, self.state
        for name in self.timers.due(now):
            case = state.cases.get(name)
            if case is None:
                continue
            if case.ended_at and case.ended_at + SHOWN_AFTER_END_US <= now:
                del state.cases[name]
                state.gone[name] = now
                decisions.dirty.add(name)
                continue
            if case.step == ARRIVED and not case.taken_over_at and not case.untaken:
                case.untaken = case.arrived_at + calls.NET_US <= now
                rang = case.call is not None and case.call.since + calls.NET_US <= now
                if case.untaken and rang:
                    notice.take(case)  # the net speaks instead of the call
            self._changed(case, decisions)
        self._forget(now)

    def _forget(self, now: int) -> None:
        """Cases that left the board long ago, and those that were found to be one of them."""
        state = self.state
        while state.gone and (oldest := next(iter(state.gone.items())))[1] + GONE_KEPT_US <= now:
            del state.gone[oldest[0]]
            for old in [old for old, new in state.merged.items() if new == oldest[0]]:
                del state.merged[old]

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
                    rules=EDITION,
                )
            )
        case.inputs, case.triage = inputs, result
        notice.follow(case, self.state.now)
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
