"""Damaged and hostile ECG files are refused in words: nothing else comes out of a reader."""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops.ecg.files import scp, wfdb
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.recording import EcgFileError, EcgRecording
from simulators.courses import recordings_folder

FILES = (recordings_folder() or Path("/recordings-are-not-there")) / "ecg_files"
SAMPLES = (
    "Example.scp", "wfdb_test.scp", "Example.xml", "anonymous_ecg.dcm", "0000050.ECG.edf",
    "129DYPRG.XML", "0000037.ECG",
)  # fmt: skip
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def whole(name: str) -> bytes:
    return (FILES / name).read_bytes()


def must_be_read_or_refused(data: bytes) -> None:
    with suppress(EcgFileError):
        found = read(data, rate_hz=500, step_mv=0.005)
        assert isinstance(found, EcgRecording)
        assert found.leads


@pytest.mark.parametrize("name", SAMPLES)
@FEW
@given(data=st.data())
def test_a_cut_or_flipped_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    damaged = bytearray(whole(name))
    # Most of what decides lies in the beginning; the rest are samples.
    places = st.integers(0, 2000) | st.integers(0, len(damaged) - 1)
    for place in data.draw(st.lists(places, max_size=8)):
        damaged[place % len(damaged)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    must_be_read_or_refused(bytes(damaged))


@FEW
@given(data=st.data())
def test_a_wrong_scp_file_with_a_right_check_sum_is_read_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(whole("Example.scp"))
    for place in data.draw(st.lists(st.integers(6, 5000), min_size=1, max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    damaged[:2] = struct.pack("<H", scp.crc(bytes(damaged[2:])))
    must_be_read_or_refused(bytes(damaged))


@FEW
@given(data=st.data())
def test_wrong_curves_of_philips_are_read_or_refused(data: st.DataObject) -> None:
    """Flips within the packed curves: lengths, codes and differences, not the XML round them."""
    text = whole("129DYPRG.XML")
    start = text.index(b">", text.index(b"<parsedwaveforms")) + 1
    damaged = bytearray(text)
    for place in data.draw(st.lists(st.integers(0, 30_000), min_size=1, max_size=9)):
        damaged[start + place] = data.draw(st.sampled_from(b"ABCxyz019+/"))
    must_be_read_or_refused(bytes(damaged))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_wrong_wfdb_header_is_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    header = bytearray(whole("00001_lr.hea"))
    for place in data.draw(st.lists(st.integers(0, len(header) - 1), max_size=5)):
        header[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del header[data.draw(st.integers(0, len(header))) :]
    (tmp_path / "00001_lr.hea").write_bytes(bytes(header))
    (tmp_path / "00001_lr.dat").write_bytes(whole("00001_lr.dat"))
    with suppress(EcgFileError):
        assert wfdb.read(tmp_path / "00001_lr").leads


@FEW
@given(data=st.binary(max_size=3000))
def test_noise_is_no_ecg(data: bytes) -> None:
    must_be_read_or_refused(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_ecg"),
        (BOMB + b"<AnnotatedECG>&b;</AnnotatedECG>", "hostile"),
        (b"<AnnotatedECG>", "damaged"),
        (b"<html></html>", "not_ecg"),
        (b"<a>" * 200_000, "damaged"),
        (gzip.compress(b"\0" * (70 << 20), 9, mtime=0), "too_large"),
        (gzip.compress(b"1,2,3", mtime=0)[:-6], "damaged"),
        (zlib.compress(b"1,2"), "not_ecg"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 500, "not_ecg"),
        (b"0       " + b" " * 244 + b"9999", "hostile"),
        (b'{"leads": {"I": [1, "x"]}, "rate_hz": 500}', "damaged"),
        (b'{"leads": ' + b"[" * 100_000, "damaged"),
        (b'{"leads": {"I": [1, 2]}, "rate_hz": NaN}', "damaged"),
        (b"I,II\n1,2\n3\n", "damaged"),
        (b"I,II\n1,2\n3,words\n", "damaged"),
        (b"1,2,3\n4,5,6\n", "refused"),
    ],
)
def test_each_trick_is_named(data: bytes, code: str) -> None:
    with pytest.raises(EcgFileError) as refused:
        read(data, rate_hz=500, step_mv=0.005)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("x 1 500 10\n../../etc/passwd 16 200 0\n", "hostile"),
        ("x 1 500 10\n/etc/passwd 16 200 0\n", "hostile"),
        ("x 1 500 999999999999\nx.dat 16 200 0\n", "hostile"),
        ("x 100000 500 10\nx.dat 16 200 0\n", "hostile"),
        ("x 1 500 10\nx.dat 8 200 0\n", "refused"),
        ("x 1 500 10\nx.dat 16 200 0\n", "damaged"),  # its file is not there
        ("x/2 1 500 20\nx 10\nx 10\n", "damaged"),  # a record made of itself
        ("", "damaged"),
    ],
)
def test_a_wfdb_header_reaches_no_other_file(header: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "x.hea").write_text(header)
    with pytest.raises(EcgFileError) as refused:
        wfdb.read_record(tmp_path / "x")
    assert refused.value.code == code
