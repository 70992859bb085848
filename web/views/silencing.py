"""Reviews of rejected alarms and what is enabled, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hospital_ops.clock import from_iso
from hospital_ops.wire import Reason, Verdict
from icu.rules import words as rule_words
from web.views.alarmcheck import verdict_text
from web.views.values import Frame, clock
from web.words import Words


def needed(found: Mapping[str, Any] | None, words: Words) -> str:
    """What the site asks for; without its figures nothing can be enabled."""
    if found is None:
        return words.t("reviews.no_site")
    return words.t("reviews.site", least=found["least"], share=_percent(found["most_share"], words))


def rule(row: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """One rule: its count, its bound, what is enabled, and what was."""
    words = frame.words
    return {
        "id": row["rule"],
        "name": rule_words(row["rule"], words.language),
        "count": words.t("reviews.count", n=row["reviewed"], wrong=row["wrong"]),
        "upper": words.t("reviews.upper", share=_percent(row["upper_share"], words)),
        "silent": words.t("reviews.silent", n=row["kept_silent"]),
        "enough": row["enough"],
        "enabled": _change(row["enabled"], words) if row["enabled"] else None,
        "before": [_change(one, words) for one in row["history"] if one["undone_by"]],
    }


def waiting(row: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """One alarm that waits for a look."""
    words, at = frame.words, from_iso(row["at"])
    reasons = tuple(Reason(r["code"], r["source"], r["value"]) for r in row["verdict"]["reasons"])
    verdict = Verdict("reviewed", reasons, row["verdict"]["sources"])
    return {
        "alarm": row["alarm"],
        "bed": row["bed"],
        "name": rule_words(row["rule"], words.language),
        "at": f"{row['at'][:10]} {clock(at, frame.zone, seconds=True)}",
        "why": verdict_text(verdict, words),
        "was_note": row["was_note"],
    }


def _change(one: Mapping[str, Any], words: Words) -> str:
    said = words.t(
        "reviews.enabled_by", by=one["enabled_by"], time=_when(one["enabled_at"]),
        n=one["reviewed"], wrong=one["wrong"], share=_percent(one["upper_share"], words),
        reason=one["reason"],
    )  # fmt: skip
    if not one["undone_by"]:
        return said
    by = words.t("reviews.by_review") if one["undone_by"] == "review" else one["undone_by"]
    ended = words.t(
        "reviews.undone_by", by=by, time=_when(one["undone_at"]), reason=one["undo_reason"]
    )
    return f"{said} {ended}"


def _percent(share: float, words: Words) -> str:
    return f"{words.number(round(share * 100, 1))} %"


def _when(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"
