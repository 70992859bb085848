"""What each target begins with: what was found before, messages, recorded files, one of each form.

Coverage finds the way from a seed to its neighbours, hardly ever from nothing to a format: a form
that no seed has is not tried.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Final

from hospital_ops.ecg.files.wfdb_formats import UNPACK
from simulators.courses import recordings_folder

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = Path(__file__).parent / "seeds"
LONG_TEXT: Final = re.compile(rb">([^<]{200})[^<]+<")
RECORDED: Final = {
    "scp": ("Example.scp", "wfdb_test.scp", "0000050.ECG.scp"),
    "xml": (
        "Example.xml", "129DYPRG.XML", "2020-5-18_15-48-11.xml", "ad4d3d80-d165_1-04_orig.xml",
    ),
    "dicom": ("anonymous_ecg.dcm",),
    "edf": ("0000050.ECG.edf",),
}  # fmt: skip
ROWS: Final = 60  # of a text: enough for every kind of row
# Framed, cut by the next, never ended, too large (for the 4096 bytes of the target), empty, glued.
_MESSAGE: Final = b"MSH|^~\\&|m|h|||20261121||ORU^R01|1|P|2.6\rOBX|1|NM|147842^^MDC||80|264864^^MDC"
FRAMES: Final = (
    b"\x0b" + _MESSAGE + b"\x1c\r",
    b"noise\x0b" + _MESSAGE[:40] + b"\x0b" + _MESSAGE + b"\x1c\r\x0b\x1c\r\x0b" + _MESSAGE,
    b"\x0b" + _MESSAGE + b"\r" * 5000 + b"\x1c\r\x0bMSH\x1c",
    b" " * 100 + b"\x0b\xef\xbb\xbfFHS|^~\\&\rBHS|^~\\&\r"
    + _MESSAGE + b"\r\n" + _MESSAGE + b"\rBTS|2\rFTS|1\r\x1c\r",
)  # fmt: skip
# No check sums: few bytes that are changed would still agree with one.
HEADERS: Final = (
    "r 2 250/100(50) 6 12:30:00 21/11/2026\nr.dat 16x2:3+24 200.5(1)/mV 16 1024\n"
    "r.dat 16:1+24 1e3/uV 16 0 0\n# Age: 50  Sex: M\n#Dx: 426783006\n",
    "r/3 1 250 24\ns1 8\n~ 8\ns2 8\n\fs1 1 250 8\nr.dat 16 200 16 0\n\fs2 1 250 8\nr.dat 80\n",
    "r 1 0\nr.dat 80\n",
    "r 1 nan\nr.dat 80\n",
    "# a comment first\nr 2 5e2\nr.dat 310+2 0 10 512\nr.dat 310+2 100/mmHg 10\n",
    "r 1 500 9\nr.dat 16 200 16 0 0 7 0 V1\n",  # its check sum is another
)


def folders(name: str, folder: Path) -> list[Path]:
    """Folders of seeds of a target; what is made of recorded files is put into `folder`."""
    own = [SEEDS / name] if (SEEDS / name).is_dir() else []
    recordings = recordings_folder()
    assert recordings is not None, "no recordings: set HOSPITAL_OPS_RECORDINGS"
    if name in ("framer", "hl7"):
        for number, data in enumerate(FRAMES):
            (folder / f"frame {number}").write_bytes(data)
        return [*own, folder, ROOT / "tests" / "hl7", recordings / "hl7v2"]
    files = recordings / "ecg_files"
    made = {"wfdb": _wfdb, "text": _text, "labels": _labels}.get(name)
    if made is not None:
        for number, data in enumerate(made(recordings)):
            (folder / f"made {number}").write_bytes(data)
    for recorded in RECORDED.get(name, ()):
        (folder / recorded).symlink_to(files / recorded)
    if name == "xml":  # with few samples: forty times as many are tried in the same time
        for recorded in RECORDED[name]:
            whole = (files / recorded).read_bytes()
            (folder / f"short {recorded}").write_bytes(LONG_TEXT.sub(rb">\1<", whole))
    return [*own, folder]


def _wfdb(recordings: Path) -> list[bytes]:
    """A recorded file, every way of packing, and headers with everything that they may say."""
    head, data = (recordings / "ecg_files" / f"s0010_re.{ending}" for ending in ("hea", "dat"))
    text = head.read_bytes().replace(b"s0010_re.dat", b"r.dat")
    signal = bytes(range(256)) * 2
    packed = [
        f"r 1 360 24\nr.dat {packing} 200 12 0\n".encode() + b"\0" + signal for packing in UNPACK
    ]
    said = [header.encode() + b"\0" + signal for header in HEADERS]
    return [text + b"\0" + data.read_bytes()[:20_000], *packed, *said]


def _text(recordings: Path) -> list[bytes]:
    """Texts with and without a header and a counter, and the JSON form of samples."""
    contec = gzip.decompress((recordings / "ecg_files" / "0000050.ECG.csv.gz").read_bytes())
    phone = next(iter(sorted((recordings / "challenge2011_quality").glob("*.txt.gz"))))
    rows = [b"\n".join(contec.splitlines()[:ROWS])]
    rows.append(b"\n".join(gzip.decompress(phone.read_bytes()).splitlines()[:ROWS]))
    rows.append(b"sample;I;II\n# a comment\n" + b"".join(b"%d;1,5;-2\n" % n for n in range(ROWS)))
    rows.append(b'\xef\xbb\xbf"time_s"\t"MLII"\n' + b"".join(b"%d\t0.5\n" % n for n in range(ROWS)))
    numbers = [None, *range(-200, 200)]
    samples = {
        "rate_hz": 500, "scale_uv": 5.0, "started_at": "2026-11-21T10:00:00Z", "device": "t",
        "leads": {"I": numbers, "II": numbers},
    }  # fmt: skip
    return [*rows, gzip.compress(rows[0]), json.dumps(samples).encode()]


def _labels(recordings: Path) -> list[bytes]:
    """The labels that people put to a recording, and the words that few of them use."""
    rare = bytes([0, 0xEC, 1, 0, 2, 0, 5, 0xF0, 1, 0xF4, 2, 0xF8, 3, 0xFC]) + b"(N\0\0" + b"\0\0"
    return [(recordings / "mitdb" / "203.atr").read_bytes()[:4000], rare]
