"""Flags of a patient in words: on the tile for everybody, on the bed's page in full. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from web.views.orders import day_clock
from web.views.values import Frame
from web.words import Words

Tag = tuple[str, str, str]  # icon, what a narrow tile leaves to the icon, words
LIMITS: Final = "treatment_limits"
COMFORT: Final = "comfort_care"
CPR: Final = "no_cpr"


def on_tile(cell: BedCell, words: Words) -> tuple[Tag, ...]:
    """The tags of a tile: isolation with its kinds, an allergy, limits of treatment.

    They name no substance, no germ and no note: a wall may be read by whoever passes.
    """
    patient, tags = cell.patient, list[Tag]()
    if patient is not None and patient.isolation:
        kinds = " + ".join(words.t(f"flag.{kind}") for kind in patient.isolation)
        tags.append(("isolation", words.t("flag.isolation"), kinds))
    if patient is not None and patient.allergy:
        tags.append(("allergy", "", words.t("flag.allergy")))
    if LIMITS in cell.flags:
        tags.append(("limits", *_short(patient.limits if patient else (), words)))
    return tuple(tags)


def _short(limits: tuple[str, ...], words: Words) -> tuple[str, str]:
    """`limits (2): no CPR`, the one that is asked for first; else that there are limits."""
    if CPR not in limits:
        return "", words.t("tile.treatment_limits")
    number = f" ({len(limits)})" if len(limits) > 1 else ""
    return f"{words.t('tile.treatment_limits')}{number}:", words.t("tile.no_cpr")


@dataclass(frozen=True, slots=True)
class Held:
    """Which limits of treatment hold; `digest` names it, so that a page that has it keeps it."""

    lines: tuple[str, ...]
    digest: str


def held(cell: BedCell, words: Words) -> Held:
    """What was agreed on, in full, for the top of the bed's page; no lines: no limits."""
    limits = cell.patient.limits if cell.patient else ()
    which = ", ".join(words.t(f"care.limit.{limit}") for limit in limits)
    lines = []
    if LIMITS in cell.flags:
        lines.append(f"{words.t('care.treatment_limits')}: {which or words.t('care.see_below')}")
    if COMFORT in cell.flags:
        lines.append(words.t("care.comfort_care"))
    told = repr((lines, cell.patient.patient_id if cell.patient else ""))
    return Held(tuple(lines), hashlib.sha256(told.encode()).hexdigest()[:16])


def lines(found: list[dict[str, Any]], frame: Frame) -> list[dict[str, str]]:
    """What holds, as the panel of the bed shows it."""
    return [
        {
            "id": one["id"],
            "kind": frame.words.t(f"isolation.{one['kind']}"),
            "note": one["note"],
            "by": f"{one['by']} {day_clock(from_iso(one['at']), frame)}",
        }
        for one in found
    ]
