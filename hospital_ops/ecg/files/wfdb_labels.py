"""WFDB annotation files (PhysioNet, annot(5)): beats and rhythm changes that people labelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hospital_ops.ecg.files.recording import MOST_BYTES, EcgFileError

# annot(5) and ecgcodes.h: number of the code -> the mark that people write.
MARKS: Final = {
    1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j",
    12: "/", 13: "Q", 14: "~", 16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=",
    24: "p", 25: "B", 26: "^", 27: "t", 28: "+", 29: "u", 30: "?", 31: "!", 32: "[", 33: "]",
    34: "e", 35: "n", 36: "@", 37: "x", 38: "f", 39: "(", 40: ")", 41: "r",
}  # fmt: skip
BEATS: Final = frozenset("NLRaVFJASEj/QBenrf?")
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63


@dataclass(slots=True)
class Label:
    """One label: the sample it stands at, its mark (`N`, `V`, `(` ...), its text if any."""

    sample: int
    mark: str
    text: str = ""


def read_annotations(path: Path | str) -> list[Label]:
    """The labels of an annotation file, in order of time.

    Errors: `EcgFileError` when it is not there or cut.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES)
    except OSError as problem:
        raise EcgFileError("damaged", "the annotation file is not there: send it") from problem
    labels: list[Label] = []
    sample = at = 0
    while at + 2 <= len(data):
        word = data[at] | data[at + 1] << 8
        code, value = word >> 10, word & 0x3FF
        at += 2
        if not word:
            return labels
        if code == _SKIP:  # a gap too long for ten bits: 32 bits, the high half first
            high, low = data[at : at + 2], data[at + 2 : at + 4]
            sample += int.from_bytes(low + high if len(low) == 2 else b"", "little", signed=True)
            at += 4
        elif code == _AUX:
            if labels:
                text = data[at : at + value].rstrip(b"\0")
                labels[-1].text = text.decode("utf-8", "replace")
            at += value + value % 2
        elif code not in (_NUM, _SUB, _CHN):
            sample += value
            labels.append(Label(sample, MARKS.get(code, f"[{code}]")))
    raise EcgFileError("damaged", "the annotation file is cut: send it again")
