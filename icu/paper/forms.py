"""The record of a unit as the sheet for paper takes it. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple


class Paper(NamedTuple):
    """What the record holds, each by patient."""

    orders: dict[str, list[dict[str, Any]]]
    allergies: dict[str, list[str]]  # an empty substance: somebody recorded that none are known
    agreed: dict[str, list[dict[str, Any]]]  # kind and limits, in force
    elsewhere: dict[str, str]  # who has open orders of the unit and lies in none of its beds
