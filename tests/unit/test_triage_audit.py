"""The audit of triage: counted anew by another way, and nothing of fewer than twenty to be had."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from hospital_ops.clock import SECOND, from_iso
from hospital_ops.errors import MessageError
from triage.audit import figures as audit
from triage.audit.course import HOUR_US, Case, Setting, belongs, is_known, measures, switchable
from triage.audit.guard import TOTAL, Column, shown

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = from_iso("2026-11-20T12:00:00Z")
START = from_iso("2026-10-02T00:00:00Z")
DAY_US = 24 * HOUR_US
SITE = [Setting("under_theatre", 1, True, 48, NOW), Setting("over_home", 1, True, 48, NOW)]


def case(n: int = 1, **said: Any) -> Case:
    """A patient who came on 2 October, was yellow to everybody and went home after three hours."""
    given: dict[str, Any] = {
        "case": f"c{n}", "unit": "h1-ed", "at": START, "proposed": "yellow", "crew": "",
        "physician": "yellow", "rule": "", "age": "gt50y", "sex": "F", "linked": False,
        "home_at": START + 3 * HOUR_US,
    }  # fmt: skip
    return Case(**(given | said))


def many(seed: int, count: int) -> list[Case]:
    """A made-up quarter: all kinds of patients, some of whom nothing more was heard."""
    chance = random.Random(seed)
    colours = ("red", "yellow", "green")
    found = []
    for n in range(count):
        at = START + round(chance.random() * 40 * DAY_US)
        after = {
            name: at + round(chance.random() * 60 * HOUR_US) if chance.random() < share else 0
            for name, share in (
                ("icu_at", 0.25), ("death_at", 0.05), ("theatre_at", 0.1), ("home_at", 0.5),
            )
        }  # fmt: skip
        said = {
            "at": at, "proposed": chance.choice((*colours, "incomplete")),
            "crew": chance.choice(("", *colours)), "physician": chance.choice(colours),
            "rule": chance.choice(("", "stridor", "hr_red", "news2_ge7")),
            "age": chance.choice(("lt12y", "12to50y", "gt50y", "gt50y", "unknown")),
            "sex": chance.choice(("F", "M", "M", "unknown")),
            "unit": chance.choice(("h1-ed", "h1-ed", "h1-ed-2")),
            "linked": chance.random() < 0.5,
        }  # fmt: skip
        found.append(case(n, **said, **after))
    return found


def naive(cases: list[Case], measure: str, hours: int, judge: str) -> tuple[int, int]:
    """(among, mistaken), written down from the sentence on the page and from nothing else."""
    n = k = 0
    for one in cases:
        limit = one.at + hours * 3600 * 1_000_000
        icu, dead, theatre = (
            t != 0 and t <= limit for t in (one.icu_at, one.death_at, one.theatre_at)
        )
        if not (icu or dead) and (limit > NOW or (one.home_at == 0 and not one.linked)):
            continue
        said = {"proposed": one.proposed, "crew": one.crew, "physician": one.physician}[judge]
        if not said:
            continue
        grave = icu or dead
        counted = {
            "under": (grave, said != "red"),
            "over": (not grave, said == "red"),
            "under_theatre": (grave or theatre, said != "red"),
            "over_home": (one.home_at > 0 and not grave and not theatre, said == "red"),
        }[measure]
        if counted[0]:
            n += 1
            k += counted[1]
    return n, k


@pytest.mark.parametrize("seed", range(6))
def test_every_share_on_the_page_is_the_one_that_counting_by_hand_gives(seed: int) -> None:
    cases = many(seed, 500)
    in_force = measures(SITE)
    found = audit.figures(cases, in_force, MOSCOW, NOW)
    checked = 0
    for table in audit.tables(found, in_force):
        for row in table["rows"]:
            part = [
                one
                for one in cases
                if row["by"] == "all"
                or (row["by"] in ("age", "sex", "unit") and getattr(one, row["by"]) == row["key"])
                or (row["by"] == "rule" and (one.rule or "none") == row["key"])
                or (row["by"] == "hour" and _hour(one) // 6 * 6 == int(row["key"]))
            ]
            for judge, cell in row["cells"].items():
                if cell is not None:
                    expected = naive(part, table["measure"], table["within_h"], judge)
                    assert (cell["n"], cell["k"]) == expected
                    checked += 1
    assert checked > 40


def _hour(one: Case) -> int:
    return int((one.at // SECOND // 3600 + 3) % 24)  # Moscow is three hours ahead, all the year


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 20), (7, 31), (20, 20), (133, 4512)])
def test_the_interval_is_the_one_that_scipy_computes(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert audit.wilson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


def unions(
    column: Column, places: set[tuple[str, str]], dimension: str
) -> Iterator[frozenset[str]]:
    """Every set of cases whose number somebody with pencil and paper can write down."""
    if TOTAL not in places:
        return
    open_parts = [column.parts[d][key] for d, key in places if d == dimension]
    sizes = range(len(open_parts) + 1)
    for some in chain.from_iterable(combinations(open_parts, r) for r in sizes):
        together = frozenset().union(*some)
        yield together
        yield column.whole - together


ids = st.integers(0, 90)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=91, max_size=91),
    st.sets(ids), st.sets(ids), st.integers(2, 12), st.booleans(),
)  # fmt: skip
def test_no_number_of_fewer_can_be_had_by_subtracting_what_is_shown(
    keys: list[int], first: set[int], second: set[int], least: int, wide: bool
) -> None:
    wholes = [frozenset(range(91)), frozenset(map(int, first if wide else range(91)))]
    wholes.append(frozenset(int(n) for n in second) & wholes[1])
    columns = []
    for whole in wholes:
        parts: dict[str, set[str]] = {}
        for n in whole:
            parts.setdefault(str(keys[n]), set()).add(str(n))
        frozen = {key: frozenset(part) for key, part in parts.items()}
        columns.append(Column(frozenset(map(str, whole)), {"age": frozen}))
    found = shown(columns, least)
    for column, places in zip(columns, found, strict=True):
        for dimension, key in places:
            part = column.whole if (dimension, key) == TOTAL else column.parts[dimension][key]
            assert len(part) >= least
    for a, in_a in zip(columns, found, strict=True):
        for b, in_b in zip(columns, found, strict=True):
            for larger in unions(a, in_a, "age"):
                for smaller in unions(b, in_b, "age"):
                    if smaller <= larger:
                        assert not 0 < len(larger - smaller) < least


def test_a_small_group_hides_a_neighbour_so_that_the_total_does_not_give_it_away() -> None:
    women = [case(n, sex="F") for n in range(40)]
    men = [case(100 + n, sex="M") for n in range(30)]
    nobody_said = [case(200 + n, sex="unknown") for n in range(3)]
    found = audit.figures([*women, *men, *nobody_said], measures(), MOSCOW, NOW)
    assert found.cell("over", "proposed", TOTAL) is not None
    assert found.cell("over", "proposed", ("sex", "F")) is not None
    assert found.cell("over", "proposed", ("sex", "M")) is None
    assert found.ids("over", "proposed", ("sex", "unknown")) == frozenset()


def test_nineteen_patients_are_shown_to_nobody_and_twenty_are() -> None:
    for count in (19, 20):
        cases = [case(n, icu_at=START + HOUR_US, home_at=0) for n in range(count)]
        found = audit.figures(cases, measures(), MOSCOW, NOW)
        cell = found.cell("under", "physician", TOTAL)
        assert (cell is None) is (count == 19)
        assert found.cell("under", "crew", TOTAL) is None  # no crew gave a colour


def test_a_patient_of_whom_nothing_more_was_heard_counts_nowhere() -> None:
    lost = case(home_at=0)
    assert not is_known(lost, 24, NOW)
    assert not any(belongs(lost, measure, NOW) for measure in measures(SITE))
    assert is_known(lost._replace(linked=True), 24, NOW)
    assert is_known(lost._replace(death_at=START + HOUR_US), 24, START + 2 * HOUR_US)
    early = case(home_at=START + HOUR_US)
    assert not is_known(early, 24, START + 23 * HOUR_US)  # there are hours left to come back worse


def test_what_came_after_the_window_is_not_held_against_the_colour() -> None:
    under, over = measures()
    late = case(linked=True, icu_at=START + 24 * HOUR_US + 1)
    assert not belongs(late, under, NOW)
    assert belongs(late, over, NOW)
    assert belongs(late._replace(icu_at=START + 24 * HOUR_US), under, NOW)


def test_a_measure_without_a_source_is_off_until_a_site_sets_it_and_says_so() -> None:
    assert [each.id for each in measures()] == ["under", "over"]
    assert all(each.source and not each.set_at for each in measures())
    assert set(switchable()) == {"under_theatre", "over_home"}
    site = {each.id: each for each in measures(SITE)}
    assert (site["over_home"].source, site["over_home"].set_at) == ("", NOW)
    assert site["over_home"].within_h == 48
    off = [Setting("under", 1, False, 1, NOW), Setting("over_home", 2, False, 48, NOW)]
    assert [(each.id, each.within_h) for each in measures(off)] == [("under", 24), ("over", 24)]


def test_quarters_follow_each_other_without_a_gap_and_without_overlap() -> None:
    listed = audit.quarters(NOW, MOSCOW)
    assert listed == ["2026-Q4", "2026-Q3", "2026-Q2", "2026-Q1"]
    spans = [audit.span_of(quarter, MOSCOW) for quarter in reversed(listed)]
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert audit.quarter_of(spans[0][0], MOSCOW) == "2026-Q1"
    for wrong in ("2026", "2026-Q5", "26-Q1", "9999-Q1", ""):
        with pytest.raises(MessageError):
            audit.span_of(wrong, MOSCOW)


def test_how_many_courses_are_not_known_is_said_and_few_of_them_are_not_counted_out() -> None:
    for count, said in ((0, 0), (5, None), (25, 25)):
        cases = [case(n, home_at=0) for n in range(count)]
        assert audit.unknown(cases, measures(), NOW) == said
