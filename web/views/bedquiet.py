"""Why a bed makes no sound, in words: for its tile and for the panel of its page. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hospital_ops.board import BedCell, QuietCell
from web.views.values import Frame, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietView:
    """What the panel says; `digest` names it, so that a page that has it needs no new one."""

    support: str  # what supports the circulation, as somebody has said
    supports: tuple[str, ...]  # what of it there is
    lines: tuple[str, ...]  # silences, each with its end and who decided it
    refilings: int  # proposed by a late ADT, and nobody has decided
    behind: bool  # the record of the former unit has not come along yet
    ends: bool  # there is something to end
    why: str  # "check patient": the key of the sentence that says why; empty: nothing to check
    patient: str  # the id of whoever lies here; empty: nobody, or nobody knows
    may_confirm: bool  # somebody else has asked for comfort care
    waits: bool  # whoever looks has asked for it
    digest: str


def view(cell: BedCell | None, frame: Frame, actor: str) -> QuietView:
    """The panel of a bed for whoever looks."""
    quiets = cell.quiets if cell else ()
    asked = next((q for q in quiets if q.kind == "comfort_asked"), None)
    lines = tuple(line(quiet, frame) for quiet in quiets)
    why = check_why(cell.flags) if cell else ""
    patient = cell.patient.patient_id if cell and cell.patient else ""
    by = asked.by if asked else ""
    support = _support(cell, frame)
    refilings = cell.refilings if cell else 0
    behind = cell is not None and "record_left_behind" in cell.flags
    told = repr((lines, why, patient, by, support, refilings, behind))
    return QuietView(
        refilings=refilings,
        behind=behind,
        support=support,
        supports=cell.support.words if cell and cell.support else (),
        lines=lines,
        ends=bool(lines),
        why=why,
        patient=patient,
        may_confirm=asked is not None and by != actor,
        waits=by == actor,
        digest=hashlib.sha256(told.encode()).hexdigest()[:16],
    )


def check_why(flags: tuple[str, ...]) -> str:
    """Why a bed asks "check patient": the key of its sentence; empty where it does not."""
    reasons = ("displaced", "check_beats", "check_baseline", "check_patient")
    found = next((reason for reason in reasons if reason in flags), "")
    return {"": "", "check_patient": "tile.check_why"}.get(found, f"tile.{found}_why")


def _support(cell: BedCell | None, frame: Frame) -> str:
    said, words = cell.support if cell else None, frame.words
    if said is None:
        return words.t("quiet.support_unknown")
    at = clock(said.at, frame.zone)
    if not said.words:
        return words.t("quiet.support_none", by=said.by, time=at)
    what = ", ".join(words.t(f"quiet.support_is.{word}") for word in said.words)
    return words.t("quiet.support_said", what=what, by=said.by, time=at)


def line(quiet: QuietCell, frame: Frame) -> str:
    """`Stand-by (CT) until 14:20, nurse.h1`."""
    words = frame.words
    names = ", ".join(filter(None, (quiet.by, quiet.confirmed_by)))
    return words.t("quiet.line", what=_what(quiet, frame), until=_until(quiet, frame), by=names)


def on_tile(cell: BedCell, frame: Frame) -> tuple[str, ...]:
    """The same for the tile, without names."""
    return tuple(
        frame.words.t("quiet.tile", what=_what(quiet, frame), until=_until(quiet, frame))
        for quiet in cell.quiets
        if quiet.kind != "comfort_asked"
    )


def _what(quiet: QuietCell, frame: Frame) -> str:
    said = frame.words.t(f"quiet.{quiet.kind}")
    return f"{said} ({frame.words.t(f'quiet.reason.{quiet.reason}')})" if quiet.reason else said


def _until(quiet: QuietCell, frame: Frame) -> str:
    return clock(quiet.until, frame.zone)
