"""The canary: a probe value every 2 s through the real path, from a device's socket to the board.

A board whose last probe is old says so: what is quiet may be dead (SAFETY.md rule 9).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hospital_ops import log
from hospital_ops.clock import Clock, to_datetime
from hospital_ops.deciding import PROBE_BED
from hospital_ops.identity import uuid7
from streams.projections import Places

PERIOD_S = 2.0
SOON_S = 0.2
TIMEOUT_S = 2.0

logger = log.get("canary")


class Canary:
    """Sends an ORU^R01 for the probe's pseudo-bed of each unit over MLLP."""

    def __init__(self, host: str, port: int, places: Places, clock: Clock) -> None:
        self.host, self.port, self.places, self.clock = host, port, places, clock
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        """Sings until cancelled; a probe that does not come through is missed on the board.

        Until the first one is taken it tries again quickly: a start waits for nothing else.
        """
        taken = lost = False
        while True:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    for unit in list(self.places.units):
                        await self._sing(unit)
                        taken = True
                lost = False
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                if not lost:
                    logger.warning("probe_failed", error=type(error).__name__)
                lost = True
                await self._hang_up()
            await asyncio.sleep(PERIOD_S if taken else SOON_S)

    async def _sing(self, unit: str) -> None:
        if self._link is None:
            self._link = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._link
        writer.write(b"\x0b" + _message(unit, self.clock.now_us()) + b"\x1c\r")
        await writer.drain()
        await reader.readuntil(b"\x1c\r")

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link[1].close()
            with suppress(OSError):
                await link[1].wait_closed()


def _message(unit: str, now_us: int) -> bytes:
    now = f"{to_datetime(now_us):%Y%m%d%H%M%S}+0000"
    segments = (
        f"MSH|^~\\&|CANARY||||{now}||ORU^R01^ORU_R01|{uuid7()}|P|2.6",
        f"PV1||I|{unit}^^{PROBE_BED}",
        f"OBR|1|||probe^probe^99HOPS|||{now}",
        f"OBX|1|NM|probe^probe^99HOPS||1|1^1^UCUM|||||R|||{now}",
    )
    return "\r".join(segments).encode() + b"\r"
