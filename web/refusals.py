"""Requests that were refused before a route saw them, counted by who sent them.

Their bytes are not kept: they are larger than anything that could be of use, or never came.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

from hospital_ops import log
from hospital_ops.errors import NotStored
from streams.pipe import ReplyError
from web.auth import identify, web_of

logger = log.get("web")


async def note(connection: HTTPConnection, code: str) -> None:
    """Counts one refusal under the sender's name; whoever showed no token is a stranger."""
    try:
        principal = await identify(connection)
        hospital = principal.hospital if principal else ""
        source = principal.actor if principal else "stranger"
        await web_of(connection).projections.count_refusal(hospital, source, code)
    except (NotStored, OSError, ReplyError):
        return  # the answer does not wait for the count
    logger.warning("refused", source=source, code=code)
