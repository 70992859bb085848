"""The named sources as the ways in have them, told in Redis: for the page of feeds, and for whoever
tries a message again. Each process tells its own every half minute; what nobody tells is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, NamedTuple

from hospital_ops import log, wire
from hospital_ops.clock import SECOND, Clock
from hospital_ops.hl7.understand import Source
from streams.pipe import Pipe, ReplyError
from streams.shard import hall

HL7: Final = "hl7"
CARE: Final = "care"
TELL_S: Final = 30.0
GONE_US: Final = 600 * SECOND

logger = log.get("sources")


class Named(NamedTuple):
    """A source, and by which way it is named: hl7 (MLLP) or care (HTTP)."""

    way: str
    source: Source


async def tell(pipe: Pipe, way: str, sources: Sequence[Source], now_us: int) -> None:
    """Says which sources this process lets in by `way`."""
    for source in sources:
        row = asdict(source) | {"at": now_us}
        key = _key(source.hospital)
        await pipe.call("HSET", key, f"{way}\x1f{source.name}", wire.to_json(row))


async def named(pipe: Pipe, hospital: str, now_us: int) -> list[Named]:
    """The sources of a hospital that some process lets in, by name."""
    flat = await pipe.call("HGETALL", _key(hospital))
    found = []
    for name, row in zip(flat[::2], flat[1::2], strict=True):
        known = wire.from_json(row)
        if known.pop("at") < now_us - GONE_US:
            await pipe.call("HDEL", _key(hospital), name)
            continue
        units = known["units"]
        known |= {
            "networks": tuple(known["networks"]),
            "units": None if units is None else tuple(units),
        }
        found.append(Named(name.decode().partition("\x1f")[0], Source(**known)))
    return sorted(found, key=lambda one: (one.source.name, one.way))


async def keep_telling(pipe: Pipe, way: str, sources: Sequence[Source], clock: Clock) -> None:
    """Tells them again and again; while Redis is away it is tried sooner."""
    while True:
        try:
            await tell(pipe, way, sources, clock.now_us())
            await asyncio.sleep(TELL_S)
        except (OSError, ReplyError) as error:
            logger.warning("not_told", error=type(error).__name__)
            await asyncio.sleep(1.0)


def _key(hospital: str) -> str:
    return f"{{{hall(hospital)}}}:sources"
