"""A bed of a test: what its devices send, second by second, and what the engine says to it."""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.board import AlarmCell, BedCell, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.deciding import Decisions, Stamped
from icu.unit import IcuUnit

UNIT = "h1-icu-1"
BED = f"{UNIT}-01"
START = 1_772_359_337 * SECOND


class Ward:
    """One unit, one clock; entries carry the moment at which they are given.

    `boards`: a board of the unit confirms each red at once.
    """

    def __init__(
        self, birth_date: str = "1960-01-01", admit: bool = True, boards: bool = True
    ) -> None:
        self.unit = IcuUnit(UNIT, "h1")
        self.boards = boards
        self.now = START
        self.told: list[wire.Alerted] = []
        self.urgent = False
        self.count = 0
        if admit:
            self.admission("A01", BED, "m1", birth_date)

    def give(self, entry: wire.Entry) -> Decisions:
        """One entry at this moment."""
        decisions = self.unit.decide([Stamped(self.now, entry)])
        self.told += [event for event in decisions.outputs if isinstance(event, wire.Alerted)]
        self.urgent |= decisions.urgent
        if self.boards and decisions.urgent:
            self.paint()
        return decisions

    def paint(self) -> None:
        """A board confirms all that rings."""
        beds = [self.cell(bed) for bed in self.unit.state.beds]
        ringing = tuple(alarm.id for cell in beds for alarm in cell.alarms)
        self.give(wire.Painted(UNIT, ringing, self.now))

    def wait(self, seconds: float) -> None:
        """Seconds without a message: only the unit's own ticks."""
        end = self.now + round(seconds * SECOND)
        while self.now < end:
            self.now = min(end, self.now + SECOND)
            self.give(wire.Tick(self.now))

    def send(self, seconds: int = 1, bed: str = BED, **values: Any) -> None:
        """The values by key of the table (`spo2=88`), each second, for so many seconds."""
        for _ in range(seconds):
            self.message(bed, values)
            self.wait(1)

    def message(self, bed: str, values: dict[str, Any], age_s: float = 0, **more: Any) -> Decisions:
        """One message with values that are `age_s` old; `more` goes into each observation."""
        self.count += 1
        source, device = more.pop("source", "loop"), more.pop("device", "mon")
        mrn, sent_at = more.pop("mrn", ""), more.pop("sent_at", None)
        given = {"determined_at": self.now - round(age_s * SECOND), **more}
        observations = tuple(
            wire.Observation(by_key[key].code, value, by_key[key].ucum, **given)
            for key, value in values.items()
        )
        identity = str(self.count).encode()
        return self.give(
            wire.Observed(
                UNIT, source, identity.decode(), identity, self.now, "Test", observations,
                bed=bed, device=device, mrn=mrn, sent_at=sent_at,
            )
        )  # fmt: skip

    def admission(
        self, trigger: str, bed: str, mrn: str, birth_date: str = "", prior_bed: str = ""
    ) -> None:
        """An ADT event of this moment."""
        self.count += 1
        patient = wire.PatientFacts(mrn, "Family", "Given", "F", birth_date)
        self.give(
            wire.Admission(
                UNIT, "adt", str(self.count), b"", self.now, "Test", trigger, patient, self.now,
                bed=bed, prior_bed=prior_bed,
            )
        )  # fmt: skip

    def act(self, act: str, alarm: str, seconds: int = 0, by: str = "nurse", seen: int = 0) -> None:
        """Somebody acknowledges or pauses; `seen`: the burst that was on their screen."""
        self.give(
            wire.AlarmAct(
                UNIT,
                BED,
                alarm,
                act,
                self.now,
                by,
                "nurse",
                "web",
                self.now,
                "Test",
                seconds,
                seen=seen,
            )
        )

    def bed_act(self, act: str, by: str = "nurse", bed: str = BED, **more: Any) -> None:
        """Somebody decides something for the whole bed."""
        given = (UNIT, bed, act, self.now, by, "nurse", "web", self.now, "Test")
        self.give(wire.BedAct(*given, **more))

    def device_alert(self, phase: str = "start", **more: Any) -> None:
        """A PCD-04 message of the monitor at the bed."""
        self.count += 1
        received_at = more.pop("received_at", self.now)
        given: dict[str, Any] = {
            "alert": "A1", "event": "196670", "name": "MDC_EVT_LO", "text": "Low SpO2",
            "state": "inactive" if phase == "end" else "active", "priority": "PM", "kind": "SP",
            "about": by_key["spo2"].code, "value": 86.0, "value_unit": "%", "at": self.now,
            "bed": BED, "device": "mon",
        }  # fmt: skip
        self.give(
            wire.DeviceAlert(
                UNIT, "loop", str(self.count), b"", received_at, "Test",
                phase=phase, **{**given, **more},
            )
        )  # fmt: skip

    def restart(self) -> None:
        """The owner is gone; a successor loads the snapshot."""
        self.unit = IcuUnit(UNIT, "h1", self.unit.dump())

    def cell(self, bed: str = BED) -> BedCell:
        """The bed as the board has it."""
        cell = self.unit.cell(bed)
        assert cell is not None
        return decode_bed(cell)

    def alarms(self, bed: str = BED) -> dict[str, AlarmCell]:
        """The alarms on the board, by rule (a rule that rings twice at once: `rule|code`)."""
        found: dict[str, AlarmCell] = {}
        for alarm in self.cell(bed).alarms:
            found[alarm.code if alarm.code not in found else f"{alarm.code}|{alarm.about}"] = alarm
        return found
