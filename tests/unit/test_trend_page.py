"""The page of trends: whose it is, and every value under its own name."""

from __future__ import annotations

import html
import json
import re
from zoneinfo import ZoneInfo

import pytest

from hospital_ops import codes
from hospital_ops.board import BedCell, PatientCell
from hospital_ops.clock import SECOND
from web.render import Renderer
from web.views import trendpage
from web.views.values import Frame
from web.words import words_of

NOW = 1_790_000_000 * SECOND


def page(language: str = "en", patient: PatientCell | None = None) -> str:
    return trendpage.render(
        Renderer("Europe/Moscow"),
        Frame(words_of(language), NOW, ZoneInfo("Europe/Moscow")),
        cell=BedCell("b", "7", patient, {}),
        unit="u",
        theme="",
        user="nurse.h1",
        demo=True,
        units=(),
    )


def lanes(text: str) -> list[tuple[list[str], list[dict[str, object]]]]:
    return [
        (sent.split(), json.loads(html.unescape(values)))
        for sent, values in re.findall(r'data-codes="([^"]*)" data-values="([^"]*)"', text)
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_curve_of_the_page_of_trends_has_a_name_of_its_own(language: str) -> None:
    found = lanes(page(language))
    names = [str(value["name"]) for _, values in found for value in values]
    assert len(names) == len(set(names)) == sum(len(sent) for sent, _ in found)
    assert all(1 <= len(sent) == len(values) <= 3 for sent, values in found)


def test_the_smallest_scale_of_a_curve_is_ten_steps_of_its_device() -> None:
    for sent, values in lanes(page()):
        for code, value in zip(sent, values, strict=True):
            assert value["least"] == pytest.approx(10 * (codes.by_code[code].resolution or 1))


def test_the_page_of_trends_knows_whose_it_is_so_that_nobody_elses_are_drawn_on_it() -> None:
    someone = PatientCell("5d8c2f5e-0000-4000-8000-000000000007", "123", "A.B.")
    assert f'data-patient="{someone.patient_id}"' in page(patient=someone)
    assert 'data-patient=""' in page()
