"""Which program and which rules are at work: for whoever looks at a decision afterwards."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_RULES: Final = ("hospital_ops/clinical/tables", "icu", "triage", "notify")


@cache
def versions() -> dict[str, str]:
    """The program's version and, by file, the first 16 hex digits of each rule table's sha256."""
    try:
        program = version("hospital-ops")
    except PackageNotFoundError:
        program = "unknown"
    tables = {
        f"{folder}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for folder in _RULES
        for path in sorted((_ROOT / folder).glob("*.json"))
    }
    return {"program": program} | tables
