"""Who has sent what last: of each sender, and of each device or bed behind it. Pure.

Kept in the role store while it carries entries, and told to PostgreSQL
(`hospital_ops.feeds.store.tell`): who comes anew at once, who goes on now and then. Nothing is
decided by it: a crash loses what was not told yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.deciding import PROBE_BED
from hospital_ops.feeds.store import Told
from streams.rows import Taken
from streams.shard import hospital_of
from streams.value_rows import short

STEADY_US: Final = 20 * SECOND  # so long a sender that goes on is not told of again
NEWEST: Final = 60  # offsets of one device: what the page speaks of
DEVICES_MOST: Final = 500  # of one sender in one unit; those beyond count as one without a name
_CURVES: Final = (wire.Waved, wire.WavesTogether)
_SAID: Final = (wire.Admission, wire.CaseFacts, wire.EcgReceived, wire.DeviceAlert, wire.Kept)


class Sender(NamedTuple):
    """Whose messages: `device` and `bed` are empty where none was named."""

    unit: str
    source: str
    device: str
    bed: str


@dataclass(slots=True)
class Heard:
    """What came of one sender since it was last told; times in microseconds UTC."""

    mode: str
    began_at: int
    last_at: int
    gap_us: int = 0
    gap_at: int = 0
    offsets: list[float] = field(default_factory=list)  # seconds, the newest last

    def take(self, at: int, mode: str) -> None:
        """One more message; what lay in a box for a while is no break."""
        if at - self.last_at >= self.gap_us:
            self.gap_us, self.gap_at = at - self.last_at, at
        self.last_at, self.mode = max(self.last_at, at), mode


class Hearing:
    """What was heard and has not been `taken` yet."""

    def __init__(self) -> None:
        self._heard: dict[Sender, Heard] = {}
        self._told: dict[Sender, int] = {}  # lately, and when
        self._devices: dict[tuple[str, str], set[tuple[str, str]]] = {}

    def take(self, entries: Iterable[Taken]) -> None:
        """Takes note of what was carried."""
        for taken in entries:
            entry = taken.entry
            if isinstance(entry, wire.Observed):
                if entry.bed != PROBE_BED and not _typed(entry):
                    heard = self._of(entry, entry.device, entry.bed)
                    _offset(heard, entry)
            elif isinstance(entry, _CURVES):
                if entry.bed != PROBE_BED:
                    self._of(entry, entry.device, entry.bed)
            elif isinstance(entry, _SAID):
                self._of(entry, "", "")

    def taken(self, now: int) -> dict[Sender, Heard]:
        """Who is to be told of: whoever was heard and has not been told of for `STEADY_US`."""
        self._told = {who: at for who, at in self._told.items() if now - at < STEADY_US}
        due = {who: one for who, one in self._heard.items() if who not in self._told}
        for who in due:
            del self._heard[who]
            self._told[who] = now
        return due

    def _of(self, entry: _Sent, device: str, bed: str) -> Heard:
        at, mode = entry.received_at, getattr(entry, "mode", "")
        sender = Sender(entry.unit, entry.source, device, bed)
        known = self._heard.get(sender)
        if known is None:
            sender = self._bounded(sender)
            known = self._heard.get(sender)
        if known is None:
            known = self._heard[sender] = Heard(mode, at, at)
        else:
            known.take(at, mode or known.mode)
        return known

    def _bounded(self, sender: Sender) -> Sender:
        """A sender that names itself anew in each message must not fill a table."""
        devices = self._devices.setdefault(sender[:2], set())
        if sender[2:] not in devices:
            if len(devices) >= DEVICES_MOST:
                return Sender(sender.unit, short(sender.source), "", "")
            devices.add(sender[2:])
        return Sender(*(short(name) for name in sender))


def told(heard: dict[Sender, Heard]) -> list[Told]:
    """What was heard, as it is stored: always in one order, so that two who tell never wait for
    each other in a ring."""
    return [
        Told(
            hospital_of(sender.unit), *sender, one.mode, to_datetime(one.began_at),
            to_datetime(one.last_at), one.offsets[::-1][:NEWEST], one.gap_us / SECOND,
        )
        for sender, one in sorted(heard.items())
    ]  # fmt: skip


_Sent = (
    wire.Observed
    | wire.Waved
    | wire.WavesTogether
    | wire.Admission
    | wire.CaseFacts
    | wire.EcgReceived
    | wire.DeviceAlert
    | wire.Kept
)


def _typed(entry: wire.Observed) -> bool:
    """What a person has charted or typed: no device has sent it."""
    return entry.device == wire.CHART or (
        bool(entry.case) and not entry.source.startswith("device:")
    )


def _offset(heard: Heard, entry: wire.Observed) -> None:
    """How far the newest time of a monitor's values lies behind their receipt."""
    times = [
        one.determined_at
        for one in entry.observations
        if one.origin == "monitor" and one.determined_at is not None
    ]
    if times:
        heard.offsets.append((entry.received_at - max(times)) / SECOND)
        if len(heard.offsets) > 2 * NEWEST:
            del heard.offsets[:-NEWEST]
