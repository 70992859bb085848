"""Forms that are sent twice: a reload, a second press. What is there already is not stored again.

It works without PostgreSQL, as what the form brings does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from streams.pipe import ConnectionLost, Pipe, ReplyError

KEPT_S = 900  # a page is reloaded within minutes; who charts the same later means it anew


async def first_at(pipe: Pipe, form: str, fields: Mapping[str, str], now_us: int) -> int:
    """The moment at which the same fields of the same form came first: now, if never before."""
    said = "\x1f".join(f"{name}\x1e{value}" for name, value in sorted(fields.items()))
    digest = hashlib.sha256(f"{form}\x1d{said}".encode()).hexdigest()
    try:
        known = await pipe.call("SET", f"form:{digest}", str(now_us), "NX", "GET", "EX", KEPT_S)
    except (ConnectionLost, ReplyError):
        return now_us  # nothing can be stored either: the append says so
    return int(known) if known else now_us
