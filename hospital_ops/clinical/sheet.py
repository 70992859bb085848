"""One sheet of inputs being scored: reads them with care and remembers what was not there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hospital_ops.clinical.bounds import IMPLAUSIBLE, checked
from hospital_ops.clinical.tables import words
from hospital_ops.errors import HospitalOpsError

Result = dict[str, Any]


class CannotScore(HospitalOpsError):
    """These inputs have no score; `code` is stable, `detail` says what to enter."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}")


class Sheet:
    """The inputs of one score, and the `missing`, `reasons` and `warnings` of its answer.

    A value that is there but is no figure (NaN, text, outside physics) counts as missing and is
    named in `warnings`; nothing here raises for a bad value, only `need` for one that is a must.
    """

    __slots__ = ("inputs", "missing", "reasons", "warnings")

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.inputs = inputs
        self.missing: list[str] = []
        self.reasons: list[dict[str, Any]] = []
        self.warnings: list[dict[str, Any]] = []

    def number(
        self, key: str, *, optional: bool = False, bounds: str | None = None
    ) -> float | None:
        """The number under `key`, or None (then listed as missing unless `optional`).

        `bounds` names another key whose range applies.
        """
        value = self.inputs.get(key)
        if value is None:
            if not optional:
                self.lacks(key)
            return None
        number, problem = checked(bounds or key, value)
        if problem is not None:
            self.warn(problem, key)
            if problem != IMPLAUSIBLE:
                self.lacks(key)
        return number

    def need(self, key: str) -> float:
        """The number under `key`; raises CannotScore without it."""
        number = self.number(key)
        if number is None:
            raise CannotScore("missing_input", f"{key} is needed as a plausible number")
        return number

    def flag(self, key: str, *, optional: bool = False) -> bool | None:
        """The yes or no under `key`, or None."""
        value = self.inputs.get(key)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.warn("not_yes_or_no", key)
        if value is not None or not optional:
            self.lacks(key)
        return None

    def choice(self, key: str, allowed: Collection[str], *, optional: bool = False) -> str | None:
        """The word under `key` if it is one of `allowed`, or None."""
        value = self.inputs.get(key)
        if isinstance(value, str) and value in allowed:
            return value
        if value is not None:
            self.warn("unknown_word", key)
        if value is not None or not optional:
            self.lacks(key)
        return None

    def lacks(self, key: str) -> None:
        """Note that `key` is missing, once."""
        if key not in self.missing:
            self.missing.append(key)

    def warn(self, code: str, key: str) -> None:
        """Note that the value of `key` is not to be trusted."""
        self.warnings.append({"code": code, "input": key, "text": f"{key}: {words(code)}"})

    def because(self, code: str, value: Any, threshold: Any, source: str, points: Any) -> None:
        """Note one reason: what gave points, at which limit, from which publication."""
        self.reasons.append(
            {
                "code": code,
                "text": words(code),
                "value": value,
                "threshold": threshold,
                "source": source,
                "points": points,
            }
        )

    def answer(self, result: Result) -> Result:
        """The answer of a score: `result` with `missing`, `reasons` and, if any, `warnings`."""
        result["missing"] = self.missing
        result["reasons"] = self.reasons
        if self.warnings:
            result["warnings"] = self.warnings
        return result
