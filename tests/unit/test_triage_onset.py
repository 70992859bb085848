"""When the symptoms began: said, taken back, said anew; a clock runs only where a time was said."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hospital_ops import wire
from hospital_ops.board import CaseCell, decode_case
from hospital_ops.case_steps import ONSET_KINDS
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived
from streams.crew_intake import _onset
from triage.onset import onset_of, until
from triage.unit import EdUnit
from web.views.casedesk import desk_view
from web.views.caseitems import items
from web.views.values import Frame
from web.words import words_of

CASE, UNIT = str(derived("test", "onset")), "h1-ed"
NOON = from_iso("2026-11-21T12:00:00Z")
MINUTE = 60 * SECOND


def facts(**more: Any) -> wire.CaseFacts:
    said = {"age_years": 70, "complaint": "weakness_one_side", "signs": []} | more
    return wire.CaseFacts(UNIT, CASE, "tablet", "m", NOON, "Demo", said)


def view() -> wire.CaseNote:
    """The physician has said their own view: the list of conditions opens."""
    return wire.CaseNote(
        UNIT, CASE, str(derived("view", "v")), "view", "", NOON, "Hale", "ed_physician", "web",
        NOON, "Demo", text="stroke",
    )  # fmt: skip


def onset(n: int, **said: str) -> wire.CaseItem:
    item, at = str(derived("item", str(n))), NOON + n * MINUTE
    return wire.CaseItem(UNIT, CASE, item, "onset", at, "tablet", at, "Demo", dict(said))


def taken_back(n: int, of: wire.CaseItem) -> wire.CaseItem:
    item, at = str(derived("item", str(n))), NOON + n * MINUTE
    return wire.CaseItem(UNIT, CASE, item, "withdrawal", at, "tablet", at, "Demo", {"of": of.item})


def after(*entries: wire.Entry) -> CaseCell:
    unit = EdUnit(UNIT)
    unit.decide([Stamped(NOON, facts()), Stamped(NOON, view())])
    unit.decide([Stamped(NOON + 9 * MINUTE, entry) for entry in entries])
    encoded = EdUnit(UNIT, unit.dump()).cell(CASE)
    assert encoded is not None
    return decode_case(encoded)


def clocks(cell: CaseCell, language: str = "en") -> list[tuple[str, int]]:
    """The clocks of the ischaemic stroke, which counts from onset (complaints.json)."""
    frame = Frame(words_of(language), NOON + 10 * MINUTE, ZoneInfo("UTC"))
    desk = desk_view(cell, frame, (), [cell])
    name = {"en": "stroke", "ru": "инсульт"}[language]
    return list(next(one for one in desk.rule_out if name in one.name.casefold()).clocks)


def test_the_window_counts_from_the_onset_that_was_said_and_from_first_contact_beside_it() -> None:
    began = NOON - 20 * MINUTE
    (from_onset, end), (contact, _) = clocks(after(onset(1, how="exact", since=iso(began))))
    assert end == began + 60 * MINUTE
    assert from_onset == "60 min from onset: until 12:40"
    assert "first contact" in contact
    for how, words in (("estimated", "estimated onset"), ("last_known_well", "last known well")):
        (said, end), _ = clocks(after(onset(1, how=how, since=iso(began))))
        assert words in said
        assert end == began + 60 * MINUTE


def test_an_onset_that_nobody_knows_starts_no_clock_and_is_said() -> None:
    (said, end), (_, contact) = clocks(after(onset(1, how="unknown")))
    assert (said, end) == ("60 min from onset: onset not known, no clock runs", 0)
    assert contact
    (said, end), _ = clocks(after())
    assert "nobody has said" in said
    assert end == 0
    (said, _), _ = clocks(after(onset(1, how="unknown")), "ru")
    assert "неизвестно" in said


def test_the_newest_word_holds_and_a_word_taken_back_gives_way_to_the_one_before() -> None:
    first = onset(1, how="estimated", since=iso(NOON - 60 * MINUTE))
    second = onset(2, how="unknown")
    cell = after(second, first)  # the earlier word comes later: the order of saying counts
    assert onset_of(cell.items) == ("unknown", 0, NOON + 2 * MINUTE)
    cell = after(first, second, taken_back(3, second))
    found = onset_of(cell.items)
    assert found is not None
    assert (found.how, found.since) == ("estimated", NOON - 60 * MINUTE)
    assert until(found, 270) == NOON + 210 * MINUTE
    frame = Frame(words_of("en"), NOON, ZoneInfo("UTC"))
    assert [(line.kind, line.said) for line in items(cell, frame)] == [
        ("Onset", "estimated, 11:00")
    ]


def test_an_onset_never_moves_the_colour() -> None:
    plain, said = after(), after(onset(1, how="exact", since=iso(NOON)))
    assert plain.triage == said.triage


@pytest.mark.parametrize(
    "said",
    [
        {"how": "yesterday"},
        {"how": "exact"},
        {"how": "estimated", "since": "12:10"},
        {"how": "exact", "since": iso(NOON + 3600 * SECOND)},
        {"how": "exact", "since": "2001-01-01T00:00:00Z"},
    ],
)
def test_a_guess_without_a_time_or_a_time_to_come_is_refused_in_words(said: dict[str, str]) -> None:
    with pytest.raises(MessageError):
        _onset(said, NOON)


def test_now_by_a_clock_that_is_a_little_ahead_is_now() -> None:
    said = {"how": "exact", "since": iso(NOON + 90 * SECOND)}
    assert _onset(said, NOON) == {"how": "exact", "since": iso(NOON)}


def test_a_time_beside_not_known_is_not_kept() -> None:
    assert _onset({"how": "unknown", "since": iso(NOON)}, NOON) == {"how": "unknown"}
    assert ONSET_KINDS[-1] == "unknown"
