"""A WFDB record as one upload: its header and signal files in a zip, as PhysioNet gives them.

What the header names must lie in the zip. Sizes and names are looked at before anything is
unpacked; folders inside the zip are left out.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from hospital_ops.ecg.files import wfdb
from hospital_ops.ecg.files.recording import MOST_BYTES, EcgFileError, EcgRecording

BEGINS: Final = b"PK\x03\x04"
# RuntimeError: locked by a password, or a compression that nobody unpacks.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError)
_FILES_MOST: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")


def read(data: bytes) -> EcgRecording:
    """The ECG leads of the one record in the zip. Errors: `EcgFileError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            files = _files(packed)
    except _BROKEN as problem:
        raise EcgFileError("damaged", "the zip is broken or locked: pack it again") from problem
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        return wfdb.read(Path(folder, _header(files)))


def _files(packed: zipfile.ZipFile) -> dict[str, bytes]:
    inside = [one for one in packed.infolist() if not one.is_dir()]
    if len(inside) > _FILES_MOST or sum(one.file_size for one in inside) > MOST_BYTES:
        raise EcgFileError("too_large", f"a zip holds one record: {_FILES_MOST} files at most")
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for one in inside:
        name = PurePosixPath(one.filename).name
        if not _NAME.fullmatch(name):
            continue
        with packed.open(one) as stream:  # what a zip says of its sizes need not be true
            files[name] = stream.read(left + 1)
        left -= len(files[name])
        if left < 0:
            raise EcgFileError("too_large", "what the zip holds is larger than any ECG")
    return files


def _header(files: dict[str, bytes]) -> str:
    """The record's header; of one in segments that which names the others."""
    headers = [name for name in files if name.endswith(".hea")]
    if len(headers) > 1:
        headers = [name for name in headers if b"/" in files[name].split(b" ", 1)[0]]
    if len(headers) != 1:
        raise EcgFileError("not_ecg", "a zip that is no single WFDB record: one .hea, its files")
    return headers[0]
