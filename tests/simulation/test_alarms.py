"""A ward over a line that fails: the engine and an independent scorer find the same alarms."""

from __future__ import annotations

import os
import random

import pytest

from hospital_ops import wire
from hospital_ops.board import decode_bed
from hospital_ops.clinical.tables import table
from hospital_ops.deciding import Decisions, Stamped
from icu.rules import RULES
from icu.unit import IcuUnit
from tests.oracle.alarm_oracle import Arrival, Episode, score
from tests.simulation.faulty_ward import SECOND, START, Message, messages

UNIT = "h1-icu-1"
BORN = ("1960-01-01", "2018-02-01", "2024-06-01", "2025-09-01", "2026-02-20", "")
HOUR_S = 3600
LONG = bool(os.environ.get("HOSPITAL_OPS_LONG"))
UNITS = {row["loinc"]: row["ucum"] for row in table("codes")["rows"] if row["loinc"]}


def bed_id(bed: int) -> str:
    return f"{UNIT}-{bed + 1:02d}"


class Run:
    """The engine over the messages of a ward, second by second, with a restart now and then."""

    def __init__(self, seed: int, sent: list[Message], seconds: int) -> None:
        self.unit = IcuUnit(UNIT, "h1")
        self.chance = random.Random(seed + 1)
        self.told: list[tuple[int, wire.Alerted]] = []
        self.taken_on: dict[int, list[int]] = {bed: [] for bed in range(len(BORN))}
        self.ticks: list[int] = []
        self.admit()
        waiting = iter([*sent, None])
        message = next(waiting)
        for second in range(seconds + 30):
            tick = START + second * SECOND
            while message is not None and message.moment < tick:
                self.observe(message)
                message = next(waiting)
            self.ticks.append(tick)
            self.decide(tick, wire.Tick(tick))
            if self.chance.random() < 1 / 60:
                self.take_on(self.chance.randrange(len(BORN)), tick)
            if self.chance.random() < 1 / 200:
                self.unit = IcuUnit(UNIT, "h1", self.unit.dump())

    def decide(self, moment: int, entry: wire.Entry) -> Decisions:
        decisions = self.unit.decide([Stamped(moment, entry)])
        self.told += [(moment, e) for e in decisions.outputs if isinstance(e, wire.Alerted)]
        return decisions

    def admit(self) -> None:
        for bed, birth_date in enumerate(BORN):
            facts = wire.PatientFacts(f"m{bed}", "F", "G", "F", birth_date)
            self.decide(
                START,
                wire.Admission(
                    UNIT, "adt", f"a{bed}", b"", START, "Test", "A01", facts,
                    START - SECOND, bed_id(bed),
                ),
            )  # fmt: skip

    def observe(self, message: Message) -> None:
        observations = tuple(
            wire.Observation(code, value, UNITS[code], message.at, "Vld" if valid else "Inv")
            for code, value, valid in message.values
        )
        self.decide(
            message.moment,
            wire.Observed(
                UNIT, "loop", f"{message.bed}-{message.at}", b"", message.moment, "Test",
                observations, bed_id(message.bed), "mon",
            ),
        )  # fmt: skip

    def take_on(self, bed: int, moment: int) -> None:
        """Somebody acknowledges all that stands on a bed."""
        self.taken_on[bed].append(moment)
        cell = self.unit.cell(bed_id(bed))
        assert cell is not None
        for alarm in decode_bed(cell).alarms:
            act = wire.AlarmAct(
                UNIT, bed_id(bed), alarm.id, "acknowledge", moment, "nurse", "nurse", "web",
                moment, "Test",
            )  # fmt: skip
            self.decide(moment, act)

    def episodes(self) -> set[Episode]:
        """The limit alarms that the engine told of."""
        began: dict[str, wire.Alerted] = {}
        ended: dict[str, int] = {}
        for moment, event in self.told:
            if RULES[event.rule].kind == "technical" or event.state == "past":
                continue
            began.setdefault(event.alarm, event)
            if event.state == "inactive":
                ended[event.alarm] = moment
        return {
            Episode(e.rule, e.bed, e.about, e.priority, e.since, ended.get(alarm))
            for alarm, e in began.items()
        }


def expected(run: Run, sent: list[Message]) -> set[Episode]:
    """What the independent scorer finds in the same record."""
    found: set[Episode] = set()
    for bed, birth_date in enumerate(BORN):
        arrivals = [
            Arrival(message.moment, message.at, code, value, valid)
            for message in sent
            if message.bed == bed
            for code, value, valid in message.values
        ]
        found |= score(bed_id(bed), birth_date, arrivals, run.ticks, run.taken_on[bed])
    return found


@pytest.mark.parametrize("seed", range(24) if LONG else [7])
def test_an_hour_of_a_faulty_ward_has_exactly_the_alarms_of_the_independent_scorer(
    seed: int,
) -> None:
    sent = messages(seed, len(BORN), HOUR_S)
    run = Run(seed, sent, HOUR_S)
    engine, oracle = run.episodes(), expected(run, sent)
    assert not engine - oracle, f"seed {seed}: only the engine rang"
    assert not oracle - engine, f"seed {seed}: only the scorer rang"
    assert len(engine) > 100
    assert {e.rule for e in engine} >= {"spo2_desat", "map_low", "apnoea", "hr_high", "sbp_low"}
    assert {e.bed for e in engine} == {bed_id(bed) for bed in range(len(BORN))}


def test_what_rings_at_the_end_stands_on_the_board() -> None:
    sent = messages(11, len(BORN), 600)
    run = Run(11, sent, 600)
    told = {(e.bed, e.rule, e.code) for e in run.episodes() if e.end is None}
    shown = set()
    for name in run.unit.state.beds:
        cell = run.unit.cell(name)
        assert cell is not None
        shown |= {
            (name, alarm.code, alarm.about)
            for alarm in decode_bed(cell).alarms
            if RULES[alarm.code].kind != "technical"
        }
    assert shown == told
