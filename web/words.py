"""The words of the pages in English and Russian, from `words/en.json` and `words/ru.json`.

A page speaks one language; numbers, plurals and durations follow it. The two files carry the same
keys (a test holds it), so a missing word is a mistake of ours and never a gap on a board.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Final

LANGUAGES: Final = ("en", "ru")
DEFAULT: Final = "en"
MINUS: Final = "−"
# Prefixes of the words that the page needs while it ticks by itself.
IN_THE_PAGE: Final = (
    "time.", "lost.", "foot.", "status.", "bar.", "ed.late", "ed.min", "ed.due_min",
    "wave.none", "wave.scale", "sound.", "badge.",
)  # fmt: skip

Entry = str | dict[str, str]


@cache
def catalogue(language: str) -> dict[str, Entry]:
    """All words of `language` by key; a dict holds plural forms (`one`, `few`, `many`, `other`)."""
    source = resources.files("web") / "words" / f"{language}.json"
    loaded: dict[str, Entry] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


class Words:
    """The words of one language; an unknown language is answered in English."""

    def __init__(self, language: str) -> None:
        self.language: Final = language if language in LANGUAGES else DEFAULT
        self._entries = catalogue(self.language)

    @property
    def other(self) -> str:
        """The language that the link beside the clock leads to."""
        return "en" if self.language == "ru" else "ru"

    def has(self, key: str) -> bool:
        """Whether there is a word for `key` (codes of devices and rules may have none)."""
        return key in self._entries

    def t(self, key: str, **values: object) -> str:
        """The words for `key` with `{name}` filled in; `n` chooses the plural form.

        Numbers are written as the language writes them. KeyError where the key is not in the file.
        """
        entry = self._entries[key]
        if not values and isinstance(entry, str) and "{" not in entry:
            return entry  # most words of a frame
        if isinstance(entry, dict):
            n = values.get("n", 0)
            entry = entry[plural(self.language, n if isinstance(n, int) else 0)]
        written = {
            name: self.number(value) if isinstance(value, float) else value
            for name, value in values.items()
        }
        return entry.format(**written)

    def number(self, value: float, decimals: int | None = None) -> str:
        """A number with a true minus and the language's decimal sign; `decimals`: as it comes."""
        if decimals is None:
            text = f"{value:.10g}"
        else:
            text = f"{value:.{decimals}f}"
            if float(text) == 0:
                text = text.lstrip("-")
        text = text.replace("-", MINUS)
        return text.replace(".", ",") if self.language == "ru" else text

    def duration(self, seconds: float) -> str:
        """How long, as short as the ward says it: `9 s`, `14 min`, `2 h 05`, `3 d 4 h`."""
        whole = max(0, int(seconds))
        if whole < 60:
            return self.t("time.s", n=whole)
        minutes, hours = whole // 60, whole // 3600
        if minutes < 60:
            return self.t("time.min", n=minutes)
        if hours < 48:
            return self.t("time.h", h=hours, m=f"{minutes % 60:02d}")
        return self.t("time.d", d=hours // 24, h=hours % 24)

    def ago(self, seconds: float) -> str:
        """`9 s ago`."""
        return self.t("time.ago", age=self.duration(seconds))

    def since(self, seconds: float) -> str:
        """A running time of an alarm: `0:42`; from one hour on as a duration."""
        whole = max(0, int(seconds))
        return f"{whole // 60}:{whole % 60:02d}" if whole < 3600 else self.duration(whole)

    def for_page(self) -> str:
        """The words that tick in the page, as JSON for a `data-words` attribute."""
        chosen = {key: entry for key, entry in self._entries.items() if key.startswith(IN_THE_PAGE)}
        return json.dumps(chosen, ensure_ascii=False, separators=(",", ":"))


def plural(language: str, n: int) -> str:
    """The CLDR plural form of a whole number: `one` and `other`, in Russian `few`, `many` too."""
    n = abs(n)
    if language != "ru":
        return "one" if n == 1 else "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14:
        return "few"
    return "many"


@cache
def words_of(language: str) -> Words:
    """The shared `Words` of a language."""
    return Words(language)


def preferred(header: str) -> str:
    """The language of an `Accept-Language` header, the first of ours by weight."""
    weighted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            share = float(weight) if weight else 1.0
        except ValueError:
            share = 0.0
        weighted.append((-share, place, name.split("-")[0].lower()))
    return next((name for _, _, name in sorted(weighted) if name in LANGUAGES), DEFAULT)
