""" "Check patient" over scripted moves with the truth of every sample: missed, false, wrong rows.

`pytest -s` prints the table per 100 moves; HOSPITAL_OPS_LONG plays many more.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from hospital_ops import identity, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from tests import filing
from tests import recorded_moves as recorded

UNIT, ONE, TWO = "h1-icu-1", "h1-icu-1-01", "h1-icu-1-02"
START: Final = 1_790_000_000 * SECOND
LONG: Final = bool(os.environ.get("HOSPITAL_OPS_LONG"))
OF_EACH: Final = 100 if LONG else 8
OF_RECORDED: Final = 400 if LONG else 30  # moves that only signals tell
CODES: Final = ("8867-4", "59408-5", "9279-1")
MEAN: Final = "8478-0"
UNITS: Final = {"8867-4": "/min", "59408-5": "%", "9279-1": "/min", MEAN: "mm[Hg]"}
CHECKS: Final = {"check_patient", "displaced", "patient_not_confirmed"}


@dataclass
class Move:
    """One scripted move: what is sent, in order, and whose each sample is in truth."""

    chance: random.Random
    entries: list[Stamped] = field(default_factory=list)
    truth: dict[tuple[str, int], str] = field(default_factory=dict)  # device, time: patient
    second: int = 0
    usual: float = 80.0
    mean: float | None = None  # mean pressure, where there is a line

    def wait(self, seconds: int) -> None:
        """Time in which nothing is sent."""
        self.second += seconds

    @property
    def now(self) -> int:
        return START + self.second * SECOND

    def give(self, entry: wire.Entry) -> None:
        self.entries.append(Stamped(self.now, entry))

    def stay(self, mrn: str, trigger: str, bed: str, prior: str = "", ago: int = 0) -> None:
        """An ADT event, told `ago` seconds after it was."""
        name = f"{trigger} {mrn} {bed} {self.second}"
        self.give(
            wire.Admission(
                unit=UNIT, source="adt", message_id=name, identity=name.encode(),
                received_at=self.now, mode="Real", trigger=trigger,
                patient=wire.PatientFacts(mrn=mrn, birth_date="1960-01-01"),
                event_at=self.now - ago * SECOND, bed=bed, prior_bed=prior,
            )
        )  # fmt: skip

    def send(
        self, bed: str, device: str, whose: str, seconds: int, claim: str = "", late: int = 0,
        every: int = 1,
    ) -> None:  # fmt: skip
        """A device sends once a second; `late`: its values are so many seconds old."""
        for _ in range(seconds // every):
            self.second += every
            at = self.now - late * SECOND
            self.truth[device, at] = identity.patient_id("h1", whose) if whose else ""
            values = [self.usual + self.chance.gauss(0, 1.5), 97.0, 16.0]
            codes = CODES if self.mean is None else (*CODES, MEAN)
            values += [] if self.mean is None else [self.mean]
            name = f"{device} {bed} {self.second} {at}"
            self.give(
                wire.Observed(
                    unit=UNIT, source=device, message_id=name, received_at=self.now, mode="Real",
                    identity=hashlib.sha256(name.encode()).digest(), bed=bed, device=device,
                    mrn=claim, observations=tuple(
                        wire.Observation(code, value, UNITS[code], at)
                        for code, value in zip(codes, values, strict=True)
                    ),
                )
            )  # fmt: skip

    def look(self, bed: str, shapes: dict[str, bytes], gap_s: int = 0) -> None:
        """What the analysis of the curves says of the beats at a bed."""
        self.give(wire.BeatShape(UNIT, bed, self.now, self.now, "Real", shapes, gap_s * SECOND))


def two_senders(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")
    for _ in range(4):
        move.send(ONE, "mon-1", "P", 1, "P")
        move.send(ONE, "mon-2", "Q", 1, "Q")


def one_patient_in_two_beds(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", move.chance.randint(3, 20))
    move.stay("P", "A01", TWO)
    move.send(ONE, "mon-1", "P", 5)


def discharged_and_still_sending(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5)
    move.stay("P", "A03", ONE)
    move.send(ONE, "mon-1", "", move.chance.randint(5, 20))


def a_monitor_of_somebody_else(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")
    move.wait(move.chance.randint(0, 60))
    move.send(ONE, "mon-2", "Q", 5, "Q")


def admitted_to_a_taken_bed(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")
    move.stay("Q", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")  # P has not left


def _after_a_break(move: Move, same: bool, curves: bool) -> None:
    """Recorded hearts and levels, which nothing was chosen on; nobody says anything."""
    before, after = recorded.level_pair("eicu_demo_hourly.csv.gz", move.chance, same)
    pairs = recorded.gaps if same else recorded.moves
    *known, last = next(pairs(recorded.hearts(recorded.TESTED), move.chance, 1))
    move.stay("P", "A01", ONE)
    move.usual, move.mean = before.hr, before.mean
    for shapes in known:
        move.send(ONE, "mon-1", "P", 60, every=10)
        if curves:
            move.look(ONE, shapes)
    move.send(ONE, "mon-1", "P", 120, every=10)
    break_s = move.chance.randint(30, 600)
    move.wait(break_s)
    move.usual, move.mean = after.hr, after.mean
    move.send(ONE, "mon-1", "P" if same else "Q", 30, every=10)
    if curves:
        move.look(ONE, last, break_s)
    move.send(ONE, "mon-1", "P" if same else "Q", 210, every=10)


def carried_without_a_word(move: Move) -> None:
    """Nobody says anything, and the monitor names nobody: only the signals could tell."""
    _after_a_break(move, same=False, curves=True)


def carried_without_a_word_or_curves(move: Move) -> None:
    """As above, from a monitor that sends no ECG."""
    _after_a_break(move, same=False, curves=False)


def electrodes_changed(move: Move) -> None:
    _after_a_break(move, same=True, curves=True)


def cable_of_a_monitor_without_curves_off(move: Move) -> None:
    _after_a_break(move, same=True, curves=False)


def moved_as_it_should_be(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5)
    # A value of the very second of the move would be nobody's, and its bed would ask: not this one.
    move.wait(move.chance.randint(1, 30))
    move.stay("P", "A02", TWO, ONE)
    move.send(TWO, "mon-1", "P", 5)


def two_change_beds(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.stay("Q", "A01", TWO)
    move.send(ONE, "mon-1", "P", 3, "P")
    move.send(TWO, "mon-2", "Q", 3, "Q")
    move.stay("P", "A02", TWO, ONE)
    move.stay("Q", "A02", ONE, TWO)
    move.wait(move.chance.randint(16, 60))  # nobody carries a monitor faster
    move.send(TWO, "mon-1", "P", 3, "P")
    move.send(ONE, "mon-2", "Q", 3, "Q")


def cable_off_and_on(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 10)
    move.wait(move.chance.randint(20, 300))
    move.send(ONE, "mon-1", "P", 10)


def gets_worse(move: Move) -> None:
    move.stay("P", "A01", ONE)
    for _ in range(20):
        move.usual += 3
        move.send(ONE, "mon-1", "P", 1, "P")


def another_monitor(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5)
    move.wait(60)
    move.send(ONE, "mon-2", "P", 5)


def late_after_the_discharge(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5)
    move.wait(30)
    move.stay("P", "A03", ONE)
    move.wait(20)
    move.send(ONE, "mon-1", "P", 5, late=40)


def the_admission_is_told_again(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")
    move.stay("P", "A01", ONE, ago=move.chance.randint(0, 5))
    move.stay("P", "A08", ONE)
    move.send(ONE, "mon-1", "P", 5, "P")


def moved_and_told_late(move: Move) -> None:
    """The monitor goes along; the move is told some minutes later."""
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 10)
    move.wait(30)
    ago = move.second
    move.send(TWO, "mon-1", "P", move.chance.randint(20, 40))
    move.stay("P", "A02", TWO, ONE, ago=move.second - ago)
    move.send(TWO, "mon-1", "P", 5)


def the_next_patient_is_told_late(move: Move) -> None:
    """One leaves, another comes; both are told when the next one has been there for a while."""
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 10)
    left = move.second
    move.wait(60)
    came = move.second
    move.send(ONE, "mon-1", "Q", move.chance.randint(20, 40))
    move.stay("Q", "A01", ONE, ago=move.second - came)
    move.stay("P", "A03", ONE, ago=move.second - left)
    move.send(ONE, "mon-1", "Q", 5)


def a_discharge_taken_back(move: Move) -> None:
    move.stay("P", "A01", ONE)
    move.send(ONE, "mon-1", "P", 10)
    move.stay("P", "A03", ONE)
    move.send(ONE, "mon-1", "P", move.chance.randint(5, 20))
    move.stay("P", "A13", ONE)
    move.send(ONE, "mon-1", "P", 5)


def carried_and_told_after_the_check(move: Move) -> None:
    """Nobody said anything, then somebody looked and had the truth told with its time."""
    _after_a_break(move, same=False, curves=True)
    whose = identity.patient_id("h1", "P")
    came = min(at for (_, at), who in move.truth.items() if who not in ("", whose))
    ago = (move.now - came) // SECOND + 1
    move.stay("P", "A03", ONE, ago=ago)
    move.stay("Q", "A01", ONE, ago=ago)


HARMFUL: Final = (
    two_senders, one_patient_in_two_beds, discharged_and_still_sending,
    a_monitor_of_somebody_else, admitted_to_a_taken_bed,
)  # fmt: skip
HARMLESS: Final = (
    moved_as_it_should_be, two_change_beds, cable_off_and_on, gets_worse, another_monitor,
    late_after_the_discharge, the_admission_is_told_again,
)  # fmt: skip
# Told late: whether a board asks on the way is not counted, whose the rows are in the end is.
TOLD_LATE: Final = (
    moved_and_told_late, the_next_patient_is_told_late, a_discharge_taken_back,
    carried_and_told_after_the_check,
)  # fmt: skip
SILENT: Final = (carried_without_a_word, carried_without_a_word_or_curves)
BREAKS: Final = (electrodes_changed, cable_of_a_monitor_without_curves_off)


def asked(move: Move) -> bool:
    """Whether a board asked for a look at the end, or rang because of two senders."""
    unit = IcuUnit(UNIT, "h1")
    for entry in move.entries:
        unit.decide([entry])
    cells = [decode_bed(unit.cell(bed) or b"") for bed in unit.state.beds]
    rings = {alarm.code for cell in cells for alarm in cell.alarms}
    return any(CHECKS & set(cell.flags) for cell in cells) or "second_sender" in rings


def filed(move: Move) -> tuple[int, int, int]:
    """(rows, of the wrong patient, of nobody) as the archive files them in the end."""
    rows = filing.filed(UNIT, move.entries)
    wrong = sum(row.patient not in ("", move.truth[row.device, row.at]) for row in rows)
    return len(rows), wrong, sum(not row.patient for row in rows)


def played(kind: Callable[[Move], None]) -> list[Move]:
    moves = []
    for seed in range(OF_RECORDED if kind in (*SILENT, *BREAKS) else OF_EACH):
        move = Move(random.Random(f"{kind.__name__} {seed}"))
        kind(move)
        moves.append(move)
    return moves


def test_no_row_comes_to_the_wrong_patient_and_no_check_is_missed_or_false(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = []
    for kind in (*HARMFUL, *HARMLESS, *TOLD_LATE, *SILENT, *BREAKS):
        moves = played(kind)
        checks = sum(asked(move) for move in moves)
        rows, wrong, nobodys = (sum(each) for each in zip(*map(filed, moves), strict=True))
        table.append((kind, len(moves), checks, rows, wrong, nobodys))
    with capsys.disabled():
        print(f"\n{'a move':32} {'n':>4} {'checks':>6} {'rows':>6} {'wrong':>5} {'nobody':>6}")
        for kind, n, checks, rows, wrong, nobodys in table:
            print(f"{kind.__name__:32} {n:4} {checks:6} {rows:6} {wrong:5} {nobodys:6}")
        print(f"missed per 100 harmful moves that something tells: {_per_100(table, HARMFUL, 1)}")
        print(f"false per 100 harmless moves: {_per_100(table, HARMLESS, 0)}")
        for kind in SILENT:
            print(f"missed per 100, {kind.__name__}: {_per_100(table, (kind,), 1)}")
        for kind in BREAKS:
            print(f"false per 100, {kind.__name__}: {_per_100(table, (kind,), 0)}")
    # Signals tell one heart from another only now and then: bounds well outside what is measured.
    assert _per_100(table, SILENT[:1], 1) <= 60
    assert _per_100(table, SILENT[1:], 1) <= 85
    assert all(_per_100(table, (kind,), 0) <= 8 for kind in BREAKS)
    for kind, n, checks, _, wrong, _ in table:
        if kind in SILENT:
            continue  # until somebody has looked: see `carried_and_told_after_the_check`
        assert wrong == 0, kind.__name__
        if kind in (*TOLD_LATE, *BREAKS):
            continue
        assert checks == (n if kind in HARMFUL else 0), kind.__name__


def _per_100(table: list[Any], kinds: tuple[Any, ...], wanted: int) -> float:
    those = [row for row in table if row[0] in kinds]
    number = sum(row[1] for row in those)
    not_so = sum(row[1] - row[2] if wanted else row[2] for row in those)
    return round(float(100 * not_so / number), 1)
