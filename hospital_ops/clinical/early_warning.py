"""Early warning beside NEWS2: MEWS, TEWS, PEWS Brighton, qSOFA, SIRS, the ESI danger zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.bands import Bands, resolution_of
from hospital_ops.clinical.bounds import checked
from hospital_ops.clinical.prose import Bound, bound, bounds, met, numbers
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_SCORES: Final = table("scores")
_TEWS: Final = table("sats_tews")
_ESI: Final = table("esi_danger_zone")


def _banded(row: Mapping[str, Any]) -> dict[str, Bands]:
    return {
        key: Bands(rows, resolution_of(rows))
        for key, rows in row.items()
        if isinstance(rows, list) and key != "colour"
    }


_MEWS_BANDS: Final = _banded(_SCORES["mews"])


def _sum(sheet: Sheet, bands: Mapping[str, Bands], source: str) -> dict[str, int]:
    """Points of every banded parameter that is there; each above zero is a reason."""
    points: dict[str, int] = {}
    for key, band in bands.items():
        value = sheet.number(key)
        if value is None:
            continue
        points[key] = band(value)
        if points[key]:
            sheet.because(key, value, band.printed(value), source, points[key])
    return points


def mews(inputs: Mapping[str, Any]) -> Result:
    """`score mews`: total and components (Subbe 2001); `critical` None while it is partial."""
    sheet = Sheet(inputs)
    row = _SCORES["mews"]
    points = _sum(sheet, _MEWS_BANDS, row["source"])
    word = sheet.choice("avpu", row["avpu"])
    if word is not None:
        points["avpu"] = row["avpu"][word]
    total = sum(points.values())
    critical = bound(row["critical"]).met(total)
    return sheet.answer(
        {
            "total": total,
            "components": points,
            "critical": None if sheet.missing and not critical else critical,
            "partial": bool(sheet.missing),
        }
    )


_TEWS_BANDS: Final = {version: _banded(_TEWS[version]) for version in _TEWS["versions"]}
_TEWS_COLOUR: Final = Bands(_TEWS["colour"], 1)


def tews(inputs: Mapping[str, Any]) -> Result:
    """`score tews`: total, components and SATS colour, by version (or the age in years).

    The colour is None while parts are missing, unless the sum alone is the most severe one.
    """
    sheet = Sheet(inputs)
    given = sheet.number("tews_total", optional=True)
    if given is not None:
        return sheet.answer({"total": int(given), "colour": _TEWS_COLOUR(given)})
    version = _tews_version(sheet)
    row = _TEWS[version]
    points = _sum(sheet, _TEWS_BANDS[version], _TEWS["source"])
    words = dict(row["avpu"])
    if "confused" in words:
        words["C"] = words["confused"]
    word = sheet.choice("avpu", words)
    if word is not None:
        points["avpu"] = words[word]
    mobility = sheet.choice("mobility", row["mobility"])
    if mobility is not None:
        points["mobility"] = row["mobility"][mobility]
    trauma = sheet.flag("trauma")
    if trauma is not None:
        points["trauma"] = row["trauma"]["yes" if trauma else "no"]
    total = sum(points.values())
    colour = _TEWS_COLOUR(total)
    if sheet.missing and colour != _TEWS_COLOUR.points[-1]:
        colour = None
    return sheet.answer(
        {
            "total": total,
            "components": points,
            "colour": colour,
            "partial": bool(sheet.missing),
            "low_confidence": version != "adult",
        }
    )


def _tews_version(sheet: Sheet) -> str:
    version = sheet.choice("version", _TEWS["versions"], optional=True)
    if version is not None:
        return version
    years = sheet.number("age_years", optional=True)
    if years is None:
        raise CannotScore("missing_input", "version (adult, older_child, younger_child) is needed")
    if bound(_TEWS["versions"]["younger_child"]).met(years):
        return "younger_child"
    return "adult" if bound(_TEWS["versions"]["adult"]).met(years) else "older_child"


PEWS_DOMAINS: Final = ("behaviour", "cardiovascular", "respiratory")
_PEWS_EXTRA: Final = dict(
    zip(
        ("nebuliser_quarter_hourly", "post_op_vomiting"),
        _SCORES["pews_brighton"]["extra"].values(),
        strict=True,
    )
)


def pews_points(given: Mapping[str, Any]) -> dict[str, float]:
    """PEWS Brighton by domain and extra, of what is given and usable."""
    points: dict[str, float] = {}
    for domain in PEWS_DOMAINS:
        value, _ = checked(domain, given.get(domain))
        if value is not None:
            points[domain] = value
    for key, extra in _PEWS_EXTRA.items():
        if given.get(key) is True:
            points[key] = extra
    return points


def pews_brighton(inputs: Mapping[str, Any]) -> Result:
    """`score pews_brighton`: total 0-13 (Monaghan 2005)."""
    sheet = Sheet(inputs)
    for domain in PEWS_DOMAINS:
        sheet.number(domain)
    for key in _PEWS_EXTRA:
        sheet.flag(key, optional=True)
    points = pews_points(inputs)
    for key, value in points.items():
        if value:
            sheet.because(f"pews_{key}", value, None, _SCORES["pews_brighton"]["source"], value)
    return sheet.answer(
        {"total": sum(points.values()), "components": points, "partial": bool(sheet.missing)}
    )


def _criterion(sheet: Sheet, key: str, any_of: tuple[Bound, ...], source: str) -> bool | None:
    """Whether the number under `key` meets one of the bounds; None where it is not there."""
    value = sheet.number(key, optional=True)
    if value is None:
        return None
    hit = met(any_of, value)
    if hit is not None:
        sheet.because(key, value, str(hit), source, 1)
    return hit is not None


def _any(sheet: Sheet, key: str, *answers: bool | None) -> bool:
    """True if one is; the criterion is listed missing where none is known."""
    if any(answers):
        return True
    if all(answer is None for answer in answers):
        sheet.lacks(key)
    return False


def qsofa(inputs: Mapping[str, Any]) -> Result:
    """`score qsofa`: criteria met, from values or from ticks; positive from 2 (Singer 2016)."""
    sheet = Sheet(inputs)
    row = _SCORES["qsofa"]
    source, items = row["source"], row["items"]
    met_count = 0
    for key, tick in (
        ("rr_bpm", "rr_ge_22"),
        ("sbp_mmhg", "sbp_le_100"),
        ("gcs", "altered_mentation"),
    ):
        ticked = sheet.flag(tick, optional=True)
        measured = _criterion(sheet, key, bounds(items[key]), source)
        met_count += _any(sheet, key, ticked, measured)
    positive = bound(row["positive"]).met(met_count)
    return sheet.answer(
        {"total": met_count, "positive": None if sheet.missing and not positive else positive}
    )


def sirs(inputs: Mapping[str, Any]) -> Result:
    """`score sirs`: criteria met, from values or from ticks; positive from 2 (Bone 1992)."""
    sheet = Sheet(inputs)
    row = _SCORES["sirs"]
    source, items = row["source"], row["items"]
    rate, carbon_dioxide = bounds(items["rr_bpm_or_paco2"])
    *white_cells, bands = bounds(items["wbc"])
    groups = (
        ("temp_c", "temp_criterion", (("temp_c", bounds(items["temp_c"])),)),
        ("hr_bpm", "hr_criterion", (("hr_bpm", bounds(items["hr_bpm"])),)),
        ("rr_bpm", "resp_criterion", (("rr_bpm", (rate,)), ("paco2_mmhg", (carbon_dioxide,)))),
        (
            "wbc_10e9_l",
            "wbc_criterion",
            (("wbc_10e9_l", tuple(white_cells)), ("bands_pct", (bands,))),
        ),
    )
    count = 0
    for name, tick, values in groups:
        answers = [_criterion(sheet, key, any_of, source) for key, any_of in values]
        count += _any(sheet, name, sheet.flag(tick, optional=True), *answers)
    positive = bound(row["positive"]).met(count)
    return sheet.answer(
        {"count": count, "positive": None if sheet.missing and not positive else positive}
    )


_MONTHS_PER_YEAR: Final = 12


def _until_years(text: str) -> float:
    """Where a printed age band such as "3 mo-3 y" ends, in years; no end for ">8 y"."""
    if text.startswith(">"):
        return float("inf")
    months = text.endswith("mo")
    return numbers(text)[-1] / (_MONTHS_PER_YEAR if months else 1)


def esi_danger_zone(inputs: Mapping[str, Any]) -> Result:
    """`score esi_danger_zone`: whether a vital is in ESI's danger zone; a prompt, no level.

    None where nothing given is dangerous but something is missing.
    """
    sheet = Sheet(inputs)
    version = sheet.choice("version", ("v4", "v5"), optional=True) or "v5"
    years = sheet.need("age_years")
    row = next(row for row in _ESI[version] if years < _until_years(row["age"]))
    source = _ESI["sources"][version]
    found = False
    for key, limit in (("hr_bpm", row["hr_gt"]), ("rr_bpm", row["rr_gt"])):
        value = sheet.number(key)
        if value is not None and value > limit:
            found = True
            sheet.because(key, value, f">{limit}", source, None)
    saturation = sheet.number("spo2_pct")
    if saturation is not None and saturation < _ESI["spo2_lt"]:
        found = True
        sheet.because("spo2_pct", saturation, f"<{_ESI['spo2_lt']}", source, None)
    return sheet.answer({"danger_zone": None if sheet.missing and not found else found})
