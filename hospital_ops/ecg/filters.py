"""The three filters that the look at an ECG needs, by numpy alone.

The same figures as scipy's functions of these names (a test compares them); loading scipy for them
took each process more than a second of its start.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hospital_ops.ecg.hops import Array

_TRUNCATE = 4.0  # a Gaussian is cut off at so many of its widths


def band_pass(taps: int, band_hz: tuple[float, float], rate_hz: float) -> Array:
    """A linear-phase band pass of `taps` coefficients, windowed by Hamming; 1 in its middle.

    As `scipy.signal.firwin(taps, band_hz, pass_zero=False, fs=rate_hz)`.
    """
    low, high = (2 * edge / rate_hz for edge in band_hz)
    at = np.arange(taps, dtype=float) - 0.5 * (taps - 1)
    ideal = high * np.sinc(high * at) - low * np.sinc(low * at)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(taps) / (taps - 1))
    weighted: Array = ideal * window
    gain = np.sum(weighted * np.cos(np.pi * at * 0.5 * (low + high)))
    scaled: Array = weighted / gain
    return scaled


def smoothed(signal: Array, sigma: float, *, slope: bool = False) -> Array:
    """The last axis under a Gaussian of `sigma` samples; `slope`: its first derivative.

    As `scipy.ndimage.gaussian_filter1d`: mirrored at both ends, the end sample twice.
    """
    radius = int(_TRUNCATE * sigma + 0.5)
    at = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 / sigma**2 * at**2)
    kernel /= kernel.sum()
    if slope:
        kernel *= at / sigma**2  # correlated, not convolved: the sign is turned already
    around = [(0, 0)] * (signal.ndim - 1) + [(radius, radius)]
    padded = np.pad(signal, around, mode="symmetric")
    found: Array = sliding_window_view(padded, 2 * radius + 1, axis=-1) @ kernel
    return found


def highest_around(signal: Array, reach: int) -> Array:
    """The highest sample within `reach` samples, along the last axis; `reach` shorter at each end.

    Two running maxima of blocks as long as the window (van Herk, 1992): three steps a sample,
    however long the window is.
    """
    width, length = 2 * reach + 1, signal.shape[-1]
    blocks = -(-length // width)
    filled = np.full((*signal.shape[:-1], blocks * width), -np.inf)
    filled[..., :length] = signal
    by_block = filled.reshape(*signal.shape[:-1], blocks, width)
    ahead = np.maximum.accumulate(by_block, axis=-1).reshape(filled.shape)
    back = np.maximum.accumulate(by_block[..., ::-1], axis=-1)[..., ::-1].reshape(filled.shape)
    return np.maximum(back[..., : length - 2 * reach], ahead[..., 2 * reach : length])
