"""Two units of a house as their live readers are, and a patient who changes between them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hospital_ops import wire
from hospital_ops.board import AlarmCell, BedCell, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.deciding import Stamped
from hospital_ops.identity import patient_id
from icu.unit import IcuUnit

ONE, TWO = "h1-icu-1", "h1-icu-2"
BED_1, BED_2 = f"{ONE}-01", f"{TWO}-05"
BEDS = {ONE: BED_1, TWO: BED_2}
START = 1_772_359_337 * SECOND
MRN = "m1"
WHO = patient_id("h1", MRN)
MAP = by_key["abp_mean"]


class House:
    """Two units; what one has for the other waits on the way until it is delivered."""

    def __init__(self) -> None:
        self.units = {unit: IcuUnit(unit, "h1") for unit in BEDS}
        self.now, self.count = START, 0
        self.told: list[wire.Alerted] = []
        self.way: list[tuple[str, wire.Entry]] = []
        self.log: list[tuple[str, wire.Entry]] = []
        self.place = ONE
        self.give(ONE, self.admission(ONE, "A01", BED_1))

    def give(self, unit: str, entry: wire.Entry) -> None:
        """One entry at this moment."""
        self.log.append((unit, entry))
        decided = self.units[unit].decide([Stamped(self.now, entry)])
        self.told += [event for event in decided.outputs if isinstance(event, wire.Alerted)]
        self.way += decided.elsewhere

    def deliver(self, twice: bool = False) -> None:
        """What is on its way arrives, in order; twice where its sender was killed in between."""
        while self.way:
            unit, entry = self.way.pop(0)
            self.give(unit, entry)
            if twice:
                self.give(unit, entry)

    def admission(
        self, unit: str, trigger: str, bed: str, prior: str = "", to: tuple[str, str] = ("", "")
    ) -> wire.Admission:
        """An ADT event of this moment."""
        self.count += 1
        person = wire.PatientFacts(MRN, "Family", "Given", "F", "1960-01-01")
        return wire.Admission(
            unit, "adt", str(self.count), str(self.count).encode(), self.now, "Test", trigger,
            person, self.now, bed=bed, prior_bed=prior, to_unit=to[0], to_bed=to[1],
        )  # fmt: skip

    def move(self, trigger: str = "A02", entered_first: bool = False, deliver: bool = True) -> None:
        """To the other unit: both units are told, in either order."""
        left, goal = self.place, TWO if self.place == ONE else ONE
        self.now += SECOND
        told = [
            (left, self.admission(left, trigger, "", BEDS[left], (goal, BEDS[goal]))),
            (
                goal,
                wire.replaced(self.admission(goal, trigger, BEDS[goal]), from_unit=left),
            ),
        ]
        for unit, entry in reversed(told) if entered_first else told:
            self.give(unit, entry)
        self.place = goal
        if deliver:
            self.deliver()

    def values(self, seconds: int = 8, **values: Any) -> None:
        """What the monitor at the patient's bed sends, each second."""
        unit, bed = self.place, BEDS[self.place]
        for _ in range(seconds):
            self.count += 1
            rows = tuple(
                wire.Observation(by_key[k].code, v, by_key[k].ucum, determined_at=self.now)
                for k, v in values.items()
            )
            key = str(self.count).encode()
            self.give(
                unit,
                wire.Observed(
                    unit, "loop", key.decode(), key, self.now, "Test", rows, bed=bed, device="mon"
                ),
            )
            self.now += SECOND
            self.give(unit, wire.Tick(self.now))

    def typed(self, key: str, value: float | str) -> None:
        """Somebody enters a value at the bed."""
        self.count += 1
        row = wire.Observation(
            by_key[key].code, value, by_key[key].ucum, determined_at=self.now, origin="typed"
        )
        name = str(self.count).encode()
        unit, bed = self.place, BEDS[self.place]
        self.give(
            unit,
            wire.Observed(
                unit, "nurse", name.decode(), name, self.now, "Test", (row,), bed=bed,
                device=wire.CHART,
            ),
        )  # fmt: skip

    def order(self, order: str, version: int = 1, unit: str = "", **more: Any) -> None:
        """An order as it stands after an act."""
        unit = unit or self.place
        entry = wire.OrderChanged(
            unit, order, version, BEDS[unit], WHO, "medication", "Norepinephrine", "active",
            "requested", self.now - 60 * SECOND, "doctor", self.now, "Test",
        )  # fmt: skip
        self.give(unit, wire.replaced(entry, **more))

    def limit(self, number: float, version: int = 1) -> None:
        """The patient's own lower limit of the mean pressure, stricter than the table's."""
        self.give(
            self.place,
            wire.LimitSet(
                self.place, "map_low", MAP.code, "", version, number, None, "doctor", self.now, WHO
            ),
        )

    def agree(self, *agreed: str, limits: tuple[str, ...] = ()) -> None:
        """What two people have agreed on holds from now on."""
        self.now += SECOND
        self.give(
            self.place,
            wire.CareAgreed(self.place, WHO, agreed, "doctor", self.now, "Test", limits=limits),
        )

    def flag(self, version: int, *isolation: str, allergy: bool = False, unit: str = "") -> None:
        """What everybody at the patient's bed has to know, as a unit is told."""
        self.now += SECOND
        unit = unit or self.place
        self.give(
            unit,
            wire.Flagged(unit, WHO, version, isolation, allergy, "nurse", self.now, "Test"),
        )

    def act(self, act: str, alarm: str, unit: str = "") -> None:
        """Somebody acknowledges or pauses."""
        unit = unit or self.place
        self.give(
            unit,
            wire.AlarmAct(
                unit, BEDS[unit], alarm, act, self.now, "nurse", "nurse", "web", self.now, "Test"
            ),
        )

    def cell(self, unit: str = "") -> BedCell:
        """The bed of a unit as its board has it."""
        unit = unit or self.place
        cell = self.units[unit].cell(BEDS[unit])
        assert cell is not None
        return decode_bed(cell)

    def alarms(self, unit: str = "") -> dict[str, AlarmCell]:
        """The alarms of the bed by rule."""
        return {alarm.code: alarm for alarm in self.cell(unit).alarms}

    def everything(self) -> dict[str, Counter[Any]]:
        """What the house holds of the patient, wherever it lies: nothing twice, nothing lost."""
        states = [unit.state for unit in self.units.values()]
        beds = [bed for state in states for bed in state.beds.values()]
        return {
            "orders": Counter(o.order for bed in beds for o in bed.orders.values()),
            "alarms": Counter(a.id for bed in beds for a in bed.alarms.values() if not a.technical),
            "urine": Counter(r.at for bed in beds for r in bed.record.spots.get("urine", ())),
        }
