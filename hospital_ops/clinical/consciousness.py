"""Glasgow Coma Scale, adult and paediatric: a part that cannot be tested gives no total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.sheet import Result, Sheet
from hospital_ops.clinical.tables import table

_GCS: Final = table("scores")["gcs"]
_PAEDIATRIC: Final = table("scores")["gcs_paediatric"]
PARTS: Final = ("eye", "verbal", "motor")
NOT_TESTABLE: Final = "NT"


def gcs(inputs: Mapping[str, Any]) -> Result:
    """`score gcs`: total 3-15 and severity, or total None where a part is missing or "NT"."""
    return _total(inputs, _GCS["source"])


def gcs_paediatric(inputs: Mapping[str, Any]) -> Result:
    """`score gcs_paediatric`: the same sum; the words behind the points are those under 5 years."""
    return _total(inputs, _PAEDIATRIC["source"])


def _total(inputs: Mapping[str, Any], source: str) -> Result:
    sheet = Sheet(inputs)
    points: dict[str, int] = {}
    for part in PARTS:
        if inputs.get(part) == NOT_TESTABLE:
            sheet.lacks(part)
            sheet.because("not_testable", part, None, source, None)
            continue
        value = sheet.number(part)
        if value is None:
            continue
        if value != int(value):
            sheet.warn("out_of_range", part)
            sheet.lacks(part)
            continue
        points[part] = int(value)
        sheet.because(f"gcs_{part}", int(value), None, source, int(value))
    total = None if sheet.missing else sum(points.values())
    return sheet.answer({"total": total, "components": points, "severity": _severity(total)})


def _severity(total: int | None) -> str | None:
    if total is None:
        return None
    return next(str(name) for name, (low, high) in _GCS["bands"].items() if low <= total <= high)
