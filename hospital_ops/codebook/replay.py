"""Archived values read through the mappings that hold now; the rows stay as they were sent.

Whoever reads `measurement` by code asks for `asked_for(code)` and passes each row through `read`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from hospital_ops import codes
from hospital_ops.codebook import store
from hospital_ops.codebook.rules import Codebook, book, translated
from hospital_ops.database import Connection, Record


@dataclass(frozen=True, slots=True)
class Replay:
    """The mappings of a hospital and the models of its devices, as they hold now."""

    codes: Codebook
    models: Mapping[str, str]  # of devices, by id and address

    def asked_for(self, code: str | None) -> list[str] | None:
        """The codes under which values of `code` (public) may lie; None: all."""
        return None if code is None else [code, *self.codes.senders_of(code)]

    def read(self, row: Record) -> Mapping[str, Any]:
        """The row, with code, value, unit, trust and remark as the mapping says.

        Needs `source`, `device`, `code`, `physical_unit`, `value`, `value_text`, `validity`,
        `remark`. A row that no mapping is about comes back as it is.
        """
        if not self.codes.rules:
            return cast("Mapping[str, Any]", row)
        model = self.models.get(row["device"], "")
        rule = self.codes.find(row["source"], model, row["code"], row["physical_unit"])
        if rule is None:
            return cast("Mapping[str, Any]", row)
        sent = row["value"] if row["value_text"] is None else row["value_text"]
        unit, validity = row["physical_unit"], row["validity"]
        if row["code"] in codes.by_code:  # stored as invalid for its unit alone, with what was sent
            sent, validity = _number(sent), "Vld"
        read = translated(rule, sent, unit, validity, "")
        said = f"{row['code']} [{row['physical_unit']}], read by mapping {rule.version}"
        number = read.value if isinstance(read.value, float | int) else None
        return dict(row) | {
            "code": read.vital.code,
            "value": number,
            "value_text": read.value if isinstance(read.value, str) else None,
            "physical_unit": read.unit,
            "validity": read.validity,
            "remark": "; ".join(filter(None, (row["remark"], said, read.reason))),
        }


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


async def replay_of(connection: Connection) -> Replay:
    """The mappings within the scope of the connection; one small query, two where there are any."""
    rules = [store.rule_of(row) for row in await store.newest(connection)]
    found = book(rules)
    models = await store.models(connection) if found.rules else {}
    return Replay(found, models)
