"""`hospital-ops score NAME`: JSON lines of inputs in, one line with the score out for each."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Final

import triage.scores
from hospital_ops.clinical import scores
from hospital_ops.commands.jsonlines import answer_lines
from triage.catalogue import catalogue

SCORES: Final = {**scores.SCORES, **triage.scores.SCORES}
RULES: Final = "rules"  # lists the rules of triage instead: state, source, and why one is off


def main(argv: Sequence[str] | None = None) -> int:
    """Score standard input to standard output; 2, with all names, where NAME is no score."""
    parser = argparse.ArgumentParser(prog="hospital-ops score", description=__doc__)
    parser.add_argument(
        "name", metavar="NAME", help="one of: " + ", ".join(sorted([*SCORES, RULES]))
    )
    name: str = parser.parse_args(argv).name
    if name == RULES:
        for row in catalogue():
            print(json.dumps(row, ensure_ascii=False))
        return 0
    off = next((row for row in catalogue() if row["id"] == name and row["state"] == "off"), None)
    if off is not None:
        print(f"hospital-ops score: {name} is off, no source: {off['why']}", file=sys.stderr)
        return 2
    if name not in SCORES:
        print(
            f"hospital-ops score: there is no score of that name; known are: "
            f"{', '.join(sorted(SCORES))}",
            file=sys.stderr,
        )
        return 2
    answer_lines(
        sys.stdin.buffer, sys.stdout.buffer, lambda given: scores.score(name, given, SCORES)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
