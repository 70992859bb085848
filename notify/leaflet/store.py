"""The leaflet that a relative takes home: what the messages are, and an address that ends them.

The address holds a token of 128 bits and names nobody; only its hash is kept, and the newest
leaflet's alone is good.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection
from hospital_ops.errors import NotFound
from notify.contacts import store as contacts

_BYTES: Final = 16


async def issue(connection: Connection, by: Scope, contact: str, now: int) -> str:
    """A new token for the relative's leaflet; the one before is void. Raises NotFound."""
    token = secrets.token_urlsafe(_BYTES)
    unit = await connection.fetchval(
        "update contact set stop_hash = $2 where contact = $1 and withdrawn_at is null"
        " returning unit",
        contact,
        _digest(token),
    )
    if unit is None:
        raise NotFound("There is no such contact, or it was withdrawn.")
    await audit.append(connection, str(unit), by, "print_leaflet", contact, "", now)
    return token


async def knows(connection: Connection, token: str) -> bool:
    """Whether this token would still end messages."""
    found = await connection.fetchval(
        "select true from contact where stop_hash = $1 and withdrawn_at is null", _digest(token)
    )
    return bool(found)


async def stop(connection: Connection, by: Scope, token: str, now: int) -> bool:
    """Ends the messages to whoever holds the leaflet; False where the token is not good."""
    row = await connection.fetchrow(
        "update contact set stop_hash = null where stop_hash = $1 and withdrawn_at is null"
        " returning contact, unit",
        _digest(token),
    )
    if row is None:
        return False
    await contacts.withdraw(connection, by, str(row["contact"]), "stop_link", now)
    await contacts.note_inbound(
        connection, by, str(row["contact"]), str(row["unit"]), "stop", "", to_datetime(now)
    )
    return True


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
