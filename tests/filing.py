"""How the archive files entries: rows with what late ADT filed anew, as its views do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hospital_ops import refiling, wire
from hospital_ops.clock import from_datetime
from hospital_ops.deciding import Stamped
from hospital_ops.refiling import Refiled
from streams.columns import COLUMNS
from streams.rows import DOUBTED, ELSEWHERE, Batch, Taken


class FiledRow(NamedTuple):
    """A stored value: of which device and moment, and whose it is in the end."""

    device: str
    at: int
    event: str
    patient: str  # empty: nobody's
    stored: str  # as it came


def filed(unit: str, entries: Iterable[Stamped]) -> list[FiledRow]:
    """The rows of the entries in their order."""
    stored_at = datetime(2026, 1, 1, tzinfo=UTC)
    batch = Batch(stored_at, {})
    for number, stamped in enumerate(entries):
        entry, name = stamped.entry, f"{stamped.at // 1000}-{number}"
        batch.take(Taken(unit, "in", name, wire.encode(entry), b"x", entry))
    by_place: dict[str, list[Refiled]] = {}
    for row in named("refiling", batch.rows["refiling"]):
        if not row["proposed"]:
            span = Refiled(
                from_datetime(row["from_at"]), from_datetime(row["to_at"]),
                row["patient_id"] or "", tuple(row["numbers"]), row["mode"], tuple(row["was"]),
            )  # fmt: skip
            by_place.setdefault(row["place"], []).append(span)
    rows = []
    values = (row for rows in batch.values for row in rows.plain(stored_at))
    for row in named("measurement", values):
        at, stored = from_datetime(row["determined_at"]), row["patient_id"] or ""
        patient = refiling.whose(
            by_place.get(row["place"], ()), at, stored, row["named"] or "", row["mode"],
            elsewhere=any(why in row["remark"] for why in (ELSEWHERE, DOUBTED)),
        )  # fmt: skip
        rows.append(FiledRow(row["device"], at, str(row["event_id"]), patient, stored))
    return rows


def named(table: str, rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of a table by the names of its columns."""
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
