"""The registration desk: demo patients are admitted to their beds by ADT^A01.

The bytes depend on seed, bed and start time alone, so sending them again changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from hospital_ops.errors import NotStored
from hospital_ops.forward.backoff import BackOff
from simulators import messages, seeds
from simulators.clients import TRY_AGAIN, MllpClient, control_id_of
from simulators.courses import course_for, recordings_folder


def admissions(seed: int, beds: Iterable[str], started_at_us: int) -> list[tuple[str, str, bytes]]:
    """(bed, mrn, ADT^A01 bytes) for each bed, in the order given, events a millisecond apart.

    A bed's patient is the person of the course that its monitor plays with the same seed.
    """
    folder = recordings_folder()
    taken: set[str] = set()
    rows = []
    for index, bed in enumerate(beds):
        mrn = _number(seed, bed, taken)
        person = course_for(seed, bed, folder).person
        at_us = started_at_us + index * 1000
        control_id = f"ADT.{bed}.{started_at_us // 1000:x}.{seed}"
        raw = messages.admission(
            control_id, person, mrn, bed.rpartition("-")[0], bed, f"V{mrn}", at_us
        )
        rows.append((bed, mrn, raw))
    return rows


def _number(seed: int, bed: str, taken: set[str]) -> str:
    """A hospital number of nine digits that no other bed of this list has."""
    attempt = 0
    while (mrn := f"{seeds.number('mrn', seed, bed, attempt) % 10**9:09d}") in taken:
        attempt += 1
    taken.add(mrn)
    return mrn


async def send_all(
    host: str, port: int, raw_messages: Sequence[bytes], timeout_s: float = 60.0
) -> None:
    """Sends all messages on one connection, in order, each until it is acknowledged.

    NotStored when that is not done within `timeout_s`, or when one is refused for good.
    """
    client = MllpClient(host, port)
    back_off = BackOff(seeds.stream("admissions", len(raw_messages)))
    try:
        async with asyncio.timeout(timeout_s):
            for raw in raw_messages:
                await _send_until_stored(client, raw, back_off)
    except TimeoutError:
        raise NotStored(
            "the admissions were not acknowledged in time: check that the gateway runs, send again"
        ) from None
    finally:
        await client.close()


async def _send_until_stored(client: MllpClient, raw: bytes, back_off: BackOff) -> None:
    while True:
        with contextlib.suppress(*TRY_AGAIN):
            answer = await client.send(raw)
            if answer.refused:
                raise NotStored(f"admission {control_id_of(raw)} was refused: {answer.text}")
            if answer.stored:
                back_off.reset()
                return
        await asyncio.sleep(back_off.next_s())
