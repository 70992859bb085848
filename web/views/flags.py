"""Flags of a patient in words: on the tile for everybody, on the bed's page in full. Pure."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from web.views.orders import day_clock
from web.views.values import Frame
from web.words import Words

Tag = tuple[str, str, str]  # icon, what a narrow tile leaves to the icon, words
LIMITS: Final = "treatment_limits"


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
        tags.append(("limits", "", words.t("tile.treatment_limits")))
    return tuple(tags)


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
