"""The entries of emergency departments beside the case itself: notes, places, rings, settings."""

from __future__ import annotations

from hospital_ops.wire_forms import Form


class CaseNote(Form, frozen=True, tag="note"):
    """What somebody said or ticked about a case; it goes in by the stream.

    `kind` and its `key`: `readiness` pathway:item, `pathway` id, `message` phrase, `read_back` of
    the note named in `about`, `view` (the physician's own, in `text`), `finding` id.
    """

    unit: str
    case: str
    note: str  # UUID: a repeat does nothing
    kind: str
    key: str
    at: int
    by: str
    role: str
    source: str
    received_at: int
    mode: str
    text: str = ""
    about: str = ""  # of a message: whom it is for, crew or hospital
    done: bool = True  # False: taken back, closed, absent


class PlaceGiven(Form, frozen=True, tag="plc"):
    """A place held, ready or free for a case; committed in PostgreSQL, told by the relay."""

    unit: str
    case: str
    place: str
    kind: str  # bay, theatre, cath_lab, ct, icu_bed, blood
    label: str
    entrance: str
    state: str  # held, ready, free
    at: int
    by: str
    mode: str
    zone: str = ""  # resuscitation, treatment


class EdSettings(Form, frozen=True, tag="eds"):
    """What a department has set for itself; a version counts once."""

    unit: str
    version: int
    ring: tuple[str, ...]  # words of the crew for which a red rings; "" where none was said
    at: int
    by: str
    latitude: float | None = None  # degrees, WGS 84; None: arrival is not told by position
    longitude: float | None = None
    radius_m: float = 0.0
    arrives: bool = False  # within the radius the arrival is recorded; else the crew is asked


class SheetSigned(Form, frozen=True, tag="sgn"):
    """A hand-over sheet that somebody signed; its text is in PostgreSQL."""

    unit: str
    case: str
    version: int
    at: int
    by: str


class Rang(Form, frozen=True, tag="rng"):
    """A call for a red patient rang, for the first time or again, and for whom."""

    unit: str
    case: str
    at: int
    count: int
    level: int
    mode: str
