"""The audit of triage in words: tables of shares, lines of cases. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from hospital_ops.clinical.tables import words as clinical_words
from hospital_ops.clock import to_datetime
from triage.audit.course import JUDGES, Measure, Setting, Told, events_of, switchable
from triage.catalogue import catalogue
from triage.engine import assess
from web.words import Words

SUGGESTED_H: Final = 24  # what a form begins with; the site decides


def tables(
    found: Iterable[Mapping[str, Any]],
    quarter: str,
    words: Words,
    zone: tzinfo,
    units: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Each measure as a table: a row has a name and a cell for each judge."""
    return [
        {
            "id": table["measure"],
            "title": _title(table["measure"], table["within_h"], words),
            "among": words.t(f"audit.among.{table['measure']}", h=table["within_h"]),
            "source": table["source"],
            "set": _day(table["site_setting_of"], zone) if table["site_setting_of"] else "",
            "rows": [_row(row, table["measure"], quarter, words, units) for row in table["rows"]],
        }
        for table in found
    ]


def _row(
    row: Mapping[str, Any], measure: str, quarter: str, words: Words, units: Mapping[str, str]
) -> dict[str, Any]:
    by, key = row["by"], row["key"]
    cells = []
    for judge in JUDGES:
        cell = row["cells"][judge]
        asked = {"quarter": quarter, "measure": measure, "judge": judge, "by": by, "key": key}
        cells.append(
            cell
            and {
                "share": _percent(cell["share"], words),
                "interval": words.t(
                    "audit.interval",
                    a=words.number(100 * cell["low"], 1),
                    b=words.number(100 * cell["high"], 1),
                ),
                "of": words.t("audit.k_of_n", k=cell["k"], n=cell["n"]),
                "href": f"/triage-audit/cases?{urlencode(asked)}",
            }
        )
    return {"by": words.t(f"audit.by.{by}"), "name": _key(by, key, words, units), "cells": cells}


def _percent(share: float, words: Words) -> str:
    return f"{words.number(100 * share, 1)} %"


def _key(by: str, key: str, words: Words, units: Mapping[str, str]) -> str:
    if by == "all":
        return words.t("audit.everybody")
    if by == "unit":
        return units.get(key, key)
    if by == "hour":
        return words.t("audit.hours", a=f"{int(key):02d}", b=f"{int(key) + 6:02d}")
    if by == "rule":
        return words.t("audit.no_rule") if key == "none" else clinical_words(key, words.language)
    return words.t(f"audit.{by}.{key}")


def _title(measure: str, hours: int, words: Words) -> str:
    return words.t(f"audit.measure.{measure}", h=hours)


def about(
    measure: Measure,
    judge: str,
    where: tuple[str, str],
    words: Words,
    zone: tzinfo,
    units: Mapping[str, str],
) -> dict[str, str]:
    """What a list of cases is a list of."""
    return {
        "title": _title(measure.id, measure.within_h, words),
        "judge": words.t(f"audit.judge.{judge}"),
        "place": _key(*where, words, units),
        "among": words.t(f"audit.among.{measure.id}", h=measure.within_h),
        "source": measure.source,
        "set": _day(measure.set_at, zone) if measure.set_at else "",
    }


def line(
    told: Told,
    wrong: Collection[str],
    on_board: Collection[str],
    words: Words,
    zone: tzinfo,
    units: Mapping[str, str],
) -> dict[str, Any]:
    """One case: what was said of it and why, and what came of it."""
    case = told.case
    reasons = (_reason(reason, words.language) for reason in told.reasons if reason.get("code"))
    return {
        "case": case.case if case.case in on_board else "",
        "mistaken": case.case in wrong,
        "at": _moment(case.at, zone),
        "who": f"{words.t(f'audit.sex.{case.sex}')}, {words.t(f'audit.age.{case.age}')}",
        "unit": units.get(case.unit, case.unit),
        "proposed": words.t(f"colour.{case.proposed}"),
        "crew": words.t(f"colour.{case.crew}") if case.crew else "–",
        "physician": words.t(f"colour.{case.physician}"),
        "override": told.reason,
        "reasons": list(reasons),
        "course": [
            words.t(f"audit.event.{name}", h=words.duration((at - case.at) / 1e6))
            for name, at in events_of(case)
        ]
        or [words.t("audit.event.none")],
        "again": _again(told, words),
        "edition": told.rules,
    }


def _again(told: Told, words: Words) -> str:
    """Whether the stored inputs give the same colour by today's rules."""
    if not told.inputs:
        return "–"
    now = assess(told.inputs).proposed
    return words.t(
        "audit.again_same" if now == told.case.proposed else "audit.again_other",
        colour=words.t(f"colour.{now}"),
    )


def _reason(reason: Mapping[str, Any], language: str) -> str:
    code, value = str(reason["code"]), reason.get("value")
    named = clinical_words(code, language)
    title = str(reason.get("text") or code) if named == code else named
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{title} {value}" if plain else title


def switches(settings: Iterable[Setting], words: Words, zone: tzinfo) -> list[dict[str, Any]]:
    """The measures without a source: whether the site has switched them on, and since when."""
    chosen = {each.measure: each for each in settings}
    rows = []
    for measure in switchable():
        own = chosen.get(measure)
        hours = own.within_h if own else SUGGESTED_H
        rows.append(
            {
                "id": measure,
                "title": _title(measure, hours, words),
                "on": bool(own and own.on),
                "version": own.version if own else 0,
                "hours": hours,
                "since": _day(own.at, zone) if own else "",
            }
        )
    return rows


def rules(words: Words) -> list[dict[str, str]]:
    """Which published rules work here and which do not, with their sources."""
    return [
        {
            "name": row["name"],
            "state": words.t(f"audit.rule.{row['state']}"),
            "source": row["source"] or words.t("audit.no_source"),
            "why": words.t(f"audit.why.{row['id']}") if row["state"] == "off" else "",
        }
        for row in catalogue()
    ]


def unknown(count: int | None, words: Words) -> str:
    """How many courses are not known."""
    return words.t("audit.unknown_few") if count is None else words.t("audit.unknown", n=count)


def _day(at: int, zone: tzinfo) -> str:
    return f"{to_datetime(at).astimezone(zone):%Y-%m-%d}"


def _moment(at: int, zone: tzinfo) -> str:
    return f"{to_datetime(at).astimezone(zone):%Y-%m-%d %H:%M}"
