"""A value as the server takes it: every column, to the last bit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import identity, wire
from hospital_ops.bindings import Binding
from hospital_ops.clock import SECOND, from_datetime
from streams.columns import COLUMNS
from streams.copying import PORTION
from streams.rows import CLAIMED, Batch, Taken
from streams.value_rows import ValueRows, packed
from tests.binary_copy import as_sent, read

NOW = datetime(2026, 11, 22, 12, 0, 1, 5, tzinfo=UTC)
NOON = from_datetime(datetime(2026, 11, 22, 12, tzinfo=UTC))
UNIT, BED = "h1-icu-1", "h1-icu-1-07"
WHO = str(uuid4())
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
some_values = st.builds(
    wire.Observation,
    code=st.sampled_from(["8867-4", "x" * 300]) | words,
    value=st.floats() | words | st.none(),
    unit=words,
    determined_at=st.none() | st.sampled_from([NOON, NOON + 1, -(10**15), 10**16]),
    validity=st.sampled_from(["Vld", "Qst", "Inv"]),
    channel=words,
    event_id=st.just("") | st.uuids().map(str),
    origin=st.sampled_from(["monitor", "typed"]),
    text=words,
    flag=words,
    reason=words,
)


def message(*values: wire.Observation, **change: Any) -> wire.Observed:
    """Values of a bed's monitor."""
    of: dict[str, Any] = {
        "unit": UNIT, "source": "device:m", "message_id": "7", "identity": b"i" * 32,
        "received_at": NOON + SECOND, "mode": "Real", "observations": values, "bed": BED,
        "device": "m", **change,
    }  # fmt: skip
    return wire.Observed(**of)


def value(number: float = 80.0, **change: Any) -> wire.Observation:
    """A heart rate."""
    return wire.Observation("8867-4", number, "/min", NOON, **change)


def taken(*messages: wire.Observed) -> Batch:
    """What the archive makes of messages; in the bed lies WHO, by the number 4711."""
    batch = Batch(NOW, {BED: (Binding(NOON - SECOND, WHO, "4711"),)})
    for number, one in enumerate(messages):
        batch.take(Taken(UNIT, "in", f"{number}-0", wire.encode(one), b"raw", one))
    return batch


async def whole(rows: list[ValueRows]) -> list[list[bytes | None]]:
    """The fields of all rows of a COPY."""
    return read(b"".join([part async for part in packed(rows, NOW)]))


@given(values=st.lists(some_values, max_size=4), mrn=st.sampled_from(["", "4711", "4712"]))
async def test_the_packed_row_says_what_the_plain_row_says(
    values: list[wire.Observation], mrn: str
) -> None:
    nowhere = message(*values, bed="", device="d" * 300)  # a place that is no name
    of_case = message(*values, bed="", case=str(uuid4()))
    rows = taken(message(*values, mrn=mrn), of_case, nowhere, nowhere).values
    patient = COLUMNS["measurement"].index("patient_id")
    plain = [list(row) for one in rows for row in one.plain(NOW)]
    for row in plain:
        row[patient] = uuid_bytes(row[patient])
    assert await whole(rows) == [[as_sent(column) for column in row] for row in plain]
    assert all(len(row) == len(COLUMNS["measurement"]) for row in plain)


def uuid_bytes(name: str | None) -> bytes | None:
    """As the server is sent it."""
    return bytes.fromhex(name.replace("-", "")) if name else None


async def test_every_column_of_a_value_says_what_its_name_promises() -> None:
    """Written out once, so that a column that is taken for its neighbour is seen."""
    one = wire.Observation(
        "8867-4", 81.5, "/min", NOON, "Qst", "1.1", "", "typed", "HF", "H", "moved"
    )
    (fields,) = await whole(taken(message(one, mrn="4712")).values)
    found = dict(zip(COLUMNS["measurement"], fields, strict=True))
    event = identity.event_ids(b"i" * 32, 1)[0]
    assert found == {
        name: as_sent(column)
        for name, column in {
            "hospital_id": "h1", "unit": UNIT, "place": BED, "patient_id": None, "device": "m",
            "source": "device:m", "source_message_id": "7", "event_id": event, "code": "8867-4",
            "channel": "1.1", "value": 81.5, "value_text": None, "physical_unit": "/min",
            "determined_at": datetime(2026, 11, 22, 12, tzinfo=UTC),
            "device_time": datetime(2026, 11, 22, 12, tzinfo=UTC),
            "received_at": datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC), "stored_at": NOW,
            "validity": "Qst", "mode": "Real", "origin": "typed",
            "remark": f"HF; H; moved; {CLAIMED}", "entry_id": "0-0", "named": "4712",
        }.items()
    }  # fmt: skip


async def test_many_messages_keep_their_order_and_each_its_own_id_and_patient() -> None:
    events = [str(uuid4()) for _ in range(2 * PORTION + 3)]
    batch = taken(*(message(value(n, event_id=event)) for n, event in enumerate(events)))
    fields = await whole(batch.values)
    found = [dict(zip(COLUMNS["measurement"], row, strict=True)) for row in fields]
    assert [row["entry_id"] for row in found] == [f"{n}-0".encode() for n in range(len(events))]
    assert [row["event_id"] for row in found] == [uuid_bytes(event) for event in events]
    assert {row["patient_id"] for row in found} == {uuid_bytes(WHO)}
    owners = [owner for one in batch.values for owner in one.owners]
    assert [batch.claims[owner].identity for owner in owners] == [uuid_bytes(e) for e in events]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
async def test_what_is_no_finite_number_is_kept_as_text(number: float) -> None:
    (fields,) = await whole(taken(message(value(number))).values)
    found = dict(zip(COLUMNS["measurement"], fields, strict=True))
    assert (found["value"], found["value_text"]) == (None, repr(number).encode())


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ([wire.Observation("8867-4", 80.0, "/min", 10**18)], {}),
        ([value()], {"received_at": -(10**18)}),
        ([value(reason="\ud800")], {}),
        ([value(10**400)], {}),
        ([value(event_id="no uuid")], {}),
    ],
)
async def test_a_value_that_no_row_can_hold_is_refused_and_not_bent(
    values: list[wire.Observation], change: dict[str, int]
) -> None:
    async def rows() -> None:
        batch = Batch(NOW, {})
        batch.take(Taken(UNIT, "in", "1-0", b"", b"raw", message(*values, **change)))
        await whole(batch.values)

    with pytest.raises((OverflowError, ValueError)):
        await rows()
