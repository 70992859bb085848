"""The rule strings of the tables, compiled once into closures with three answers.

Theory of operation: a rule such as `hr_bpm<50 or hr_bpm>150` or `count(a,b,c)>=2` is parsed with
`ast` and only these forms are accepted: `and`, `or`, chained comparisons of names with numbers,
`count(...)` of flags, and a bare flag. A name inside a comparison is a number, any other name is
a flag (a sign that was ticked). The answer is True, False, or None: a missing number makes it
unknown unless the rest of the rule decides anyway. Nothing is ever evaluated by Python itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from hospital_ops.errors import ConfigurationError

Numbers = Mapping[str, float | None]
Flags = Collection[str]
Answer = bool | None
Check = Callable[[Numbers, Flags], Answer]

_COMPARE: Final[dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]]] = {
    ast.Lt: ("<", lambda left, right: bool(left < right)),
    ast.LtE: ("<=", lambda left, right: bool(left <= right)),
    ast.Gt: (">", lambda left, right: bool(left > right)),
    ast.GtE: (">=", lambda left, right: bool(left >= right)),
}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Limit:
    """One comparison of a rule: which number, which side, which limit."""

    __slots__ = ("check", "limit", "name", "symbol")

    def __init__(self, name: str, symbol: str, limit: float, check: Check) -> None:
        self.name, self.symbol, self.limit, self.check = name, symbol, limit, check

    def __str__(self) -> str:
        """The limit as a page shows it: ">150"."""
        return f"{self.symbol}{self.limit:g}"


class Rule:
    """A compiled rule of a table."""

    __slots__ = ("check", "flags", "limits", "text")

    def __init__(self, text: str) -> None:
        """Raises ConfigurationError for a form that the tables do not use."""
        self.text = text
        self.limits: list[Limit] = []
        self.flags: list[str] = []
        try:
            self.check: Check = self._compile(ast.parse(text, mode="eval").body)
        except (SyntaxError, KeyError, ValueError) as problem:
            raise ConfigurationError(
                f"rule {text!r} of a clinical table cannot be read: {problem}; correct the table"
            ) from problem

    def why(self, numbers: Numbers, flags: Flags) -> tuple[Any, str]:
        """What made the rule true: the value (number, or names of signs) and the threshold."""
        hit = [limit for limit in self.limits if limit.check(numbers, flags)]
        if hit and not any(flag in flags for flag in self.flags):
            return numbers.get(hit[-1].name), str(hit[-1])
        ticked = [flag for flag in self.flags if flag in flags and flag != "pregnant"]
        if hit and not ticked:
            return numbers.get(hit[-1].name), str(hit[-1])
        return ticked, self.text

    def _compile(self, node: ast.expr) -> Check:
        if isinstance(node, ast.BoolOp):
            parts = tuple(self._compile(value) for value in node.values)
            return _any_of(parts) if isinstance(node.op, ast.Or) else _all_of(parts)
        if isinstance(node, ast.Name):
            self.flags.append(node.id)
            return _flag(node.id)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        raise ValueError(f"{type(node).__name__} is not a form of the tables")

    def _comparison(self, node: ast.Compare) -> Check:
        sides = [node.left, *node.comparators]
        parts: list[Check] = []
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            symbol, compare = _COMPARE[type(operator)]
            if isinstance(left, ast.Call):
                parts.append(self._count(left, compare, _number(right)))
            elif isinstance(left, ast.Name):
                parts.append(self._limit(left.id, symbol, compare, _number(right)))
            elif isinstance(right, ast.Name):
                turned = _TURNED[symbol]
                flipped = next(entry for entry in _COMPARE.values() if entry[0] == turned)[1]
                parts.append(self._limit(right.id, turned, flipped, _number(left)))
            else:
                raise ValueError("a comparison needs a name on one side")
        return parts[0] if len(parts) == 1 else _all_of(tuple(parts))

    def _limit(
        self, name: str, symbol: str, compare: Callable[[Any, Any], bool], limit: float
    ) -> Check:
        def check(numbers: Numbers, _flags: Flags) -> Answer:
            value = numbers.get(name)
            return None if value is None else compare(value, limit)

        self.limits.append(Limit(name, symbol, limit, check))
        return check

    def _count(self, node: ast.Call, compare: Callable[[Any, Any], bool], limit: float) -> Check:
        if not isinstance(node.func, ast.Name) or node.func.id != "count" or node.keywords:
            raise ValueError("only count(...) may be called")
        names = tuple(item.id for item in node.args if isinstance(item, ast.Name))
        self.flags.extend(names)
        return lambda _numbers, flags: compare(sum(name in flags for name in names), limit)


def _number(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value) if isinstance(node.value, float) else int(str(node.value))
    raise ValueError("a limit must be a number")


def _flag(name: str) -> Check:
    return lambda _numbers, flags: name in flags


def _any_of(parts: tuple[Check, ...]) -> Check:
    def check(numbers: Numbers, flags: Flags) -> Answer:
        unknown = False
        for part in parts:
            answer = part(numbers, flags)
            if answer:
                return True
            unknown = unknown or answer is None
        return None if unknown else False

    return check


def _all_of(parts: tuple[Check, ...]) -> Check:
    def check(numbers: Numbers, flags: Flags) -> Answer:
        unknown = False
        for part in parts:
            answer = part(numbers, flags)
            if answer is False:
                return False
            unknown = unknown or answer is None
        return None if unknown else True

    return check
