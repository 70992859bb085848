"""The outbox: what a command tells units, in the transaction that makes it true.

The relay appends the rows to the units' streams, in order (streams/relay.py).
"""

from __future__ import annotations

from hospital_ops import wire
from hospital_ops.database import Connection


async def put(connection: Connection, hospital: str, *told: tuple[str, wire.Entry]) -> None:
    """Entries for the shards that are to hear of them."""
    await connection.executemany(
        "insert into outbox (hospital_id, shard, entry) values ($1, $2, $3)",
        [(hospital, shard, wire.encode(entry)) for shard, entry in told],
    )
