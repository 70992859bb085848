"""The tables of the archive and their columns, in the order in which rows are made."""

from __future__ import annotations

COLUMNS: dict[str, tuple[str, ...]] = {
    "identity": ("hospital_id", "source", "identity", "digest", "first_received_at"),
    "message": (
        "hospital_id", "unit", "entry_id", "source", "message_id", "kind", "received_at", "entry",
        "raw",
    ),
    "measurement": (
        "hospital_id", "unit", "place", "device", "source", "mode", "patient_id",
        "determined_at", "device_time", "received_at", "stored_at", "source_message_id",
        "entry_id", "named", "code", "channel", "physical_unit", "validity", "origin", "remark",
        "value_text", "event_id", "value",
    ),
    "waveform": (
        "hospital_id", "unit", "place", "device", "mode", "patient_id", "received_at", "entry_id",
        "code", "channel", "physical_unit", "started_at", "rate_hz", "scale", "value_offset",
        "sequence", "samples",
    ),
    "patient_event": (
        "hospital_id", "unit", "patient_id", "mrn", "family", "given", "sex", "birth_date",
        "trigger", "bed", "prior_bed", "visit", "event_at", "received_at", "mode", "source",
        "case_id", "entry_id",
    ),
    "binding": ("hospital_id", "unit", "bed", "from_at", "patient_id", "mrn", "entry_id"),
    "refiling": (
        "refiling", "hospital_id", "unit", "place", "from_at", "to_at", "patient_id", "numbers",
        "mode", "was", "event", "source", "told_at", "proposed", "entry_id",
    ),
    "patient_link": (
        "hospital_id", "kind", "patient_id", "mrn", "into_id", "into_mrn", "event_at",
        "received_at", "source", "entry_id",
    ),
    "case_event": (
        "hospital_id", "unit", "case_id", "kind", "at", "actor", "payload", "mode", "entry_id",
    ),
    "assessment": (
        "hospital_id", "unit", "case_id", "at", "proposed", "chart", "urgency", "inputs", "result",
        "mode", "entry_id", "rules",
    ),
    "alert_event": (
        "hospital_id", "unit", "alarm_id", "bed", "patient_id", "rule", "priority", "state", "at",
        "since", "words", "value", "mode", "entry_id", "about", "limit_value", "verdict",
    ),
    "board_frame": ("hospital_id", "unit", "at", "whole", "revisions"),
    "alarm_call": (
        "hospital_id", "unit", "alarm_id", "bed", "post", "who", "at", "read_at", "mode",
        "entry_id",
    ),
    "dead_letter": (
        "hospital_id", "unit", "stream", "entry_id", "code", "reason", "at", "entry", "raw",
        "source", "message_id", "identity", "times", "last_at",
    ),
    "correction": (
        "hospital_id", "unit", "bed", "event_id", "replaced_by", "code", "determined_at", "actor",
        "role", "at", "reason", "mode", "entry_id",
    ),
    "hospital_order_event": (
        "hospital_id", "unit", "order_id", "version", "said_at", "bed", "patient_id", "source",
        "placer", "filler", "said", "kind", "words", "priority", "due_at", "request", "task",
        "received_at", "mode", "entry_id",
    ),
    "trend_again": ("hospital_id", "unit", "place", "hour"),
    "flowsheet_hour": (
        "hospital_id", "unit", "bed", "from_at", "to_at", "figures", "actor", "role", "at", "mode",
        "entry_id",
    ),
}  # fmt: skip
