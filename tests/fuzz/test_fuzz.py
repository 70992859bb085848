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

from tests.fuzz.corpus import folders
from tests.fuzz.reach import reached
from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).resolve().parents[2]
# Nine targets: ten minutes each, or one minute for all of them together.
SECONDS: Final = 600 if os.environ.get("HOSPITAL_OPS_LONG") else 5
# Bytes of an input: what is read byte by byte is tried in small pieces, a hundred times as often.
MOST: Final = {"framer": 8192, "hl7": 8192}
# The seeds alone must walk through so much of the functions of these readers, per cent of lines:
# coverage finds neighbours of seeds and no new formats, so a target below it scratches the surface.
DEEP: Final = 75
READERS: Final = {
    "framer": ["hl7/framing.py"],
    "hl7": [
        "hl7/parse.py", "hl7/understand.py", "hl7/observations.py", "hl7/values.py", "hl7/waves.py",
        "hl7/adt.py", "hl7/alerts.py", "hl7/times.py", "hl7/charset.py", "hl7/people.py",
    ],
    "wfdb": ["wfdb.py", "wfdb_header.py", "wfdb_formats.py"],
    "labels": ["wfdb_labels.py"],
    "scp": ["scp.py", "scp_huffman.py"],
    "xml": ["xml.py", "aecg.py", "philips.py", "xli.py"],
    "dicom": ["dicom.py"],
    "edf": ["ecg/files/edf.py"],
    "text": ["ecg/files/text.py", "samples.py"],
}  # fmt: skip


@pytest.mark.parametrize("name", list(TARGETS))
def test_the_seeds_of_a_target_lead_deep_into_its_readers(name: str, tmp_path: Path) -> None:
    files = [file for folder in folders(name, tmp_path) for file in folder.iterdir()]
    walked, lines = reached(TARGETS[name], [file.read_bytes() for file in files], READERS[name])
    print(f"{name}: {walked} of {lines} lines by {len(files)} seeds")
    assert 100 * walked >= DEEP * lines, f"{name}: {walked} of {lines} lines"


@pytest.mark.parametrize("name", list(TARGETS))
def test_no_bytes_crash_hang_or_fill_the_memory(name: str, tmp_path: Path) -> None:
    corpus, made = tmp_path / "corpus", tmp_path / "made"
    corpus.mkdir()
    made.mkdir()
    if find_spec("atheris") is None:
        files = [file for folder in folders(name, corpus) for file in folder.iterdir()]
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
            *map(str, folders(name, corpus)),
        ],
        cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=SECONDS + 120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None, done.stderr[-2000:]
    assert int(runs[1]) > 0
