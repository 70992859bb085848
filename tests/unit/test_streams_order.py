"""In whatever order and however often messages come, the same stands on the board."""

import hashlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import bindings, wire
from hospital_ops.bindings import Binding
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit

UNIT, BED = "h1-icu-1", "h1-icu-1-01"
START = 1_790_000_000 * SECOND
PULSE, SPO2 = "8867-4", "59408-5"


def value(moment: int, number: float, code: str = PULSE, mrn: str = "") -> wire.Observed:
    """A value that was determined at `moment` and received a second later."""
    name = f"{moment} {number} {code} {mrn}"
    return wire.Observed(
        unit=UNIT,
        source="loopback",
        message_id=name,
        identity=hashlib.sha256(name.encode()).digest(),
        received_at=moment + SECOND,
        mode="Test",
        observations=(wire.Observation(code=code, value=number, unit="", determined_at=moment),),
        bed=BED,
        device="monitor",
        mrn=mrn,
    )


def stay(moment: int, mrn: str, left: str = "left") -> wire.Admission:
    """Somebody lies in the bed from `moment`; an empty number: nobody, for `left` has gone."""
    return wire.Admission(
        unit=UNIT,
        source="loopback",
        message_id=f"{moment} {mrn}",
        identity=hashlib.sha256(f"{moment} {mrn}".encode()).digest(),
        received_at=moment,
        mode="Test",
        trigger="A01" if mrn else "A03",
        patient=wire.PatientFacts(mrn=mrn or left),
        event_at=moment,
        bed=BED,
    )


def moments(count: int) -> st.SearchStrategy[list[int]]:
    """Different moments within an hour."""
    return st.lists(
        st.integers(0, 3599).map(lambda s: START + s * SECOND), min_size=1, max_size=count,
        unique=True,
    )  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> list[wire.Entry]:
    """Values of two codes and stays, each at a moment of its own."""
    found: list[wire.Entry] = [
        value(moment, draw(st.integers(40, 160)) / 1.0, code)
        for code in (PULSE, SPO2)
        for moment in draw(moments(8))
    ]
    # Each stay is another's: a late word about an earlier stay of the same patient cannot bring
    # back values that were taken from the board as those of somebody else.
    people = draw(st.permutations(["A", "B", "C", ""]))
    lay = ""
    for moment, who in zip(sorted(draw(moments(4))), people, strict=False):
        found.append(stay(moment, who, lay or "left"))
        lay = who
    return found


def shown(entries: list[wire.Entry]) -> tuple[Any, ...]:
    """Who lies there and what is shown, after the entries; all were read in one hour later."""
    unit = IcuUnit(UNIT, "h1")
    unit.decide([Stamped(START + 7200 * SECOND + n, entry) for n, entry in enumerate(entries)])
    encoded = unit.cell(BED)
    if encoded is None:
        return ()
    cell = decode_bed(encoded)
    patient = cell.patient.patient_id if cell.patient else ""
    return patient, {name: (v.value, v.at, v.validity) for name, v in cell.values.items()}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), entries=messages())
def test_any_order_and_any_repeats_give_the_same_board(
    data: st.DataObject, entries: list[wire.Entry]
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(entries), max_size=10))
    mixed = data.draw(st.permutations([*entries, *repeats]))
    assert shown(list(mixed)) == shown(entries)


@settings(max_examples=60, deadline=None)
@given(entries=messages())
def test_the_board_shows_the_newest_value_of_the_one_who_lies_there(
    entries: list[wire.Entry],
) -> None:
    stays = sorted(
        (entry.event_at, entry.patient.mrn if entry.trigger == "A01" else "")
        for entry in entries
        if isinstance(entry, wire.Admission)
    )
    # A bed of which nothing else is known than that it was left has always been nobody's.
    since = 0 if len(stays) == 1 and not stays[0][1] else stays[-1][0]
    wanted: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, wire.Observed):
            observation = entry.observations[0]
            at = observation.determined_at or 0
            if at >= since:
                wanted[observation.code] = max(wanted.get(observation.code, 0), at)
    _, values = shown(entries)
    assert {name: at for name, (_, at, _) in values.items()} == wanted


@given(data=st.data(), stays=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=9))
def test_a_binding_history_does_not_depend_on_order_or_repeats(
    data: st.DataObject, stays: list[tuple[int, int]]
) -> None:
    made = {begin: Binding(begin, str(who or "")) for begin, who in stays}  # one a moment
    wanted = tuple(made[begin] for begin in sorted(made))
    repeats = st.lists(st.sampled_from(list(made.values())), max_size=5) if made else st.just([])
    several = [*made.values(), *data.draw(repeats)]
    history: bindings.History = ()
    for binding in data.draw(st.permutations(several)):
        history = bindings.bound(history, binding)
    assert history == wanted
    for moment in range(-1, 52):
        then = [b for b in wanted if b.from_at <= moment]
        assert bindings.at(history, moment) == (then[-1] if then else None)


@given(
    moment=st.integers(-10, 60),
    claimed=st.sampled_from(["", "A", "B"]),
    stays=st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["A", "B", ""])), max_size=5),
)
def test_a_value_is_never_given_to_a_patient_it_does_not_name(
    moment: int, claimed: str, stays: list[tuple[int, str]]
) -> None:
    history: bindings.History = ()
    for begin, mrn in stays:
        history = bindings.bound(history, Binding(begin, mrn and f"id of {mrn}", mrn))
    found = bindings.whose(history, moment, claimed)
    binding = bindings.at(history, moment)
    if found.patient_id:
        assert binding is not None
        assert found.patient_id == binding.patient_id
        assert claimed in ("", binding.mrn)
    if found.claimed_other:
        assert claimed
        assert not found.patient_id
