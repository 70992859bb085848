"""The live ECG of a whole unit: pieces of curves in, the rhythm of its beds out. No clock inside.

Beds with the same rate and number of leads are analysed together, row by row, in blocks that share
one count of samples (`rhythm.UnitRhythm`); a row without a bed is a lead that is off. A bed's own
time stays with its `Timeline`, so clocks of devices need not agree. Told is what changed, and what
is bad again every few seconds: the decision whether it rings is made in `icu`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hospital_ops import wire
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from hospital_ops.ecg import witness
from hospital_ops.ecg.hops import Array
from hospital_ops.ecg.looking import Shapes
from hospital_ops.ecg.rhythm import LETHAL, Rhythm, UnitRhythm
from hospital_ops.ecg.stream import MIN_RATE_HZ
from hospital_ops.ecg.timeline import Timeline
from hospital_ops.waveform import NO_SAMPLE, RATE_MAX_HZ

STEP_US: Final = SECOND // 2
LEADS_MAX: Final = 3
WARM_S: Final = 5.0  # of a new bed: what its heart usually looks like is not known yet
HOLD_S: Final = 4.0  # without it before a rhythm is over: one that flickers rings once
AGAIN_US: Final = 5 * SECOND  # what is bad is told again
CLOCK_OFF_US: Final = 30 * SECOND  # a clock so far off is not believed (alarms.json: clock_offset)
STALL_US: Final = 5 * SECOND  # further behind than this: go on from now
KEPT_S: Final = witness.WINDOW_S + witness.USUAL_S + 2.0
PULSES: Final = {
    "150452": "pleth", "PLETH": "pleth", "150032": "abp", "150036": "abp", "ABP": "abp",
    "ART": "abp",
}  # fmt: skip
_LEADS: Final = {  # a code or name to the lead's name
    str(code): str(row["lead"])
    for row in table("codes")["ecg_leads"]
    for code in (row["mdc"], row["lead"])
} | {"131328": "ECG", "MLII": "II", "ECG": "ECG", "V": "V"}
_IN_MV: Final = {"mV": 1.0, "uV": 0.001, "µV": 0.001, "V": 1000.0}
_BY_ID: Final = {row["id"]: row for row in table("alarms")["rules"]}
# Each limit of any age: a bed is told anew when it passes one of them.
_LOWS: Final = sorted({v["low"] for v in _BY_ID["brady_extreme"]["limits"].values() if v})
_HIGHS: Final = sorted({v["high"] for v in _BY_ID["tachy_extreme"]["limits"].values() if v})

Key = tuple[tuple[str, ...], int, int, bool]
_CALM: Final[Key] = ((), 0, 0, False)


@dataclass
class _Bed:
    name: str
    leads: list[tuple[str, str]]  # code and channel of each row
    line: Timeline
    block: _Block
    mode: str = "Real"
    off: bool = False  # none of its leads can be used
    shift: int = 0  # from the device's clock to ours
    began_s: float = -1.0  # in the block's time, when it began to play
    told: Key = _CALM
    told_at: int = 0
    seen_s: dict[str, float] = field(default_factory=dict)  # lethal rhythms, last seen
    pulses: dict[str, deque[wire.Waved]] = field(default_factory=dict)


@dataclass
class _Block:
    rate_hz: float
    leads: int
    unit: UnitRhythm
    beds: list[_Bed | None]
    steps: int = 0
    played: int = 0  # samples

    def next_count(self) -> int:
        """Samples of the next step; the steps of a rate may differ by one."""
        self.steps += 1
        return int(self.steps * self.rate_hz * STEP_US / SECOND) - self.played


class WardRhythm:
    """One unit. Feed it curves as they come and let time pass; it answers what changed."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._beds: dict[str, _Bed] = {}
        self._blocks: list[_Block] = []
        self._waiting: dict[str, dict[str, deque[wire.Waved]]] = {}  # pulses before any ECG
        self._due = 0
        self._shapes = Shapes(unit)

    @property
    def kinds(self) -> int:
        """How many kinds of curves (rate, leads) are analysed side by side."""
        return len(self._blocks)

    def take(self, wave: wire.Waved) -> None:
        """A piece of a curve of a bed; what is neither ECG nor pulse is left."""
        if not wave.bed or wave.rate_hz > RATE_MAX_HZ:
            return
        if wave.code in PULSES:
            self._keep(wave, PULSES[wave.code])
        elif wave.code in _LEADS and wave.physical_unit in _IN_MV and wave.rate_hz >= MIN_RATE_HZ:
            self._ecg(wave)

    def advance(self, now_us: int) -> list[wire.Rhythm | wire.BeatShape]:
        """Lets time pass up to `now_us` (our clock)."""
        if not self._due or now_us - self._due > STALL_US:
            self._due = now_us
        told: list[wire.Rhythm | wire.BeatShape] = []
        while self._due <= now_us:
            for block in self._blocks:
                if any(bed is not None and bed.line.playing for bed in block.beds):
                    told += self._step(block, now_us)
            self._due += STEP_US
        return [*told, *self._shapes.found(now_us)]

    def facts(self, bed: str) -> tuple[wire.Witness, ...]:
        """What the signals of a bed say at this moment; nothing of a bed without live ECG."""
        known = self._beds.get(bed)
        if known is None or known.began_s < 0:
            return ()
        block = known.block
        return self._witnesses(block, block.beds.index(known), known)

    def _keep(self, wave: wire.Waved, source: str) -> None:
        bed = self._beds.get(wave.bed)
        kept = bed.pulses if bed else self._waiting.setdefault(wave.bed, {})
        pieces = kept.setdefault(source, deque())
        pieces.append(wave)
        while wave.started_at - pieces[0].started_at > KEPT_S * SECOND or len(pieces) > 256:
            pieces.popleft()

    def _ecg(self, wave: wire.Waved) -> None:
        name = (wave.code, wave.channel)
        bed = self._beds.get(wave.bed)
        if bed is None or bed.block.rate_hz != wave.rate_hz:
            if bed is not None and bed.line.playing and wave.rate_hz < bed.block.rate_hz:
                return  # a slower lead beside a faster one
            bed = self._placed(wave.bed, wave.rate_hz, [name], bed)
        elif name not in bed.leads:
            if len(bed.leads) >= LEADS_MAX:
                return
            bed = self._placed(wave.bed, wave.rate_hz, [*bed.leads, name], bed)
        ended = wave.started_at + round(len(wave.samples) / 2 * SECOND / wave.rate_hz)
        off = wave.received_at - ended
        bed.shift = off if abs(off) > CLOCK_OFF_US else 0
        bed.mode = wave.mode
        self._shapes.sent_by(wave.bed, wave.device or wave.source, wave.received_at)
        bed.line.put(bed.leads.index(name), wave.started_at, _in_mv(wave))

    def _placed(
        self, name: str, rate_hz: float, leads: list[tuple[str, str]], before: _Bed | None
    ) -> _Bed:
        """The bed in a free place of a block of its kind; what it was is over."""
        if before is not None:
            before.block.beds[before.block.beds.index(before)] = None
            if not any(before.block.beds):  # a rate that wavers leaves nothing behind
                self._blocks = [b for b in self._blocks if b is not before.block]
        block = next(
            (
                b
                for b in self._blocks
                if b.rate_hz == rate_hz and b.leads == len(leads) and None in b.beds
            ),
            None,
        )
        if block is None:
            alike = sum(b.rate_hz == rate_hz and b.leads == len(leads) for b in self._blocks)
            size = 4 << min(alike, 4)
            unit = UnitRhythm(rate_hz, size, len(leads))
            block = _Block(rate_hz, len(leads), unit, [None] * size)
            self._blocks.append(block)
        pulses = before.pulses if before else self._waiting.pop(name, {})
        bed = _Bed(name, leads, Timeline(rate_hz, len(leads)), block, pulses=pulses)
        if before is not None:  # so that what rings is told to be over
            bed.told, bed.told_at = before.told, before.told_at
        block.beds[block.beds.index(None)] = bed
        self._beds[name] = bed
        return bed

    def _step(self, block: _Block, now_us: int) -> list[wire.Rhythm]:
        count, rows = block.next_count(), block.leads
        chunk = np.zeros((len(block.beds) * rows, count))
        for number, bed in enumerate(block.beds):
            if bed is None:
                continue
            if not bed.line.playing:
                bed.began_s, bed.seen_s = -1.0, {}
            elif bed.began_s < 0:
                bed.began_s = block.played / block.rate_hz
            if bed.line.playing:
                piece = chunk[number * rows : (number + 1) * rows] = bed.line.take(count)
                self._look(bed, block.rate_hz, piece, now_us)
        block.played += count
        told = []
        for number, found in enumerate(block.unit.push(chunk)):
            bed = block.beds[number]
            if bed is None or bed.began_s < 0:
                continue
            for rhythm in found:
                bed.off = rhythm.lead is None
                if rhythm.at_s >= bed.began_s + WARM_S:
                    told += self._told(block, number, bed, rhythm, now_us)
        return told

    def _look(self, bed: _Bed, rate_hz: float, piece: Array, now_us: int) -> None:
        if bed.line.playing and not bed.off:
            leads = [_LEADS[code] for code, _ in bed.leads]
            self._shapes.played(bed.name, bed.mode, leads, rate_hz, piece, now_us)
        else:
            self._shapes.stopped(bed.name, now_us)

    def _told(
        self, block: _Block, number: int, bed: _Bed, rhythm: Rhythm, now_us: int
    ) -> list[wire.Rhythm]:
        bed.seen_s |= {code: rhythm.at_s for code in rhythm.codes if code in LETHAL}
        since = rhythm.at_s - HOLD_S
        lethal = tuple(code for code in LETHAL if bed.seen_s.get(code, -1.0) > since)
        slow = rhythm.slow_per_min if "asystole" not in lethal else None
        fast = rhythm.fast_per_min
        key = (
            lethal,
            0 if slow is None else sum(slow < low for low in _LOWS),
            0 if fast is None else sum(fast > high for high in _HIGHS),
            rhythm.lead is None,
        )
        again = key != _CALM and now_us - bed.told_at >= AGAIN_US
        if key == bed.told and not again:
            return []
        bed.told, bed.told_at = key, now_us
        behind_us = round((block.played / block.rate_hz - rhythm.at_s) * SECOND)
        return [
            wire.Rhythm(
                unit=self.unit,
                bed=bed.name,
                at=bed.line.at - behind_us + bed.shift,
                received_at=now_us,
                mode=bed.mode,
                codes=lethal,
                leads=len(bed.leads),
                leads_off=rhythm.lead is None,
                heart_rate=rhythm.heart_rate,
                slow_per_min=slow if key[1] else None,
                fast_per_min=fast if key[2] else None,
                witnesses=self._witnesses(block, number, bed) if key != _CALM else (),
            )
        ]

    def _witnesses(self, block: _Block, number: int, bed: _Bed) -> tuple[wire.Witness, ...]:
        now_s = block.played / block.rate_hz
        found = [
            witness.lead(code, *block.unit.lead_facts(number, row), now_s)
            for row, (code, _) in enumerate(bed.leads)
        ]
        for source, pieces in bed.pulses.items():
            values, rate_hz = _joined(pieces, bed.line.at)
            if rate_hz:
                found.append(witness.pulses(source, values, rate_hz))
        return tuple(found)


def _in_mv(wave: wire.Waved) -> Array:
    return _values(wave) * _IN_MV[wave.physical_unit]


def _values(wave: wire.Waved) -> Array:
    raw = np.frombuffer(wave.samples, "<i2")
    values = raw * wave.scale + wave.offset
    values[raw == NO_SAMPLE] = np.nan
    return np.asarray(values)


def _joined(pieces: deque[wire.Waved], end_us: int) -> tuple[Array, float]:
    """The last seconds of a curve up to a moment of the device's clock, with its rate."""
    rate_hz = pieces[-1].rate_hz
    size = round(KEPT_S * rate_hz)
    whole = np.full(size, np.nan)
    for piece in pieces:
        if piece.rate_hz != rate_hz:
            continue
        values = _values(piece)
        first = size + round((piece.started_at - end_us) * rate_hz / SECOND)
        low, high = max(first, 0), min(first + len(values), size)
        if high > low:
            whole[low:high] = values[low - first : high - first]
    return whole[-round((witness.WINDOW_S + witness.USUAL_S) * rate_hz) :], rate_hz
