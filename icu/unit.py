"""The decisions of an intensive care unit: entries in, cells and alarms out, without a clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hospital_ops import wire
from hospital_ops.board import HEAD, PatientCell
from hospital_ops.deciding import PROBE_BED, Decisions, Stamped
from icu import (
    admissions,
    alarms,
    arrivals,
    bedside_orders,
    calls,
    carrying,
    chart,
    device_limits,
    devices,
    house,
    limits,
    moves,
    observed,
    painting,
    quiet,
    rhythm,
    sameness,
    silencing,
    site_limits,
    technical,
    tracking,
    values,
)
from icu.alarms import Turn
from icu.cells import Figures, bed_cell, head_cell
from icu.state import BedState, UnitState

_load: Callable[[bytes], UnitState] = wire.decoder(UnitState)


class IcuUnit:
    """The live state of one unit (a `Decider`); changed in place, deterministic by its entries."""

    def __init__(self, unit: str, hospital: str, snapshot: bytes = b"") -> None:
        self.state = _load(snapshot) if snapshot else UnitState(unit=unit, hospital=hospital)
        self._figures, self.ecg_analysis = Figures(), True  # whether the live ECG is looked at
        for bed in self.state.beds.values():
            self._figures.find(bed, bed.record.found_at)
            alarms.understood(bed)

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Takes the entries in, in their order."""
        decisions = Decisions()
        for stamped in entries:
            entry = stamped.entry
            self.state.now = max(self.state.now, stamped.at)
            if (for_another := carrying.follow(self.state, entry)) is not None:
                decisions.elsewhere.append(for_another)
                continue
            if isinstance(entry, wire.Observed):
                self._observed(entry, decisions)
            elif isinstance(entry, wire.Tick):
                self._tick(entry, decisions)
            elif isinstance(entry, wire.Admission):
                for part in admissions.parts(self.state, entry):
                    self._moved(moves.take(self.state, self._bed, part), decisions)
            elif isinstance(entry, wire.StayEntered):
                self._moved(moves.entered(self.state, self._bed, entry), decisions)
            elif isinstance(entry, arrivals.ABOUT_PEOPLE):
                decisions.dirty.update(arrivals.told(self.state, entry))
            elif isinstance(entry, wire.DeviceAlert):
                self._device_alert(entry, decisions)
            elif isinstance(entry, wire.Rhythm | wire.BeatShape):
                self._rhythm(entry, decisions)
            elif isinstance(entry, wire.AlarmAct):
                self._act(entry, decisions)
            elif isinstance(entry, wire.BedAct):
                self._bed_act(entry, decisions)
            elif isinstance(entry, wire.Painted):
                self._painted(entry, decisions)
            elif isinstance(entry, wire.OnDuty):
                self._on_duty(entry, decisions)
            elif isinstance(entry, wire.AlarmSite):
                if self.state.site is None or entry.version > self.state.site.version:
                    self.state.site = entry
            elif isinstance(entry, wire.LimitSet):
                self._limit_set(entry, decisions)
            elif isinstance(entry, wire.SilencingSet):
                self._silencing(entry, decisions)
            elif isinstance(entry, wire.OrderChanged):
                self._order(entry, decisions)
            elif isinstance(entry, wire.BedWaits):
                self._waits(entry, decisions)
            elif isinstance(entry, wire.Corrected):
                self._corrected(entry, decisions)
            elif isinstance(entry, wire.Kept):
                self.state.count(entry.code)
                decisions.dirty.add(HEAD)
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The encoded cell of a bed, or of the unit's head."""
        if name == HEAD:
            return wire.encode(head_cell(self.state, self.ecg_analysis))
        bed = self.state.beds.get(name)
        if bed is None:
            return self._figures.cells.get(name)
        return wire.encode(bed_cell(self.state, bed, self.state.now, self._figures.trends(name)))

    def names(self) -> Sequence[str]:
        """The head, the beds that have ever been heard of, and their indicators."""
        return [HEAD, *self.state.beds, *self._figures.cells]

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        return wire.encode(self.state)

    def _bed(self, bed: str) -> BedState:
        known = self.state.beds.get(bed)
        if known is None:
            label = bed.rpartition("-")[2].lstrip("0") or bed
            known = self.state.beds[bed] = BedState(bed=bed, label=label)
        return known

    def _observed(self, message: wire.Observed, decisions: Decisions) -> None:
        if message.bed == PROBE_BED:
            self.state.probe_at = message.received_at
            decisions.dirty.add(HEAD)
            return
        if not message.bed:
            return
        bed = self._bed(message.bed)
        observed.follow_mode(bed, message.mode)
        if message.device != wire.CHART:
            bed.device = message.device or message.source
        turn = self._turn(bed)
        if bed.next_change and bed.next_change <= turn.now:
            self._pass_time(turn)
        changed, figures = observed.take(turn, message)
        quiet.heard(turn, message, changed)
        if changed:
            limits.judge(turn, changed)
        if figures:
            self._find(bed)
        # Also where all came late: a wrong clock is seen by just that.
        technical.reconcile(turn)
        if changed or turn.events or figures:
            self._done(turn, decisions)

    def _find(self, bed: BedState) -> None:
        self._figures.find(bed, self.state.now)

    def _turn(self, bed: BedState) -> Turn:
        return Turn(self.state, bed, self.state.now)

    def _pass_time(self, turn: Turn) -> None:
        """What is due at a bed by time alone."""
        quiet.pass_time(turn)
        silencing.pass_time(turn)
        if tracking.pass_time(turn.bed, turn.now):
            self._find(turn.bed)
        alarms.pass_time(turn)
        limits.pass_time(turn)
        if turn.now >= turn.bed.reconciled_at + limits.RECONCILE_US and limits.reconcile(turn):
            self.state.count("reconciled")
        technical.reconcile(turn)

    def _done(self, turn: Turn, decisions: Decisions) -> None:
        """Tells what a turn came to, and when the bed is to be looked at next."""
        bed, now = turn.bed, turn.now
        calls.follow(turn)
        moments = (
            values.next_change(bed, now),
            alarms.next_moment(bed, now),
            limits.next_moment(turn),
            technical.next_moment(bed, now),
            rhythm.next_moment(bed, now),
            quiet.next_moment(bed, now),
            silencing.next_moment(bed, now),
            tracking.next_moment(bed),
            calls.next_moment(turn),
        )
        bed.next_change = min((moment for moment in moments if moment), default=0)
        decisions.outputs += turn.events
        decisions.urgent |= turn.red
        decisions.dirty.add(bed.bed)
        decisions.dirty |= self._figures.news()

    def _corrected(self, entry: wire.Corrected, decisions: Decisions) -> None:
        if (bed := chart.take(self.state, entry)) is not None:
            self._find(bed)
            self._done(self._turn(bed), decisions)

    def _device_alert(self, message: wire.DeviceAlert, decisions: Decisions) -> None:
        if message.bed:
            turn = self._turn(self._bed(message.bed))
            observed.follow_mode(turn.bed, message.mode)
            if device_limits.take(turn.bed, message, message.about, message.limits):
                self._find(turn.bed)
            devices.take(turn, message)
            quiet.heard(turn, message, ())
            self._done(turn, decisions)

    def _rhythm(self, found: wire.Rhythm | wire.BeatShape, decisions: Decisions) -> None:
        """What our own analysis of a bed's ECG came to."""
        turn = self._turn(self._bed(found.bed))
        observed.follow_mode(turn.bed, found.mode)
        if isinstance(found, wire.BeatShape):
            sameness.look(turn.bed, found)
        else:
            rhythm.take(turn, found)
            quiet.beats_seen(turn)
        technical.reconcile(turn)
        self._done(turn, decisions)

    def _act(self, act: wire.AlarmAct, decisions: Decisions) -> None:
        """An acknowledgement or a pause; the patient may have moved on to another bed."""
        beds = self.state.beds
        for bed in (beds[act.bed], *beds.values()) if act.bed in beds else beds.values():
            alarm = alarms.by_id(bed, act.alarm)
            if alarm is None or (act.passed_on and act.at <= alarm.rang_at):
                continue  # what comes after a patient, late or twice, is of an earlier burst
            turn = self._turn(bed)
            calls.read(turn, alarm, act.by)
            if act.act == "acknowledge" and act.seen and act.seen < alarm.burst_at:
                self.state.count("acknowledged_before_it_rang_anew")  # nobody has seen this burst
            elif act.act == "acknowledge":
                alarms.acknowledge(turn, alarm, act.by)
            elif act.act == "pause":
                alarms.pause(turn, alarm, act.at, act.seconds)
            technical.reconcile(turn)
            self._done(turn, decisions)
            return
        self.state.count("act_on_ended_alarm")
        decisions.dirty.add(HEAD)

    def _bed_act(self, act: wire.BedAct, decisions: Decisions) -> None:
        turn = self._turn(self._bed(act.bed))
        if not quiet.is_for(turn, act):
            self.state.count("act_on_other_patient")
            decisions.dirty.add(HEAD)
            return
        quiet.take(turn, act)
        technical.reconcile(turn)
        self._done(turn, decisions)

    def _painted(self, entry: wire.Painted, decisions: Decisions) -> None:
        for bed in self.state.beds.values():
            if bed.alarms and painting.take(bed, entry.alarms, self.state.now):
                turn = self._turn(bed)
                technical.reconcile(turn)
                self._done(turn, decisions)

    def _on_duty(self, entry: wire.OnDuty, decisions: Decisions) -> None:
        if not calls.taken(self.state.duty, entry):
            return
        for bed in self.state.beds.values():
            if bed.alarms:
                self._done(self._turn(bed), decisions)

    def _limit_set(self, entry: wire.LimitSet, decisions: Decisions) -> None:
        """A site has set a limit: what rings and waits is held against it where it holds."""
        beds = [self._turn(bed) for bed in self.state.beds.values()]
        if not site_limits.taken(self.state.limits, entry, {turn.patient_id for turn in beds}):
            return
        for turn in beds:
            if entry.patient_id in ("", turn.patient_id):
                limits.reconcile(turn)
                self._done(turn, decisions)

    def _silencing(self, entry: wire.SilencingSet, decisions: Decisions) -> None:
        """Silencing was enabled for a rule, or taken back: then every note of it rings."""
        if silencing.taken(self.state.silencing, entry):
            for turn in [self._turn(bed) for bed in self.state.beds.values() if bed.noted]:
                silencing.reconsider(turn)
                technical.reconcile(turn)
                self._done(turn, decisions)

    def _waits(self, entry: wire.BedWaits, decisions: Decisions) -> None:
        """What waits at a bed for somebody: shown, and nothing changes by it."""
        known = self.state.waits.get(entry.bed)
        if known is None or entry.at > known.at:
            self.state.waits[entry.bed] = entry
            turn = self._turn(self._bed(entry.bed))
            decisions.dirty.add(HEAD)
            technical.reconcile(turn)
            self._done(turn, decisions)

    def _order(self, entry: wire.OrderChanged, decisions: Decisions) -> None:
        bed = self._bed(self._where(entry.patient_id) or entry.bed)
        bed.orders = bedside_orders.taken(bed.orders, entry)
        self._count_orders(bed, decisions)

    def _where(self, patient_id: str) -> str:
        """The bed in which a patient lies; an order goes along to another one."""
        beds = (bed for bed in self.state.beds.values() if bed.history)
        return next((b.bed for b in beds if b.history[-1].patient_id == patient_id), "")

    def _count_orders(self, bed: BedState, decisions: Decisions) -> None:
        now = self.state.now
        theirs = list(bed.orders.values())
        if bed.history:
            theirs = bedside_orders.of_patient(theirs, bed.history[-1].patient_id)
        bed.order_counts = bedside_orders.counts(theirs, now)
        bed.next_order = bedside_orders.next_due(theirs)
        bed.order_change = bedside_orders.next_change(theirs, now)
        for order, step in bedside_orders.newly_escalated(theirs, now):
            said = wire.Audited(
                unit=self.state.unit, at=now, actor="system", role="system",
                action="order_escalated", subject=order.order,
                detail=f"step {step}: {bedside_orders.TARGETS[step - 1]}",
            )  # fmt: skip
            decisions.outputs.append(said)
        decisions.dirty.add(bed.bed)

    def _tick(self, tick: wire.Tick, decisions: Decisions) -> None:
        now = self.state.now
        self.state.memory = tick.memory or self.state.memory
        house_turn = self._turn(self.state.house)
        if house.reconcile(house_turn):
            decisions.outputs += house_turn.events
            decisions.urgent |= house_turn.red
            decisions.dirty.add(HEAD)
        for bed in self.state.beds.values():
            if bed.order_change and bed.order_change <= now:
                self._count_orders(bed, decisions)
            if bed.next_change and bed.next_change <= now:
                turn = self._turn(bed)
                self._pass_time(turn)
                bed.aged_at = now
                self._done(turn, decisions)

    def _moved(self, found: moves.Moved, decisions: Decisions) -> None:
        """What an admission, a move or an end of a stay came to."""
        decisions.dirty |= found.dirty
        decisions.elsewhere += found.elsewhere
        for turn in found.turns.values():
            self._anew(turn, decisions)
            self._count_orders(turn.bed, decisions)
        if found.person is not None:
            self._known_better(found.person, set(found.turns), decisions)

    def _known_better(self, person: PatientCell, done: set[str], decisions: Decisions) -> None:
        """What an ADT event says about somebody who lies here; an age changes the limits."""
        for bed in self.state.beds.values():
            known = bed.people.get(person.patient_id)
            if known is None or bed.bed in done:
                continue
            if person != known:
                bed.people[person.patient_id] = person
                self._anew(self._turn(bed), decisions)

    def _anew(self, turn: Turn, decisions: Decisions) -> None:
        self._find(turn.bed)
        limits.judge_all(turn)
        technical.reconcile(turn)
        self._done(turn, decisions)
