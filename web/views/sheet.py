"""The hand-over sheet as a page in words; nothing is filled in where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hospital_ops.clock import from_iso
from web.views.case import complaint_words
from web.views.caseitems import allergy_words
from web.views.values import Frame, clock, name_words, unit_words


def sheet_view(sheet: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """The lines of a sheet in the reader's language."""
    words, long = frame.words, sheet["longest_desaturation"]
    below = words.t("sheet.below", limit=words.number(sheet["limit_pct"], 0))
    lasted = words.t("sheet.no_desaturation")
    if long is not None:
        mark = "≥ " if long["open"] else ""
        since = clock(from_iso(long["from"]), frame.zone)
        lasted = (
            f"{mark}{words.duration(long['seconds'])}, {since}, {_number(long['lowest'], frame)} %"
        )
    facts = sheet["facts"]
    return {
        "made": words.t("sheet.print", time=clock(from_iso(sheet["made_at"]), frame.zone)),
        "glance": (
            (words.t("sheet.lowest_pressure"), _extreme(sheet["lowest_pressure"], frame)),
            (words.t("sheet.lowest_spo2"), _extreme(sheet["lowest_saturation"], frame)),
            (f"{words.t('sheet.longest')} ({below})", lasted),
        ),
        "source": sheet["limit_source"],
        "complaint": complaint_words(str(facts.get("complaint") or "–"), frame),
        "proposed": words.t(f"colour.{sheet['proposed'] or 'incomplete'}"),
        "decision": _decision(sheet["decision"], frame),
        "values": [
            {
                "name": name_words(row["code"], frame.words),
                "unit": unit_words(row["unit"] or "", frame.words),
                "cells": [
                    _number(row[key], frame) for key in ("first", "lowest", "highest", "last")
                ],
                "count": row["count"],
            }
            for row in sheet["values"]
        ],
        "treatments": [
            (_time(line["at"], frame), _said(line, ("what", "dose", "route")))
            for line in sheet["treatments"]
        ],
        # A sheet signed before there were limits on it has none.
        "limits": [
            (_time(line["at"], frame), _said(line, ("what", "who", "until")))
            for line in sheet.get("limits", ())
        ],
        "allergies": [
            (_time(line["at"], frame), allergy_words(line, frame))
            for line in sheet.get("allergies", ())
        ],
        "simulated": sheet["mode"] != "Real",
    }


def signed_view(kept: Mapping[str, Any] | None, frame: Frame) -> dict[str, Any] | None:
    """A signed sheet as it stands in the record of a stay; None where none was signed."""
    if kept is None:
        return None
    at = clock(from_iso(kept["at"]), frame.zone)
    signed = frame.words.t("sheet.signed", by=kept["by"], time=at)
    return {**sheet_view(kept["sheet"], frame), "signed": signed}


def _said(line: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return ", ".join(str(line[name]) for name in names if line.get(name))


def _decision(decision: Mapping[str, Any] | None, frame: Frame) -> str:
    if decision is None:
        return "–"
    return f"{frame.words.t('colour.' + decision['colour'])}, {decision['by']}"


def _extreme(found: Mapping[str, Any] | None, frame: Frame) -> str:
    if found is None:
        return frame.words.t("sheet.none")
    value = f"{_number(found['value'], frame)} {unit_words(found['unit'] or '', frame.words)}"
    return frame.words.t("sheet.at", value=value, time=_time(found["at"], frame))


def _number(value: float, frame: Frame) -> str:
    return frame.words.number(float(value))


def _time(at: str, frame: Frame) -> str:
    try:
        return clock(from_iso(at), frame.zone)
    except ValueError:
        return at
