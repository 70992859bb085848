"""What other signals make of an alarm, in words. Pure."""

from __future__ import annotations

from typing import Final

from hospital_ops.clinical.tables import table
from hospital_ops.wire import Reason, Verdict
from web.words import Words

_LEADS: Final = {str(row["mdc"]): str(row["lead"]) for row in table("codes")["ecg_leads"]}
_NAMED: Final = ("pleth", "abp", "pr")


def verdict_text(verdict: Verdict | None, words: Words) -> str:
    """One sentence; empty where the rule is not cross-checked."""
    if verdict is None:
        return ""
    reasons = "; ".join(reason_text(reason, words) for reason in verdict.reasons)
    return words.t(f"check.{verdict.word}", reasons=reasons)


def reason_text(reason: Reason, words: Words) -> str:
    """What one signal says."""
    value = words.number(round(reason.value)) if reason.value is not None else "?"
    return words.t(f"check.{reason.code}", source=source_text(reason.source, words), value=value)


def source_text(source: str, words: Words) -> str:
    """The name of a signal: a lead of the ECG, or a pulse signal."""
    if source in _NAMED:
        return words.t(f"check.source.{source}")
    return words.t("check.source.lead", lead=_LEADS.get(source, source))
