"""Any ECG file into the one form: what it is says its content, never its name alone."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from hospital_ops.ecg.files import (
    aecg,
    dicom,
    edf,
    philips,
    samples,
    scp,
    text,
    wfdb,
    wfdb_zip,
    xml,
)
from hospital_ops.ecg.files.recording import MOST_BYTES, EcgFileError, EcgRecording, check_size

_GZIP: Final = b"\x1f\x8b"
_EDF: Final = b"0       "
_XML_STARTS: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")
_WFDB_ENDINGS: Final = (".hea", ".dat", ".mat", ".xyz")
_READERS: Final = {"AnnotatedECG": aecg.read, "restingecgdata": philips.read}
_CONTEC: Final = (
    "a Contec device file: export the ECG as SCP-ECG, EDF or CSV from the device's program"
)


def read(
    source: Path | str | bytes,
    name: str = "",
    *,
    rate_hz: float | None = None,
    step_mv: float | None = None,
) -> EcgRecording:
    """The recording in a file or its bytes; `name` helps where content says too little.

    `rate_hz` and `step_mv` (millivolts of one unit) are for text, which does not know them.
    A path may be a WFDB record: its header, or a signal file with the header beside it.
    Errors: `EcgFileError`, always in words, never anything else.
    """
    if isinstance(source, bytes):
        return _read_bytes(check_size(source), name, rate_hz, step_mv)
    path = Path(source)
    if path.suffix in _WFDB_ENDINGS or path.with_name(path.name + ".hea").is_file():
        header = path.with_suffix(".hea") if path.suffix in _WFDB_ENDINGS else path
        return wfdb.read(header)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise EcgFileError("damaged", "the file cannot be opened: name one that is there") from (
            problem
        )
    return _read_bytes(check_size(data), path.name, rate_hz, step_mv)


def _read_bytes(
    data: bytes, name: str, rate_hz: float | None, step_mv: float | None
) -> EcgRecording:
    if data.startswith(_GZIP):
        data = _inflated(data)
    if data.startswith(wfdb_zip.BEGINS):
        return wfdb_zip.read(data)
    if data[128:132] == b"DICM":
        return dicom.read(data)
    if data.startswith(_EDF):
        return edf.read(data)
    if scp.is_scp(data):
        return scp.read(data)
    if data.lstrip()[:4].startswith(_XML_STARTS):
        root = xml.parse(data)
        reader = _READERS.get(xml.bare(root))
        if reader is None:
            raise EcgFileError("not_ecg", "this XML is no ECG that we know: send aECG or Philips")
        return reader(root)
    if data[:1] == b"{":
        return samples.read(data)
    if name.endswith(".hea"):
        raise EcgFileError("refused", "a WFDB header alone: send it in a zip with its signal files")
    if name.upper().endswith(".ECG"):
        raise EcgFileError("refused", _CONTEC)
    if b"\0" in data[:4096] or not data:
        raise EcgFileError("not_ecg", "no ECG format that we know: export as SCP-ECG, EDF or aECG")
    return text.read(data, rate_hz, step_mv)


def _inflated(data: bytes) -> bytes:
    """One gzip layer off, never more than the largest file."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, MOST_BYTES + 1)
    except zlib.error as problem:
        raise EcgFileError("damaged", "the compressed file is broken: send it again") from problem
    if not stream.eof and len(plain) <= MOST_BYTES:
        raise EcgFileError("damaged", "the compressed file is cut: send it again")
    return check_size(plain)
