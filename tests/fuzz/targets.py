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
    from hospital_ops.ecg.files import scp, wfdb, wfdb_labels
    from hospital_ops.ecg.files.reading import read
    from hospital_ops.ecg.files.recording import EcgFileError
    from hospital_ops.errors import MessageError
    from hospital_ops.hl7.framing import NOISE_LIMIT, Framer, split_messages
    from hospital_ops.hl7.parse import parse, parse_text, print_message
    from hospital_ops.hl7.understand import Source, understand

# Its times without a zone, and text beyond ASCII without MSH-18, are read in three ways.
WARDS: Final = (
    Source(name="ward", hospital="h1", mode="Real"),
    Source(name="ward", hospital="h1", mode="Real", zone="Europe/Moscow", charset="8859/5"),
    Source(name="ward", hospital="h1", mode="Real", zone="America/St_Johns", charset="CP1251"),
)
RECEIVED_AT: Final = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
LIMIT: Final = 4096  # small, so that a giant frame is tried too


def framer(data: bytes) -> None:
    """Any split of the bytes gives the same frames, and leaves the same unfinished one."""
    whole, pieces = Framer(LIMIT), Framer(LIMIT)
    if len(data) % 2:  # the peer has said much already that was no frame
        before = b" " * (NOISE_LIMIT - 60)
        assert not [*whole.feed(before), *pieces.feed(before)]
    found, split = whole.feed(data), []
    step = 1 + len(data) % 7
    for at in range(0, len(data), step):
        split += pieces.feed(data[at : at + step])
    assert split == found
    assert (pieces.inside, pieces.empty) == (whole.inside, whole.empty)
    assert pieces.abandon() == whole.abandon()
    for frame in found:
        split_messages(frame.data)


def hl7(data: bytes) -> None:
    """Whatever comes is understood or refused with an answer; what is printed parses the same."""
    ward = WARDS[len(data) % len(WARDS)]
    for raw in split_messages(data):
        known = understand(raw, ward, RECEIVED_AT)
        if known.problem is None:
            for _, entry in known.entries("h1-icu-1", "b1", "h1-icu-2", "b2"):
                wire.decode(wire.encode(entry))
        wire.decode(wire.encode(known.kept("h1-hall")))
        for why in ("", "the disk is full"):
            assert isinstance(known.answer(RECEIVED_AT, why), bytes)
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
    """A WFDB header up to the first NUL, then its signal: read or refused in words.

    Form feeds part the headers of its segments, `s1.hea` and so on.
    """
    text, _, signal = data.partition(b"\x00")
    first, *segments = text.split(b"\x0c")[:9]
    with TemporaryDirectory() as folder:
        (Path(folder) / "r.hea").write_bytes(first)
        for number, segment in enumerate(segments, 1):
            (Path(folder) / f"s{number}.hea").write_bytes(segment)
        (Path(folder) / "r.dat").write_bytes(signal)
        with suppress(EcgFileError):
            assert wfdb.read(Path(folder) / "r").leads


def labels(data: bytes) -> None:
    """An annotation file is read or refused in words."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "r.atr").write_bytes(data)
        with suppress(EcgFileError):
            wfdb_labels.read_annotations(Path(folder) / "r.atr")


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "framer": framer, "hl7": hl7, "wfdb": header, "labels": labels,
    "scp": checked, "xml": ecg, "dicom": ecg, "edf": ecg, "text": ecg,
}  # fmt: skip


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
