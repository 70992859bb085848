"""The rules of sending and the languages, read once from the files beside this one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from importlib import resources
from typing import Any, Final

from hospital_ops.clinical.tables import table
from hospital_ops.errors import MessageError

RULES: Final[dict[str, Any]] = json.loads(
    (resources.files("notify") / "rules.json").read_text("utf-8")
)
WORSENING_HOLD_S: Final[int] = RULES["worsening_hold_min"] * 60
POSITION_AGE_MAX_S: Final[int] = RULES["position_age_max_s"]
LEASE_S: Final[int] = RULES["lease_s"]
CLAIM_FRESH_S: Final[int] = RULES["claim_fresh_s"]
SEVERITY_AGE_MAX_S: Final[int] = RULES["severity_age_max_h"] * 3600
TEXT_AGE_MAX_S: Final[int] = RULES["text_age_max_h"] * 3600
_TEXT_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a unit sends, in its hospital's local time, and what its families are told of it."""

    opens: time
    closes: time
    quiet_from: time
    quiet_until: time
    desk_phone: str = ""
    desk_hours: str = ""

    def is_quiet(self, at: time) -> bool:
        """Whether people sleep at a local time of day."""
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= at < self.quiet_until
        return at >= self.quiet_from or at < self.quiet_until


def default_hours() -> Hours:
    """The hours of a unit that has set none."""
    window, quiet = RULES["window"], RULES["quiet"]
    return Hours(
        opens=time.fromisoformat(window["opens"]),
        closes=time.fromisoformat(window["closes"]),
        quiet_from=time.fromisoformat(quiet["from"]),
        quiet_until=time.fromisoformat(quiet["until"]),
    )


def hours_in(given: Mapping[str, Any]) -> Hours:
    """Hours as a form or a call gives them (`HH:MM`). Raises MessageError."""
    moments: dict[str, time] = {}
    for name in ("opens", "closes", "quiet_from", "quiet_until"):
        try:
            moments[name] = time.fromisoformat(str(given.get(name, "")))
        except ValueError as error:
            raise MessageError(f"bad_{name}", f"`{name}` is a time such as 10:00") from error
        if moments[name].tzinfo is not None:
            raise MessageError(f"bad_{name}", f"`{name}` is local: give it without a zone")
    phone, desk = (str(given.get(n, "")).strip()[:_TEXT_MAX] for n in ("desk_phone", "desk_hours"))
    hours = Hours(
        opens=moments["opens"],
        closes=moments["closes"],
        quiet_from=moments["quiet_from"],
        quiet_until=moments["quiet_until"],
        desk_phone=phone,
        desk_hours=desk,
    )
    if hours.closes <= hours.opens:
        raise MessageError("bad_closes", "the window closes later than it opens, on the same day")
    if hours.is_quiet(hours.opens):
        raise MessageError("bad_opens", "the window opens outside the quiet hours")
    return hours


@cache
def items() -> dict[str, dict[str, Any]]:
    """The rows of clinical/sms_values.json by item."""
    return {row["item"]: row for row in table("sms_values")["rows"]}


@cache
def own_words(language: str) -> dict[str, str]:
    """The house's own sentences of a language, beside those of the clinical table."""
    source = resources.files("notify") / "languages" / f"{language}.json"
    loaded: dict[str, str] = json.loads(source.read_text("utf-8"))
    return loaded


@cache
def languages() -> tuple[str, ...]:
    """Languages that have both: the clinical table's phrases and a file of our own."""
    known = {
        entry.name.removesuffix(".json")
        for entry in (resources.files("notify") / "languages").iterdir()
        if entry.name.endswith(".json")
    }
    return tuple(name for name in table("sms_values")["languages"] if name in known)
