"""The KTAS visits as inputs of triage, and the area under the curve of a ranking of them."""

from __future__ import annotations

import csv
import json
import os
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
_SIGNS: Final = json.loads((Path(__file__).parent / "ktas_signs.json").read_text(encoding="utf-8"))
_WORDS: Final = tuple((re.compile(pattern), sign) for pattern, sign in _SIGNS["words"])
_VITALS: Final = {
    "SBP": "sbp_mmhg",
    "DBP": "dbp_mmhg",
    "HR": "hr_bpm",
    "RR": "rr_bpm",
    "BT": "temp_c",
    "Saturation": "spo2_pct",
}
_AVPU: Final = {"1": "A", "2": "V", "3": "P", "4": "U"}
_SEX: Final = {"1": "F", "2": "M"}
_NOT_MEASURABLE: Final = "??"
_INJURED: Final = "2"


class Visit(NamedTuple):
    """One visit: the level three experts agreed on (1 most urgent), and what was known."""

    level: int
    inputs: dict[str, Any]


def recordings() -> Path:
    """The folder of recordings: HOSPITAL_OPS_RECORDINGS, or the shared one beside the house."""
    given = os.environ.get("HOSPITAL_OPS_RECORDINGS")
    return Path(given) if given else ROOT.parent / "shared" / "data"


def visits(*, with_signs: bool = True) -> list[Visit]:
    """Every visit of `ktas/ktas.csv`; none where the folder lacks the set."""
    path = recordings() / "ktas" / "ktas.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            Visit(int(row["KTAS_expert"]), _inputs(row, with_signs))
            for row in csv.DictReader(lines, delimiter=";")
        ]


def _inputs(row: dict[str, str], with_signs: bool) -> dict[str, Any]:
    vitals: dict[str, Any] = {"avpu": _AVPU.get(row["Mental"].strip())}
    failed: list[str] = []
    for column, key in _VITALS.items():
        text = row[column].strip()
        if text == _NOT_MEASURABLE:
            failed.append(key)
            continue
        try:
            vitals[key] = float(text.replace(",", "."))
        except ValueError:
            continue  # not asked, not taken: missing
    complaint = row["Chief_complain"].casefold()
    signs = [sign for pattern, sign in _WORDS if pattern.search(complaint)] if with_signs else []
    if with_signs and row["Injury"].strip() == _INJURED:
        signs.append(_SIGNS["injury"])
    return {
        "age_years": float(row["Age"]),
        "sex": _SEX.get(row["Sex"].strip(), "unknown"),
        "complaint": row["Chief_complain"],
        "signs": signs,
        "vitals": vitals,
        "not_measurable": failed,
    }


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the curve: how often a positive stands above a negative (ties count half)."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks, place = 0.0, 0
    while place < len(order):
        end = place
        while end < len(order) and scores[order[end]] == scores[order[place]]:
            end += 1
        ranks += (place + end + 1) / 2 * sum(positive[each] for each in order[place:end])
        place = end
    found = sum(positive)
    return (ranks - found * (found + 1) / 2) / (found * (len(order) - found))


def interval(
    ours: Sequence[float], theirs: Sequence[float], positive: Sequence[bool], *, seed: int, n: int
) -> tuple[float, float]:
    """95 % bootstrap interval of the difference of two areas on the same visits."""
    draw = random.Random(seed)
    differences: list[float] = []
    while len(differences) < n:
        sample = draw.choices(range(len(ours)), k=len(ours))
        truth = [positive[each] for each in sample]
        if 0 < sum(truth) < len(truth):
            differences.append(
                auroc([ours[each] for each in sample], truth)
                - auroc([theirs[each] for each in sample], truth)
            )
    differences.sort()
    return differences[int(n * 0.025)], differences[min(n - 1, int(n * 0.975))]
