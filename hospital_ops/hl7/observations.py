"""ORU^R01 to observations: codes, units, trust, channels and times of each OBX."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from hospital_ops import wire
from hospital_ops.hl7 import waves
from hospital_ops.hl7.bounds import within
from hospital_ops.hl7.codes import Plan, plan
from hospital_ops.hl7.parse import PLAIN, Message, Segment
from hospital_ops.hl7.ranges import ATTRIBUTE, Limits, limits_in
from hospital_ops.hl7.times import Zone, offset_s, to_us
from hospital_ops.hl7.values import PLAIN_MARKS, Marks, marks, measured, sent, structured
from hospital_ops.judging import Judged
from hospital_ops.waveform import SAMPLES_MAX

_Observation: Final = wire.Observation
_PAD: Final = [[""] * (19 - n) if n < 19 else [] for n in range(20)]
_UNMARKED: Final = frozenset(("R", "F", "", "S", "P", "I", "U"))
_SETTINGS: Final = ("MSET", "ASET")
_TYPED: Final = ("MMEAS", "MCALC")
_SHORT: Final = 16  # characters of a number worth remembering
_NUMERIC_LIMIT: Final = 8192  # remembered OBX: a ward repeats itself

_Key = tuple[str, ...]
_Known = tuple[tuple[str, str], float | str | None, str, str, str, str, str, str, Limits | None]
# (code, channel), value, unit, validity, origin, text, flag, reason, limits
_numeric: dict[_Key, _Known] = {}


def _remember(key: _Key, row: wire.Observation) -> None:
    """Keeps what a numeric OBX came out as; its text is empty exactly when it is mapped."""
    if row.mapped == bool(row.text):
        return
    if len(_numeric) >= _NUMERIC_LIMIT:
        _numeric.clear()
    _numeric[key] = (
        (row.code, row.channel),
        row.value,
        row.unit,
        row.validity,
        row.origin,
        row.text,
        row.flag,
        row.reason,
        row.limits,
    )


@dataclass(slots=True)
class Found:
    """What the OBX of a message hold; observations by the mode that applies to them."""

    by_mode: dict[str, list[wire.Observation]] = field(default_factory=dict)
    pieces: list[waves.Piece] = field(default_factory=list)
    device: str = ""
    warnings: list[str] = field(default_factory=list)
    untimed: int = 0  # OBX-14 that said no moment: the receive time counts
    zoneless: bool = False  # some time without a zone was read in the source's


def observe(message: Message, mode: str, site_zone: Zone, received_at: int, most: int) -> Found:
    """Every observation and waveform of `message`, in order.

    `mode` is what MSH-11 and the source say; a device's TEST or DEMO takes single values out of
    it. Times: OBX-14, else that of the channel, else OBR-7, else None (receive time).
    MessageError where it holds more than `most` values, or more samples than a message may.
    """
    reader = _Reader(message, mode, site_zone, received_at, most)
    take = reader.usual if message.signs is PLAIN else reader.obx
    for segment in message.segments:
        name = segment[0]
        if name == "OBX":
            take(segment)
        elif name == "OBR":
            reader.obr(segment)
        elif name[0] == "?":
            reader.damage(name)
    reader.close_waves()
    if reader.repeats:
        within("values", sum(map(len, reader.found.by_mode.values())), most)
    return reader.found


class _Reader:
    """One walk over the segments: what an OBX inherits stands here."""

    def __init__(
        self, message: Message, mode: str, site_zone: Zone, received_at: int, most: int
    ) -> None:
        self.message = message
        self.most = most  # values
        self.repeats = self.samples = 0  # values of OBX that hold several, samples of curves
        self.plain = message.signs is PLAIN
        self.mode = mode
        self.received_at = received_at
        self.found = Found()
        header = message.msh[7] if len(message.msh) > 7 else ""
        stated = offset_s(header)
        self.zone_stated = stated is not None
        self.zone: Zone = site_zone if stated is None else stated
        self.site_zone = site_zone
        self.start: int | None = None
        self.end: int | None = None
        self.unsaid = False  # OBR-7 says no moment
        self.inherited: dict[str, int] = {}  # time by containment prefix
        self.times: dict[str, int | None] = {"": None}
        self.seen: set[tuple[tuple[str, str], int | None]] = set()
        self.waves: list[waves.Wave] = []
        self.rows: list[wire.Observation] = self.found.by_mode.setdefault(mode, [])
        self.last: Segment = []  # the OBX of the newest row, which an attribute may be about

    def time(self, text: str) -> int | None:
        """A time stamp of this message; what says no moment is counted."""
        if text not in self.times:
            at = self.times[text] = to_us(text, self.zone)
            self.found.untimed += at is None
            if not self.zone_stated and self.zone is self.site_zone and offset_s(text) is None:
                self.found.zoneless = True
        return self.times[text]

    def obr(self, segment: Segment) -> None:
        """A new group: its interval is inherited by the OBX that follow."""
        self.close_waves()
        self.inherited.clear()
        started = segment[7] if len(segment) > 7 else ""
        if not self.zone_stated:
            stated = offset_s(started)
            zone = self.site_zone if stated is None else stated
            if zone != self.zone:
                self.zone, self.times = zone, {"": None}
        self.start = self.time(started)
        self.end = self.time(segment[8]) if len(segment) > 8 else None
        self.unsaid = self.start is None and started != ""

    def damage(self, name: str) -> None:
        """A segment without its name: after it nothing may inherit a time, unless it was an OBX."""
        if name != "?BX":
            self.start = self.end = None
            self.unsaid = False
            self.inherited.clear()

    def usual(self, segment: Segment) -> None:
        """A numeric OBX that came before but for its time; any other one goes to `obx`."""
        size = len(segment)
        if 5 < size <= 17 and segment[2] == "NM":
            known = _numeric.get(tuple(segment[3:12]))
            if known is not None:
                stamp = segment[14] if size > 14 else ""
                at = self.times.get(stamp) if stamp else self.start
                who = known[0]
                mark = (who, at)
                timed = at is not None or not (stamp or self.unsaid)
                if timed and not self.inherited and mark not in self.seen:
                    self.seen.add(mark)
                    _, value, unit, validity, origin, text, flag, reason, limits = known
                    self.last = segment
                    self.rows.append(
                        _Observation(
                            who[0], value, unit, at, validity, who[1], "", origin, text, flag,
                            reason, not text, limits,
                        )
                    )  # fmt: skip
                    return
        self.obx(segment)

    def obx(self, segment: Segment) -> None:
        """One OBX: a place in the containment, an attribute, a wave or a value."""
        size = len(segment)
        if size < 19:
            segment = segment + _PAD[size]
        stamp, method = segment[14], segment[17]
        at = self.start
        if stamp:
            at = self.time(stamp)
        elif self.inherited:
            at = self._channel_time(segment[4])
        if segment[18] and not self.found.device:
            self.found.device = _device(segment[18], self.message)
        timed = at is not None or not (stamp or self.unsaid)
        usual = self.plain and not method and segment[2] == "NM" and timed
        key = tuple(segment[3 : min(size, 12)]) if usual else None
        self._value(segment, stamp, at, method, key, timed)

    def _value(
        self,
        segment: Segment,
        stamp: str,
        at: int | None,
        method: str,
        key: _Key | None,
        timed: bool,
    ) -> None:
        """An OBX that is not remembered; `key` is where it may be."""
        kind, code, sub_id, value, unit = segment[2:7]
        signs = self.message.signs
        if not kind and not value and not unit:  # an MDS, VMD or channel
            if stamp and at is not None:
                self.inherited[_prefix(sub_id)] = at
            return
        if kind in ("NA", "MA"):
            self.samples += waves.count(value, signs)
            within("samples", self.samples, SAMPLES_MAX)
            self.waves.append(waves.begin(self.message, segment, at, self.end))
            return
        made = plan(code, unit, signs)
        if made.attribute:
            self._attribute(made, sub_id, value)
            return
        said = PLAIN_MARKS
        if segment[8] or segment[11] not in _UNMARKED:
            said = marks(segment[8], segment[11], signs)
        origin = _origin(method, made)
        if origin == "setting":
            made = _as_setting(made)
        elif signs.repetition in value and made.vital is not None:
            self._repeated(made, kind, value, sub_id, at, said, origin, bool(stamp))
            return
        judged = self._judge(made, kind, value)
        if not timed and not judged.reason:
            judged = judged._replace(reason="its time says no moment; receive time is used")
        limits = limits_in(segment[7], made) if origin == "monitor" else None
        row = self._add(made, judged, sub_id, at, said, origin, limits)
        self.last = segment if row is not None else []
        if key is not None and row is not None and len(value) <= _SHORT:
            _remember(key, row)

    def _judge(self, made: Plan, kind: str, value: str) -> Judged:
        message = self.message
        if kind == "SN":
            value = structured(value, message)
        if made.vital is None:
            return sent(made, kind, value, message)
        text = value.strip()
        if kind in ("CE", "CWE", "CNE") and message.signs.component in text:
            text = text.split(message.signs.component, 1)[0]
        return measured(made, made.vital, message.text(text))

    def _add(
        self,
        made: Plan,
        judged: Judged,
        sub_id: str,
        at: int | None,
        said: Marks,
        origin: str,
        limits: Limits | None = None,
    ) -> wire.Observation | None:
        """Appends a row; answers it where the next of the same text comes out the same."""
        value, validity, reason, sent = judged
        rows, usual, unit = self.rows, True, made.unit
        if sent is not None:  # a unit that says nothing here: it may be mapped (codebook)
            usual, sent = False, sent if made.sent_unit and said.validity == "Vld" else None
            unit = unit if sent is None else made.sent_unit
        if said.validity != "Vld" and validity != "Inv":
            validity, reason = said.validity, said.reason
            if validity == "Inv":
                value = None
        if said.mode and said.mode != self.mode:
            rows, usual = self.found.by_mode.setdefault(said.mode, []), False
        channel = _channel(sub_id)
        if made.alias and not channel:
            channel = made.own
        mark = ((made.code, channel), at)
        if mark in self.seen:  # two metrics of one code in one channel: told apart by OBX-4
            channel, usual = sub_id or f"{channel}#{len(self.seen)}", False
        self.seen.add(mark)
        row = wire.Observation(
            code=made.code,
            value=value,
            unit=unit,
            determined_at=at,
            validity=validity,
            channel=channel,
            origin=origin,
            text=made.text,
            flag=said.flag,
            reason=reason,
            mapped=made.vital is not None,
            limits=limits,
            status=said.status,
            sent=sent,
        )
        rows.append(row)
        return row if usual and not said.mode and not said.status else None

    def _repeated(
        self,
        made: Plan,
        kind: str,
        value: str,
        sub_id: str,
        at: int | None,
        said: Marks,
        origin: str,
        own_time: bool,
    ) -> None:
        """N values over OBR-7 to OBR-8 are N equal parts of it (IHE DEV TF-2, OBR-8)."""
        self.repeats += value.count(self.message.signs.repetition) + 1
        within("values", self.repeats, self.most)  # before they are taken apart
        values = value.split(self.message.signs.repetition)
        start, end = self.start, self.end
        if own_time or start is None or end is None or end <= start:
            why = "several values without an interval: send one OBX each"
            self._add(made, Judged(None, "Inv", why), sub_id, at, said, origin)
            return
        step = (end - start) / len(values)
        for index, text in enumerate(values):
            moment = start + round(index * step)
            self._add(made, self._judge(made, kind, text), sub_id, moment, said, origin)

    def _channel_time(self, sub_id: str) -> int | None:
        parts = sub_id.split(".")
        for depth in (3, 2, 1):
            at = self.inherited.get(".".join(parts[:depth]))
            if at is not None:
                return at
        return self.start

    def _attribute(self, made: Plan, sub_id: str, value: str) -> None:
        """What an OBX says about a wave or the limits of the value before it; else passed over."""
        if made.name == ATTRIBUTE and self.last and sub_id.startswith(f"{self.last[4]}."):
            about = plan(self.last[3], self.last[6], self.message.signs)
            row = self.rows[-1]
            if row.code == about.code and row.origin == "monitor":
                self.rows[-1] = wire.replaced(row, limits=limits_in(value, about))
            return
        for wave in self.waves:
            if sub_id.startswith(f"{wave.sub_id}."):
                waves.describe(wave, made.name, value, made.sent_unit)

    def close_waves(self) -> None:
        """Finishes the waves of the group that ends here."""
        for wave in self.waves:
            piece = waves.finish(wave, _channel(wave.sub_id), self.received_at)
            if piece is None:
                self.found.warnings.append("a waveform without a sampling rate or samples")
            else:
                self.found.pieces.append(piece)
        self.waves.clear()


def _origin(method: str, made: Plan) -> str:
    if method:
        if method.startswith(_SETTINGS) or "~MSET" in method or "~ASET" in method:
            return "setting"
        if method.startswith(_TYPED):
            return "typed"
    return "laboratory" if made.vital is not None and made.vital.laboratory else "monitor"


def _as_setting(made: Plan) -> Plan:
    """The plan of a setting: never a measured value, in the unit as sent."""
    return made._replace(
        vital=None,
        code=_setting(made),
        text=made.name or made.own,
        unit=made.sent_unit,
        identity=True,
    )


def _setting(made: Plan) -> str:
    """The code of a setting: the sender's own, which no measured value has."""
    return f"setting:{made.code}" if made.own == made.code else made.own


def _prefix(sub_id: str) -> str:
    """`1.16.1` of a channel `1.16.1.0`, `1.16` of a VMD `1.16.0.0`, `1` of the device."""
    parts = sub_id.split(".")[:3]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


@lru_cache(maxsize=4096)
def _channel(sub_id: str) -> str:
    """MDS, VMD and channel of OBX-4; the metric's own number changes from sender to sender."""
    if sub_id.count(".") >= 3:
        return ".".join(sub_id.split(".", 3)[:3])
    return "" if sub_id == "0" else sub_id


def _device(equipment: str, message: Message) -> str:
    """The device in OBX-18: its EUI-64 where there is one, else the first identifier."""
    signs = message.signs
    first = ""
    for repetition in equipment.split(signs.repetition):
        parts = repetition.split(signs.component)
        if len(parts) > 3 and parts[3] == "EUI-64" and parts[2]:
            return parts[2]
        if len(parts) > 2 and parts[2] == "EUI-64" and parts[1]:
            return parts[1]
        first = first or parts[0]
    return message.text(first)[:100]
