"""What changed about a bed's devices: monitor, ventilator's mode, pump and syringe, leads. Pure.

Zeroing, calibration and a damped line come as alarms of their devices and stand among these.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clinical.tables import table

RATE: Final = codes.by_key["hr"].code  # whose sender is the monitor of the bed
VENTILATION: Final = codes.by_key["vent_mode"].code
PUMPS: Final = sorted(
    vital.code for vital in codes.by_key.values() if vital.ucum in ("ug/kg/min", "U/kg/min")
)
_LEADS: Final = {
    str(name): str(row["lead"])
    for row in table("codes")["ecg_leads"]
    for name in (row["mdc"], row["mdc_ref_id"], row["lead"])
}
LEADS: Final = sorted(_LEADS)
# What the functions of the archive ask for, in their order.
ASKED: Final = (RATE, VENTILATION, PUMPS, LEADS)


class Change(NamedTuple):
    """From `at` on it is so: `what` is monitor, ventilation, pump (`about` a drug) or leads."""

    at: datetime
    mode: str
    what: str
    about: str
    said: str


def changes(known: Iterable[Change], since: datetime) -> list[Change]:
    """Those from `since` on that differ from what was known before, oldest first."""
    last: dict[tuple[str, str, str], str] = {}
    found = []
    for one in sorted(known):
        key = one.what, one.about, one.mode
        if last.get(key) == one.said:
            continue
        last[key] = one.said
        if one.at >= since:
            found.append(one)
    return found


def named(change: Change) -> Change:
    """The same with the names of its leads."""
    if change.what != "leads":
        return change
    names = {_LEADS.get(code, code): None for code in change.said.split()}
    return change._replace(said=", ".join(names))
