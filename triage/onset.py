"""When the symptoms began, as somebody said it: exact, estimated, last known well, or not known.

An item of the case; the newest word of it holds. Nothing is guessed: without a word there is no
clock, and "not known" is an answer. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.case_steps import ONSET_KINDS
from hospital_ops.clock import SECOND, from_iso

UNKNOWN: Final = ONSET_KINDS[-1]


class Onset(NamedTuple):
    """`since` and `said_at` in microseconds; `since` 0 where it is not known."""

    how: str
    since: int
    said_at: int


def onset_of(items: Iterable[Mapping[str, Any]]) -> Onset | None:
    """The newest word about the onset among the items of a case; None where nobody said one."""
    said = [item for item in items if item.get("kind") == "onset"]
    if not said:
        return None
    newest = max(said, key=lambda item: (str(item["at"]), str(item["id"])))
    how = str(newest.get("how", ""))
    since = newest.get("since")
    known = how in ONSET_KINDS and how != UNKNOWN and isinstance(since, str)
    return Onset(
        how if known else UNKNOWN, from_iso(str(since)) if known else 0, from_iso(newest["at"])
    )


def until(onset: Onset | None, window_min: float) -> int:
    """When a window from the onset ends, in microseconds; 0 where no clock can run."""
    return onset.since + round(window_min * 60 * SECOND) if onset and onset.since else 0
