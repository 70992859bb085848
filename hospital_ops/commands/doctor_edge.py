"""What `hospital-ops doctor --upstream URL` examines on the box of a unit (`serve edge`)."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from hospital_ops import sealing
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.commands.edge import KEYS
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.store import RESERVE_BYTES, keys_needed
from hospital_ops.forward.uplink import LinkCut, Offset, Uplink, trust
from hospital_ops.settings import Settings

CLOCK_OFF_MAX_US: Final = 2 * SECOND
WORDS: Final = {
    "HTTP 401": "the hospital does not know the token: make a new one there (`device token`).",
    "HTTP 404": "this address is no Hospital Ops, or the token is not that of a gateway.",
}


async def upstream(loaded: Settings, url: str) -> list[str]:
    """Address, certificate, token, devices, and both clocks."""
    token = loaded.edge_token.get_secret_value()
    if not token:
        return ["HOSPITAL_OPS_EDGE_TOKEN is empty: it is the box's own token."]
    offset = Offset()
    try:
        line = Uplink(url, token, SystemClock(), offset, trust(loaded.edge_ca))
    except ConfigurationError as error:
        return [str(error)]
    try:
        devices = await line.devices()
    except LinkCut as error:
        why = str(error)
        said = WORDS.get(why, f"{why}. Look at the address, the line and HOSPITAL_OPS_EDGE_CA.")
        return [f"no contact: {said}"]
    finally:
        await line.close()
    problems = []
    if not devices and not (loaded.mllp_sources or loaded.http_sources):
        problems.append("no device of the box's units is registered, and no source is named.")
    if offset.us is not None and abs(offset.us) > CLOCK_OFF_MAX_US:
        problems.append(
            f"the hospital's clock differs by {offset.us / SECOND:.1f} s: synchronise this one"
            " (values get the right time all the same, unless the power fails before any contact)."
        )
    return problems


async def queue(loaded: Settings) -> list[str]:
    """Whether there is room for what the queue may grow to, and every key that it needs."""
    folder, room = loaded.data_dir / "edge", loaded.edge_room_mib << 20
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    file = folder / "queue.sqlite"
    taken = sum(one.stat().st_size for one in folder.glob("queue.sqlite*")) if file.exists() else 0
    free = shutil.disk_usage(there).free
    problems = []
    if free + taken < room + RESERVE_BYTES:
        problems.append(
            f"HOSPITAL_OPS_EDGE_ROOM_MIB allows {room >> 20} MiB and there is room for"
            f" {max(0, free + taken - RESERVE_BYTES) >> 20} under {loaded.data_dir}: make room"
            " or allow less."
        )
    return problems + (_keys(loaded, file) if file.exists() else [])


def _keys(loaded: Settings, file: Path) -> list[str]:
    text = loaded.edge_keys.get_secret_value()
    own = file.with_name("edge.keys")
    try:
        known = sealing.parsed(text or (own.read_text("utf-8") if own.exists() else ""), KEYS)
        needed = keys_needed(file)
    except ConfigurationError as error:
        return [str(error)]
    except sqlite3.Error as error:
        return [f"{file} cannot be read ({type(error).__name__}): keep it, do not delete it."]
    return [
        f"the queue holds messages sealed with key {key!r}: name it beside the new one in {KEYS}."
        for key in needed
        if key not in known
    ]
