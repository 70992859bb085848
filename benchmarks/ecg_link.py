"""A 12-lead over a bad link: bytes and seconds until it is first useful, coarse, and whole.

`python -m benchmarks.ecg_link [RUNS]`: each run has a connection of its own, open before, through a
proxy of 20 kbit/s each way on which every write stalls for 1 s with probability 0.3. The figures
stand in docs/ecg.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

import httpx2
import uvloop

from benchmarks.stage import Stage, furnish, stage
from benchmarks.tablet import open_case
from hospital_ops.clock import SystemClock
from simulators import ecg_stages
from simulators.ecg12 import file_of
from simulators.network import FaultProxy
from simulators.stories import scenario

RATE_BYTES_S: Final = 20_000 / 8
STALL_S, STALL_SHARE = 1.0, 0.3
PART: Final = round(RATE_BYTES_S * 2)  # as the tablet chooses it: what the link carries in 2 s
# What a browser adds to each request.
HEADERS: Final = {"User-Agent": "x" * 110, "Accept-Language": "ru", "X-Rest": "x" * 380}
ROWS: Final = ("preview", "coarse", "whole")
Run = dict[str, tuple[float, int]]


async def measure(runs: int) -> dict[str, list[tuple[float, int]]]:
    """Of each stage (seconds, bytes up) in every run; the whole is compared sample by sample."""
    data = file_of(scenario("stemi", 7), 60.0, SystemClock().now_us(), "R1")
    async with stage() as on:
        await furnish(on, beds=2, tablets=1)
        for role in ("live", "web"):
            await on.role(role)
        token = on.tablets["h1-tablet-1"]
        done = await asyncio.gather(*(_run(on, token, data, seed) for seed in range(runs)))
    return {name: [run[name] for run in done] for name in ROWS}


async def _run(on: Stage, token: str, data: bytes, seed: int) -> Run:
    case, ecg = str(uuid4()), str(uuid4())
    await open_case(on, token, case)
    path = f"/api/v1/prearrivals/{case}/ecgs"
    found: Run = {}
    headers = {"Authorization": f"Bearer {token}", **HEADERS}
    async with FaultProxy("127.0.0.1", on.http_port) as link:
        link.chance = random.Random(seed)
        address = f"http://127.0.0.1:{link.port}"
        async with httpx2.AsyncClient(
            base_url=address, headers=headers, timeout=120, trust_env=False
        ) as client:
            (await client.get("/healthz")).raise_for_status()  # the session is open
            link.rate_bytes_s, link.stall_s, link.stall_share = RATE_BYTES_S, STALL_S, STALL_SHARE
            sent = link.to_target.taken_bytes
            began = perf_counter()

            async def call(body: bytes, **asked: Any) -> Any:
                answer = await client.post(path, params={"id": ecg, **asked}, content=body)
                answer.raise_for_status()
                return answer.json()

            def note(name: str) -> None:
                found[name] = (perf_counter() - began, link.to_target.taken_bytes - sent)

            await call(ecg_stages.preview(data), stage="preview")
            note("preview")
            await call(ecg_stages.coarse(data), stage="coarse")
            note("coarse")
            file = ecg_stages.whole(data)
            digest = hashlib.sha256(file).hexdigest()
            for start in range(0, len(file), PART):
                part = file[start : start + PART]
                await call(part, offset=start, total=len(file), sha256=digest)
            note("whole")
            link.rate_bytes_s, link.stall_share = None, 0.0
            kept = (await client.get(f"{path}/{ecg}")).json()
    leads = {name: [None if mv is None else round(mv * 1000) for mv in values]
             for name, values in kept["leads"].items()}  # fmt: skip
    assert leads == json.loads(data)["leads"], "the samples differ from what was recorded"
    return found


def main() -> None:
    """Prints the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    found = uvloop.run(measure(runs))
    print("| stage | bytes sent (headers too) | seconds: median | 95th | longest |")
    print("| --- | --- | --- | --- | --- |")
    for name in ROWS:
        seconds = [one for one, _ in found[name]]
        size = median(size for _, size in found[name])
        p95 = quantiles(seconds, n=20)[-1]
        print(f"| {name} | {size:.0f} | {median(seconds):.1f} | {p95:.1f} | {max(seconds):.1f} |")
    first = [seconds for seconds, _ in found["preview"]]
    print(f"{sum(one <= 5.0 for one in first)} of {runs} first within 5 s; all samples the same")


if __name__ == "__main__":
    main()
