"""A small program around both servers, for tests that kill it: `servers_program.py DATA [UID]`.

It prints one JSON line when all is up and one sentence for each wait, and runs until a signal.
With UID it gives up root first, after its imports: the interpreter may be closed to others.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hospital_ops.servers.embedded import STOP_ORDER, embedded_servers
from hospital_ops.servers.process import Child
from hospital_ops.servers.supervisor import Supervisor

ThreadPoolExecutor  # noqa: B018  asyncio imports it late, when we may no longer read it


async def run(path: Path) -> None:
    """Start everything on the data directory `path`, tell it, and wait for the end."""
    with embedded_servers(path, say=lambda sentence: print(sentence, flush=True)) as servers:
        async with Supervisor(servers.data.log_folder) as supervisor:
            await supervisor.start(servers.valkey.child())
            await supervisor.start(servers.postgres.child())
            role = Child(
                name="role",
                argv=["/bin/sleep", "3600"],
                env={},
                pass_fds=(servers.data.lock_descriptor,),
            )
            await supervisor.start(role)
            told = {
                "pids": supervisor.pids,
                "redis_url": servers.redis_url,
                "database_url": servers.database_url(),
                "mode": servers.postgres.placement.mode,
                "postgres_data": str(servers.postgres.placement.data),
                "sockets": str(servers.valkey.socket.parent.parent),
            }
            print(json.dumps(told), flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                await supervisor.stop_all(["role", *STOP_ORDER])


if __name__ == "__main__":
    # A run that was started in the background hands down that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if len(sys.argv) > 2:
        uid = int(sys.argv[2])
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(Path(sys.argv[1])))
