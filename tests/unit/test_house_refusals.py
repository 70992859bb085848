"""A refusal on a page of intensive care is read in the language of the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import web
from hospital_ops.errors import Conflict, MessageError
from web.views.orders import error_text
from web.views.refused import by_sentence, in_words, sentence
from web.words import words_of

ROOT = Path(web.__file__).parents[1]
ROUTES = ("bedacts", "flowsheet", "ordersets", "sepsis", "stays", "transfers", "whoisit")
SOURCES = [
    *(ROOT / "icu").rglob("*.py"),
    *(ROOT / "web" / "incidents").glob("*.py"),
    ROOT / "hospital_ops" / "standing" / "store.py",
    ROOT / "web" / "limits.py",
    ROOT / "web" / "lying.py",
    *(ROOT / "web" / "routes" / f"{name}.py" for name in ROUTES),
]
LATIN = re.compile("[A-Za-z]{4,}")


def refusals() -> Iterator[str]:
    """Every sentence with which a change at a bed is refused."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                said = node.args[0]
                if node.func.id == "Conflict" and isinstance(said, ast.Constant):
                    yield str(said.value)


@pytest.mark.parametrize("said", sorted(set(refusals())))
def test_every_refusal_of_a_change_has_its_russian_sentence(said: str) -> None:
    assert said in by_sentence()
    russian = in_words(said, words_of("ru"))
    assert russian != words_of("ru").t("refused.other")
    assert not LATIN.search(russian.replace("MAP", "")), russian


def test_english_keeps_the_precise_sentence_and_russian_never_shows_english() -> None:
    error = MessageError("bad_minutes", "`minutes_ago` is 0 to 1440")
    assert sentence(error, words_of("en")) == "`minutes_ago` is 0 to 1440"
    assert "от 0 до 1440" in sentence(error, words_of("ru"))
    unknown = Conflict("Something that nobody has translated.")
    assert sentence(unknown, words_of("ru")) == words_of("ru").t("refused.other")


def test_a_field_of_an_order_is_named_as_its_form_names_it() -> None:
    said = error_text("bad_field", "medication: `dose` is a number", words_of("ru"))
    assert said == "Поле заполнено неверно: Доза."
    hint = error_text("bad_target", "the `low` of a target lies below its `high`", words_of("ru"))
    assert not LATIN.search(hint), hint
