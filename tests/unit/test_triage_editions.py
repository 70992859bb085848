"""Every edition of the rules that ever proposed a colour proposes the same again, for ever.

Whoever changes a table of the engine runs `python -m tests.unit.test_triage_editions`: it keeps the
new edition and its answers beside the old ones, which stay as they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.clinical import tables
from hospital_ops.clock import from_iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import ConfigurationError
from hospital_ops.identity import derived
from triage import kept
from triage.editions import EDITION, TABLES, name_of, present
from triage.engine import assess
from triage.unit import EdUnit

ROOT = Path(__file__).parents[2]
ANSWERS = Path(__file__).parent / "kept_answers"
VECTORS = ROOT / "tests" / "vectors"
EVERY = 9  # vectors: enough that every table has its say
NOON = from_iso("2026-11-21T12:00:00Z")
OTHER_LIMIT = """
import json, sys
from hospital_ops.clinical import tables
from triage import kept
edition = kept.edition(sys.argv[1])
edition["hospital_ops/clinical/tables/iitt"]["adult"]["high_risk_vitals"]["hr_bpm"]["gt"] = 200
tables.become(edition)
from hospital_ops.commands.triage import answer
print(json.dumps(answer(json.loads(sys.argv[2]), with_changes=False)))
"""


def without_words(told: Any) -> Any:
    """What was decided; how it is worded may be mended at any time."""
    if isinstance(told, dict):
        return {key: without_words(value) for key, value in told.items() if key != "text"}
    return [without_words(each) for each in told] if isinstance(told, list) else told


def asked(edition: str, inputs: list[dict[str, Any]]) -> subprocess.CompletedProcess[bytes]:
    """The command, as somebody who looks at an old case uses it."""
    command = ["-m", "hospital_ops", "triage", "--no-would-change", "--rules", edition]
    lines = "\n".join(json.dumps(each) for each in inputs).encode()
    return subprocess.run(
        [sys.executable, *command], input=lines, capture_output=True, cwd=ROOT, check=False
    )


def lines_of(name: str) -> list[dict[str, Any]]:
    text = (ANSWERS / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_edition_at_work_is_kept() -> None:
    assert EDITION in kept.names(), f"run `python -m {__name__}` and add what it writes"
    assert kept.edition(EDITION) == present()
    assert set(TABLES) == set(present())


@pytest.mark.parametrize("name", kept.names())
def test_an_edition_answers_what_it_answered_when_it_was_at_work(name: str) -> None:
    edition = kept.edition(name)
    assert edition is not None
    assert name_of(edition) == name  # nobody has changed it since
    then = lines_of(name)
    done = asked(name, [line["inputs"] for line in then])
    assert done.stderr == b""
    now = [json.loads(line) for line in done.stdout.splitlines()]
    assert without_words(now) == [line["answer"] for line in then]
    assert len(then) > 20


def test_another_edition_is_really_another_and_an_unknown_one_is_refused() -> None:
    inputs = {"age_years": 40, "signs": [], "vitals": {"hr_bpm": 140}}
    told = subprocess.run(
        [sys.executable, "-c", OTHER_LIMIT, EDITION, json.dumps(inputs)],
        capture_output=True, cwd=ROOT, check=True,
    ).stdout  # fmt: skip
    codes = [reason["code"] for reason in json.loads(told)["reasons"]]
    assert "vital_hr_bpm" not in codes
    assert "vital_hr_bpm" in [reason["code"] for reason in assess(inputs).reasons]
    unknown = asked("000000000000", [inputs])
    assert unknown.returncode == 2
    assert EDITION.encode() in unknown.stderr


def test_rules_that_were_read_already_are_not_exchanged_under_a_running_ward() -> None:
    with pytest.raises(ConfigurationError):
        tables.become({})


def test_a_stored_proposal_names_its_edition_and_comes_out_again_from_its_inputs() -> None:
    unit, case = EdUnit("h1-ed"), str(derived("test", "edition"))
    said = {"age_years": 61, "signs": ["stridor"], "complaint": "chest_pain"}
    facts = wire.CaseFacts("h1-ed", case, "tablet", "m", NOON, "Demo", said)
    outputs = unit.decide([Stamped(NOON, facts)]).outputs
    (stored,) = (entry for entry in outputs if isinstance(entry, wire.Assessed))
    assert stored.rules == EDITION
    assert assess(stored.inputs).as_json() == stored.result
    again = wire.decode(wire.encode(stored))
    assert isinstance(again, wire.Assessed)
    assert again.rules == EDITION


def keep() -> None:
    """Writes the edition at work and what it answers."""
    path = ROOT / "triage" / kept.FOLDER / f"{EDITION}.json"
    path.write_text(json.dumps(present(), ensure_ascii=False, sort_keys=True, indent=1) + "\n")
    found = [
        json.loads(text)["inputs"]
        for name in ("iitt", "safety_net", "age_unknown")
        for text in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    lines = [
        json.dumps(
            {"inputs": inputs, "answer": without_words(assess(inputs).as_json())},
            ensure_ascii=False,
        )
        for inputs in found[::EVERY]
    ]
    (ANSWERS / f"{EDITION}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    keep()
