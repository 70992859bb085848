"""The 12-lead ECGs of a case as the board lists them: one line each, the newest last."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import wire
from hospital_ops.clock import SECOND, iso

KEPT: Final = 20  # of one case: more than any crew takes on one way
# A preview is 2.5 s of one lead, coarse are twelve leads at a low rate: both for the eye alone.
READ_AGAIN: Final = "reread"  # for another age or sex: the findings are others, nothing else
_LATER: Final = {"receiving": 0, "preview": 1, "coarse": 2, "refused": 3, "picture": 4, "stored": 4}


def with_ecg(
    known: tuple[dict[str, Any], ...], entry: wire.EcgReceived
) -> tuple[dict[str, Any], ...]:
    """The list with what this entry says; an earlier stage never replaces a later one."""
    before = next((ecg for ecg in known if ecg["id"] == entry.ecg), None)
    if entry.stage == READ_AGAIN:
        new = {**(before or {}), "findings": list(entry.findings)}
        return tuple(new if ecg is before else ecg for ecg in known)
    if before is not None and _LATER[before["stage"]] >= _LATER.get(entry.stage, 0):
        return known
    others = [ecg for ecg in known if ecg["id"] != entry.ecg]
    new = line(entry)
    if before is not None:
        new["preview"] = new["preview"] or before["preview"]
        if "case" in before:  # where it lies, if it was moved
            new["case"] = before["case"]
    return tuple(sorted([*others, new], key=lambda ecg: (ecg["at"], ecg["id"]))[-KEPT:])


def line(entry: wire.EcgReceived) -> dict[str, Any]:
    """What the board says of an ECG; its curves are asked for by its id."""
    samples = len(entry.leads[0].samples) // 2 if entry.leads else 0
    return {
        "id": entry.ecg,
        "at": iso(entry.at // SECOND * SECOND),
        "stage": entry.stage,
        "complete": entry.stage in ("stored", "picture"),
        "leads": [lead.name for lead in entry.leads],
        "rate_hz": entry.rate_hz,
        "duration_s": round(samples / entry.rate_hz, 3) if entry.rate_hz else 0.0,
        "device": entry.device,
        "format": entry.source_format,
        "findings": list(entry.findings),
        "preview": list(entry.preview),
        "reason": entry.reason,
    }
