"""The list of the day's messages to relatives: each line has the one button that helps."""

from datetime import UTC, datetime

import pytest

from hospital_ops.clock import SECOND, from_iso
from notify import hold
from notify.desk import day
from notify.figures import Reading
from notify.patients.store import Stay
from notify.rules import default_hours
from web.routes.relatives_family import leaflet_words
from web.views import relatives as views
from web.views.messagecosts import Row
from web.words import words_of


def row(*reasons: str, kind: str = "daily", confirmed_by: str = "", words: str = "") -> Row:
    return {
        "kind": kind,
        "state": "held",
        "reasons": list(reasons),
        "words": words,
        "confirmed_by": confirmed_by,
    }


@pytest.mark.parametrize("reason", sorted(set(hold.REASONS) - hold.CALL))
def test_what_no_call_settles_is_confirmed_anew(reason: str) -> None:
    assert views.is_to_confirm(row(reason))
    assert views.is_to_confirm(row(reason, words="Состояние тяжёлое."))


@pytest.mark.parametrize("reason", ["refiled", "too_old", "template_changed", "stopped"])
def test_a_confirmed_text_that_does_not_hold_any_more_is_confirmed_anew(reason: str) -> None:
    held = row(reason, confirmed_by="icu.h1", words="Состояние тяжёлое.")
    assert views.is_to_confirm(held)


@pytest.mark.parametrize("reason", sorted(hold.CALL))
def test_bad_news_is_told_by_voice(reason: str) -> None:
    assert not views.is_to_confirm(row(reason, "unconfirmed"))


@pytest.mark.parametrize("reason", ["no_figures", "forbidden_word"])
def test_what_a_confirmation_could_not_mend_is_phoned(reason: str) -> None:
    assert not views.is_to_confirm(row(reason, confirmed_by="icu.h1", words="Состояние тяжёлое."))


def test_a_relative_of_an_ended_stay_does_not_stand_under_the_bed_of_another() -> None:
    received = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    given = {
        "inbox": "1", "kind": "call", "words": "", "bed": "h1-icu-1-01", "label": "01",
        "relation": "daughter", "last_two": "67", "received_at": received,
        "name": "Семёнова Ольга", "end_reason": "death",
    }  # fmt: skip
    (ended,) = views.inbox([given | {"ended": True}], words_of("en"), "Europe/Moscow")
    assert (ended["bed"], ended["label"], ended["ended"]) == ("", "С. О.", "stay ended (death)")
    (here,) = views.inbox([given | {"ended": False}], words_of("en"), "Europe/Moscow")
    assert (here["bed"], here["label"], here["ended"]) == ("h1-icu-1-01", "01", "")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_leaflet_promises_what_this_relative_gets_and_answers_where_they_are_read(
    language: str,
) -> None:
    full, state, call = (
        leaflet_words(tells, language, inbound=True) for tells in ("full", "state", "call")
    )
    assert len({full["daily"], state["daily"], call["daily"]}) == 3
    assert (full["answers"], state["answers"], call["answers"]) == (True, True, False)
    assert (state["texts"], call["texts"]) == (True, False)
    assert not leaflet_words("full", language, inbound=False)["answers"]


MORNING = from_iso("2026-03-02T07:30:00Z")
MINUTE = 60 * SECOND
PATIENT = Stay(
    stay="s", hospital="h1", unit="h1-icu-1", unit_name="ICU", bed="h1-icu-1-01", patient_id="p",
    mode="Real", admitted_at=MORNING - 90 * 3600 * SECOND, ended_at=None, end_reason="",
    zone="Europe/Moscow", automatic=False, treatment_limited=False, hold_reason="", severity="",
    severity_at=None, name="Семёнова Ольга", sex="F",
)  # fmt: skip


def proposed(at: int, *readings: Reading) -> day.Proposal:
    return day.propose(PATIENT, readings, default_hours(), at)


def typed(code: str, value: float | str) -> Reading:
    return Reading(code=code, value=value, at=MORNING - 20 * MINUTE, origin="typed")


def test_who_confirms_has_seen_what_is_sent() -> None:
    pulse, awake = typed("8867-4", 84.0), typed("80288-4", "A")
    seen = day.mark(proposed(MORNING, pulse, awake))
    assert day.is_seen(proposed(MORNING + 10 * MINUTE, pulse, awake), seen)
    assert not day.is_seen(proposed(MORNING + 16 * MINUTE, pulse, awake), seen)
    assert not day.is_seen(proposed(MORNING, pulse), seen)
    assert not day.is_seen(proposed(MORNING, awake), seen)
    worse = typed("9269-2", 8.0)
    was = Reading(code="9269-2", value=15.0, at=MORNING - 30 * 3600 * SECOND, origin="typed")
    assert not day.is_seen(proposed(MORNING, pulse, awake, was, worse), seen)
    for rubbish in ("", "none", "9" * 40, "-", seen.partition("-")[0]):
        assert not day.is_seen(proposed(MORNING, pulse, awake), rubbish)
