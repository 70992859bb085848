"""Every clinical score by its name: one call, one answer, no exception for a patient's data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hospital_ops.clinical import news2
from hospital_ops.clinical.sheet import CannotScore, Result

Score = Callable[[Mapping[str, Any]], Result]

SCORES: Final[dict[str, Score]] = {
    "news2": news2.news2,
}


def score(name: str, inputs: Any, scores: Mapping[str, Score] = SCORES) -> Result:
    """The answer of score `name` for these inputs (keys with their unit, as the vectors).

    What cannot be scored is {"error": code, "detail": what to do}. Raises KeyError for a name
    that is no score; `scores` may add those of other rooms.
    """
    found = scores[name]
    if not isinstance(inputs, Mapping):
        return {"error": "not_an_object", "detail": "one JSON object of inputs a line is expected"}
    try:
        return found(inputs)
    except CannotScore as problem:
        return {"error": problem.code, "detail": problem.detail}
