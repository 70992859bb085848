"""`hospital-ops score` and `hospital-ops triage` as a program: lines in, one line out for each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_clinical_vectors import FILES, disagreements

ROOT = Path(__file__).parents[2]
KEYS = {
    "colour",
    "safety_net",
    "proposed",
    "criteria",
    "review_required",
    "urgency",
    "colour_if_normal",
    "reasons",
    "missing",
    "would_change",
    "scores",
}


def run(module: str, *arguments: str, lines: bytes) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", f"hospital_ops.commands.{module}", *arguments],
        input=lines,
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    return (
        done.returncode,
        [json.loads(line) for line in done.stdout.splitlines()],
        (done.stderr.decode()),
    )


def vectors(name: str) -> list[dict[str, Any]]:
    path = ROOT / "tests" / "vectors" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_triage_answers_every_line_and_goes_on_after_a_broken_one() -> None:
    lines = vectors("safety_net")[:20]
    broken = [b"{broken", b'{"signs": ["caf\xe9"]}', b"[1, 2]", b"   ", b"null"]
    feed: list[bytes] = []
    for place, line in enumerate(lines):
        feed.append(json.dumps(line["inputs"], ensure_ascii=False).encode())
        if place < len(broken):
            feed.append(broken[place])
    code, answers, errors = run("triage", lines=b"\n".join(feed))
    good = [answer for answer in answers if "error" not in answer]
    bad = [answer["error"] for answer in answers if "error" in answer]
    assert (code, errors) == (0, "")
    assert bad == ["bad_json", "bad_json", "not_an_object", "not_an_object"]
    assert [answer["proposed"] for answer in good] == [
        line["expected"]["proposed"] for line in lines
    ]
    assert any(answer["would_change"] for answer in good)
    for answer in good:
        assert answer.keys() >= KEYS
        for reason in answer["reasons"]:
            assert reason.keys() >= {"code", "text", "value", "threshold", "source"}


def test_triage_keeps_an_unknown_sign_and_names_it_in_russian_too() -> None:
    line = {"age_years": 40, "signs": ["боль в груди"], "vitals": {}}
    _, answers, _ = run("triage", lines=json.dumps(line, ensure_ascii=False).encode())
    assert answers[0]["warnings"][0]["input"] == "боль в груди"


def test_triage_leaves_out_the_changes_when_asked_to() -> None:
    feed = b"\n".join(json.dumps(line["inputs"]).encode() for line in vectors("iitt"))
    code, answers, _ = run("triage", "--no-would-change", lines=feed)
    assert code == 0
    assert len(answers) == len(vectors("iitt"))
    assert not any(answer["would_change"] for answer in answers)


@pytest.mark.parametrize("name", ["news2", "iitt", "safety_net", "age_unknown"])
def test_score_answers_a_whole_vector_file(name: str) -> None:
    lines = vectors(name)
    feed = b"\n".join(json.dumps(line["inputs"]).encode() for line in lines)
    code, answers, errors = run("score", name, lines=feed + b"\n")
    assert (code, errors, len(answers)) == (0, "", len(lines))
    for answer in answers:
        assert answer.keys() >= {"missing", "reasons"}


def test_score_goes_on_after_what_is_no_json_and_what_cannot_be_scored() -> None:
    feed = b'{"hr_bpm": 80}\nnonsense\n{"hr_bpm": NaN, "sbp_mmhg": 100}\n'
    feed += b'{"hr_bpm": 100, "sbp_mmhg": 100}\n'
    code, answers, _ = run("score", "shock_index", lines=feed)
    assert code == 0
    assert [answer.get("error") for answer in answers] == [
        "missing_input",
        "bad_json",
        "missing_input",
        None,
    ]
    assert answers[-1]["shock_index"] == 1


def test_an_unknown_score_is_answered_with_the_names_of_all() -> None:
    code, answers, errors = run("score", "apache9", lines=b"{}\n")
    assert (code, answers) == (2, [])
    for name in ("news2", "iitt", "sofa"):
        assert name in errors


def test_what_has_no_source_is_off_and_says_so() -> None:
    code, answers, errors = run("score", "esi", lines=b"{}\n")
    assert (code, answers) == (2, [])
    assert "off, no source" in errors
    _, rules, _ = run("score", "rules", lines=b"")
    states = {rule["id"]: (rule["state"], bool(rule["source"])) for rule in rules}
    assert states["iitt"] == ("on", True)
    assert states["esi"] == ("off", False)
    assert all(source for state, source in states.values() if state != "off")


# One program for all files: to start thirty would take half a minute and show nothing more.
EVERY_FILE = """
import io, json, sys
from pathlib import Path
from hospital_ops.__main__ import main
for path in map(Path, sys.argv[1:]):
    lines = [json.dumps(json.loads(line)["inputs"]) for line in path.read_bytes().splitlines()]
    sys.stdin = io.TextIOWrapper(io.BytesIO("\\n".join(lines).encode()))
    assert main(["score", path.stem]) == 0
"""


def test_every_line_of_every_vector_file_comes_out_of_the_command_as_expected() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_FILE, *map(str, FILES)],
        capture_output=True, cwd=ROOT, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    lines = [line for path in FILES for line in vectors(path.stem)]
    assert len(answers) == len(lines) > 800
    wrong = {
        line["id"]: problems
        for line, found in zip(lines, answers, strict=True)
        if (problems := disagreements(line, found))
    }
    assert not wrong
