"""Every ECG file of the recorded collection gets its right answer: leads, rate, length, values.

The table is printed by `pytest -s`, so that a person can read what is read and what is refused.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hospital_ops.ecg.files import edf, packing, wfdb, wfdb_labels
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.recording import TWELVE_LEADS, EcgFileError
from hospital_ops.ecg.files.wfdb_formats import UNPACK, bytes_of
from hospital_ops.waveform import NO_SAMPLE
from simulators.courses import recordings_folder

FILES = recordings_folder() or Path("/recordings-are-not-there")
XYZ = ("X", "Y", "Z")


@dataclass(frozen=True)
class Right:
    """The right answer for a file: leads in any order, Hz, samples, (lead, sample, mV)."""

    path: str
    form: str
    rate_hz: float
    samples: int
    at: tuple[str, int, float]
    leads: tuple[str, ...] = TWELVE_LEADS
    rate_given_hz: float | None = None
    step_given_mv: float | None = None


# Values from the files' own digits (XML, CSV), or from the initial values of WFDB headers.
READ = (
    Right("ecg_files/00001_lr.hea", "WFDB", 100, 1000, ("I", 0, -0.119)),
    Right("ecg_files/s0010_re.dat", "WFDB", 1000, 38400, ("V6", 0, 0.195), (*TWELVE_LEADS, *XYZ)),
    Right("ecg_files/Example.scp", "SCP-ECG", 500, 5000, ("I", 100, 0.0675)),
    Right("ecg_files/Example.xml", "HL7 aECG", 500, 5000, ("I", 0, -0.005)),
    Right(
        "ecg_files/ad4d3d80-d165_1-04_converted.xml.gz", "HL7 aECG", 500, 5500, ("I", 0, 0.05)
    ),
    Right("ecg_files/ad4d3d80-d165_1-04_orig.xml", "Philips XML", 500, 5500, ("I", 0, 0.05)),
    Right("ecg_files/129DYPRG.XML", "Philips XML", 500, 5500, ("II", 0, 0.585)),
    Right("ecg_files/2020-5-18_15-48-11.xml", "Philips XML", 500, 5500, ("I", 0, -0.01)),
    Right("ecg_files/anonymous_ecg.dcm", "DICOM", 1000, 10000, ("II", 100, 0.0375)),
    Right("ecg_files/0000050.ECG.scp", "SCP-ECG", 800, 32767, ("I", 100, -0.06)),
    Right("ecg_files/0000050.ECG.edf", "EDF", 800, 37855, ("I", 100, -0.3509575)),
    Right(
        "ecg_files/0000050.ECG.csv.gz", "CSV", 800, 37855, ("I", 0, -0.1),
        rate_given_hz=800, step_given_mv=0.005,
    ),
    Right("ludb/7.hea", "WFDB", 500, 5000, ("II", 0, (310 - 11) / 704)),
    Right("cinc2021_12lead/E07500.mat", "WFDB", 500, 5000, ("V1", 0, 0.156)),
    Right("mitdb/100.hea", "WFDB", 360, 650000, ("MLII", 0, -0.145), ("MLII", "V5")),
    Right(
        "challenge2011_quality/1178618.txt.gz", "CSV", 500, 5000, ("V1", 0, 0.08),
        rate_given_hz=500, step_given_mv=0.005,
    ),
)  # fmt: skip
# What is refused says what to do instead.
REFUSED = {
    "ecg_files/0000037.ECG": ("refused", "export the ECG as SCP-ECG"),
    "ecg_files/0000050.ECG": ("refused", "export the ECG as SCP-ECG"),
    "ecg_files/wfdb_test.scp": ("refused", "bimodal"),
    "ecg_files/0000050.ECG.csv.gz": ("refused", "rate_hz"),
}


def test_the_recordings_are_there() -> None:
    assert FILES.is_dir(), "CI runs without recordings: set HOSPITAL_OPS_RECORDINGS to shared/data"


@pytest.mark.parametrize("right", READ, ids=lambda right: right.path)
def test_a_file_is_read_as_it_was_recorded(right: Right) -> None:
    found = read(FILES / right.path, rate_hz=right.rate_given_hz, step_mv=right.step_given_mv)
    lead, sample, mv = right.at
    print(
        f"{right.path:48} {found.source_format:9} {found.rate_hz:6g} Hz {found.samples:7} "
        f"{len(found.leads):2} leads {found.device or '-'}"
    )
    assert found.source_format == right.form
    assert found.rate_hz == pytest.approx(right.rate_hz)
    assert found.samples == right.samples
    assert set(found.leads) == set(right.leads)
    assert found.leads[lead][sample] == pytest.approx(mv, abs=1e-6)
    assert "ids" not in repr(found)


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_read_is_refused_in_words(path: str) -> None:
    code, words = REFUSED[path]
    with pytest.raises(EcgFileError, match=words) as refused:
        read(FILES / path)
    print(f"{path:48} {refused.value}")
    assert refused.value.code == code


def test_every_file_of_the_collection_is_in_the_table() -> None:
    known = {right.path for right in READ} | set(REFUSED)
    known |= {"ecg_files/00001_lr.dat", "ecg_files/s0010_re.hea", "ecg_files/s0010_re.xyz"}
    found = {f"ecg_files/{path.name}" for path in (FILES / "ecg_files").iterdir()}
    assert found <= known


@pytest.mark.parametrize(
    "folder", ["ludb", "cinc2021_12lead", "cpsc2021_af", "challenge2015_vt", "vfdb", "cudb"]
)
def test_every_wfdb_record_agrees_with_the_checksums_of_its_header(folder: str) -> None:
    """The reader itself refuses a record whose checksum is wrong: reading all is the test."""
    headers = sorted((FILES / folder).glob("*.hea"))
    assert headers
    for header in headers:
        assert wfdb.read_record(header).signals, header.name


def test_the_forms_of_one_recording_agree_within_one_step() -> None:
    text = read(FILES / "ecg_files/0000050.ECG.csv.gz", rate_hz=800, step_mv=0.005)
    scp, edf = (read(FILES / f"ecg_files/0000050.ECG.{form}") for form in ("scp", "edf"))
    # The EDF of this converter claims a range of 1000 mV, so the forms are compared in units.
    for lead in ("I", "II", "III", "aVR", "aVL", "aVF"):
        units = text.leads[lead] / text.step_mv[lead]
        assert np.abs(units[:32767] - scp.leads[lead] / scp.step_mv[lead]).max() < 1
        assert np.abs(units - edf.leads[lead] / edf.step_mv[lead]).max() < 1
    for lead in ("V1", "V6"):  # the cable was off: the text says nothing, the others a flat line
        assert np.isnan(text.leads[lead]).all()
        assert np.ptp(scp.leads[lead]) == np.ptp(edf.leads[lead]) == 0


def test_two_makers_of_the_same_example_agree() -> None:
    scp, xml = (read(FILES / f"ecg_files/Example.{form}") for form in ("scp", "xml"))
    for lead in TWELVE_LEADS:
        assert np.abs(scp.leads[lead] - xml.leads[lead]).max() <= xml.step_mv[lead] + 1e-9


def test_philips_own_packing_agrees_with_its_decoded_twin() -> None:
    packed = read(FILES / "ecg_files/ad4d3d80-d165_1-04_orig.xml")
    twin = read(FILES / "ecg_files/ad4d3d80-d165_1-04_converted.xml.gz")
    assert packed.started_at == twin.started_at
    for lead in TWELVE_LEADS:
        # The twin went through the maker's mains filter: some steps of 5 uV, nothing that grows.
        differences = np.abs(packed.leads[lead] - twin.leads[lead]) / packed.step_mv[lead]
        assert differences.max() < 5
        assert differences.mean() < 0.75
        assert differences[-500:].mean() < 0.75


@pytest.mark.parametrize(
    ("name", "low_cut_hz"),
    [
        ("ad4d3d80-d165_1-04_converted.xml.gz", 0.05),
        ("Example.xml", None),  # it says only that there is a filter
        ("129DYPRG.XML", 0.05),
        ("anonymous_ecg.dcm", 0.05),
        ("0000050.ECG.edf", None),
    ],
)
def test_the_filter_that_a_recorder_applied_is_read(name: str, low_cut_hz: float | None) -> None:
    assert read(FILES / "ecg_files" / name).low_cut_hz == low_cut_hz


def test_the_filter_of_an_edf_recording_is_read_of_each_signal() -> None:
    data = bytearray((FILES / "ecg_files" / "0000050.ECG.edf").read_bytes())
    count = int(data[252:256])
    at = 256 + count * 136  # `prefiltering`, after label, transducer, unit and four limits
    data[at : at + 80] = b"HP:0.05Hz LP:150Hz".ljust(80)
    data[at + 80 : at + 160] = b"HP: 0.5 Hz LP:40Hz N:50Hz".ljust(80)
    assert edf.read(bytes(data)).low_cut_hz == 0.5


def test_an_ecg_is_an_ecg_einthoven_and_goldberger_hold() -> None:
    found = read(FILES / "ecg_files/anonymous_ecg.dcm").leads
    assert np.abs(found["I"] + found["III"] - found["II"]).max() < 0.02
    assert np.abs(found["aVR"] + (found["I"] + found["II"]) / 2).max() < 0.02


def test_segments_stand_at_their_time_and_gaps_are_gaps() -> None:
    folder = FILES / "icu_waveform_samples" / "s25047"
    whole = wfdb.read_record(folder / "s25047-2704-05-04-10-44")
    by_name = {signal.name: signal for signal in whole.signals}
    assert set(by_name) == {"II", "V", "ABP"}
    lead = by_name["II"].values
    assert len(lead) == 543_240
    assert np.isnan(lead[:25_740]).all(), "the record begins with a gap"
    first = wfdb.read_record(folder / "3234460_0001").signals[0].values
    assert np.array_equal(lead[25_740 : 25_740 + 28_637], first, equal_nan=True)


def test_rates_in_a_frame_and_skew_are_followed() -> None:
    record = wfdb.read_record(FILES / "icu_waveform_samples" / "03700181")
    rates = {signal.name: (signal.rate_hz, len(signal.values)) for signal in record.signals}
    assert rates == {"MCL1": (500, 300_000), "ABP": (125, 75_000), "RESP": (125, 75_000)}
    late = record.signals[2].values
    assert np.isnan(late[-4:]).all()
    assert not np.isnan(late[:-4]).any()


def test_labels_beside_a_record_are_read() -> None:
    labels = wfdb_labels.read_annotations(FILES / "mitdb" / "100.atr")
    beats = [label for label in labels if label.mark in wfdb_labels.BEATS]
    assert len(labels) == 2274
    assert len(beats) == 2273  # as the database's own table of contents has it
    assert (labels[0].mark, labels[0].text) == ("+", "(N")


@pytest.mark.parametrize(
    ("fmt", "data", "numbers"),
    [
        (16, "0100ffff0080", [1, -1, -32768]),
        (61, "0001ffff8000", [1, -1, -32768]),
        (24, "010000ffffff000080", [1, -1, -8388608]),
        (32, "01000000ffffffff", [1, -1]),
        (80, "817f00", [1, -1, -128]),
        (212, "01f0ff", [1, -1]),
        (212, "010000", [1]),  # the last pair may be cut behind its first sample
        # Two words of 16 bits: ten bits from bit 1 of each, the third from both tops.
        (310, "02f8fef7", [1, -1, -33]),
        (311, "01fc7f00", [1, -1, 7]),
    ],
)
def test_each_way_of_packing_is_undone(fmt: int, data: str, numbers: list[int]) -> None:
    found = UNPACK[fmt](bytes.fromhex(data), len(numbers))
    assert found.tolist() == numbers
    assert bytes_of(fmt, len(numbers)) <= len(data) // 2


@pytest.mark.parametrize("path", ["ludb/7.hea", "ecg_files/Example.xml", "ludb/33.hea"])
def test_what_goes_to_the_archive_is_what_was_read(path: str) -> None:
    recording = read(FILES / path)
    for lead in packing.packed(recording):
        back = np.array(packing.unpacked(lead), dtype=float)
        assert np.abs(back - recording.leads[lead.name]).max() < 1e-6


def test_a_gap_is_a_gap_in_the_archive_and_no_number() -> None:
    text = "I,II\n" + "\n".join(f"{n},{'' if n == 3 else n}" for n in range(10))
    recording = read(gzip.compress(text.encode()), rate_hz=250, step_mv=0.005)
    first, second = packing.packed(recording)
    assert packing.unpacked(second)[2:5] == [0.01, None, 0.02]
    assert NO_SAMPLE in np.frombuffer(second.samples, "<i2")
    assert NO_SAMPLE not in np.frombuffer(first.samples, "<i2")


def zipped(*files: tuple[str, bytes]) -> bytes:
    """The files as one upload."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files:
            packed.writestr(name, content)
    return made.getvalue()


def test_a_wfdb_record_in_a_zip_is_the_same_ecg_as_from_its_folder() -> None:
    parts = [FILES / "ecg_files" / name for name in ("00001_lr.hea", "00001_lr.dat")]
    data = zipped(*((f"records/{path.name}", path.read_bytes()) for path in parts))
    whole, packed = read(parts[0]), read(data)
    assert (packed.source_format, packed.rate_hz) == (whole.source_format, whole.rate_hz)
    assert list(packed.leads) == list(whole.leads)
    for name in whole.leads:
        assert np.array_equal(packed.leads[name], whole.leads[name], equal_nan=True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped(("notes.txt", b"nothing")), "not_ecg"),
        (zipped(("a.hea", b"a 1 500 10\n"), ("b.hea", b"b 1 500 10\n")), "not_ecg"),
        (zipped(("a.hea", b"a 1 500 10\na.dat 16 200 0\n")), "damaged"),
        (zipped(("a.hea", b"a 1 500 10\n../../etc/passwd 16 200 0\n")), "hostile"),
        (zipped(*((f"{number}.dat", b"") for number in range(65))), "too_large"),
        (zipped(("a.dat", bytes(65 * 1024 * 1024))), "too_large"),
        (zipped(("a.hea", b"a 1 500 10\n"))[:-30], "damaged"),
        (b"PK\x03\x04" + bytes(40), "damaged"),
    ],
    ids=["no header", "two", "no signals", "outside", "many files", "bomb", "cut", "noise"],
)
def test_a_zip_that_is_no_single_record_is_refused_in_words(data: bytes, code: str) -> None:
    with pytest.raises(EcgFileError) as refused:
        read(data)
    assert refused.value.code == code
