"""A late ADT files anew what was stored meanwhile: in whatever order things arrive, the same."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import identity, wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.refiling import AUTOMATIC_US
from streams.columns import COLUMNS
from streams.rows import Batch, Taken
from tests.filing import FiledRow, filed, named

UNIT, ONE, TWO = "h1-icu-1", "h1-icu-1-01", "h1-icu-1-02"
START = 1_790_000_000 * SECOND
P, Q = (identity.patient_id("h1", mrn) for mrn in "PQ")
Spec = tuple[Any, ...]


def adt(trigger: str, mrn: str, at: int, bed: str, prior: str = "") -> Spec:
    return trigger, mrn, at, bed, prior


def entry(what: Spec, received: int) -> wire.Entry:
    """An ADT event or a value of the second `at`, as it arrives."""
    name, received_at = repr(what), START + received * SECOND
    digest = hashlib.sha256(name.encode()).digest()
    if what[0] == "value":
        _, claim, at, bed = what
        return wire.Observed(
            unit=UNIT, source=f"mon {bed}", message_id=name, identity=digest, mode="Real",
            received_at=received_at, bed=bed, device=f"mon {bed}", mrn=claim,
            observations=(wire.Observation("8867-4", 80.0, "/min", START + at * SECOND),),
        )  # fmt: skip
    trigger, mrn, at, bed, prior = what
    return wire.Admission(
        unit=UNIT, source="adt", message_id=name, identity=digest, received_at=received_at,
        mode="Real", trigger=trigger, patient=wire.PatientFacts(mrn=mrn),
        event_at=START + at * SECOND, bed=bed, prior_bed=prior,
    )  # fmt: skip


def arrived(things: list[Spec], first: int = 1000) -> list[FiledRow]:
    """The rows when the things arrive in this order, a second apart."""
    stamped = [
        Stamped(START + (first + n) * SECOND, entry(what, first + n))
        for n, what in enumerate(things)
    ]
    return filed(UNIT, stamped)


def whose(things: list[Spec], first: int = 1000) -> dict[tuple[str, int], str]:
    return {(row.device, (row.at - START) // SECOND): row.patient for row in arrived(things, first)}


def values(bed: str, *seconds: int, claim: str = "") -> list[Spec]:
    return [("value", claim, second, bed) for second in seconds]


def test_a_move_that_is_told_late_takes_the_values_along_and_leaves_the_rows_as_they_came() -> None:
    things = [
        adt("A01", "P", 0, ONE), *values(ONE, 100, 300), *values(TWO, 310),
        adt("A02", "P", 200, TWO, ONE),
    ]  # fmt: skip
    assert whose(things) == {
        (f"mon {ONE}", 100): P, (f"mon {ONE}", 300): "", (f"mon {TWO}", 310): P,
    }  # fmt: skip
    assert [row.stored for row in arrived(things)] == [P, P, ""]


def test_an_admission_that_is_told_late_gives_the_bed_to_the_next_patient_from_its_time_on() -> (
    None
):
    told = [adt("A01", "P", 0, ONE), adt("A03", "P", 200, ONE), adt("A01", "Q", 250, ONE)]
    found = whose([told[0], *values(ONE, 100, 220, 300), *told[1:]])
    assert list(found.values()) == [P, "", Q]


def test_a_value_that_names_the_one_before_is_never_the_next_ones() -> None:
    things = [
        adt("A01", "P", 0, ONE), *values(ONE, 300, claim="P"), *values(ONE, 301, claim="Q"),
        *values(ONE, 302), adt("A01", "Q", 200, ONE),
    ]  # fmt: skip
    assert list(whose(things).values()) == ["", Q, Q]


def test_a_discharge_taken_back_was_never() -> None:
    things = [
        adt("A01", "P", 0, ONE), adt("A03", "P", 200, ONE), *values(ONE, 300),
        adt("A13", "P", 400, ONE), *values(ONE, 500),
    ]  # fmt: skip
    assert list(whose(things).values()) == [P, P]


def test_a_move_taken_back_was_never_and_what_the_other_bed_sent_is_nobodys() -> None:
    things = [
        adt("A01", "P", 0, ONE), adt("A02", "P", 200, TWO, ONE), *values(ONE, 300),
        *values(TWO, 310), adt("A12", "P", 400, ONE, TWO), *values(ONE, 500),
    ]  # fmt: skip
    assert list(whose(things).values()) == [P, "", P]


def test_an_admission_taken_back_within_minutes_was_never() -> None:
    things = [adt("A01", "Q", 200, ONE), *values(ONE, 300), adt("A11", "Q", 400, ONE)]
    assert list(whose([*things, *values(ONE, 500)], first=500).values()) == ["", ""]


def test_an_admission_taken_back_and_registered_again_takes_nothing_off_the_patient() -> None:
    things = [
        adt("A01", "Q", 200, ONE), *values(ONE, 300, 5000), adt("A11", "Q", 5400, ONE),
        adt("A01", "Q", 5410, ONE), *values(ONE, 5500),
    ]  # fmt: skip
    assert list(whose(things, first=5400).values()) == [Q, Q, Q]
    batch = Batch(None, {})  # type: ignore[arg-type]
    for number, what in enumerate(things):
        one = entry(what, 5400 + number)
        batch.take(Taken(UNIT, "in", f"{number}-0", wire.encode(one), b"x", one))
    rows = named("refiling", batch.rows["refiling"])
    asked = [(row["event"], row["patient_id"]) for row in rows if row["proposed"]]
    assert asked == [("A11", None)]  # a person is asked


def test_who_is_admitted_in_the_place_of_a_cancelled_one_has_the_values_at_once() -> None:
    things = [
        adt("A01", "Q", 200, ONE), *values(ONE, 300), adt("A11", "Q", 5400, ONE),
        adt("A01", "P", 201, ONE),
    ]  # fmt: skip
    assert list(whose(things, first=5400).values()) == [P]


def test_who_is_admitted_within_the_minute_after_a_discharge_that_came_late_has_the_values() -> (
    None
):
    things = [
        adt("A01", "P", 0, ONE),
        adt("A03", "P", 1000, ONE),  # told a second late: nobody lies there for a minute after it
        adt("A01", "Q", 1002, ONE),  # told in time
        *values(ONE, 1003),
    ]
    assert whose(things) == {(f"mon {ONE}", 1003): Q}


def test_what_reaches_back_more_than_two_days_is_proposed_and_changes_nothing_by_itself() -> None:
    far = AUTOMATIC_US // SECOND + 100
    things = [adt("A01", "P", 0, ONE), *values(ONE, 300), adt("A01", "Q", 200, ONE)]
    assert list(whose(things, first=far + 1000).values()) == [P]
    batch = Batch(None, {})  # type: ignore[arg-type]
    for number, what in enumerate(things):
        one = entry(what, far + 1000 + number)
        batch.take(Taken(UNIT, "in", f"{number}-0", wire.encode(one), b"x", one))
    rows = named("refiling", batch.rows["refiling"])
    assert [row["proposed"] for row in rows] == [True] * len(rows)
    assert {entry.action for _, _, entry in batch.audits} == {"propose_refiling"}


def test_every_late_filing_is_audited_and_marks_the_hours_of_the_trends_that_are_made() -> None:
    batch = Batch(None, {})  # type: ignore[arg-type]
    late = 3 * 3600
    for number, what in enumerate((adt("A01", "P", 0, ONE), adt("A01", "Q", 200, ONE))):
        one = entry(what, late + number)
        batch.take(Taken(UNIT, "in", f"{number}-0", wire.encode(one), b"x", one))
    assert [entry.action for _, _, entry in batch.audits] == ["refile_values"] * 2
    assert len({hour for _, _, hour in batch.again.hours}) >= 2
    assert all(len(row) == len(COLUMNS["refiling"]) for row in batch.rows["refiling"])


moments = st.lists(st.integers(0, 800), min_size=10, max_size=10, unique=True)


@settings(max_examples=150, deadline=None)
@given(moments, st.randoms(use_true_random=False), st.integers(1, 8))
def test_whatever_the_order_of_arrival_every_value_is_the_same_patients_in_the_end(
    times: list[int], chance: Any, number: int
) -> None:
    events = [
        adt(trigger, chance.choice("PQ"), at, *beds)
        for at in times[:number]
        for trigger, beds in [
            chance.choice(
                [
                    ("A01", (ONE,)),
                    ("A01", (TWO,)),
                    ("A03", (ONE,)),
                    ("A02", (TWO, ONE)),
                    ("A02", (ONE, TWO)),
                ]
            )
        ]
    ]
    measured = [
        ("value", chance.choice(["", "", "P", "Q"]), second, bed)
        for second in range(3, 900, 60)
        for bed in (ONE, TWO)
    ]
    told_first = whose([*sorted(events, key=lambda one: one[2]), *measured])
    shuffled = [*events, *measured]
    chance.shuffle(shuffled)
    assert whose(shuffled) == told_first
