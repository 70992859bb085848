"""`bench triage`: vectors, ranking of the KTAS visits, under- and over-triage, speed."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from benchmarks.ktas import ROOT, Visit, auroc, interval, visits
from hospital_ops.clinical.scores import score
from hospital_ops.commands.score import SCORES
from triage.counterfactuals import counterfactuals
from triage.engine import assess

Row = dict[str, Any]
SEED: Final = 20260301
VECTORS: Final = ROOT / "tests" / "vectors"


def rows(*, quick: bool = False) -> list[Row]:
    """Every row of bench `triage`: id, value, limit (the peer, None without one), n, note."""
    known = visits()
    return [
        vectors_row(),
        auroc_row(known, quick=quick),
        under_row(known),
        over_row(known),
        speed_row(quick=quick),
    ]


def _row(name: str, value: float | None, n: int, note: str, limit: float | None = None) -> Row:
    return {"id": f"triage.{name}", "value": value, "limit": limit, "n": n, "note": note}


def _agrees(expected: Any, found: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            _agrees(value, found.get(key), tolerance) for key, value in expected.items()
        )
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return number and abs(found - expected) <= tolerance + 1e-9
    return type(expected) is type(found) and bool(expected == found)


def _right(line: dict[str, Any]) -> bool:
    found = score(line["score"], line["inputs"], SCORES)
    expected = {
        key: value for key, value in line["expected"].items() if key not in ("tolerance", "note")
    }
    if "not_colour" in expected and expected.pop("not_colour") == found.get("colour"):
        return False
    if set(expected.pop("not_criteria", ())) & set(found.get("criteria", ())):
        return False
    tolerance = line["expected"].get("tolerance", 0)
    return all(_agrees(value, found.get(key), tolerance) for key, value in expected.items())


def vectors_row() -> Row:
    """The share of clinical vectors answered exactly, without those marked low."""
    lines = [
        json.loads(text)
        for path in sorted(VECTORS.glob("*.jsonl"))
        if path.stem != "esi"
        for text in path.read_text(encoding="utf-8").splitlines()
    ]
    firm = [line for line in lines if not line.get("confidence", "").startswith("low")]
    weak = [line for line in lines if line.get("confidence", "").startswith("low")]
    right = sum(map(_right, firm))
    note = f"of low confidence, not counted: {sum(map(_right, weak))} of {len(weak)} agree"
    return _row("vectors", right / len(firm), len(firm), note)


def auroc_row(known: list[Visit], *, quick: bool) -> Row:
    """How well the urgency ranks levels 1-2 above 3-5, beside NEWS2 on the same visits."""
    if not known:
        return _row("auroc", None, 0, "set ktas is not in the folder of recordings")
    positive = [visit.level <= 2 for visit in known]
    found = [assess(visit.inputs) for visit in known]
    ours = [each.urgency for each in found]
    theirs = [float(each.scores.get("news2", {"total": 0})["total"]) for each in found]
    low, high = interval(ours, theirs, positive, seed=SEED, n=200 if quick else 2000)
    bare = auroc([assess(visit.inputs).urgency for visit in visits(with_signs=False)], positive)
    note = (
        f"difference 95 % bootstrap interval {low:.3f} to {high:.3f}; signs read from the words of "
        f"the chief complaint (benchmarks/ktas_signs.json), without any sign {bare:.3f}: half of "
        f"the visits have no SpO2 and stand as incomplete above every green; seed {SEED}"
    )
    return _row("auroc", auroc(ours, positive), len(known), note, auroc(theirs, positive))


def under_row(known: list[Visit]) -> Row:
    """Level 1 visits that end green, or would if all that is missing were normal."""
    if not known:
        return _row("under", None, 0, "set ktas is not in the folder of recordings")
    first = [assess(visit.inputs) for visit in known if visit.level == 1]
    missed = sum(
        each.proposed == "green"
        or (each.proposed == "incomplete" and each.colour_if_normal == "green")
        for each in first
    )
    return _row("under", missed, len(first), "few cases: the 95 % upper bound is about 3/n")


def over_row(known: list[Visit]) -> Row:
    """The share of level 4-5 visits that are proposed red."""
    if not known:
        return _row("over", None, 0, "set ktas is not in the folder of recordings")
    last = [assess(visit.inputs) for visit in known if visit.level >= 4]
    red = sum(each.proposed == "red" for each in last)
    return _row("over", red / len(last), len(last), "most by chest or abdominal pain over 50")


def _inputs(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text)["inputs"] for text in path.read_text(encoding="utf-8").splitlines()]


def speed_row(*, quick: bool) -> Row:
    """Assessments with reasons a second on one core, median of rounds; changes separately."""
    patients = _inputs(VECTORS / "iitt.jsonl") + _inputs(VECTORS / "safety_net.jsonl")
    times: list[float] = []
    for _ in range(5 if quick else 25):
        start = perf_counter()
        for _ in range(5):
            for inputs in patients:
                assess(inputs)
        times.append(perf_counter() - start)
    some = patients[:20]
    start = perf_counter()
    for inputs in some:
        counterfactuals(inputs, assess(inputs))
    each_ms = (perf_counter() - start) / len(some) * 1000
    rate = 5 * len(patients) / median(times)
    return _row("speed", rate, 5 * len(patients), f"counterfactuals {each_ms:.1f} ms each")


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row, ensure_ascii=False))
