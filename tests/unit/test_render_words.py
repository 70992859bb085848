"""The words of the pages: both languages complete, numbers and durations as the ward says them."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import web
from web.words import LANGUAGES, Words, catalogue, plural, preferred

WEB = Path(web.__file__).parent
SOURCES = sorted(
    [*WEB.glob("templates/*.html"), *WEB.glob("static/js/*.js"), *WEB.glob("views/*.py")]
)
ASKED = re.compile(r"""\b(?:t|say|say_link)\(\s*f?["']([\w.]+?\.?)(?:\{[^"']*)?["'](\s*~)?""")


def fields(entry: str | dict[str, str]) -> set[str]:
    texts = entry.values() if isinstance(entry, dict) else [entry]
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalogue("en")) == set(catalogue("ru"))


@pytest.mark.parametrize("key", sorted(catalogue("en")))
def test_both_languages_fill_in_the_same_values(key: str) -> None:
    assert fields(catalogue("en")[key]) == fields(catalogue("ru")[key])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_word_a_page_asks_for_exists(source: Path) -> None:
    keys = catalogue("en")
    for key, joined in ASKED.findall(source.read_text(encoding="utf-8")):
        if joined or key.endswith("."):
            assert any(known.startswith(key) for known in keys), key
        else:
            assert key in keys, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_complete(language: str) -> None:
    needed = {"one", "few", "many", "other"} if language == "ru" else {"one", "other"}
    for key, entry in catalogue(language).items():
        assert not isinstance(entry, dict) or set(entry) == needed, key


@pytest.mark.parametrize(
    ("n", "form"),
    [(1, "one"), (2, "few"), (5, "many"), (11, "many"), (12, "many"), (21, "one"), (104, "few")],
)
def test_russian_counts(n: int, form: str) -> None:
    assert plural("ru", n) == form


@pytest.mark.parametrize(
    ("value", "decimals", "en", "ru"),
    [
        (37.0, 1, "37.0", "37,0"),
        (-2, 0, "−2", "−2"),
        (-0.04, 1, "0.0", "0,0"),
        (1.5, None, "1.5", "1,5"),
    ],
)
def test_numbers(value: float, decimals: int | None, en: str, ru: str) -> None:
    assert Words("en").number(value, decimals) == en
    assert Words("ru").number(value, decimals) == ru


@pytest.mark.parametrize(
    ("seconds", "en", "ru"),
    [
        (9, "9 s", "9 с"),
        (840, "14 min", "14 мин"),
        (7500, "2 h 05", "2 ч 05"),
        (187_200, "2 d 4 h", "2 сут 4 ч"),
    ],
)
def test_durations(seconds: float, en: str, ru: str) -> None:
    assert (Words("en").duration(seconds), Words("ru").duration(seconds)) == (en, ru)
    assert Words("ru").ago(9) == "9 с назад"
    assert Words("en").since(42) == "0:42"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("de,en;q=0.5,ru;q=0.4", "en"),
        ("", "en"),
        ("ru;q=x", "ru"),
    ],
)
def test_the_browser_says_which_language(header: str, language: str) -> None:
    assert preferred(header) == language
