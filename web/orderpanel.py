"""The order panel of a bed put together: orders, allergies, the form, an order set. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import Conflict, MessageError
from icu import order_sets, order_targets
from icu.allergies import store as allergies
from icu.order_checks import Finding, asking, from_json
from icu.order_kinds import KINDS, PRIORITIES, TARGETED
from icu.ordering import store
from icu.ordering.store import Place
from icu.set_approvals import store as approvals
from streams.shard import hospital_of
from web.auth import web_of
from web.language import language_of
from web.lying import place_of
from web.reading import note_reading
from web.state import Web
from web.views import orders as views
from web.views.orderwords import goal_label
from web.views.values import unit_words
from web.words import Words, words_of

SHOWN_ENDED: Final = 12


@dataclass(frozen=True, slots=True)
class Said:
    """What the panel says above the form: words, an error, findings that ask for a reason."""

    key: str = ""
    error: MessageError | None = None
    asks: Any = None
    entered: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    def text(self, words: Words) -> str:
        """The sentence; empty where nothing is said."""
        if self.error is not None:
            return views.error_text(self.error.code, self.error.reason, words)
        if self.key:
            return words.t(self.key, n=self.number)
        return words.t("ordering.asks") if self.asks else ""

    def findings(self, words: Words) -> list[tuple[bool, str]]:
        """(asks for a reason, words) of each check."""
        return [(each.asks, views.finding(each, words)) for each in self._found()]

    def seen(self) -> str:
        """The digests of what stands here and asks: a reason is for these and no other."""
        return " ".join(each.digest for each in asking(self._found()))

    def _found(self) -> list[Finding]:
        rows = self.asks.get("checks", []) if isinstance(self.asks, Mapping) else []
        return from_json(rows)


def refusal(error: Conflict) -> Said:
    """What stands against an order: findings that ask for a reason, or a sentence."""
    if error.current:
        return Said(asks=error.current)
    return Said(error=MessageError("refused", str(error)))


async def panel(
    request: Request, bed: str, principal: Principal, said: Said | None = None
) -> HTMLResponse:
    """The whole panel as it stands now."""
    web, words = web_of(request), words_of(language_of(request))
    unit, said = web.places.unit_of_bed(bed) or "", said or Said()
    place, away = place_of(request, unit, bed), False
    known: list[dict[str, Any]] = []
    approved: dict[str, dict[str, Any]] = {}
    try:
        shown = await _list(request, bed, principal, place)
        if place.patient_id:
            known = await allergies.of_patient(web.database, principal, place.patient_id)
        approved = await approvals.approved(web.database, principal)
        await note_reading(request, principal, unit, "read_orders", place.patient_id or bed)
    except DatabaseGone:
        nothing = {"orders": [], "ended": [], "digest": "", "patient": "", "seen": ""}
        away, shown = True, nothing
    entered = said.entered
    frame = web.renderer.frame(words.language, web.clock.now_us())
    html = web.renderer.fill(
        "_orders.html",
        w=words,
        bed=bed,
        unit=unit,
        away=away,
        said=said.text(words),
        good=said.key == "ordering.placed",
        findings=said.findings(words),
        allergies=[one | {"said": views.who_said(one, frame)} for one in known],
        criticalities=allergies.CRITICALITIES,
        kinds=tuple(KINDS),
        priorities=PRIORITIES,
        sets=[(each, order_sets.name(each, words.language)) for each in approved],
        **{**shown, "seen": said.seen()},
        **fields(str(entered.get("kind") or "medication"), entered, words),
        **_may(principal, unit),
    )
    return HTMLResponse(html)


async def listed(request: Request, bed: str, principal: Principal, have: str) -> Response:
    """The list alone; 204 where the page has it already."""
    web, words = web_of(request), words_of(language_of(request))
    unit = web.places.unit_of_bed(bed) or ""
    try:
        shown = await _list(request, bed, principal, place_of(request, unit, bed))
    except DatabaseGone:
        return Response(status_code=204)
    if have == shown["digest"]:
        return Response(status_code=204)
    html = web.renderer.fill("_order_list.html", w=words, bed=bed, **shown, **_may(principal, unit))
    return HTMLResponse(html)


def _may(principal: Principal, unit: str) -> dict[str, bool]:
    hospital = hospital_of(unit)
    return {
        "may_order": allows(principal, Permission.ORDER, hospital, unit),
        "may_carry_out": allows(principal, Permission.CARRY_OUT_ORDER, hospital, unit),
    }


async def _list(request: Request, bed: str, principal: Principal, place: Place) -> dict[str, Any]:
    web, words = web_of(request), words_of(language_of(request))
    now = web.clock.now_us()
    rows: list[dict[str, Any]] = []
    if place.patient_id:
        rows = await store.orders_of(web.database, principal, place.patient_id, now)
    frame = web.renderer.frame(words.language, now)
    found = [views.order(row, frame) for row in with_unit_names(web, rows)]
    return {
        "orders": [view for view in found if view.open],
        "ended": [view for view in found if not view.open][:SHOWN_ENDED],
        "digest": views.digest(found),
        "patient": place.patient_id,
        "seen": "",
    }


def with_unit_names(web: Web, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Orders that came along, with the name of the unit that they came from."""
    for carried in (row["carried"] for row in rows if row["carried"]):
        unit = web.places.units.get(carried["from"])
        carried["from"] = unit.name if unit else carried["from"]
    return rows


def fields(kind: str, entered: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """The fields of a kind for the form, with what was entered."""
    kind = kind if kind in KINDS else "medication"
    first, *others = KINDS[kind]
    shown = KINDS[kind] if kind == "ventilation" else others
    return {
        "kind": kind,
        "main": words.t("orders.words") if kind == "ventilation" else _label(first.name, words),
        "fields": [
            {
                "name": f"field-{each.name}",
                "label": _label(each.name, words)
                + (f", {unit_words(each.unit, words)}" if each.unit else ""),
                "form": each.form,
                "choices": [(c, _choice(each.name, c, words)) for c in each.choices],
                "value": entered.get(f"field-{each.name}", ""),
            }
            for each in shown
        ],
        "parameters": [
            (each, words.t(f"ordering.parameter.{each}")
             if words.has(f"ordering.parameter.{each}") else goal_label(each, words))
            for each in order_targets.OFFERED
        ]
        if kind in TARGETED
        else [],
        "entered": entered,
    }  # fmt: skip


def _label(name: str, words: Words) -> str:
    return words.t(f"ordering.field.{name}")


def _choice(field_name: str, choice: str, words: Words) -> str:
    key = f"ordering.{field_name}.{choice}"
    if words.has(key):
        return words.t(key)
    return unit_words(choice, words) if field_name in ("dose_unit", "rate_unit") else choice


def sheet(
    found: Mapping[str, Any],
    entered: Mapping[str, Any],
    place: Place,
    said: Said | None,
    words: Words,
) -> dict[str, Any]:
    """A set as a form: what is ticked and changed, and what each item leans on."""
    items = []
    for item in found["items"]:
        number, target = item["item"], item["target"] or {}
        ticked = f"item-{number}" in entered if entered else item["ticked"]
        items.append(
            {
                **item,
                "kind_name": words.t(f"orders.kind.{item['kind']}"),
                "ticked": ticked,
                "text": entered.get(f"text-{number}") or item["text"],
                "due": entered.get(f"due-{number}", _number(item["due_min"], words)),
                "low": entered.get(f"low-{number}", _number(target.get("low"), words)),
                "high": entered.get(f"high-{number}", _number(target.get("high"), words)),
                "label": goal_label(target["parameter"], words) if target else "",
                "aims": bool(target) and item["kind"] in TARGETED,
            }
        )
    weight = words.t("ordering.weight_unknown")
    if place.weight_kg is not None:
        status = place.weight_status
        if status.startswith("estimated"):
            date = status.rpartition(", ")[2]
            status = f"{words.t('indicator.estimated')}, {date}"
        weight = f"{words.number(place.weight_kg)} {unit_words('kg', words)}, {status}"
    return {
        "set": {**found, "items": items},
        "weight": weight,
        "said": said.text(words) if said else "",
        "findings": said.findings(words) if said else [],
        "seen": said.seen() if said else "",
        "override": entered.get("override", ""),
    }


def _number(value: float | None, words: Words) -> str:
    return "" if value is None else words.number(value).replace("−", "-")
