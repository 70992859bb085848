"""Whether a Redis is fit to hold what was acknowledged; refusals in words."""

from __future__ import annotations

import asyncio

from hospital_ops import log
from hospital_ops.errors import ConfigurationError
from streams.pipe import ConnectionLost, Pipe, ReplyError

RETRY_S = 0.2

logger = log.get("check")

# setting: (what it has to be, what happens otherwise)
NEEDED = {
    "appendonly": ("yes", "nothing that is acknowledged would be on disk"),
    "appendfsync": ("always", "up to a second of acknowledged values would be lost in a crash"),
    "maxmemory-policy": ("noeviction", "values would be dropped silently when memory is short"),
}


async def check_server(url: str) -> list[str]:
    """Sentences that say why this Redis is not fit; none: it is.

    ConnectionLost when it is away or still reading its file.
    """
    pipe = Pipe(url)
    try:
        found = []
        for name, (wanted, danger) in NEEDED.items():
            flat = await pipe.call("CONFIG", "GET", name)
            value = flat[1].decode() if len(flat) > 1 else "unknown"
            if value != wanted:
                found.append(
                    f"Redis runs with {name}={value}: {danger}. Set {name} {wanted} and restart it."
                )
        return found
    except ReplyError as error:
        if str(error).startswith("LOADING"):
            raise ConnectionLost("Redis is reading its file") from error
        return [f"Redis does not tell its configuration ({error}): allow CONFIG GET to this user."]
    finally:
        await pipe.close()


async def wait_until_fit(url: str) -> None:
    """Waits for a Redis that is away, for a role that begins before it is back.

    Raises ConfigurationError with every sentence of `check_server`.
    """
    while True:
        try:
            complaints = await check_server(url)
            break
        except ConnectionLost as error:
            logger.warning("redis_away", error=str(error))
            await asyncio.sleep(RETRY_S)
    if complaints:
        raise ConfigurationError(" ".join(complaints))


async def refuse_unfit(url: str) -> None:
    """Raises ConfigurationError with every sentence of `check_server`."""
    try:
        complaints = await check_server(url)
    except ConnectionLost as error:
        raise ConfigurationError(
            f"Redis cannot be reached ({error}). Start it, or correct HOSPITAL_OPS_REDIS_URL."
        ) from error
    if complaints:
        raise ConfigurationError(" ".join(complaints))
