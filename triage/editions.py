"""Editions of the rules: every one that ever proposed a colour is kept, and can be asked again.

An edition is the tables by which the engine proposes; its name is a digest of them. Each stored
proposal names its edition, so that it can be computed anew for ever: `hospital-ops triage --rules
NAME`. Whoever changes a table keeps the new edition beside the old ones (a test says how).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.tables import at

# Words are no rules: a better translation is the same edition.
TABLES: Final = (
    "hospital_ops/clinical/inputs",
    "hospital_ops/clinical/tables/codes",
    "hospital_ops/clinical/tables/iitt",
    "hospital_ops/clinical/tables/news2",
    "hospital_ops/clinical/tables/safety_net",
    "hospital_ops/clinical/tables/scores",
    "triage/age_bands",
    "triage/urgency",
)


def present() -> dict[str, dict[str, Any]]:
    """The tables of today, by their place."""
    return {path: at(path) for path in TABLES}


def name_of(edition: Mapping[str, Any]) -> str:
    """The first twelve hex digits of the sha256 of the tables."""
    text = json.dumps(edition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


EDITION: Final = name_of(present())
