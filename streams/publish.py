"""Publish: one script that writes `out`, `board` and the position together, for the owner only.

Nothing that a script has done is rolled back, so it checks everything before its first write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hospital_ops import wire
from hospital_ops.errors import Fenced
from streams.lease import TTL_MS, Lease
from streams.pipe import Argument, Pipe, ReplyError
from streams.shard import START, Meta, keys

# KEYS lease out board; ARGV token ttl position rev, count of out entries, entries..., count of
# cells, name and value of each..., names of cells that end. Each publication renews the lease.
_PUBLISH = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED a newer owner has this shard')
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local at, last = 6, nil
for i = 1, tonumber(ARGV[5]) do
  last = redis.call('XADD', KEYS[2], '*', 'd', ARGV[at])
  at = at + 1
end
local cells = tonumber(ARGV[at])
at = at + 1
for i = 1, cells do
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
while at <= #ARGV do
  redis.call('HDEL', KEYS[3], ARGV[at])
  at = at + 1
end
redis.call('HSET', KEYS[3], '#position', ARGV[3], '#rev', ARGV[4])
if last then redis.call('HSET', KEYS[3], '#out', last) end
return last or ''
"""
_SNAPSHOT = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED a newer owner has this shard')
end
redis.call('HSET', KEYS[2], 'position', ARGV[2], 'state', ARGV[3])
return 1
"""
# KEYS lease in; ARGV token and entries: only the owner's time passes, and only what the owner hears
# is heard, even where memory is short.
_TELL = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED a newer owner has this shard')
end
for i = 2, #ARGV do redis.call('XADD', KEYS[2], '*', 'd', ARGV[i]) end
return #ARGV - 1
"""
# KEYS in; ARGV entry: a patient's state for another unit, where memory is short, too.
_PASS_ON = b"""#!lua flags=allow-oom
return redis.call('XADD', KEYS[1], '*', 'd', ARGV[1])
"""


@dataclass(slots=True)
class Board:
    """What stands on a unit's board in Redis: one consistent reading of the hash."""

    rev: int = 0
    out: str = START  # last entry of `out` that the cells contain
    position: str = START  # up to here the unit's stream has been published
    cells: dict[str, bytes] = field(default_factory=dict)


async def read_board(pipe: Pipe, shard: str) -> Board:
    """The board of `shard`, all fields of one moment."""
    flat = await pipe.call("HGETALL", keys(shard).board)
    fields = {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
    return Board(
        rev=int(fields.pop(Meta.REV, b"0")),
        out=fields.pop(Meta.OUT, START.encode()).decode(),
        position=fields.pop(Meta.POSITION, START.encode()).decode(),
        cells=fields,
    )


async def publish(
    pipe: Pipe,
    lease: Lease,
    *,
    position: str,
    rev: int,
    outputs: Sequence[wire.Entry],
    cells: Mapping[str, bytes],
    removed: Sequence[str] = (),
) -> None:
    """Writes outputs, cells and position in one step; Fenced when the lease is not ours."""
    k = keys(lease.shard)
    arguments: list[Argument] = [lease.token, TTL_MS, position, rev, len(outputs)]
    arguments += [wire.encode(entry) for entry in outputs]
    arguments.append(len(cells))
    for name, cell in cells.items():
        arguments += (name, cell)
    arguments += removed
    await _owned(pipe, "EVAL", _PUBLISH, 3, k.lease, k.out, k.board, *arguments)


async def save_snapshot(pipe: Pipe, lease: Lease, position: str, state: bytes) -> None:
    """Keeps the live state for a successor; Fenced when the lease is not ours."""
    k = keys(lease.shard)
    await _owned(pipe, "EVAL", _SNAPSHOT, 2, k.lease, k.state, lease.token, position, state)


async def tick(pipe: Pipe, lease: Lease, at: int, memory: float = 0.0) -> None:
    """Lets a second of the shard's own time pass; Fenced when the lease is not ours.

    `memory` is the share of the stream memory in use, 0 where it was not asked for.
    """
    await tell(pipe, lease, [wire.Tick(at, memory)])


async def tell(pipe: Pipe, lease: Lease, entries: Sequence[wire.Entry]) -> None:
    """What the owner itself has to say to its shard; Fenced when the lease is not ours."""
    k = keys(lease.shard)
    encoded = [wire.encode(entry) for entry in entries]
    await _owned(pipe, "EVAL", _TELL, 2, k.lease, k.incoming, lease.token, *encoded)


async def pass_on(pipe: Pipe, shard: str, entry: wire.Entry) -> None:
    """What one unit has for another; it may come twice, and its reader must bear that."""
    await pipe.call("EVAL", _PASS_ON, 1, keys(shard).incoming, wire.encode(entry))


async def snapshot_position(pipe: Pipe, shard: str) -> str:
    """Up to where a successor of the live reader need not read again."""
    position = await pipe.call("HGET", keys(shard).state, "position")
    return position.decode() if position else START


async def load_snapshot(pipe: Pipe, shard: str) -> tuple[str, bytes]:
    """Position and state of the last snapshot; the start and nothing where there is none."""
    position, state = await pipe.call("HMGET", keys(shard).state, "position", "state")
    return (position.decode(), state) if position else (START, b"")


async def _owned(pipe: Pipe, *command: Argument) -> None:
    try:
        await pipe.call(*command)
    except ReplyError as error:
        if str(error).startswith("FENCED"):
            raise Fenced(str(error)) from error
        raise
