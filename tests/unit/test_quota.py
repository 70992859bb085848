"""How much of what is costly one person may ask for."""

from __future__ import annotations

import pytest

from hospital_ops.clock import SECOND
from hospital_ops.errors import TooMany
from web.quota import KEPT, Quota, Quotas

REPORTS = Quota("reports", 3, 600, 2)
NOW = 1_780_000_000 * SECOND


def test_a_person_may_report_again_when_the_time_has_passed_and_others_are_not_held() -> None:
    quotas = Quotas()
    for number in range(3):
        with quotas.one(REPORTS, "nurse.h1", NOW + number * SECOND):
            pass
    with pytest.raises(TooMany) as held, quotas.one(REPORTS, "nurse.h1", NOW + 10 * SECOND):
        pass
    assert held.value.wait_s == 591
    with quotas.one(REPORTS, "nurse.h2", NOW + 10 * SECOND):
        pass
    with quotas.one(REPORTS, "nurse.h1", NOW + (10 + held.value.wait_s) * SECOND):
        pass


def test_only_so_many_run_at_once_and_a_failed_one_gives_its_place_back() -> None:
    quotas = Quotas()
    with (
        quotas.one(REPORTS, "a", NOW),
        quotas.one(REPORTS, "a", NOW),
        pytest.raises(TooMany),
        quotas.one(REPORTS, "a", NOW),
    ):
        pass
    quotas = Quotas()
    with pytest.raises(ValueError, match="broken"), quotas.one(REPORTS, "a", NOW):
        raise ValueError("broken")
    assert not quotas.running


def test_who_asked_long_ago_is_forgotten() -> None:
    quotas = Quotas()
    for number in range(KEPT + 1):
        with quotas.one(REPORTS, str(number), NOW):
            pass
    with quotas.one(REPORTS, "new", NOW + 601 * SECOND):
        pass
    assert list(quotas.taken) == [("reports", "new")]
