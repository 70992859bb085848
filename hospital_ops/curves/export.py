"""The curves of a bed as a file for other programs: WFDB or EDF+, of one patient and one mode."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, iso, to_datetime
from hospital_ops.curves import store
from hospital_ops.curves.blocks import Curve, Piece
from hospital_ops.database import Database
from hospital_ops.ecg.files import edf_writing, wfdb_writing
from hospital_ops.ecg.files.traces import MOST_SAMPLES, Key, Trace, put_together
from hospital_ops.errors import MessageError, NotFound

Form = Literal["wfdb", "edf"]
BEFORE_US: Final = 10 * SECOND  # a piece that begins before the range may reach into it
NOTHING: Final = "No curve of this bed is stored for this time: ask for another."


class Exported(NamedTuple):
    """A file: what it is called (bed and time, never a person), its media type, its bytes."""

    name: str
    media: str
    data: bytes


async def export(
    database: Database, scope: Scope, bed: str, form: Form, start_us: int, end_us: int
) -> Exported:
    """All curves of a bed between two whole seconds, packed and loose ones alike.

    NotFound where nothing is stored; MessageError `several_patients`, `too_large`, `not_wfdb`,
    `not_edf`.
    """
    found = await gathered(database, scope, bed, start_us, end_us)
    return await asyncio.to_thread(written, found, bed, form, start_us, end_us)


async def gathered(
    database: Database, scope: Scope, bed: str, start_us: int, end_us: int
) -> list[tuple[Curve, Piece]]:
    """The stored pieces that reach into a range, packed and loose ones alike.

    MessageError `too_large` where they are more than one file may hold.
    """
    found: list[tuple[Curve, Piece]] = []
    held = 0
    async with database.transaction(scope) as connection:
        first = start_us - BEFORE_US
        for source in (
            store.pieces(connection, bed, None, first, end_us),
            store.loose(connection, bed, first, end_us),
        ):
            async for curve, piece in source:
                if _end(curve, piece) <= start_us:
                    continue
                held += len(piece.samples) // 2
                if held > 2 * MOST_SAMPLES:
                    raise MessageError(
                        "too_large", "more curves than one file may hold: ask for less time"
                    )
                found.append((curve, piece))
    return found


def written(
    found: Iterable[tuple[Curve, Piece]], bed: str, form: Form, start_us: int, end_us: int
) -> Exported:
    """The file of the pieces. Pure."""
    ordered = sorted(found, key=lambda each: each[1].started_at)
    patient, mode = _one(ordered)
    traces = laid(ordered, start_us, end_us)
    if not traces:
        raise NotFound(NOTHING)
    started = to_datetime(start_us)
    name = re.sub(r"[^A-Za-z0-9_]", "_", bed) + f"_{started:%Y%m%dT%H%M%SZ}"
    if form == "edf":
        return Exported(f"{name}.edf", "application/edf", edf_writing.write(traces, started, mode))
    comments = (f"patient {patient or 'none'}", f"mode {mode}", f"bed {bed}", "times UTC")
    files = wfdb_writing.write(traces, name, started, comments)
    return Exported(f"{name}.zip", "application/zip", _zipped(files))


def laid(found: Iterable[tuple[Curve, Piece]], start_us: int, end_us: int) -> list[Trace]:
    """The pieces on one time axis, a signal each. Pure."""
    return put_together(((_key(c), p.started_at, p.samples) for c, p in found), start_us, end_us)


def _one(ordered: list[tuple[Curve, Piece]]) -> tuple[str, str]:
    """The patient and the mode of all pieces; nobody's curves are mixed with somebody else's."""
    owner, until = None, 0
    for curve, piece in ordered:
        here = str(curve.patient_id or ""), curve.mode
        if owner is not None and here != owner:
            last = piece.started_at // SECOND * SECOND
            first = -(-max(until, piece.started_at) // SECOND) * SECOND
            raise MessageError(
                "several_patients",
                "the patient or the mode of the curves changes: end at "
                f"{iso(last)} or begin at {iso(first)}",
            )
        owner, until = here, max(until, _end(curve, piece))
    if owner is None:
        raise NotFound(NOTHING)
    return owner


def _key(curve: Curve) -> Key:
    return Key(
        curve.code,
        curve.channel,
        curve.device,
        curve.rate_hz,
        curve.scale,
        curve.value_offset,
        curve.physical_unit,
    )


def _end(curve: Curve, piece: Piece) -> int:
    return piece.started_at + round(len(piece.samples) / 2 * SECOND / curve.rate_hz)


def _zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()
