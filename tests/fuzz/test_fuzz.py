"""Bytes that nobody wrote: no reader crashes, hangs or grows on them (one minute in CI).

Where there is no atheris the seeds alone are read.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from simulators.courses import recordings_folder
from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = Path(__file__).parent / "seeds"
# Eight targets: ten minutes each, or one minute for all of them together.
SECONDS: Final = 600 if os.environ.get("HOSPITAL_OPS_LONG") else 5
# Bytes of an input: what is read byte by byte is tried in small pieces, a hundred times as often.
MOST: Final = {"framer": 8192, "hl7": 8192}
LONG_TEXT: Final = re.compile(rb">([^<]{200})[^<]+<")
RECORDED: Final = {
    "scp": ("Example.scp", "wfdb_test.scp", "0000050.ECG.scp"),
    "xml": ("Example.xml", "129DYPRG.XML", "2020-5-18_15-48-11.xml"),
    "dicom": ("anonymous_ecg.dcm",),
    "edf": ("0000050.ECG.edf",),
    "text": ("0000037.ECG",),
}


def seeds(name: str, folder: Path) -> list[Path]:
    """Folders of seeds: what was found before, the corpus of messages, recorded files."""
    own = [SEEDS / name] if (SEEDS / name).is_dir() else []
    if name in ("framer", "hl7"):
        return [*own, ROOT / "tests" / "hl7"]
    recordings = recordings_folder()
    assert recordings is not None, "no recordings: set HOSPITAL_OPS_RECORDINGS"
    files = recordings / "ecg_files"
    if name == "wfdb":
        head, data = (files / f"s0010_re.{ending}" for ending in ("hea", "dat"))
        text = head.read_bytes().replace(b"s0010_re.dat", b"r.dat")
        (folder / "whole").write_bytes(text + b"\0" + data.read_bytes()[:20_000])
        (folder / "short").write_bytes(b"r 1 360 4\nr.dat 212 200 12 0 0 0 0 II\n\0\1\2\3\4\5\6")
    for recorded in RECORDED.get(name, ()):
        (folder / recorded).symlink_to(files / recorded)
    if name == "xml":  # with few samples: forty times as many are tried in the same time
        for recorded in RECORDED[name]:
            whole = (files / recorded).read_bytes()
            (folder / f"short {recorded}").write_bytes(LONG_TEXT.sub(rb">\1<", whole))
    return [*own, folder]


@pytest.mark.parametrize("name", list(TARGETS))
def test_no_bytes_crash_hang_or_fill_the_memory(name: str, tmp_path: Path) -> None:
    corpus, made = tmp_path / "corpus", tmp_path / "made"
    corpus.mkdir()
    made.mkdir()
    if find_spec("atheris") is None:
        files = [file for folder in seeds(name, corpus) for file in folder.iterdir()]
        assert files
        for file in files:
            TARGETS[name](file.read_bytes())
        return
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.fuzz.targets", name,
            f"-max_total_time={SECONDS}", "-timeout=20", "-rss_limit_mb=1500",
            f"-max_len={MOST.get(name, 300_000)}",
            "-seed=20261122", f"-artifact_prefix={tmp_path}/", str(made),
            *map(str, seeds(name, corpus)),
        ],
        cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=SECONDS + 120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None, done.stderr[-2000:]
    assert int(runs[1]) > 0
