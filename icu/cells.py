"""What a board is told of a bed."""

from __future__ import annotations

from hospital_ops import bindings, wire
from hospital_ops.board import INDICATORS, AlarmCell, BedCell, Head, SupportCell
from icu import arrivals, clocks, kin, probes, sameness, tracking
from icu.alarms import Turn, merging
from icu.calls import next_step
from icu.quiet import silent_until
from icu.rules import PRIORITIES
from icu.silencing import documented
from icu.state import BedState, UnitState
from icu.stories import stories


def head_cell(unit: UnitState, ecg_analysis: bool) -> Head:
    """The cell of the unit itself; `ecg_analysis`: whether its live ECG is looked at."""
    return Head(
        unit=unit.unit,
        probe_at=unit.probe_at,
        counts=dict(unit.counts),
        alarms=alarm_cells(unit, unit.house),
        coming=arrivals.shown(unit),
        ecg_analysis=ecg_analysis,
        refilings=sum(one.refilings for one in unit.waits.values()),
    )


class Figures:
    """What of a unit's beds changes seldom, encoded once: indicators, limits of the devices."""

    def __init__(self) -> None:
        self.cells: dict[str, bytes] = {}  # by the name of the cell
        self._trends: dict[str, dict[str, str]] = {}  # by bed
        self._news: set[str] = set()

    def find(self, bed: BedState, now: int) -> None:
        """Finds those of a bed anew."""
        found, name = tracking.found(bed, now), bed.bed + INDICATORS
        self._trends[bed.bed] = found.trends
        cell = BedCell(
            name, bed.label, None, {}, indicators=found.figures, mode=bed.mode,
            device_limits=dict(bed.device_limits),
        )  # fmt: skip
        self.cells[name] = wire.encode(cell)
        self._news.add(name)

    def trends(self, bed: str) -> dict[str, str]:
        """Which values of a bed move."""
        return self._trends.get(bed, {})

    def news(self) -> set[str]:
        """The cells that were made since this was asked last."""
        if not self._news:
            return self._news
        news, self._news = self._news, set()
        return news


def bed_cell(unit: UnitState, bed: BedState, now: int, trends: dict[str, str]) -> BedCell:
    """The cell of a bed at a moment, without its indicators."""
    binding = bed.history[-1] if bed.history else None
    patient = bed.people.get(binding.patient_id) if binding else None
    flags = []
    if patient is None and bed.values:
        flags.append("patient_not_confirmed")
    if patient is not None and bed.claimed_other_at and binding:
        flags.append("check_patient")
        if bed.claimed_other in sameness.REASONS:
            flags.append(sameness.REASONS[bed.claimed_other])
    if bed.displaced:
        flags.append("displaced")
    flags += bed.quiets
    flags += [flag for flag in (patient.agreed if patient else ()) if flag not in flags]
    if patient is not None:
        flags += [f"isolation_{kind}" for kind in patient.isolation]
        flags += ["allergy"] if patient.allergy else []
    if clocks.is_off(bed, now):
        flags.append("clock_offset")
    flags += [probes.FLAG] * bool(bed.probes)
    waits = unit.waits.get(bed.bed)
    if waits is not None:
        flags += ["refiling_proposed"] * bool(waits.refilings)
        flags += ["record_left_behind"] * bool(waits.left_behind)
    return BedCell(
        bed=bed.bed,
        label=bed.label,
        patient=patient,
        values=dict(bed.values),
        alarms=alarm_cells(unit, bed),
        orders=dict(bed.order_counts),
        next_order=bed.next_order,
        flags=tuple(flags),
        mode=bed.mode,
        device=bed.device,
        aged_at=bed.aged_at,
        quiets=tuple(bed.quiets.values()),
        trends=trends,
        support=_support(Turn(unit, bed, now)),
        refilings=waits.refilings if waits else 0,
        kin=kin.cells(unit, binding.patient_id) if binding and unit.kin else (),
        lies_since=bindings.since(bed.history),
    )


def _support(turn: Turn) -> SupportCell | None:
    said, held = turn.bed.support, documented(turn)
    return SupportCell(said.words, said.by, said.at) if said and held is not None else None


def alarm_cells(unit: UnitState, bed: BedState) -> tuple[AlarmCell, ...]:
    """The alarms as a board shows them: high before medium before low, then newest first."""
    merged = merging(bed)
    together = stories(bed, merged)
    order = sorted(
        bed.alarms.values(),
        key=lambda alarm: (PRIORITIES.index(alarm.priority), -alarm.since, alarm.id),
    )
    return tuple(
        AlarmCell(
            id=alarm.id,
            priority=alarm.priority,
            code=alarm.code,
            text=alarm.text,
            state=alarm.state,
            since=alarm.since,
            about=alarm.about,
            value=alarm.value,
            limit=alarm.limit,
            unit=alarm.unit,
            sign=alarm.sign,
            paused_until=max(alarm.paused_until, silent_until(bed, alarm)),
            burst_at=alarm.burst_at,
            reminded_at=alarm.reminded_at,
            merged_into=merged.get(alarm.id, ""),
            device=alarm.device,
            acknowledged_at=alarm.acknowledged_at,
            acknowledged_by=alarm.acknowledged_by,
            painted_at=alarm.painted_at,
            verdict=alarm.verdict,
            called=alarm.called,
            next_posts=step.posts if step else (),
            next_at=alarm.rang_at + step.after_us if step else 0,
            story=together.get(alarm.id, ""),
            limit_by=alarm.limit_by,
            delay_s=alarm.delay_s,
        )
        for alarm in order
        for step in (next_step(unit, bed, alarm, merged),)
    )
