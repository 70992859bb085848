"""`hospital-ops score NAME`: JSON lines of inputs in, one line with the score out for each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

import triage.scores
from hospital_ops.clinical import scores
from hospital_ops.commands.jsonlines import answer_lines

SCORES: Final = {**scores.SCORES, **triage.scores.SCORES}


def main(argv: Sequence[str] | None = None) -> int:
    """Score standard input to standard output; 2, with all names, where NAME is no score."""
    parser = argparse.ArgumentParser(prog="hospital-ops score", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="one of: " + ", ".join(sorted(SCORES)))
    name: str = parser.parse_args(argv).name
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
