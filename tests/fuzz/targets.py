"""What is fuzzed: bytes in, and what may come out of them; anything else is a finding.

    python -m tests.fuzz.targets NAME [libFuzzer options] [folders of seeds]

A crash, a hang or growing memory ends the run with the bytes in a file: mend it, and keep the
file under `tests/fuzz/seeds/NAME/`, where every later run begins with it.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

try:
    import atheris
except ImportError:  # there are wheels for Linux on x86_64 alone: elsewhere the seeds are read
    atheris = None
_READERS: Final = ["hospital_ops.hl7", "hospital_ops.ecg.files"]

with atheris.instrument_imports(include=_READERS) if atheris else nullcontext():
    from hospital_ops import wire
    from hospital_ops.ecg.files import scp, wfdb
    from hospital_ops.ecg.files.reading import read
    from hospital_ops.ecg.files.recording import EcgFileError
    from hospital_ops.errors import MessageError
    from hospital_ops.hl7.framing import Framer, split_messages
    from hospital_ops.hl7.parse import parse, parse_text, print_message
    from hospital_ops.hl7.understand import Source, understand

WARD: Final = Source(name="ward", hospital="h1", mode="Real")
RECEIVED_AT: Final = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
LIMIT: Final = 4096  # small, so that a giant frame is tried too


def framer(data: bytes) -> None:
    """Any split of the bytes gives the same frames."""
    whole = Framer(LIMIT).feed(data)
    pieces, split = Framer(LIMIT), []
    step = 1 + len(data) % 7
    for at in range(0, len(data), step):
        split += pieces.feed(data[at : at + step])
    assert split == whole
    for frame in whole:
        split_messages(frame.data)


def hl7(data: bytes) -> None:
    """Whatever comes is understood or refused with an answer; what is printed parses the same."""
    for raw in split_messages(data):
        known = understand(raw, WARD, RECEIVED_AT)
        if known.problem is None:
            for _, entry in known.entries("h1-icu-1", "h1-icu-1-01"):
                wire.decode(wire.encode(entry))
        assert isinstance(known.answer(RECEIVED_AT), bytes)
    with suppress(MessageError):
        message = parse(data)
        assert message.damaged or parse_text(print_message(message)) == message


def ecg(data: bytes) -> None:
    """A file is read or refused in words."""
    with suppress(EcgFileError):
        assert read(data, rate_hz=500, step_mv=0.005).leads


def checked(data: bytes) -> None:
    """An SCP file as it is, and with the check sum that it should have: else few get further."""
    ecg(data)
    ecg(struct.pack("<H", scp.crc(data[2:])) + data[2:])


def header(data: bytes) -> None:
    """A WFDB header up to the first NUL, then its signal: read or refused in words."""
    text, _, signal = data.partition(b"\x00")
    with TemporaryDirectory() as folder:
        (Path(folder) / "r.hea").write_bytes(text)
        (Path(folder) / "r.dat").write_bytes(signal)
        with suppress(EcgFileError):
            assert wfdb.read(Path(folder) / "r").leads


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "framer": framer, "hl7": hl7, "wfdb": header,
    "scp": checked, "xml": ecg, "dicom": ecg, "edf": ecg, "text": ecg,
}  # fmt: skip


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
