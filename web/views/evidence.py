"""The evidence of an alarm in words: rule, value, limit, how long, verdict, who approved. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from hospital_ops.clock import from_iso
from hospital_ops.waveform import NO_SAMPLE
from hospital_ops.wire import Reason, Verdict
from icu.explained import cited, condition_words
from web.views.alarmcheck import verdict_text
from web.views.values import Frame, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the panel says; the curves are drawn by the page."""

    alarm: str
    title: str
    condition: str
    value: str
    limit: str
    at: str
    duration: str
    check: str
    approved: str
    source: str
    stored: bool
    curves: int


def shown(found: dict[str, Any], frame: Frame) -> Evidence:
    """The panel of `GET .../evidence`."""
    words, rule = frame.words, found["rule"]
    number = words.number
    return Evidence(
        alarm=found["alarm"],
        title=rule["text"].get(words.language) or rule["id"],
        condition=condition_words(rule["id"], words.language),
        value="" if found["value"] is None else number(found["value"]),
        limit="" if found["limit"] is None else number(found["limit"]),
        at=clock(from_iso(found["raised_at"]), frame.zone, seconds=True),
        duration=words.duration(found["duration_s"]),
        check=verdict_text(_verdict(found["verdict"]), words),
        approved=found["approved_by"] or "",
        source="" if rule["approved_by"] else cited(rule["limit_source"] or "", words.language),
        stored=found["stored"],
        curves=len({(c["code"], c["channel"]) for c in found["strip"]["curves"]}),
    )


def samples(raw: bytes) -> list[int | None]:
    """The samples as numbers; null where there is none."""
    return [None if n == NO_SAMPLE else n for n in struct.unpack(f"<{len(raw) // 2}h", raw)]


def _verdict(found: dict[str, Any] | None) -> Verdict | None:
    if found is None:
        return None
    reasons = tuple(Reason(r["code"], r["source"], r["value"]) for r in found["reasons"])
    return Verdict(found["word"], reasons, found.get("sources", 0))
