"""Twelve leads measured: usual beats, common borders, intervals, axis, J and ST of each lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hospital_ops.ecg.beats import detect_each, fuse
from hospital_ops.ecg.delineate import Borders, Usual, borders, usual_beat
from hospital_ops.ecg.hops import Array

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_OTHERS: Final = ("ML", "ECG", "V", "CH")  # names of monitors; other channels are no ECG
_LEVEL_S: Final = 0.012  # the level before the QRS is the mean of this long
_LEAST_BEATS: Final = 3


@dataclass(slots=True)
class LeadMeasures:
    """One lead: amplitudes in mV relative to the level before the QRS (PQ junction)."""

    r_mv: float
    s_mv: float  # depth of the deepest negative wave after R, as a positive number
    q_mv: float
    j_mv: float
    st60_mv: float  # 60 ms after J
    t_mv: float
    p_mv: float | None
    net_mv: float  # R minus the deepest negative wave
    area_mv_ms: float
    r_ms: float  # from the start of the QRS to the top of R
    r_after_s: bool  # a second positive wave after S (rSR')
    s_ms: float  # how long the last negative part of the QRS is
    upsloping: bool


@dataclass(slots=True)
class Measures:
    """The whole ECG; sample numbers count from its start, times are ms."""

    rate_hz: float
    beats: Array
    rr_s: float | None
    qrs_on: int  # offsets from R in samples, common to all leads
    qrs_off: int
    p_on: int | None
    t_off: int | None
    usual: dict[str, Usual] = field(default_factory=dict)
    borders: dict[str, Borders] = field(default_factory=dict)
    leads: dict[str, LeadMeasures] = field(default_factory=dict)

    def ms(self, samples: int | None) -> float | None:
        """Samples as whole milliseconds."""
        return None if samples is None else round(samples * 1000 / self.rate_hz)


def completed(leads: dict[str, Array]) -> dict[str, Array]:
    """The limb leads that follow from I and II (ecg.json, leads) added where they are not there."""
    whole = dict(leads)
    if "I" in leads and "II" in leads:
        one, two = leads["I"], leads["II"]
        derived = {
            "III": two - one,
            "aVR": -(one + two) / 2,
            "aVL": one - two / 2,
            "aVF": two - one / 2,
        }
        for name, values in derived.items():
            whole.setdefault(name, values)
    others = [name for name in whole if name not in LEADS and name.startswith(_OTHERS)]
    return {name: whole[name] for name in (*LEADS, *others) if name in whole}


def measured(leads: dict[str, Array], rate_hz: float, trust: dict[str, float]) -> Measures | None:
    """The measures of an ECG (mV by lead), None with fewer than three beats.

    `trust` is one weight per lead, 0 for one that must not be used.
    """
    names = [name for name in leads if trust.get(name, 1.0) > 0]
    if not names:
        return None
    filled = {name: np.nan_to_num(leads[name]) for name in names}
    each = detect_each(np.stack([filled[name] for name in names]), rate_hz)
    beats = fuse(each, np.array([trust.get(name, 1.0) for name in names]), rate_hz)
    if len(beats) < _LEAST_BEATS:
        return None
    rr_s = float(np.median(np.diff(beats)) / rate_hz)
    size = np.sqrt(np.sum([np.gradient(filled[name]) ** 2 for name in names], axis=0))
    beats = _common(size, beats, rate_hz)
    usual: dict[str, Usual] = {}
    found: dict[str, Borders] = {}
    for name in names:
        one = usual_beat(filled[name], rate_hz, beats)
        edge = borders(one, rr_s) if one is not None else None
        if one is not None:
            usual[name] = one
        if edge is not None:
            found[name] = edge
    if not found:
        return None
    shift = {name: _shift(usual[name].at, beats) for name in found}
    on = round(float(np.quantile([b.qrs_on + shift[n] for n, b in found.items()], 0.3)))
    off = round(float(np.quantile([b.qrs_off + shift[n] for n, b in found.items()], 0.7)))
    p_on = [b.p_on + shift[n] for n, b in found.items() if b.p_on is not None]
    t_off = [b.t_off + shift[n] for n, b in found.items() if b.t_off is not None]
    enough = max(1, len(found) // 3)
    result = Measures(
        rate_hz,
        beats,
        rr_s,
        on,
        off,
        round(float(np.median(p_on))) if len(p_on) >= enough else None,
        round(float(np.median(t_off))) if len(t_off) >= enough else None,
        usual,
        found,
    )
    for name, one in usual.items():
        result.leads[name] = _lead(one, on - shift.get(name, 0), off - shift.get(name, 0), result)
    return result


def _shift(at: Array, beats: Array) -> int:
    """How far the R of a lead lies from the common one."""
    nearest = beats[np.abs(at[:, None] - beats[None, :]).argmin(axis=1)]
    return round(float(np.median(at - nearest)))


def _common(size: Array, beats: Array, rate_hz: float) -> Array:
    """Each beat moved to where the leads together are steepest."""
    reach = round(0.06 * rate_hz)
    padded = np.pad(size, reach)
    rows = beats[:, None] + np.arange(2 * reach + 1)
    middle = np.median(padded[rows], axis=0)
    best = int(middle.argmax()) - reach
    return np.asarray(np.clip(beats + best, 0, len(size) - 1))


def _lead(usual: Usual, on: int, off: int, whole: Measures) -> LeadMeasures:
    rate, zero = usual.rate_hz, usual.zero
    start, end = zero + on, zero + off
    width = max(1, round(_LEVEL_S * rate))
    wave = usual.wave - float(np.mean(usual.wave[max(0, start - width) : start + 1]))
    qrs = wave[start : end + 1]
    top = int(qrs.argmax())
    r = max(float(qrs[top]), 0.0)
    before, after = qrs[: top + 1], qrs[top:]
    q = max(-float(before.min()), 0.0)
    s = max(-float(after.min()), 0.0)
    j = float(np.mean(wave[end : end + width]))
    later = end + round(0.06 * rate)
    st60 = float(np.mean(wave[later : later + width]))
    t_end = min(len(wave), zero + (whole.t_off or off + round(0.3 * rate)))
    t = wave[min(end + round(0.08 * rate), len(wave) - 2) : max(t_end, end + round(0.1 * rate))]
    p = wave[: max(1, start - round(0.02 * rate))]
    p_mv = float(p[np.abs(p).argmax()]) if whole.p_on is not None else None
    negative = np.flatnonzero(after < -0.05)
    low = int(qrs.argmin())
    second = float(qrs[low:].max()) if low < len(qrs) - 1 else 0.0
    first = float(qrs[: low + 1].max())
    return LeadMeasures(
        r_mv=r,
        s_mv=s,
        q_mv=q,
        j_mv=j,
        st60_mv=st60,
        t_mv=float(t[np.abs(t).argmax()]) if len(t) else 0.0,
        p_mv=p_mv,
        net_mv=r - max(q, s),
        area_mv_ms=float(qrs.sum() * 1000 / rate),
        r_ms=top * 1000 / rate,
        r_after_s=bool(second > 0.15 and first > 0.02 and -float(qrs.min()) > 0.05),
        s_ms=float(len(negative) * 1000 / rate),
        upsloping=st60 > j + 0.03,
    )
