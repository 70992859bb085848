"""The lease of a shard's live reader: one owner at a time, with an epoch that only rises."""

from __future__ import annotations

from dataclasses import dataclass

from hospital_ops.errors import Fenced
from streams.pipe import Pipe
from streams.shard import keys

TTL_MS = 2000  # with a renewal each half second, a successor goes on within 3 s

# A lease is needed most when memory is short: allow-oom.
_ACQUIRE = b"""#!lua flags=allow-oom
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[1] + 1) ~= ARGV[1] .. ':' then return 0 end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. epoch, 'PX', ARGV[2])
return epoch
"""
_RENEW = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
_BEGIN = b"""#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('HGET', KEYS[2], 'trying') ~= ARGV[3] then
  redis.call('HSET', KEYS[2], 'trying', ARGV[3], 'tries', 0)
end
return redis.call('HINCRBY', KEYS[2], 'tries', 1)
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to publish for one shard, until somebody holds a higher epoch."""

    shard: str
    owner: str
    epoch: int

    @property
    def token(self) -> str:
        """What stands in Redis while the lease is ours."""
        return f"{self.owner}:{self.epoch}"


async def acquire(pipe: Pipe, shard: str, owner: str) -> Lease | None:
    """The lease with a new epoch, or None while somebody else holds it.

    What `owner` held before (it lost sight of Redis) it takes again at once, under a new epoch.
    """
    k = keys(shard)
    epoch = await pipe.call("EVAL", _ACQUIRE, 2, k.lease, k.epoch, owner, TTL_MS)
    return Lease(shard, owner, epoch) if epoch else None


async def renew(pipe: Pipe, lease: Lease) -> bool:
    """True while the lease is still ours."""
    key = keys(lease.shard).lease
    return bool(await pipe.call("EVAL", _RENEW, 1, key, lease.token, TTL_MS))


async def begin(pipe: Pipe, lease: Lease, entry_id: str) -> int:
    """How many owners have begun this entry and not ended it, with us; renews. Fenced if lost."""
    k = keys(lease.shard)
    arguments = (lease.token, TTL_MS, entry_id)
    tries = await pipe.call("EVAL", _BEGIN, 2, k.lease, k.state, *arguments)
    if not tries:
        raise Fenced("the lease has passed on")
    return int(tries)


async def ended(pipe: Pipe, lease: Lease) -> None:
    """The entry that was begun has been decided."""
    await pipe.call("HDEL", keys(lease.shard).state, "trying", "tries")


async def release(pipe: Pipe, lease: Lease) -> None:
    """Gives the lease back, so that a successor need not wait for its end."""
    await pipe.call("EVAL", _RELEASE, 1, keys(lease.shard).lease, lease.token)
