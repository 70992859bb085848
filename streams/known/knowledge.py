"""What is known when a batch of entries is taken.

Who lay where and under which numbers, whose clock is wrong, which results hold no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hospital_ops import bindings, wire
from hospital_ops.bindings import Binding, History, Numbers
from hospital_ops.sender_clocks import Clocks
from streams.overtaken import Words


@dataclass(slots=True)
class Known:
    """Of all shards that a reader carries; moved on when a batch is stored."""

    histories: dict[str, History] = field(default_factory=dict)  # by bed
    clocks: dict[str, Clocks] = field(default_factory=dict)  # by bed, then by sender
    words: dict[str, Words] = field(default_factory=dict)  # about results, by bed
    units: dict[str, str] = field(default_factory=dict)  # of the beds of `histories`
    numbers: dict[str, Numbers] = field(default_factory=dict)  # of one person, by hospital

    def update(self, other: Known) -> None:
        """Takes in what else is known."""
        self.histories.update(other.histories)
        self.clocks.update(other.clocks)
        self.words.update(other.words)
        self.units.update(other.units)
        self.numbers.update(other.numbers)

    def clear(self) -> None:
        """Forgets all: it is loaded anew."""
        self.histories.clear()
        self.clocks.clear()
        self.words.clear()
        self.units.clear()
        self.numbers.clear()


class Lain(NamedTuple):
    """A row of `binding`, with what its event said of the patient."""

    unit: str
    bed: str
    from_at: int
    patient_id: str  # empty: whoever is called `mrn` left
    mrn: str
    mode: str
    visit: str


class Linked(NamedTuple):
    """A row of `patient_link`: a number that became another one."""

    hospital: str
    mrn: str
    into_mrn: str


def lain(told: Iterable[Lain], links: Iterable[Linked]) -> Known:
    """Who has lain in the beds, and which numbers are one person's; both in the order of time."""
    known = Known()
    histories = known.histories
    for one in told:
        binding = (
            Binding(one.from_at, one.patient_id, one.mrn, mode=one.mode, visit=one.visit)
            if one.patient_id
            else Binding(one.from_at, left=one.mrn)
        )
        histories[one.bed] = bindings.bound(histories.get(one.bed, ()), binding)
        known.units[one.bed] = one.unit
    for hospital, mrn, into_mrn in links:
        event = wire.Merged("", "", 0, "", into_mrn, (mrn,), 0)
        known.numbers[hospital] = bindings.one_person(known.numbers.get(hospital, {}), event)
        for bed, history in histories.items():
            histories[bed] = bindings.merged(history, event, hospital)
    return known
