"""The filters of the ECG give the same figures as those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import firwin

from hospital_ops.ecg.filters import band_pass, highest_around, smoothed

SIGNAL = np.random.default_rng(7).normal(size=(3, 997)).cumsum(axis=1)


@pytest.mark.parametrize("rate_hz", [50.0, 125.0, 250.0])
@pytest.mark.parametrize("taps", [3, 25, 101])
def test_the_band_pass_is_the_textbooks(rate_hz: float, taps: int) -> None:
    band = (5.0, 0.4 * rate_hz)
    ours = band_pass(taps, band, rate_hz)
    assert ours == pytest.approx(firwin(taps, band, pass_zero=False, fs=rate_hz), abs=1e-12)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.7, 12.0])
@pytest.mark.parametrize("slope", [False, True])
def test_a_smoothed_curve_and_its_slope_are_the_textbooks(sigma: float, slope: bool) -> None:
    for signal in (SIGNAL, SIGNAL[0], SIGNAL[1, :9]):
        theirs = gaussian_filter1d(signal, sigma, order=int(slope), axis=-1)
        assert np.allclose(smoothed(signal, sigma, slope=slope), theirs, atol=1e-10)


@pytest.mark.parametrize("reach", [1, 7, 25, 498])
def test_the_highest_around_is_exactly_the_highest(reach: int) -> None:
    theirs = maximum_filter1d(SIGNAL, 2 * reach + 1, axis=1)[:, reach:-reach]
    assert np.array_equal(highest_around(SIGNAL, reach), theirs)
