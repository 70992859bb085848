"""`hospital-ops serve edge --upstream URL`: the box of a unit whose link can be cut."""

from __future__ import annotations

import asyncio
from typing import Final

from hospital_ops import log, sealing
from hospital_ops.clock import Clock
from hospital_ops.commands.sources import source_of
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.roster import Roster
from hospital_ops.forward.sending import Forwarder, Link
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.steady import SteadyClock
from hospital_ops.forward.store import Queue
from hospital_ops.forward.uplink import LinkCut, Offset, Uplink, trust
from hospital_ops.settings import Settings
from streams.edge import BODY_MAX, EdgeIntake, ShelfAppender, hold
from streams.mllp import Limits, MllpGateway
from streams.projections import Places
from web.edge import Box, make_box
from web.server import listen, serve

KEYS: Final = "HOSPITAL_OPS_EDGE_KEYS"
# Also when no device sends the link is looked at so often; and a device that was revoked is closed
# out after this, while the link is up.
ROSTER_S: Final = 10.0

logger = log.get("edge")


async def run(settings: Settings, upstream: str) -> None:
    """Takes what the unit's devices send, and forwards it, until cancelled."""
    token = settings.edge_token.get_secret_value()
    if not token:
        raise ConfigurationError("HOSPITAL_OPS_EDGE_TOKEN is empty: it is the box's own token.")
    folder = settings.data_dir / "edge"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = SteadyClock(folder / "clock")
    text = settings.edge_keys.get_secret_value()
    seal = sealing.Seal(sealing.parsed(text or sealing.kept(folder / "edge.keys"), KEYS))
    trusted = trust(settings.edge_ca)
    queue = Queue(
        folder / "queue.sqlite", seal, settings.edge_room_mib * 1024 * 1024,
        clock=clock.name, began_at=clock.began_at,
    )  # fmt: skip
    shelf, offset = Shelf(queue), Offset(queue.off_us)
    lines = [
        Uplink(
            upstream, token, clock, offset, trusted,
            clock_name=clock.name, began_at=clock.began_at,
        )
        for _ in range(3)
    ]  # fmt: skip
    roster = Roster(folder / "roster.sealed", seal)
    forwarder = Forwarder(shelf, lines[0].deliver, lines[1].deliver, clock, lambda: offset.us)
    sources = [source_of(one) for one in settings.mllp_sources]
    gateway = MllpGateway(
        ShelfAppender(shelf, sources), Places(), sources, clock,
        limits=Limits(frame_bytes=BODY_MAX), decide=hold,
    )  # fmt: skip
    box = Box(
        EdgeIntake(shelf, clock),
        roster,
        forwarder.link,
        clock,
        tuple(source_of(one) for one in settings.http_sources),
        forwarder.turned_away,
    )
    listening = listen(settings.http_host, settings.http_port)
    try:
        await gateway.serve(settings.mllp_host, settings.mllp_port)
        held = await shelf.held()
        logger.info(
            "listening", port=settings.mllp_port, http=settings.http_port, waiting=held.items
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(forwarder.run())
            tasks.create_task(_keep_roster(roster, lines[2], forwarder.link, clock))
            tasks.create_task(serve(make_box(box), listening, lifespan=False))
    finally:
        await gateway.close()
        await shelf.close()
        for line in lines:
            await line.close()


async def _keep_roster(roster: Roster, line: Uplink, link: Link, clock: Clock) -> None:
    """Asks the hospital for the devices of the box's units, again and again."""
    while True:
        try:
            found = await line.devices()
            link.answered(clock.now_us())
            await asyncio.to_thread(roster.become, found)
            wait_s = ROSTER_S
        except LinkCut as error:
            link.lost(str(error))
            wait_s = 1.0 if not len(roster) else ROSTER_S
        except (OSError, KeyError, TypeError, ValueError) as error:
            logger.error("roster_not_kept", error=type(error).__name__)
            wait_s = ROSTER_S
        await asyncio.sleep(wait_s)
