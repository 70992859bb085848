"""What is written by hand in a shift report or a summary, and who signs it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clock import SECOND
from hospital_ops.errors import MessageError

HOUR_US: Final = 3600 * SECOND
SHIFTS_H: Final = (8, 12, 24)
# SBAR for the shift; for whoever goes, what the next physician needs.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "shift": ("situation", "background", "assessment", "recommendation"),
    "transfer": ("diagnosis", "course", "recommendation"),
    "discharge": ("diagnosis", "course", "recommendation"),
    "death": ("diagnosis", "course", "cause"),
}
# What must not be empty at the signature.
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "shift": ("assessment", "recommendation"),
    "transfer": ("diagnosis", "recommendation"),
    "discharge": ("diagnosis", "recommendation"),
    "death": ("diagnosis", "cause"),
}
TEXT_MAX: Final = 4000


def written(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What somebody wrote, field by field. Raises MessageError for what is missing."""
    if kind not in FIELDS:
        raise MessageError("bad_kind", f"`kind` is one of {', '.join(FIELDS)}")
    words = {name: str(given.get(name) or "").strip()[:TEXT_MAX] for name in FIELDS[kind]}
    for name in NEEDED[kind]:
        if not words[name]:
            raise MessageError(f"no_{name}", f"write `{name}` before you sign")
    return words


def digest(content: Mapping[str, Any], words: Mapping[str, str]) -> bytes:
    """What a signature covers: the data as shown and what was written, whatever the keys' order."""
    return hashlib.sha256(json.dumps([content, words], sort_keys=True).encode()).digest()
