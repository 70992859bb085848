"""Whose ECG it is, as far as its reading differs by it: the crew's words about age and sex.

They are kept beside the stream, where the intake finds them without PostgreSQL and before any
board shows them. An ECG that was read before they were known is read again when they come.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.ecg.computer import ABOUT, about, found, read_by_computer
from hospital_ops.ecg.files.packing import recorded
from streams.pipe import Pipe

FUTURE_US: Final = 60 * SECOND  # SAFETY rule 6
OLD_US: Final = 86_400 * SECOND
KEPT_S: Final = 48 * 3600  # as long as the copy of an ECG beside the stream
READ_AGAIN: Final = "reread"  # the stage of an entry that changes a reading and nothing else


async def learn(pipe: Pipe, hospital: str, case: str, facts: Mapping[str, Any]) -> None:
    """Keeps what is newly said of age and sex."""
    said = [part for name in ABOUT if name in facts for part in (name, wire.to_json(facts[name]))]
    if said:
        await pipe.call("HSET", _key(hospital, case), *said)
        await pipe.call("EXPIRE", _key(hospital, case), KEPT_S)


async def known(pipe: Pipe, hospital: str, case: str) -> dict[str, Any]:
    """What has been said of age and sex so far."""
    flat = await pipe.call("HGETALL", _key(hospital, case))
    told = zip(flat[::2], flat[1::2], strict=True)
    return about({name.decode(): wire.from_json(said) for name, said in told})


async def read_again(
    ecg: wire.EcgReceived, principal: Principal, facts: Mapping[str, Any], now_us: int
) -> wire.EcgReceived | None:
    """The whole ECG with its reading for these facts; None where it was read for them already."""
    if ecg.stage != "stored" or ecg.reading.get("read_for", {}) == about(facts):
        return None
    curves = recorded(ecg.leads, ecg.rate_hz, ecg.reading.get("low_cut_hz"))
    said = await asyncio.to_thread(read_by_computer, curves, facts)
    what = f"{ecg.case}\x1f{ecg.ecg}\x1f{wire.to_json(said['read_for']).decode()}\x1f{now_us}"
    return wire.replaced(
        ecg,
        source=principal.actor,
        identity=hashlib.sha256(what.encode()).digest(),
        received_at=now_us,
        stage=READ_AGAIN,
        findings=found(said),
        reading=said,
    )


def taken_at(started_at: datetime | None, received_at: int) -> tuple[int, tuple[str, ...]]:
    """When it was taken; a time without a zone, or none, is nobody's: the receipt counts."""
    if started_at is None or started_at.tzinfo is None:
        return received_at, ("the file names no time with a zone: the time of receipt is shown",)
    at = from_datetime(started_at)
    if at > received_at + FUTURE_US:
        return received_at, ("the recorder's clock is ahead: the time of receipt is shown",)
    if at < received_at - OLD_US:
        return at, ("taken more than a day ago: is this the right file?",)
    return at, ()


def _key(hospital: str, case: str) -> str:
    return f"{hospital}:ecg-about:{case}"
