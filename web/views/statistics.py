"""The statistics of a unit in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.words import Words

COUNTS = ("admissions", "readmissions", "discharge", "transfer", "death")


def rows(found: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    """(what, figure) of each line of the page."""
    few = words.t("statistics.few", n=found["least"])

    def number(value: float | None, decimals: int = 0, after: str = "") -> str:
        return few if value is None else words.number(value, decimals) + after

    spread = found["length_of_stay_days"]
    occupancy, counts = found["occupancy"], found["counts"]
    lines = [
        ("beds", number(found["beds"])),
        ("occupancy", number(None if occupancy is None else 100 * occupancy, 0, " %")),
        ("patient_days", number(found["patient_days"], 1)),
        *((name, number(counts[name])) for name in COUNTS),
        ("length", words.t("statistics.spread", **_spread(spread, words)) if spread else few),
    ]
    told = [(words.t(f"statistics.{name}", h=found["readmission_h"]), text) for name, text in lines]
    for name, days in found["device_days"].items():
        share = found["device_share"][name]
        text = number(days)
        if share is not None:
            text = words.t("statistics.share", n=text, share=words.number(100 * share, 0))
        told.append((words.t(f"statistics.{name}"), text))
    return told


def _spread(spread: Mapping[str, float], words: Words) -> dict[str, str]:
    return {name: words.number(value, 1) for name, value in spread.items()}
