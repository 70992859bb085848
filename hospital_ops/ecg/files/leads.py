"""The numbers of leads in SCP-ECG (EN 1064, 5.6) and IEEE 11073-10102: they are the same."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
    10: "V2R", 11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 15: "V7R", 16: "X", 17: "Y", 18: "Z",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 65: "-aVR", 66: "V8", 67: "V9", 68: "V8R",
    69: "V9R",
}  # fmt: skip


def lead_of_number(number: int) -> str:
    """The lead of a number; empty where the tables name none that we draw."""
    return _NAMES.get(number, "")
