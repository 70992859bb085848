"""Reading the house: its Python files as trees, their imports, the SQL in their strings."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import dev

ROOT: Final = Path(__file__).resolve().parents[1]
WRITTEN_BY_US: Final = (*dev.FOLDERS, "benchmarks", "tests")

_SQL: Final = re.compile(
    r"^\s*(?:"
    r"(?:SELECT|select)\s+(?:\d|[\w.]+\s*\(|.*?\s(?:FROM|from)\s)"
    r"|insert\s+into\s+\S|delete\s+from\s+\S|update\s+\S+\s+set\s|truncate\s+table\s"
    r"|with\s+\w+(?:\s*\([^)]*\))?\s+as\s+(?:materialized\s+)?\("
    r"|(?:create|alter|drop)\s+(?:table|role|index|unique|schema|database|policy|function|view)\s"
    r"|copy\s.*\s(?:from|to)\s+std|grant\s+\w+\s+(?:on|to)\s|set\s+local\s|lock\s+table\s"
    r")",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE: Final = re.compile(r"^\s*[A-Z][a-z]")  # "Select a bed from the list" is no query
_QUOTING: Final = {"quote_identifier", "quote_literal"}


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """The path as the tables write it."""
    return path.relative_to(ROOT).as_posix()


def python_files(*folders: str) -> Iterator[Path]:
    """Every Python file in those of the folders that exist."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def nodes(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of every Python file, with its file."""
    for path in python_files(*folders):
        yield from ((path, node) for node in ast.walk(tree(path)))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each imported module, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def lies_in(path: Path, places: tuple[str, ...]) -> bool:
    """Whether the file is one of the places, or inside one that ends with a slash."""
    return any(
        name(path).startswith(place) if place.endswith("/") else name(path) == place
        for place in places
    )


def called(node: ast.Call) -> str:
    """The last word of what is called: `now` of `datetime.now()`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def strings(path: Path) -> Iterator[ast.Constant]:
    """Every string of the file that is not a docstring."""
    signs = {
        id(node.body[0].value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in signs:
            yield node


def is_sql(text: str) -> bool:
    """Whether a string is a statement rather than a sentence."""
    return _SQL.match(text) is not None and _SENTENCE.match(text) is None


def assembled(node: ast.AST) -> tuple[str, list[ast.expr]]:
    """The text with which a string is put together, and the values put in; empty for other nodes.

    Knows f-strings, `%`, `+` and `.format()`.
    """
    match node:
        case ast.JoinedStr(values=values):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in values)
            return text, [v.value for v in values if isinstance(v, ast.FormattedValue)]
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod() | ast.Add(), right=right):
            return text, [right]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return text, [*node.args, *(keyword.value for keyword in node.keywords)]
        case _:
            return "", []


def is_fixed(value: ast.expr) -> bool:
    """Whether what is put into a statement is a constant of ours, or quoted as an identifier."""
    if isinstance(value, ast.Call):
        return called(value) in _QUOTING
    return (value.attr if isinstance(value, ast.Attribute) else ast.unparse(value)).isupper()
