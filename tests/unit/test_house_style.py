"""What holds for every file we write: its size, its finish, safe SQL and safe templates."""

import ast
import re
from typing import Final

import pytest

from tests.house import ROOT, WRITTEN_BY_US, assembled, is_fixed, is_sql, name, nodes, python_files

MOST_LINES: Final = 400
MOST_LINES_OF_A_FUNCTION: Final = 60
WITH_A_HOUSE_OF_THEIR_OWN: Final = ("test_look.py", "test_pictures.py")
# The brackets keep this line from finding itself.
UNFINISHED: Final = re.compile(
    r"\b(TO[D]O|FIX[M]E|X[X]X|NotImplemented[E]rror|pytest\.sk[i]p|mark\.sk[i]p|mark\.xf[a]il)\b"
)
# The content security policy forbids them too; here the writer learns it first.
FORBIDDEN_IN_TEMPLATES: Final = {
    "a filter that switches escaping off": re.compile(r"\|\s*safe\b|autoescape\s+false"),
    "an inline style": re.compile(r"\sstyle\s*=|<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc\s*=)", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\s(?:on[a-z]+|hx-on[\w:.-]*)\s*=", re.IGNORECASE),
    "a link that is a script": re.compile(r"javascript:", re.IGNORECASE),
}


def test_no_value_is_put_together_into_a_statement() -> None:
    offences = []
    for path, node in nodes(*WRITTEN_BY_US[:-1]):
        text, values = assembled(node)
        if is_sql(text) and not all(map(is_fixed, values)):
            offences.append(f"{name(path)}:{ast.unparse(node)[:80]}")
    assert not offences, "pass values as parameters:\n" + "\n".join(offences)


@pytest.mark.parametrize(
    "code",
    [
        'f"select name from patient where mrn = {mrn}"',
        '"delete from alarm where id = " + alarm',
        '"update bed set patient = %s" % patient',
        '"insert into {} values (1)".format(table)',
    ],
)
def test_every_way_to_put_a_statement_together_is_seen(code: str) -> None:
    text, values = assembled(ast.parse(code, mode="eval").body)
    assert is_sql(text)
    assert not all(map(is_fixed, values))


@pytest.mark.parametrize(
    "words", ["Select a bed from the list", "Update the map, set the bed", "With care as (needed)"]
)
def test_a_sentence_is_not_taken_for_a_statement(words: str) -> None:
    assert not is_sql(words)


@pytest.mark.parametrize("what", FORBIDDEN_IN_TEMPLATES)
def test_no_template_has(what: str) -> None:
    offences = []
    for path in sorted((ROOT / "web" / "templates").rglob("*")):
        if path.is_file():
            text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            found = FORBIDDEN_IN_TEMPLATES[what].finditer(text)
            offences += [f"{name(path)}: {part.group()}" for part in found]
    assert not offences, "\n".join(offences)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    offences = []
    for folder in WRITTEN_BY_US:
        for path in sorted((ROOT / folder).rglob("*")):
            ours = path.suffix in (".py", ".js", ".css", ".html", ".sql")
            if ours and "vendor" not in path.parts:
                lines = path.read_text(encoding="utf-8").count("\n")
                if lines > MOST_LINES:
                    offences.append(f"{name(path)}: {lines} lines")
    assert not offences, "\n".join(offences)


def test_no_function_is_longer_than_a_screen() -> None:
    offences = []
    for path, node in nodes(*WRITTEN_BY_US):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                offences.append(f"{name(path)}:{node.lineno} {node.name} has {lines} lines")
    assert not offences, "\n".join(offences)


def test_no_error_is_caught_without_a_name() -> None:
    offences = [
        f"{name(path)}:{node.lineno}"
        for path, node in nodes(*WRITTEN_BY_US)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not offences, f"bare except: {offences}"


def test_nothing_is_left_unfinished_or_skipped() -> None:
    offences = [
        f"{name(path)}:{number} {line.strip()[:80]}"
        for path in python_files(*WRITTEN_BY_US)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not offences, "\n".join(offences)


def test_a_bed_of_the_ward_belongs_to_one_file_of_browser_tests() -> None:
    """The files share a demonstration in any order: what one leaves is nothing to another."""
    whose: dict[str, set[str]] = {}
    put_together = []
    for path in sorted((ROOT / "tests" / "browser").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name in WITH_A_HOUSE_OF_THEIR_OWN:
            continue
        for bed in re.findall(r"h[12]-icu-1-\d\d", text):
            whose.setdefault(bed, set()).add(path.name)
        put_together += [f"{path.name}: {each}" for each in re.findall(r"h[12]-icu-1-[{].*", text)]
    shared = {bed: sorted(files) for bed, files in whose.items() if len(files) > 1}
    assert not shared, f"take a bed that nobody has (of h1 or h2, 01 to 24): {shared}"
    assert not put_together, f"write the bed out, so that it can be found: {put_together}"
