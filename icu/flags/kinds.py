"""Kinds of isolation: the words of the field, not thresholds. Pure.

Source: CDC/HICPAC, Guideline for Isolation Precautions: Preventing Transmission of Infectious
Agents in Healthcare Settings, 2007: transmission-based precautions (contact, droplet, airborne) and
the protective environment. Several may hold at once.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.errors import MessageError

KINDS: Final = ("contact", "droplet", "airborne", "protective")


def checked(kind: str) -> str:
    """The kind. Raises MessageError for another word."""
    if kind not in KINDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
    return kind
