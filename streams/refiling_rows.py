"""The rows of what a late ADT files anew (`hospital_ops/refiling.py`). Pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from hospital_ops import refiling, wire
from hospital_ops.bindings import History
from hospital_ops.clock import SECOND, to_datetime
from streams.chart_rows import LATE_US
from streams.shard import hospital_of

NOW_US: Final = 60 * SECOND  # what is told within this is told in time, and no entry of the audit


class Made(NamedTuple):
    """A row of `refiling`, the hours of trends that it changes, what the audit is told."""

    row: tuple[Any, ...]
    hours: set[tuple[str, str, int]]
    said: tuple[wire.Audited, ...]


def of(
    shard: str, entry_id: str, event: wire.Admission, bed: str, before: History, after: History
) -> list[Made]:
    """What the change of a bed's history by an ADT event files anew."""
    made, told_at = [], event.received_at
    for span in refiling.changed(before, after, told_at):
        proposed = refiling.is_proposed(span, told_at, event.trigger)
        name = uuid5(NAMESPACE_OID, f"refiling {shard} {entry_id} {bed} {span.from_at}")
        row = (
            name, hospital_of(shard), shard, bed, to_datetime(span.from_at),
            to_datetime(span.to_at), span.patient_id or None, list(span.numbers), span.mode,
            [who for who in span.was if who], event.trigger, event.source, to_datetime(told_at),
            proposed, entry_id,
        )  # fmt: skip
        hours = {(shard, bed, hour) for hour in refiling.hours(span) if told_at >= hour + LATE_US}
        said: tuple[wire.Audited, ...] = ()
        if span.from_at < told_at - NOW_US:
            act = "propose_refiling" if proposed else "refile_values"
            detail = f"{bed} {event.trigger} to {span.patient_id or 'nobody'}"
            said = (
                wire.Audited(
                    unit=shard, at=told_at, actor="system", role="system", action=act,
                    subject=str(name), detail=detail,
                ),
            )  # fmt: skip
        made.append(Made(row, set() if proposed else hours, said))
    return made
