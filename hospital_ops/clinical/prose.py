"""Figures that the tables give in a sentence: ">38 or <36", ">=22", "<15 (altered mentation)"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from hospital_ops.errors import ConfigurationError

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PATTERN: Final = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?)")


class Bound(NamedTuple):
    """One comparison of a sentence."""

    symbol: str
    limit: float

    def met(self, value: float) -> bool:
        """Whether `value` lies on the printed side of the limit."""
        return _COMPARE[self.symbol](value, self.limit)

    def __str__(self) -> str:
        """As printed: ">=22"."""
        return f"{self.symbol}{self.limit:g}"


def bounds(text: str) -> tuple[Bound, ...]:
    """Every comparison of a sentence, in order; none is an error of the table."""
    found = tuple(Bound(symbol, float(limit)) for symbol, limit in _PATTERN.findall(text))
    if not found:
        raise ConfigurationError(f"no limit stands in {text!r} of a clinical table; correct it")
    return found


def bound(text: str) -> Bound:
    """The first comparison of a sentence."""
    return bounds(text)[0]


def met(any_of: tuple[Bound, ...], value: float) -> Bound | None:
    """The first of the comparisons that `value` meets, or None."""
    return next((each for each in any_of if each.met(value)), None)


def numbers(text: str) -> tuple[float, ...]:
    """Every plain number of a sentence, in order."""
    return tuple(float(figure) for figure in re.findall(r"\d+(?:\.\d+)?", text))
