"""Who lies in a bed now, as the board has it: for whom something is ordered or recorded."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hospital_ops import codes, events
from hospital_ops.board import BedCell
from hospital_ops.clock import iso
from hospital_ops.errors import Conflict, MessageError
from icu.ordering.store import Place
from web.auth import web_of

_WEIGHT = codes.by_key["weight"].code
NOBODY = "Nobody is admitted to this bed: admit the patient first."


def cell_of(request: Request, unit: str, bed: str) -> BedCell | None:
    """The bed's cell on the board of its unit."""
    feed = web_of(request).feed(unit)
    cell = feed.cells.get(bed) if feed else None
    return cell if isinstance(cell, BedCell) else None


def place_of(request: Request, unit: str, bed: str) -> Place:
    """The bed with its patient and weight; an empty id where nobody is admitted."""
    cell = cell_of(request, unit, bed)
    if cell is None or cell.patient is None:
        return Place(unit, bed, "")
    place = Place(unit, bed, cell.patient.patient_id, since=cell.patient.admitted_at)
    shown, told = cell.values.get(_WEIGHT), cell.patient.weight
    if shown is None or not isinstance(shown.value, int | float) or shown.validity == "Inv":
        if told is None:
            return place
        status = f"estimated: told before the hospital, {iso(told.at)[:10]}"
        return place._replace(weight_kg=told.value, weight_status=status)
    status = f"{shown.origin}, {iso(shown.at)[:10]}"
    return place._replace(weight_kg=float(shown.value), weight_status=status)


def taken_place(request: Request, unit: str, bed: str) -> Place:
    """The same; Conflict where nobody is admitted."""
    place = place_of(request, unit, bed)
    if not place.patient_id:
        raise Conflict(NOBODY)
    return place


async def json_object(request: Request) -> dict[str, Any]:
    """The body of a request as one JSON object."""
    sent = events.parse_json(await request.body())
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return sent


def text_of(sent: dict[str, Any], name: str, longest: int = 500) -> str:
    """A text of the object, empty where it is not there."""
    found = sent.get(name) or ""
    if not isinstance(found, str) or len(found) > longest:
        raise MessageError("bad_field", f"`{name}` is text of at most {longest} characters")
    return found.strip()


def seen_of(sent: dict[str, Any]) -> frozenset[str]:
    """The digests of the findings that somebody has seen, as a list or in one text."""
    found = sent.get("seen") or []
    words = found.split() if isinstance(found, str) else found
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise MessageError("bad_field", "`seen` is a list of digests")
    return frozenset(words)
