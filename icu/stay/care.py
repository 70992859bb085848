"""Limits of treatment and comfort care: what may be agreed on, and who may do what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops.errors import MessageError

KINDS: Final = ("treatment_limits", "comfort_care")
# What may be left out; the words are those of the pages.
LIMITS: Final = (
    "no_cpr",
    "no_intubation",
    "no_ventilation",
    "no_renal_replacement",
    "no_vasopressors",
    "no_icu_readmission",
)


def checked(kind: str, limits: Sequence[str]) -> tuple[str, ...]:
    """The limits in their order. Raises MessageError for what is unknown or missing."""
    if kind not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    if unknown := set(limits) - set(LIMITS):
        raise MessageError("bad_limits", f"{min(unknown)} is none of {', '.join(LIMITS)}")
    if kind == "treatment_limits" and not limits:
        raise MessageError("no_limits", "say what is limited: nothing was chosen")
    return tuple(limit for limit in LIMITS if limit in limits)
