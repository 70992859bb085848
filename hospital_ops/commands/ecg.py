"""`hospital-ops ecg beats|analyse FILE`: an ECG file read and measured, one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from hospital_ops.ecg.beats import detect
from hospital_ops.ecg.computer import monitor_filter
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.recording import EcgFileError, EcgRecording
from hospital_ops.ecg.twelve import analyse

_FIRST_CHOICE: Final = ("II", "MLII", "I", "V5", "V1")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the answer, or `{"error", "detail"}` with exit 1 for a file that cannot be taken."""
    options = _parser().parse_args(argv)
    try:
        recording = read(options.file, rate_hz=options.rate, step_mv=options.step_mv)
        answer = (
            beats(recording, options.lead)
            if options.what == "beats"
            else _analysed(recording, options)
        )
    except EcgFileError as problem:
        print(json.dumps({"error": problem.code, "detail": problem.reason}, ensure_ascii=False))
        return 1
    except ValueError as problem:  # the words of the detector: too few samples, no such lead
        print(json.dumps({"error": "refused", "detail": str(problem)}, ensure_ascii=False))
        return 1
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hospital-ops ecg", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    for name, words in (("beats", "sample numbers of the beats"), ("analyse", "what it shows")):
        kind = kinds.add_parser(name, help=words)
        kind.add_argument("file", metavar="FILE", help="WFDB, SCP-ECG, aECG, DICOM, EDF, XML, text")
        kind.add_argument("--rate", type=float, help="samples a second, for text that has none")
        kind.add_argument("--step-mv", type=float, help="millivolts of one unit, for text")
        if name == "beats":
            kind.add_argument("--lead", help="the lead to read; else II, MLII or the first")
        else:
            kind.add_argument("--age", type=float, help="years")
            kind.add_argument("--sex", choices=("F", "M"))
    return parser


def beats(recording: EcgRecording, wanted: str | None = None) -> dict[str, Any]:
    """The beats of one lead: `wanted`, or the one usually read first. ValueError without it."""
    names = list(recording.leads)
    if wanted is not None and wanted not in names:
        by_letters = {name.upper(): name for name in names}
        if wanted.upper() not in by_letters:
            raise ValueError(f"there is no lead of that name: it has {', '.join(names)}")
        wanted = by_letters[wanted.upper()]
    lead = wanted or next((name for name in _FIRST_CHOICE if name in names), names[0])
    found = detect(recording.leads[lead], recording.rate_hz)
    return {
        "sampling_rate_hz": recording.rate_hz,
        "lead": lead,
        "beats": [int(beat) for beat in found],
    }


def _analysed(recording: EcgRecording, options: argparse.Namespace) -> dict[str, Any]:
    answer = analyse(
        dict(recording.leads),
        recording.rate_hz,
        age_years=options.age,
        sex=options.sex,
        reduced=monitor_filter(recording),
    )
    return answer | {"source_format": recording.source_format, "notes": list(recording.notes)}


if __name__ == "__main__":
    sys.exit(main())
