"""Which data are of which kind, and which are never deleted by a retention run. Pure.

No period stands here: how long a hospital keeps what is for its law and its archive to say, and
`HOSPITAL_OPS_KEEP_DAYS` says it. What is not named there is kept for ever.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Target(NamedTuple):
    """One table of a kind: its time, and its place ("": messages of a whole unit)."""

    table: str
    time: str
    place: str


KINDS: Final[dict[str, tuple[Target, ...]]] = {
    "waveforms": (
        Target("waveform", "started_at", "place"),
        Target("wave_block", "started_at", "place"),
    ),
    "numerics": (
        Target("measurement", "determined_at", "place"),
        Target("trend_minute", "minute", "place"),
    ),
    "alarms": (
        Target("alarm_evidence", "raised_at", "bed"),
        Target("alarm_call", "at", "bed"),
        Target("alert_event", "at", "bed"),
    ),
    "messages": (Target("message", "received_at", ""),),
    "refused": (
        Target("dead_letter", "at", ""),
        Target("quarantine", "received_at", ""),
    ),
}

# Said in every report, so that nobody thinks it goes.
NEVER: Final[dict[str, str]] = {
    "audit": "its chain would no longer verify",
    "orders": "they are the patient's record",
    "decisions": "triage decisions, admissions and stays are the patient's record",
    "charting": "corrections and validated hours are the patient's record",
    "relatives": "they say who was told what, and by whose consent",
    "incidents": "their copies of the minutes around them",
    "identities": "by them what comes again is known; they hold digests alone",
}
