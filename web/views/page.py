"""What every page needs beside its content: language, mode, theme, who looks and where to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from web.words import Words

MODES: Final = ("desk", "wall", "touch")
THEMES: Final = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page needs beside its content.

    `theme` is light, dark or empty (the system's wish); `units` are for navigation, each with
    `id`, `name`, `kind` and, where it differs from `/KIND/ID`, `href`.
    """

    words: Words
    title: str
    mode: str = "desk"
    theme: str = ""
    user: str = ""
    demo: bool = False
    unit: str = ""
    unit_name: str = ""
    units: tuple[Mapping[str, str], ...] = ()
    rev: int = 0
    now_us: int = 0
    clock: str = ""
    zone: str = "UTC"
    socket: str = ""


def href(unit: Mapping[str, str]) -> str:
    """Where a unit's board is: its own `href`, else `/KIND/ID`."""
    return unit.get("href") or f"/{unit['kind']}/{unit['id']}"
