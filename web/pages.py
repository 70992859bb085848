"""The frame of a page for whoever asks: who they are, the units open to them, their language."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hospital_ops.access import Principal, knows_of
from web.auth import web_of
from web.language import language_of
from web.state import Web
from web.views.page import MODES, THEMES, Page
from web.words import words_of


def units_of(web: Web, principal: Principal) -> list[dict[str, str]]:
    """The units whose boards the principal may open, for navigation."""
    return [
        {"id": unit.unit, "name": unit.name, "kind": unit.kind}
        for unit in web.places.units.values()
        if knows_of(principal, unit.hospital, unit.unit)
    ]


def look_of(request: Request) -> dict[str, str]:
    """The `mode` and `theme` that the URL asks for, each as usual where it asks for no such."""
    mode, theme = request.query_params.get("mode", ""), request.query_params.get("theme", "")
    return {"mode": mode if mode in MODES else "desk", "theme": theme if theme in THEMES else ""}


def page_of(
    request: Request, principal: Principal, title: str, unit: str = "", **more: Any
) -> Page:
    """A page in the language of the request; `title` in its words, `more` as `Page` has it."""
    web = web_of(request)
    return Page(
        words=words_of(language_of(request)),
        title=title,
        user=principal.actor,
        demo=web.demo,
        unit=unit,
        units=tuple(units_of(web, principal)),
        **more,
    )
