"""A device whose clock is wrong: its values come to whoever lay there when they were measured."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import identity, sender_clocks, wire
from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.deciding import Stamped
from hospital_ops.sender_clocks import SenderClock
from hospital_ops.wire import State
from icu.unit import IcuUnit
from streams.clocked import Clocked
from streams.rows import DOUBTED, SET_RIGHT, Batch, Taken
from tests.filing import filed, named

UNIT, BED = "h1-icu-1", "h1-icu-1-01"
START = 1_790_000_000 * SECOND
HOUR = 3600
A, B = (identity.patient_id("h1", mrn) for mrn in "AB")
STORED = datetime(2026, 1, 1, tzinfo=UTC)
PULSE = "8867-4"


def at(second: float) -> int:
    return START + round(second * SECOND)


def adt(trigger: str, mrn: str, second: float) -> wire.Admission:
    name = f"{trigger} {mrn} {second}"
    return wire.Admission(
        unit=UNIT, source="adt", message_id=name, identity=name.encode(), received_at=at(second),
        mode="Real", trigger=trigger, patient=wire.PatientFacts(mrn=mrn), event_at=at(second),
        bed=BED,
    )  # fmt: skip


def value(
    second: float, late_s: float, *, says_now: bool = True, mrn: str = "", code: str = PULSE
) -> wire.Observed:
    """A value received at `second` by a clock that is `late_s` behind, or stored for so long."""
    name, told = f"{second} {late_s} {mrn} {code}", at(second - late_s)
    return wire.Observed(
        unit=UNIT, source="mon", message_id=name, received_at=at(second), mode="Real", bed=BED,
        identity=hashlib.sha256(name.encode()).digest(), device="monitor", mrn=mrn,
        sent_at=told if says_now else None,
        observations=(wire.Observation(code, 80.0, "/min", told),),
    )  # fmt: skip


def curve(second: float, late_s: float) -> wire.Waved:
    return wire.Waved(
        unit=UNIT, source="mon", message_id="w", identity=b"", received_at=at(second), mode="Real",
        code="II", channel="", started_at=at(second - late_s), rate_hz=250.0, scale=1.0, offset=0.0,
        physical_unit="mV", samples=b"\x01\x00" * 4, bed=BED, device="monitor",
    )  # fmt: skip


CHANGED = [adt("A01", "A", 0), adt("A03", "A", 3 * HOUR), adt("A01", "B", 3 * HOUR + 60)]
LATER = 4 * HOUR  # B lies there, and the clock is two hours late


def rows(*entries: wire.Entry, clocked: Clocked | None = None) -> list[dict[str, Any]]:
    batch = Batch(STORED, {}, clocked or Clocked())
    for number, entry in enumerate(entries):
        stream = "waves" if isinstance(entry, wire.Waved) else "in"
        batch.take(Taken(UNIT, stream, f"{number}-0", wire.encode(entry), b"", entry))
    return named("measurement", (row for rows in batch.values for row in rows.plain(STORED)))


def whose(*entries: wire.Entry) -> list[str | None]:
    return [row["patient_id"] for row in rows(*entries)]


def test_no_value_of_a_late_clock_is_filed_under_the_patient_before() -> None:
    values = [value(LATER + n, 2 * HOUR) for n in range(60)]
    found = rows(*CHANGED, *values)
    assert A not in [row["patient_id"] for row in found]
    assert [row["patient_id"] for row in found[30:]] == [B] * 30
    last, sent = found[-1], values[-1].received_at
    assert from_datetime(last["determined_at"]) == sent  # where trends and exports look for it
    assert from_datetime(last["device_time"]) == sent - 2 * HOUR * SECOND
    assert last["remark"] == SET_RIGHT
    first = found[0]  # before anybody can know the clock: kept for a person, never a guess
    assert (first["patient_id"], first["remark"]) == (None, DOUBTED)
    assert from_datetime(first["determined_at"]) == from_datetime(first["device_time"])


def test_a_clock_that_is_known_to_be_wrong_holds_from_the_first_value_of_the_next_patient() -> None:
    before = [value(n, 2 * HOUR) for n in range(100, 140)]
    after = [value(LATER + n, 2 * HOUR) for n in range(3)]
    assert whose(CHANGED[0], *before, *CHANGED[1:], *after)[-3:] == [B] * 3


def test_the_board_and_the_archive_give_a_value_the_same_moment() -> None:
    values = [value(LATER + n, 2 * HOUR) for n in range(60)]
    unit = IcuUnit(UNIT, "h1")
    unit.decide([Stamped(told.received_at, told) for told in CHANGED])
    for one in values:
        unit.decide([Stamped(one.received_at, one)])
    shown = unit.state.beds[BED].values[PULSE]
    assert shown.at == from_datetime(rows(*CHANGED, *values)[-1]["determined_at"])


def test_what_a_line_held_back_is_the_patients_before_where_the_clock_is_known_to_be_right() -> (
    None
):
    right = [value(n, 1) for n in range(100, 105)]
    held = [value(LATER + n / 100, 2 * HOUR - n, says_now=True) for n in range(50)]
    assert whose(CHANGED[0], *right, *CHANGED[1:], *held)[-50:] == [A] * 50


def test_stored_values_that_do_not_say_now_are_filed_by_their_own_time() -> None:
    assert whose(*CHANGED, value(LATER, 2 * HOUR, says_now=False)) == [A]


def test_a_value_that_names_its_patient_is_believed() -> None:
    assert whose(*CHANGED, value(LATER, 2 * HOUR, mrn="A")) == [A]
    assert whose(*CHANGED, value(LATER, 2 * HOUR, mrn="B")) == [None]


def test_a_clock_that_jumps_gives_nobody_elses_values_once_it_is_steady() -> None:
    right = [value(n, 1) for n in range(100, 105)]
    jumped = [value(LATER + n, 2 * HOUR) for n in range(60)]
    found = whose(CHANGED[0], *right, *CHANGED[1:], *jumped)[5:]
    assert found[5:30] == [None] * 25  # five seconds could be a line that held them back
    assert found[30:] == [B] * 30


def test_a_doubted_value_stays_nobodys_though_a_late_admission_files_that_time_anew() -> None:
    one, late = value(LATER, 2 * HOUR), adt("A01", "C", 60)
    stamped = [Stamped(told.received_at, told) for told in CHANGED]
    stamped += [Stamped(one.received_at, one)]
    stamped += [Stamped(at(LATER + 60), wire.replaced(late, received_at=at(LATER + 60)))]
    (row,) = filed(UNIT, stamped)
    assert row.patient == ""


def test_curves_follow_the_clock_of_their_values() -> None:
    batch = Batch(STORED, {})
    entries: list[wire.Entry] = [*CHANGED, *(value(LATER + n, 2 * HOUR) for n in range(40))]
    for number, entry in enumerate([*entries, curve(LATER + 40, 2 * HOUR)]):
        stream = "waves" if isinstance(entry, wire.Waved) else "in"
        batch.take(Taken(UNIT, stream, f"{number}-0", wire.encode(entry), b"", entry))
    (row,) = named("waveform", (row for one in batch.waves for row in one.plain()))
    assert (row["patient_id"], from_datetime(row["started_at"])) == (B, at(LATER + 40))


def test_a_batch_that_is_taken_again_says_the_same() -> None:
    values = [value(LATER + n, 2 * HOUR) for n in range(60)]
    clocked = Clocked()
    rows(*CHANGED, *values[:40], clocked=clocked)
    known = clocked.fresh
    again = [rows(*CHANGED, *values[40:], clocked=Clocked(known)) for _ in range(2)]
    assert [r["determined_at"] for r in again[0]] == [r["determined_at"] for r in again[1]]
    assert all(row["patient_id"] == B for row in again[0])


def test_a_reader_that_starts_again_goes_on_with_the_clock_that_was_known() -> None:
    """Only what holds anew is remembered: by that alone the next value has its right moment."""
    clocked = Clocked()
    rows(*CHANGED, *(value(LATER + n, 2 * HOUR) for n in range(60)), clocked=clocked)
    (remembered,) = clocked.learned.items()
    (_, bed, sender), clock = remembered
    later: list[wire.Entry] = [*CHANGED, value(LATER + HOUR, 2 * HOUR + 1)]
    (row,) = rows(*later, clocked=Clocked({bed: {sender: clock}}))
    assert (row["patient_id"], row["remark"]) == (B, SET_RIGHT)


@given(jitter=st.lists(st.floats(-0.9, 0.9), min_size=60, max_size=60))
def test_the_correction_stays_the_same_while_the_line_is_now_better_now_worse(
    jitter: list[float],
) -> None:
    """A message that is sent again under a new id gives the same moment: one value, not two."""
    clocked = Clocked()
    shifts = {clocked.of(UNIT, value(n, HOUR + jitter[n])).usual.trusted for n in range(60)} - {0}
    assert len(shifts) <= 1


@pytest.mark.parametrize("late_s", [0, 20, -20])
def test_a_clock_that_is_nearly_right_is_left_as_it_is(late_s: float) -> None:
    found = rows(*CHANGED, *(value(LATER + n, late_s) for n in range(60)))
    assert {row["remark"] for row in found} == {""}
    assert [row["determined_at"] for row in found] == [row["device_time"] for row in found]


class ClockOfBefore(State):
    """As a snapshot of the version before holds it."""

    offset: int
    since: int
    last: int
    trusted: int = 0


def test_a_clock_in_a_snapshot_of_the_version_before_goes_on() -> None:
    before = wire.encode(ClockOfBefore(HOUR * SECOND, at(0), at(60), HOUR * SECOND))
    clock = wire.decoder(SenderClock)(before)
    known = {"mon monitor": clock}
    assert sender_clocks.heard(known, value(61, HOUR)).usual.trusted == HOUR * SECOND
    (now,) = known.values()
    again = wire.decoder(ClockOfBefore)(wire.encode(now))  # and back
    assert again.trusted == HOUR * SECOND
