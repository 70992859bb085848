"""A case of the state as the cell that a board shows."""

from __future__ import annotations

from hospital_ops.board import CaseCell, Head
from triage.state import CaseState, UnitState


def cell_of(case: CaseState) -> CaseCell:
    """The cell of a case."""
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
        version=case.decision.version if case.decision else case.decided_before,
        mode=case.mode,
        warnings=case.warnings,
        eta=case.eta,
        reopened_at=case.reopened_at,
        reopened_for=case.reopened_for,
        items=case.items,
        seen=case.seen,
        joined=case.joined,
        arrived_at=case.arrived_at,
        taken_over_at=case.taken_over_at,
        taken_over_by=case.taken_over_by,
        untaken=case.untaken,
        call=case.call,
        readiness=case.readiness,
        places=case.places,
        messages=case.messages,
        view=case.view,
        findings=case.findings,
        signed=case.signed,
        ended_for=case.ended_for,
        rerouted=case.rerouted,
        arrivals=case.arrivals,
        eta_range=case.eta_range,
        not_shown=case.not_shown,
        gone=tuple(case.gone),
    )


def head_of(state: UnitState) -> Head:
    """The head of the unit."""
    return Head(
        unit=state.unit,
        probe_at=state.probe_at,
        counts=dict(state.counts),
        ring=state.ring,
        calls=tuple((call.at, call.used) for call in state.calls),
        settings=state.settings,
    )
