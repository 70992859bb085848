"""The page of codes: unmapped ones with what they may mean, and the history of mappings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hospital_ops import codes
from hospital_ops.clock import from_datetime
from hospital_ops.codebook.rules import ANY, Rule, book, meanings, of_model, of_source
from hospital_ops.codes import Vital
from hospital_ops.database import Record
from streams.unmapped import Seen, Sender
from web.views.values import Frame, clock
from web.words import Words


def unmapped(
    found: Sequence[tuple[Sender, Seen]], rules: Sequence[Rule], frame: Frame
) -> list[dict[str, Any]]:
    """What came without a mapping and has none by now; `scopes` are (value, words, version)."""
    holding = book([rule for rule in rules if rule.key])
    versions = {rule[:3]: rule.version for rule in rules}
    return [
        {
            "code": sender.code,
            "name": seen.text if seen.text != sender.code else "",
            "source": sender.source,
            "model": sender.model,
            "unit": sender.unit,
            "count": seen.times,
            "example": f"{seen.example} {sender.unit}".strip() if seen.example else "",
            "last": clock(seen.at, frame.zone),
            "scopes": [
                (scope, words, versions.get((scope, sender.code, sender.unit), 0))
                for scope, words in _scopes(sender, frame.words)
            ],
            "choices": [_choice(*one) for one in meanings(sender.code, sender.unit)],
            "known": codes.by_code[sender.code].name if sender.code in codes.by_code else "",
        }
        for sender, seen in found
        if holding.find(sender.source, sender.model, sender.code, sender.unit) is None
    ]


def _choice(vital: Vital, read_as: str) -> tuple[str, str]:
    """A choice as the form sends it, and in words."""
    if not read_as:
        return vital.key, vital.name
    return f"{vital.key}|{read_as}", f"{vital.name}, {read_as}"


def _scopes(sender: Sender, words: Words) -> list[tuple[str, str]]:
    made = [(of_source(sender.source), words.t("codes.scope.source"))]
    if sender.model:
        made.append((of_model(sender.model), words.t("codes.scope.model", model=sender.model)))
    return [*made, (ANY, words.t("codes.scope.any"))]


def history(rows: Sequence[Record], frame: Frame) -> list[dict[str, Any]]:
    """Every version of every mapping in words."""
    return [
        {
            "time": clock(from_datetime(row["made_at"]), frame.zone),
            "day": f"{row['made_at']:%Y-%m-%d}",
            "by": row["made_by"],
            "code": row["code"],
            "unit": row["unit"],
            "read_as": row["read_as"],
            "scope": row["scope"],
            "version": row["version"],
            "name": codes.by_key[row["key"]].name if row["key"] in codes.by_key else "",
            "reason": row["reason"],
        }
        for row in rows
    ]
