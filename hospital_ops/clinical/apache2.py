"""APACHE II (Knaus 1985): points of each item, and the sum from points already given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.bands import Bands, resolution_of
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_TABLE: Final = table("scores")["apache2"]
# "truncate to the printed resolution": 38.45 is 38.4.
ITEMS: Final = {
    key: Bands(rows, resolution_of(rows), rounded=False)
    for key, rows in _TABLE.items()
    if isinstance(rows, list)
}
_CREATININE: Final = "creatinine_mg_dl"
_FULL_GCS: Final = int(_TABLE["gcs"].split("-")[0])
_DOUBLE: Final = 2


def apache2_item(inputs: Mapping[str, Any]) -> Result:
    """`score apache2_item`: points of the items given (creatinine doubles in renal failure)."""
    sheet = Sheet(inputs)
    failure = sheet.flag("acute_renal_failure", optional=True)
    found: dict[str, int] = {}
    for key, bands in ITEMS.items():
        if key not in inputs:
            continue
        value = sheet.number(key)
        if value is None:
            continue
        points = bands(value) * (_DOUBLE if failure and key == _CREATININE else 1)
        found[key] = points
        if points:
            sheet.because(key, value, bands.printed(value), _TABLE["source"], points)
    if not found:
        raise CannotScore("missing_input", f"give one of: {', '.join(ITEMS)}")
    return sheet.answer({"points": sum(found.values()), "components": found})


# Points that do not belong to the acute physiology score.
_NOT_ACUTE: Final = ("age", "chronic_health")
_GIVEN_CREATININE: Final = "serum_creatinine"


def apache2_points(inputs: Mapping[str, Any]) -> Result:
    """`score apache2_points`: aps and total from points by item, GCS and acute renal failure."""
    sheet = Sheet(inputs)
    given = inputs.get("points")
    if not isinstance(given, Mapping):
        raise CannotScore("missing_input", "points must be an object of points by item")
    failure = sheet.flag("acute_renal_failure")
    points: dict[str, float] = {}
    for key in given:
        value = _within(sheet, given).number(str(key), bounds="apache_points")
        if value is not None:
            points[str(key)] = value
    if failure and _GIVEN_CREATININE in points:
        points[_GIVEN_CREATININE] *= _DOUBLE
    gcs = sheet.number("gcs")
    if gcs is not None:
        points["gcs"] = _FULL_GCS - gcs
    acute = sum(value for key, value in points.items() if key not in _NOT_ACUTE)
    for key, value in points.items():
        if value:
            sheet.because(f"apache2_{key}", value, None, _TABLE["source"], value)
    return sheet.answer({"aps": acute, "total": sum(points.values()), "components": points})


def _within(sheet: Sheet, inputs: Mapping[str, Any]) -> Sheet:
    """The same sheet, read from an inner object: what is missing there is missing here."""
    inner = Sheet(inputs)
    inner.missing, inner.warnings = sheet.missing, sheet.warnings
    return inner
