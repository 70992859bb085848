"""`hospital-ops triage`: JSON lines of inputs in, one explained proposal out for each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hospital_ops.clinical import tables
from hospital_ops.commands.jsonlines import answer_lines


def answer(given: Any, *, with_changes: bool = True) -> dict[str, Any]:
    """The public answer of `triage` for one set of inputs, or {"error", "detail"}."""
    if not isinstance(given, Mapping):
        return {"error": "not_an_object", "detail": "one JSON object of inputs a line is expected"}
    # Not before the edition of the rules is chosen: the engine reads its tables when it is loaded.
    from triage.counterfactuals import counterfactuals
    from triage.engine import assess

    found = assess(given)
    if with_changes:
        found.would_change = counterfactuals(given, found)
    return found.as_json()


def main(argv: Sequence[str] | None = None) -> int:
    """Triage standard input to standard output."""
    parser = argparse.ArgumentParser(prog="hospital-ops triage", description=__doc__)
    parser.add_argument(
        "--no-would-change",
        action="store_true",
        help="leave would_change empty: about a hundred times faster for large files",
    )
    parser.add_argument(
        "--rules",
        default="",
        metavar="EDITION",
        help="by an older edition of the rules, as a stored proposal names it",
    )
    options = parser.parse_args(argv)
    if options.rules and not _chosen(options.rules):
        return 2
    answer_lines(
        sys.stdin.buffer,
        sys.stdout.buffer,
        lambda given: answer(given, with_changes=not options.no_would_change),
    )
    return 0


def _chosen(name: str) -> bool:
    """Takes an edition in a program that has read no rule yet; says which there are."""
    from triage import kept

    edition = kept.edition(name)
    if edition is None:
        known = ", ".join(kept.names())
        print(f"hospital-ops triage: no such edition; kept are: {known}", file=sys.stderr)
        return False
    tables.become(edition)
    return True


if __name__ == "__main__":
    sys.exit(main())
