"""How far the clock of a sender is off, from its own stream of values (SAFETY rule 6).

One pure function for both readers: the board and the archive give a value the same moment, and so
the same patient. A clock that is wrong gives every value the same distance from its receipt, for as
long as it is watched; stored data that are sent in one go do not, so they stay late. Only what is
beyond the table's figure is corrected: a slow line must never look live. One sender may bring the
values of several devices, in one message too: what shares a time is known by its first code, and
has a clock of its own.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from hospital_ops import bindings, wire
from hospital_ops.bindings import History, Whose
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from hospital_ops.wire import Form


def _off_s() -> float:
    (row,) = (one for one in table("alarms")["rules"] if one["id"] == "clock_offset")
    found = re.search(r"> (\d+) s", row["condition"])
    if found is None:
        raise ValueError("alarms.json no longer says from when on a clock is off (clock_offset)")
    return float(found[1])


OFF_US: Final = round(_off_s() * SECOND)
STEADY_US: Final = 2 * SECOND  # so far apart are a network's good and bad moments
GAP_US: Final = 150 * SECOND  # a monitor that speaks each minute may miss one
SEEN_US: Final = 5 * SECOND  # steady for so long: it is shown
TRUSTED_US: Final = 30 * SECOND  # steady for so long: times are corrected by it
PIECE_US: Final = 12 * SECOND  # a piece of a curve began so long before its receipt, at the most


CLOCKS: Final = 128  # of one bed: pumps count


class SenderClock(Form, frozen=True):
    """The distance of a sender's clock from ours, microseconds."""

    offset: int  # receipt minus the time of the newest value
    since: int  # steady since
    last: int  # last heard
    trusted: int = 0  # what times are corrected by: the same until the clock has moved
    right: bool = False  # it was right when it was last known
    doubted: bool = False  # the last message said "now", and by what is known it was not now


Clocks = dict[str, SenderClock]  # of one bed, by sender and first code
UNKNOWN: Final = SenderClock(0, 0, 0)


def sender(message: wire.Observed | wire.Waved | wire.WavesTogether | wire.DeviceAlert) -> str:
    """Whose clock it is: a source may send for many devices."""
    return f"{message.source} {message.device}"


class Told(NamedTuple):
    """The clocks by which the times of one message are read."""

    usual: SenderClock
    others: dict[int, SenderClock]  # of single times

    def at(self, moment: int | None) -> SenderClock:
        """The clock of a time of the message."""
        return self.others.get(moment or 0, self.usual) if self.others else self.usual


def heard(clocks: Clocks, message: wire.Observed) -> Told:
    """The clocks of a message by now, which are kept among those of the bed."""
    told: dict[int, str] = {}  # each time, and the first code that has it
    at = 0
    for o in message.observations:
        if o.determined_at != at and o.determined_at and o.origin == "monitor":
            at = o.determined_at
            told.setdefault(at, o.code)
    if not told:  # of no moment, or charted
        return Told(UNKNOWN, {})
    name, newest = sender(message), max(told)
    usual = _clock(clocks, name, told[newest], newest, message)
    usual = _shared(clocks, name, usual, None)
    others = {}
    for at, code in told.items() if len(told) > 1 else ():
        if at != newest:
            clock = _clock(clocks, name, code, at, message)
            others[at] = _shared(clocks, name, clock, usual)
    return Told(usual, others)


def nearest(clocks: Clocks, name: str, distance: int) -> SenderClock | None:
    """The clock of a sender by which something so far from its receipt is read: its only one, or
    the one of several that explains the distance."""
    begins = f"{name}|"
    known = [clock for key, clock in clocks.items() if key.startswith(begins) or key == name]
    if len(known) < 2:
        return known[0] if known else None
    best = min(known, key=lambda clock: abs(distance - clock.offset))
    return best if abs(distance - best.offset) <= PIECE_US else None


def _clock(clocks: Clocks, name: str, code: str, at: int, message: wire.Observed) -> SenderClock:
    key = f"{name}|{code}"
    known = clocks.get(key) or clocks.pop(name, None)  # of all that the sender brings: as before
    if known is None and len(clocks) >= CLOCKS:
        del clocks[min(clocks, key=lambda each: clocks[each].last)]
    clock = clocks[key] = _after(known, at, message)
    return clock


def _shared(
    clocks: Clocks, name: str, clock: SenderClock, usual: SenderClock | None
) -> SenderClock:
    """The clock itself once it is known; until then one of the same sender that agrees with it, or
    that of the rest of its message (a cuff's time stands still while the others go on)."""
    steady = clock.last - clock.since
    if clock.trusted or steady >= TRUSTED_US:
        return clock
    if abs(clock.offset) <= OFF_US:
        return clock if usual is None or steady >= SEEN_US else usual
    begins = f"{name}|"
    for key, other in clocks.items():
        agrees = abs(other.trusted - clock.offset) <= STEADY_US
        if other.trusted and agrees and key.startswith(begins):
            return other
    return clock if usual is None else usual


def _after(known: SenderClock | None, newest: int, message: wire.Observed) -> SenderClock:
    offset, now = message.received_at - newest, message.received_at
    steady, since, trusted, right = offset, now, 0, False
    if known is not None:
        trusted, right = known.trusted, known.right
        if abs(offset - known.offset) <= STEADY_US and now - known.last <= GAP_US:
            since = known.since
            steady = known.offset + (offset - known.offset) // 16  # clocks drift
    if abs(offset) <= OFF_US:
        trusted, right = 0, True  # it has been set right, or always was
    elif now - since >= TRUSTED_US and abs(steady - trusted) > STEADY_US:
        trusted, right = steady, False
    says_now = message.sent_at is not None and abs(message.sent_at - newest) <= OFF_US
    moved = not right or now - since >= SEEN_US
    doubted = says_now and moved and abs(offset - trusted) > OFF_US
    return SenderClock(steady, since, now, trusted, right, doubted)


def is_doubtful(
    clock: SenderClock, history: History, moment: int, received_at: int, claimed_mrn: str
) -> bool:
    """Whether nobody can say whose a value of `moment` (corrected) is: a person has to.

    Its message says "now" by a clock that nobody knows, and at the receipt somebody else lies
    there, or nobody. A message that names its patient is believed, where it fits.
    """
    if not clock.doubted or claimed_mrn or abs(received_at - moment) <= OFF_US:
        return False
    return not bindings.same_stay(history, *sorted((moment, received_at)))


def whose(clock: SenderClock, history: History, moment: int, message: wire.Observed) -> Whose:
    """As `bindings.of_message`, of a value at `moment` (corrected): never a guess."""
    if is_doubtful(clock, history, moment, message.received_at, message.mrn):
        return Whose("", False)
    return bindings.of_message(history, moment, message)
