"""The values of a message at their bed: whose they are, what is shown, what they change. Pure."""

from __future__ import annotations

from hospital_ops import bindings, sender_clocks, wire
from icu import (
    admissions,
    device_limits,
    limits,
    probes,
    results,
    technical,
    tracking,
    values,
)
from icu.alarms import Turn
from icu.state import BedState


def take(turn: Turn, message: wire.Observed) -> tuple[list[str], bool]:
    """Puts the values of a message on their bed: which names changed, are figures due."""
    bed, first_receipt = turn.bed, values.first_receipt(turn.unit.timeless, message)
    changed: dict[str, None] = {}
    sender, clocks = sender_clocks.sender(message), sender_clocks.heard(bed.clocks, message)
    streams, figures = False, False
    judged, whose, same_stay = -1, bindings.Whose("", False), False
    # What a box has kept while its link was cut says nothing of who is heard now.
    kept = turn.now - message.received_at > values.FUTURE_US
    for observation in message.observations:
        at = observation.determined_at
        clock = clocks.at(at)
        at = first_receipt if at is None else at + clock.trusted
        if at != judged:  # the values of a message share their moment
            judged = at
            whose = sender_clocks.whose(clock, bed.history, at, message)
            same_stay = bindings.same_stay(bed.history, at, turn.now)
        at = judged  # one number for all of them: a bed remembers many
        if whose.claimed_other:
            admissions.claim(bed, message.mrn, at)
        name = observation.code if observation.mapped else values.name_of(bed, observation)
        outcome = "late"
        if observation.status and not whose.claimed_other:
            figures |= results.take_back(bed, observation, at, turn.now, message.sent_at)
        if same_stay and not results.is_taken_back(bed, observation, at, message.sent_at):
            outcome = values.take(bed, message, observation, name, at, sender)
            counts = outcome in ("shown", "late", "beside") or (
                outcome == "same" and observation.status
            )
            if counts and not whose.claimed_other:
                shown = bed.values[name] if outcome not in ("late", "beside") else None
                figures |= tracking.note(bed, observation, shown, at, turn.now)
        if outcome == "shown":
            changed[name] = None
        elif outcome not in ("same", "beside"):  # late, future or too_many
            turn.unit.count(outcome)
            if outcome == "late":
                limits.late(turn, observation, at, whose.patient_id)
        if observation.limits is not None:
            figures |= device_limits.take(bed, message, observation.code, observation.limits)
        if observation.origin == "monitor" and not kept:
            streams = True
            channel = probes.channel_of(observation.code, observation.channel)
            technical.heard(bed, channel, sender, turn.now, shown=outcome in ("shown", "same"))
    if streams:
        bed.heard_at = max(bed.heard_at, turn.now)
    if bed.probes:
        probes.choose(turn, changed)
    return list(changed), figures


def follow_mode(bed: BedState, mode: str) -> None:
    """A bed is as its messages say, but for one where a real patient lies: it stays real."""
    real = bool(bed.history) and bed.history[-1].mode == bindings.REAL
    bed.mode = bindings.REAL if real else mode
