"""A physician's decision as it is sent: checked against the proposal, never against the person.

Destination and care come from fixed lists, so that a board, a count and a crew read the same word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops import events
from hospital_ops.errors import Conflict, MessageError
from triage.reopening import reopening

COLOURS: Final = ("red", "yellow", "green")
CARE: Final = ("resuscitation", "theatre", "cath_lab", "ct", "icu", "treatment", "waiting")
SEEN_MAX: Final = 200
UNREAD: Final = "The case has become more urgent since you looked; yours was not saved."
DESTINATIONS: Final = CARE  # where to first; a unit of the hospital may be named as well


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDecision:
    """What a physician wants to decide, on top of `version` decisions that were made before."""

    colour: str
    version: int
    proposed: str
    reason: str = ""
    destination: str = ""
    care: tuple[str, ...] = ()
    seen: tuple[str, ...] | None = None  # reasons that were read; None: not said (a machine)


def read_decision(body: bytes, proposed: str, units: Collection[str] = ()) -> WantedDecision:
    """The decision in a JSON `body`; raises MessageError in words."""
    sent = events.parse_json(body)
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object with `colour` and `version`")
    return checked_decision(sent, proposed, units)


def checked_decision(
    sent: dict[str, Any], proposed: str, units: Collection[str] = ()
) -> WantedDecision:
    """The decision, with a reason where it differs from the proposal; else MessageError.

    `units` are those of the hospital, which may be a destination too.
    """
    colour, version = sent.get("colour"), sent.get("version")
    if colour not in COLOURS:
        raise MessageError("bad_colour", "`colour` is red, yellow or green")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise MessageError("bad_version", "`version` is the number of decisions you have seen")
    reason = _text(sent, "reason")
    if colour != proposed and not reason.strip():
        raise MessageError("no_reason", "another colour than the proposed one needs a `reason`")
    destination = _text(sent, "destination")
    if destination and destination not in DESTINATIONS and destination not in units:
        allowed = ", ".join(DESTINATIONS)
        raise MessageError("bad_destination", f"`destination` is one of {allowed}, or a unit")
    care = sent.get("care") or []
    if not isinstance(care, list) or not all(isinstance(kind, str) for kind in care):
        raise MessageError("bad_care", "`care` is a list of words")
    if any(kind not in CARE for kind in care):
        raise MessageError("bad_care", f"`care` is a list of {', '.join(CARE)}")
    return WantedDecision(
        colour=colour,
        version=version,
        proposed=proposed,
        reason=reason,
        destination=destination,
        care=tuple(dict.fromkeys(care)),
        seen=_seen(sent),
    )


def not_on_stale(wanted: WantedDecision, triage: Mapping[str, Any]) -> None:
    """Conflict where the case asks for more than is decided, for a reason that was not read."""
    if wanted.seen is None:
        return
    new = reopening(wanted.colour, frozenset(wanted.seen), triage)
    if new:
        raise Conflict(UNREAD, {"proposed": triage.get("proposed"), "reasons": list(new)})


def _seen(sent: dict[str, Any]) -> tuple[str, ...] | None:
    seen = sent.get("seen")
    if seen is None:
        return None
    if not isinstance(seen, list) or not all(isinstance(code, str) for code in seen):
        raise MessageError("bad_seen", "`seen` is the list of the reasons you were shown")
    return tuple(sorted({code[:80] for code in seen[:SEEN_MAX]}))


def _text(sent: dict[str, Any], name: str) -> str:
    text = sent.get(name) or ""
    if not isinstance(text, str):
        raise MessageError(f"bad_{name}", f"`{name}` is a text")
    return text[:500]
