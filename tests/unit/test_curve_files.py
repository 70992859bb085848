"""Curves that leave as WFDB or EDF+ are read back as they were, with their gaps and no name."""

from __future__ import annotations

import io
import re
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND, from_iso, to_datetime
from hospital_ops.curves.blocks import Curve, Piece
from hospital_ops.curves.export import written
from hospital_ops.ecg.files import edf, edf_writing, wfdb, wfdb_writing
from hospital_ops.ecg.files.recording import Samples
from hospital_ops.ecg.files.traces import Key, Trace, put_together
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.waveform import NO_SAMPLE

START = 1_790_000_000 * SECOND
PATIENT = "6f0a7c3e-0000-4000-8000-000000000001"
SCALES = st.sampled_from([0.005, 0.00244140625, -0.005, 0.1, 1 / 3, 0.000305, 1.0])
OFFSETS = st.sampled_from([0.0, 12.5, -40.0, 0.0101])
STEPS = st.lists(st.integers(-32767, 32767) | st.just(NO_SAMPLE), min_size=1, max_size=700)


def piece(
    at_s: float, steps: list[int], *, code: str = "131330", patient: str | None = PATIENT,
    mode: str = "Demo", rate_hz: float = 250.0, device: str = "monitor", unit: str = "mV",
    scale: float = 0.005, offset: float = 0.0,
) -> tuple[Curve, Piece]:  # fmt: skip
    curve = Curve(
        "h1", "h1-icu-1", "h1-icu-1-01", patient, device, code, "", rate_hz, scale, offset, unit,
        mode,
    )  # fmt: skip
    at = START + round(at_s * SECOND)
    return curve, Piece(at, at, 1, "1-0", struct.pack(f"<{len(steps)}h", *steps))


def unzipped(data: bytes, folder: Path) -> list[Path]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return sorted(folder.glob("*.hea"))


def trace(steps: list[int], scale: float, offset: float, unit: str = "mV") -> Trace:
    samples = np.array(steps, np.int16)
    return Trace(
        name="ECG II", unit=unit, rate_hz=250.0, scale=scale, offset=offset, samples=samples
    )


def true_values(found: Trace) -> Samples:
    values = found.samples.astype(np.float64) * found.scale + found.offset
    values[found.samples == NO_SAMPLE] = np.nan
    return values


@settings(max_examples=60, deadline=None)
@given(STEPS, SCALES, OFFSETS)
def test_any_curve_is_read_back_from_wfdb_within_one_step_and_its_gaps_as_gaps(
    steps: list[int], scale: float, offset: float
) -> None:
    sent = trace(steps, scale, offset, "mm[Hg]")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in wfdb_writing.write([sent], "bed", to_datetime(START), ()).items():
            Path(folder, name).write_bytes(data)
        (signal,) = wfdb.read_record(Path(folder, "bed_250hz.hea")).signals
    assert (signal.name, signal.unit, signal.rate_hz) == ("ECG II", "mm[Hg]", 250.0)
    expected = true_values(sent)
    assert np.array_equal(np.isnan(signal.values), np.isnan(expected))
    assert np.nanmax(np.abs(signal.values - expected), initial=0) <= abs(scale) * 0.5001


@settings(max_examples=60, deadline=None)
@given(STEPS, SCALES, OFFSETS)
def test_any_curve_is_read_back_from_edf_within_one_step_and_only_gaps_are_its_lowest_value(
    steps: list[int], scale: float, offset: float
) -> None:
    assume(any(step != NO_SAMPLE for step in steps))
    sent = trace(steps, scale, offset)
    found = edf.read(edf_writing.write([sent], to_datetime(START), "Demo"))
    values, step = found.leads["II"][: len(steps)], found.step_mv["II"]
    expected = true_values(sent)
    missing = np.isnan(expected)
    assert np.abs(values - expected)[~missing].max() <= step
    lowest = -32768 * abs(scale) + offset
    assert np.array_equal(values < lowest + step / 2, missing)
    assert not (found.leads["II"][len(steps) :] >= lowest + step / 2).any()


def test_a_gap_a_late_start_and_two_rates_stand_at_their_times(tmp_path: Path) -> None:
    made = written(
        [
            piece(1.0, list(range(250))), piece(3.0, [7] * 250), piece(-0.5, [9] * 250),
            piece(0.0, [5] * 500, code="150452", rate_hz=125.0, unit="1"),
        ],
        "h1-icu-1-01", "wfdb", START, START + 5 * SECOND,
    )  # fmt: skip
    slow, fast = (wfdb.read_record(path) for path in unzipped(made.data, tmp_path))
    assert slow.rate_hz == 125.0
    assert fast.rate_hz == 250.0
    (lead,) = fast.signals
    assert np.allclose(lead.values[:125], 9 * 0.005)
    assert np.isnan(lead.values[125:250]).all()
    assert np.allclose(lead.values[250:500], np.arange(250) * 0.005)
    assert np.isnan(lead.values[500:750]).all()
    assert np.isnan(lead.values[1000:]).all()
    assert fast.started_at == to_datetime(START).replace(tzinfo=None)
    assert slow.signals[0].name == "MDC 150452"


def test_a_file_names_the_id_and_the_mode_and_nobody(tmp_path: Path) -> None:
    sent = [piece(0, [1] * 250)]
    made = written(sent, "h1-icu-1-01", "wfdb", START, START + SECOND)
    (header,) = unzipped(made.data, tmp_path)
    comments = wfdb.read_record(header).comments
    assert f"patient {PATIENT}" in comments
    assert "mode Demo" in comments
    data = written(sent, "h1-icu-1-01", "edf", START, START + SECOND).data
    assert data[8:88].decode().strip() == "X X X X"
    assert data[88:168].decode().split()[-1] == "Demo"
    assert PATIENT.encode() not in data
    assert PATIENT not in made.name


def test_a_gap_of_edf_is_written_beside_the_curve() -> None:
    sent = [piece(0, [1] * 250), piece(2, [1] * 250)]
    data = written(sent, "bed", "edf", START, START + 3 * SECOND).data
    assert b"+1\x151\x14no samples: ECG II\x14" in data


@pytest.mark.parametrize("other", [{"patient": None}, {"mode": "Real"}, {"patient": PATIENT[::-1]}])
def test_curves_of_two_patients_or_two_modes_never_come_into_one_file(
    other: dict[str, str | None],
) -> None:
    sent = [piece(0, [1] * 250), piece(1, [2] * 250, **other)]  # type: ignore[arg-type]
    with pytest.raises(MessageError, match=r"end at .* or begin at ") as refused:
        written(sent, "bed", "wfdb", START, START + 2 * SECOND)
    assert refused.value.code == "several_patients"


def test_the_words_of_a_refusal_name_whole_seconds_that_are_then_of_one_patient() -> None:
    sent = [piece(0, [1] * 250), piece(1, [1] * 80), piece(1.3, [2] * 250, patient=None)]
    with pytest.raises(MessageError) as refused:
        written(sent, "bed", "wfdb", START, START + 4 * SECOND)
    last, first = (from_iso(text) for text in re.findall(r"\d{4}-\S+Z", refused.value.reason))
    assert (last, first) == (START + SECOND, START + 2 * SECOND)


def test_two_senders_of_one_lead_are_two_signals() -> None:
    traces = put_together(
        [
            (Key("131330", "", device, 250.0, 0.005, 0.0, "mV"), START, struct.pack("<1h", 1))
            for device in ("a", "b")
        ],
        START,
        START + SECOND,
    )
    assert [found.name for found in traces] == ["ECG II", "ECG II 2"]


def test_more_than_a_file_may_hold_nothing_stored_and_what_edf_cannot_say_are_told_in_words() -> (
    None
):
    with pytest.raises(NotFound):
        written([], "bed", "wfdb", START, START + SECOND)
    with pytest.raises(MessageError, match="less time"):
        written([piece(0, [1])], "bed", "wfdb", START, START + 100_000 * SECOND)
    with pytest.raises(MessageError, match="ask for wfdb"):
        written([piece(0, [1] * 9, rate_hz=249.917)], "bed", "edf", START, START + SECOND)
    with pytest.raises(MessageError, match="ask for wfdb"):
        written([piece(0, [1] * 9, scale=1e-9)], "bed", "edf", START, START + SECOND)
