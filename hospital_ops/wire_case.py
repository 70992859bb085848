"""Entries about a pre-arrival case beside its facts and values: what was done, moved and seen."""

from __future__ import annotations

from typing import Any

from hospital_ops.wire_forms import Form


class Lowest(Form, frozen=True):
    """The lowest value of a sign that the crews had measured, kept at the stay it began."""

    code: str
    value: float
    unit: str  # UCUM
    at: int  # microseconds since 1970


class AllergyTold(Form, frozen=True):
    """An allergy as a registration says it (HL7 AL1)."""

    substance: str  # empty: none are known
    reaction: str = ""


class CaseItem(Form, frozen=True, tag="itm"):
    """One thing the crew did or agreed: a treatment, a treatment limit, a note, a withdrawal."""

    unit: str
    case: str
    item: str  # UUID of the sender: the same thing sent again changes nothing
    kind: str  # treatment, limit, note, withdrawal
    at: int
    source: str
    received_at: int
    mode: str
    said: dict[str, Any]  # what, dose, route; what, who, until; text; of


class CaseMoved(Form, frozen=True, tag="mov"):
    """Items that were entered for one case belong to another; empty: the whole case does."""

    unit: str
    case: str
    to: str
    move: str  # UUID of the sender
    items: tuple[str, ...]  # ids of values, items and ECGs
    at: int
    by: str
    source: str
    received_at: int
    mode: str
    note: str = ""


class CaseEntered(Form, frozen=True, tag="ent"):
    """A case comes from another department, with all that is known of it; said again it adds."""

    unit: str
    case: str
    came_from: str  # unit
    cell: bytes  # as the board of that unit shows it
    at: int
    by: str
    source: str
    received_at: int
    mode: str
    reason: str = ""
    where: str = ""  # the name of this unit, as the crew is told


class CaseSeen(Form, frozen=True, tag="seen"):
    """A physician had the page of a case before their eyes, as the board knew it at `upto`."""

    unit: str
    case: str
    upto: int
    at: int
    by: str
    source: str
    received_at: int
    mode: str
