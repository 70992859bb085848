"""A physician's decision as it is sent: checked against the proposal, never against the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hospital_ops import events
from hospital_ops.errors import MessageError

COLOURS: Final = ("red", "yellow", "green")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDecision:
    """What a physician wants to decide, on top of `version` decisions that were made before."""

    colour: str
    version: int
    proposed: str
    reason: str = ""
    destination: str = ""
    care: tuple[str, ...] = ()


def read_decision(body: bytes, proposed: str) -> WantedDecision:
    """The decision in a JSON `body`; raises MessageError in words."""
    sent = events.parse_json(body)
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object with `colour` and `version`")
    return checked_decision(sent, proposed)


def checked_decision(sent: dict[str, Any], proposed: str) -> WantedDecision:
    """The decision, with a reason where it differs from the proposal; else MessageError."""
    colour, version = sent.get("colour"), sent.get("version")
    if colour not in COLOURS:
        raise MessageError("bad_colour", "`colour` is red, yellow or green")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise MessageError("bad_version", "`version` is the number of decisions you have seen")
    reason = _text(sent, "reason")
    if colour != proposed and not reason.strip():
        raise MessageError("no_reason", "another colour than the proposed one needs a `reason`")
    care = sent.get("care") or []
    if not isinstance(care, list) or not all(isinstance(kind, str) for kind in care):
        raise MessageError("bad_care", "`care` is a list of words")
    return WantedDecision(
        colour=colour,
        version=version,
        proposed=proposed,
        reason=reason,
        destination=_text(sent, "destination"),
        care=tuple(kind[:64] for kind in care[:16]),
    )


def _text(sent: dict[str, Any], name: str) -> str:
    text = sent.get(name) or ""
    if not isinstance(text, str):
        raise MessageError(f"bad_{name}", f"`{name}` is a text")
    return text[:500]
