"""The flowsheet of a day: hours as columns, device values, charted values, results. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import BedCell
from hospital_ops.clock import from_datetime, iso
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived, uuid7
from web.hours import Hour
from web.render import Renderer
from web.trends.steps import Trend
from web.views.bed import tile_view
from web.views.page import Page
from web.views.values import (
    BY_HAND,
    Frame,
    clock,
    coded_words,
    decimals_of,
    name_words,
    unit_words,
)
from web.words import Words

DEVICE: Final = tuple(
    codes.by_key[key].code
    for key in (
        "hr", "abp_sys", "abp_dia", "abp_mean", "nibp_mean", "spo2", "rr", "temp", "etco2", "cvp",
        "icp", "fio2", "peep", "vt", "norepinephrine", "epinephrine",
    )
)  # fmt: skip
ENTRY: Final = (
    "urine", "fluid_in", "drain", "other_out", "gcs_e", "gcs_v", "gcs_m", "rass", "pain", "weight",
)  # fmt: skip
NOTE: Final = "note"
CODED: Final = frozenset(codes.by_key[key].code for key in ("o2_device", "vent_mode"))
# HL7 table 0078, as the laboratory flags its results: beyond the panic limits, very abnormal.
CRITICAL: Final = frozenset(("HH", "LL", "AA"))


@dataclass(slots=True)
class Sheet:
    """What the archive holds of a day."""

    device: Mapping[str, Trend]
    charted: list[dict[str, Any]]
    validated: Mapping[int, str]  # beginning of an hour: who looked through it
    beds: Sequence[str] = ()  # of a stay through several beds: what stands above each hour
    names: Mapping[str, str] = field(default_factory=dict)  # earlier beds of the stay


@dataclass(slots=True)
class Entry:
    """One charted value or result."""

    event: str
    at: str  # ISO, for the correction
    time: str
    text: str
    who: str
    critical: bool = False
    corrected: str = ""  # by whom and why
    channel: str = ""
    bed: str = ""  # an earlier bed of the stay


@dataclass(slots=True)
class Row:
    """One line of the sheet: a text or entries for each hour."""

    label: str
    unit: str
    cells: list[Any] = field(default_factory=list)


def event(code: str, text: str, at: str, form: str = "") -> dict[str, Any]:
    """One EVENT of a typed field; MessageError where a number is expected and none is there.

    `form`: the same field of the same form is the same event.
    """
    vital = codes.by_loinc.get(code) or codes.by_key.get(code)
    value: Any = text
    if vital is None or vital.ucum != "code":
        value = number_in(text, code)
    event_id = derived("chart", form, code, text, at) if form else uuid7()
    return {"event_id": str(event_id), "code": code, "value": value, "determined_at": at}


def number_in(text: str, code: str) -> float:
    """The number that was typed, with a comma or a point; MessageError where it is none."""
    try:
        return float(text.replace(",", ".").replace("\u2212", "-"))
    except ValueError as error:
        vital = codes.by_loinc.get(code) or codes.by_key.get(code)
        name = vital.name if vital else code
        raise MessageError("not_a_number", f"{name}: type a number") from error


def events_of(fields: Mapping[str, str], at: str, form: str = "") -> list[dict[str, Any]]:
    """The events of a filled form; three parts of a GCS bring their sum, `NT` brings none."""
    parts = [fields.get(key, "") for key in ("gcs_e", "gcs_v", "gcs_m")]
    found = []
    for key in (*ENTRY, "note"):
        text = fields.get(key, "")
        if not text or text.upper() == "NT":
            continue
        made = event(key, text, at, form)
        if key == "drain" and fields.get("drain_name"):
            made["channel"] = fields["drain_name"]
        found.append(made)
    if all(part.isdecimal() for part in parts):
        found.append(event("gcs", str(sum(int(part) for part in parts)), at, form))
    return found


def render(
    renderer: Renderer,
    frame: Frame,
    *,
    cell: BedCell,
    unit: str,
    day: str,
    columns: list[Hour],
    sheet: Sheet | None,
    may_chart: bool,
    said: str,
    problem: str,
    fields: Mapping[str, str],
    by_hand: Sequence[Any],
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The page; without the archive only the form, and a sentence that says so."""
    words = frame.words
    page = Page(
        words=words,
        title=words.t("flow.title", bed=cell.label),
        user=user,
        demo=demo,
        unit=unit,
        units=tuple(units),
        now_us=frame.now_us,
        zone=str(frame.zone),
    )
    date = datetime.fromisoformat(day).date()
    device = _device(sheet, columns, words) if sheet else []
    return renderer.fill(
        "flowsheet.html",
        page=page,
        cell=cell,
        tile=tile_view(cell, frame),
        patient=cell.patient.patient_id if cell.patient else "",
        day=day,
        days=(str(date - timedelta(days=1)), str(date + timedelta(days=1))),
        columns=_heads(columns, device, frame.now_us),
        away=sheet is None,
        device=device,
        charted=_charted(sheet, columns, frame, "typed") if sheet else [],
        results=_charted(sheet, columns, frame, "laboratory") if sheet else [],
        validated=sheet.validated if sheet else {},
        beds=sheet.beds if sheet else (),
        entry=ENTRY,
        by_hand=by_hand,
        may_chart=may_chart,
        said=said,
        problem=problem,
        fields=fields,
        form=str(uuid7()),
    )


def _heads(columns: list[Hour], device: list[Row], now_us: int) -> list[tuple[Hour, str, bool]]:
    """Each hour, its beginning, and whether its device values can be looked through."""
    return [
        (
            hour,
            iso(hour.from_at),
            hour.to_at <= now_us and any(row.cells[n] for row in device),
        )
        for n, hour in enumerate(columns)
    ]


def _device(sheet: Sheet, columns: list[Hour], words: Words) -> list[Row]:
    rows = []
    for code in DEVICE:
        trend = sheet.device.get(code)
        if trend is None:
            continue
        steps = {point.at: point for point in trend.points}
        cells = []
        for hour in columns:
            point = steps.get(hour.from_at)
            digits = decimals_of(code, trend.unit)
            cells.append(words.number(point.mean, digits) if point else "")
        rows.append(Row(name_words(code, words), unit_words(trend.unit, words), cells))
    return rows


def _charted(sheet: Sheet, columns: list[Hour], frame: Frame, origin: str) -> list[Row]:
    rows: dict[tuple[str, str, str], Row] = {}
    for line in sheet.charted:
        if line["origin"] != origin:
            continue
        at = from_datetime(line["determined_at"])
        index = next((i for i, h in enumerate(columns) if h.from_at <= at < h.to_at), None)
        if index is None:
            continue
        key = (line["code"], line["channel"], line["physical_unit"] or "")
        row = rows.get(key)
        if row is None:
            label = _label(line, frame.words)
            row = rows[key] = Row(
                label, unit_words(line["physical_unit"] or "", frame.words), [[] for _ in columns]
            )
        row.cells[index].append(_entry(line, at, frame, sheet.names))
    return list(rows.values())


def _label(line: Mapping[str, Any], words: Words) -> str:
    """What a charted row is called: which drain; by hand, where a device may tell it as well."""
    name = name_words(line["code"], words)
    if line["origin"] == "typed" and line["code"] in BY_HAND:
        return f"{name} ({words.t('value.by_hand')})"
    return f"{name} {line['channel']}" if line["channel"] and line["code"] != NOTE else name


def _entry(line: Mapping[str, Any], at: int, frame: Frame, names: Mapping[str, str]) -> Entry:
    value = line["value_text"]
    if value is None:
        number, digits = line["value"], decimals_of(line["code"], line["physical_unit"])
        value = "" if number is None else frame.words.number(number, digits)
    elif line["code"] in CODED:
        value = coded_words(value, frame.words)
    by = line["corrected_by"]
    return Entry(
        event=str(line["event_id"]),
        at=iso(at),
        time=clock(at, frame.zone),
        text=value,
        who=line["source"],
        critical=bool(CRITICAL & set(line["remark"].split("; "))),
        corrected=f"{by}: {line['reason']}" if by else "",
        channel=line["channel"],
        bed=names.get(line["place"], ""),
    )
