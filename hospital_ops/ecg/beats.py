"""Beats of a whole recording: one lead, or several leads that vote.

The batch way is the streaming way with one chunk, so a recording analysed twice, live and later,
has the same beats.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from hospital_ops.ecg.hops import Array
from hospital_ops.ecg.stream import BeatStream

_TOGETHER_S: Final = 0.15  # detections of one beat in several leads lie within this


def detect(lead: Array, rate_hz: float) -> Array:
    """Sample numbers of the QRS complexes of one lead, rising.

    `lead` in mV, shape (n,), NaN in gaps; at least 50 samples a second (ValueError).
    """
    stream = BeatStream(rate_hz)
    _, found = stream.push(np.asarray(lead, dtype=float)[None, :])
    _, last = stream.finish()
    return np.concatenate([found, last])


def detect_each(leads: Array, rate_hz: float) -> list[Array]:
    """`detect` for each row of `leads` (mV, shape (leads, n)) in one pass."""
    leads = np.asarray(leads, dtype=float)
    stream = BeatStream(rate_hz, leads.shape[0])
    parts = stream.push(leads), stream.finish()
    lead = np.concatenate([part[0] for part in parts])
    at = np.concatenate([part[1] for part in parts])
    return [at[lead == number] for number in range(leads.shape[0])]


def fuse(found: list[Array], trust: Array, rate_hz: float) -> Array:
    """One list of beats from those of each lead: what at least half of the trust agrees on.

    `trust` is one weight >= 0 per lead (0 for a lead that is off). A beat takes the median time.
    """
    weights = np.asarray(trust, dtype=float)
    usable = [number for number, weight in enumerate(weights) if weight > 0]
    if not usable:
        return np.empty(0, np.int64)
    if len(usable) == 1:
        return found[usable[0]]
    at = np.concatenate([found[number] for number in usable])
    lead = np.concatenate([np.full(len(found[number]), number) for number in usable])
    order = np.argsort(at, kind="stable")
    at, lead = at[order], lead[order]
    beats: list[int] = []
    start, reach = 0, int(_TOGETHER_S * rate_hz)
    total = weights[usable].sum()
    while start < len(at):
        stop = int(np.searchsorted(at, at[start] + reach, side="right"))
        if weights[np.unique(lead[start:stop])].sum() * 2 >= total:
            beats.append(int(np.median(at[start:stop])))
            start = int(np.searchsorted(at, at[start] + 2 * reach - reach // 2, side="left"))
            start = max(start, stop)
        else:
            start += 1
    return np.array(beats, dtype=np.int64)
