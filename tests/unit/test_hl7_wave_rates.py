"""The sampling rate of a waveform in HL7: what no device has makes no curve."""

import pytest

from hospital_ops.hl7.waves import Wave, finish

AT = 1_780_000_000_000_000


@pytest.mark.parametrize("rate", [0.0, -250.0, 5001.0, 1e15])
def test_a_rate_that_no_device_has_makes_no_curve(rate: float) -> None:
    assert finish(Wave("131330", "1", [1.0, 2.0], AT, None, "mV", rate), "", AT) is None


def test_a_piece_that_lasts_a_microsecond_makes_no_curve() -> None:
    assert finish(Wave("131330", "1", [1.0, 2.0], AT, AT + 1, "mV"), "", AT) is None
    assert finish(Wave("131330", "1", [1.0, 2.0], AT, AT + 8000, "mV"), "", AT) is not None
