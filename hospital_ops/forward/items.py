"""What is kept and forwarded: one message as it came, with the moment at which it came.

The order of forwarding is one table: who lies where goes before everything, what came within the
last seconds before what waits, alarms before values, values before curves.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.clock import SECOND
from hospital_ops.wire_forms import Form

# Kinds of bodies, as they came from a device.
HL7: Final = "hl7"  # one message, without its frame
BROKEN: Final = "broken"  # a frame that is no message; `note` says why
EVENTS: Final = "events"  # text of the device socket
CURVES: Final = "curves"  # a binary message of the device socket
CARE: Final = "care"  # the payload of POST /update_observations
FULL: Final = "full"  # the box refused for want of room; `note` says from when and how many

# Ranks: what goes first where much waits, and what is still taken where room is short.
WHO, ALARM, VALUE, CURVE = range(4)
# Share of the room in use from which a rank is refused: as for the streams (DESIGN.md section 1).
REFUSED_AT: Final = {WHO: 1.0, ALARM: 1.0, VALUE: 0.90, CURVE: 0.75}

LIVE_US: Final = 5 * SECOND  # as long as a value is shown without amber (SAFETY.md I6)

# What became of an item, as the hospital says.
STORED: Final = "stored"  # on disk, for whom it was meant
KEPT: Final = "kept"  # on disk, but of no use as it is: among the hospital's dead letters
AGAIN: Final = "again"  # not on disk


class Item(Form, frozen=True):
    """One message. Its `id` is the same however often its sender sends the same bytes."""

    id: str
    kind: str
    source: str  # the sender, as the box knows it
    received_at: int  # by the clock of whoever keeps it
    body: bytes
    rank: int = VALUE
    mode: str = "Real"
    zone: str = ""  # of times without one
    bed: str = ""  # of a device that is fixed at one
    note: str = ""
    clock: str = ""  # the name of the clock of `received_at`; a start of the machine has its own
    off_us: int | None = None  # of a clock before the present one: as `Relay.off_us`, as it was


class Relay(Form, frozen=True):
    """The body of `POST /api/v1/relayed`: some items, and the box's clock as it sends them."""

    sent_at: int
    items: tuple[Item, ...]
    off_us: int | None = None  # the hospital's clock minus the box's, as the box has found it
    clock: str = ""  # the name of the box's present clock: `off_us` is of no other
    began_at: int = 0  # the machine's start by that clock: items of another came before
