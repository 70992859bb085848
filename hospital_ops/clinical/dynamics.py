"""Is an ICU patient better, worse or unchanged over 24 h? A proposal; the physician decides.

The order of the rule is the order of the code: events beat scores, negative beats positive, and
good news never passes while something known yesterday is missing today.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.bounds import checked
from hospital_ops.clinical.sheet import Result, Sheet
from hospital_ops.clinical.tables import own, table

_RULE: Final = own("dynamics")
ORGANS: Final = tuple(_RULE["organs"])
SEVERITY_WORDS: Final = tuple(
    word["code"]
    for row in table("sms_values")["rows"]
    if row["item"] == "severity"
    for word in row["words"]
)
NEGATIVE, POSITIVE, UNCHANGED, NOT_ASSESSED = "negative", "positive", "unchanged", "not_assessed"


class _Change(NamedTuple):
    """Change of SOFA over the organs known in both windows, and which are lost today."""

    points: float | None
    lost: list[str]
    common: int


def dynamics(inputs: Mapping[str, Any]) -> Result:
    """`score dynamics`: the word, and whether a message may go out (`sms_ready`).

    A flag that is not given is false. `sms_ready` needs a physician, and for "unchanged" a
    permitted word of severity; after death or arrest it is never true.
    """
    sheet = Sheet(inputs)
    change = _sofa(sheet)
    news = _news2(sheet)
    ended = _is(inputs, "death") or _is(inputs, "cardiac_arrest")
    word, why = _word(inputs, change, news, ended)
    sheet.because(
        f"dynamics_{why}",
        change.points if change.points is not None else news,
        None,
        _RULE["source"],
        None,
    )
    for organ in change.lost:
        sheet.lacks(organ)
    confirmed = inputs.get("physician_confirmed") is True
    ready = confirmed and not ended
    if word == UNCHANGED or inputs.get("severity_word") is not None:
        ready = ready and inputs.get("severity_word") in SEVERITY_WORDS
    return sheet.answer(
        {
            "dynamics": word,
            "sms_ready": ready,
            "delta_sofa": change.points,
            "delta_news2": news,
            "low_confidence": bool(change.common) and change.common < _RULE["few_organs"],
        }
    )


def _word(
    inputs: Mapping[str, Any], change: _Change, news: float | None, ended: bool
) -> tuple[str, str]:
    sofa = change.points
    support = _is(inputs, "organ_support")
    by_news = None if support or sofa is not None else news
    if ended:
        return NEGATIVE, "event"
    if _is(inputs, "first_24h"):
        return NOT_ASSESSED, "first_24h"
    if (
        (sofa is not None and sofa >= _RULE["sofa_worse"])
        or _is(inputs, "new_organ_support")
        or _dropped(inputs)
        or (by_news is not None and by_news >= _RULE["news2_worse"])
    ):
        return NEGATIVE, "worse"
    if change.lost:
        return NOT_ASSESSED, "organ_missing"
    if sofa is None and by_news is None:
        return NOT_ASSESSED, "not_computable"
    weaned = _is(inputs, "support_stopped_documented") and sofa is not None and sofa <= 0
    if (
        (sofa is not None and sofa <= _RULE["sofa_better"])
        or weaned
        or (by_news is not None and by_news <= _RULE["news2_better"])
    ):
        if _is(inputs, "treatment_limited"):
            return NOT_ASSESSED, "treatment_limited"
        return POSITIVE, "better"
    return UNCHANGED, "unchanged"


def _is(inputs: Mapping[str, Any], key: str) -> bool:
    return inputs.get(key) is True


def _dropped(inputs: Mapping[str, Any]) -> bool:
    """A fall of the unsedated GCS: a number of points, or a tick that it fell enough."""
    given = inputs.get("gcs_drop_unsedated")
    if given is True:
        return True
    points, _ = checked("gcs_drop_unsedated", given)
    return points is not None and points >= _RULE["gcs_drop"]


def _sofa(sheet: Sheet) -> _Change:
    before, today = sheet.inputs.get("organs_prev"), sheet.inputs.get("organs_today")
    if not isinstance(before, Mapping) or not isinstance(today, Mapping):
        first = sheet.number("sofa_prev", optional=True)
        last = sheet.number("sofa_today", optional=True)
        both = first is not None and last is not None
        points = last - first if first is not None and last is not None else None
        return _Change(points, [], len(ORGANS) if both else 0)
    known_before = {organ: checked("organ_points", before.get(organ))[0] for organ in ORGANS}
    known_today = {organ: checked("organ_points", today.get(organ))[0] for organ in ORGANS}
    total, common, lost = 0.0, 0, []
    for organ in ORGANS:
        first, last = known_before[organ], known_today[organ]
        if first is not None and last is not None:
            total, common = total + last - first, common + 1
        elif first is not None:
            lost.append(organ)
    return _Change(total if common else None, lost, common)


def _news2(sheet: Sheet) -> float | None:
    first = sheet.number("news2_prev", optional=True)
    last = sheet.number("news2_today", optional=True)
    return None if first is None or last is None else last - first
