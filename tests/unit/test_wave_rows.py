"""A piece of a curve as the server takes it: every column, to the last bit."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import from_datetime
from streams.columns import COLUMNS
from streams.wave_rows import HEADER, PORTION, TRAILER, WaveRows, packed

NOON = from_datetime(datetime(2026, 11, 21, 12, tzinfo=UTC))


def wave(**change: Any) -> wire.Waved:
    """Half a second of lead II."""
    given_: dict[str, Any] = {
        "unit": "h1-icu-1", "source": "device:m", "message_id": "7", "identity": b"",
        "received_at": NOON + 500_000, "mode": "Real", "code": "131330", "channel": "",
        "started_at": NOON, "rate_hz": 250.0, "scale": 0.005, "offset": 0.0,
        "physical_unit": "mV", "samples": b"\x01\x02" * 5, "bed": "h1-icu-1-07", "device": "m",
        "sequence": 7, **change,
    }  # fmt: skip
    return wire.Waved(**given_)


def read(data: bytes) -> list[list[bytes | None]]:
    """The fields of each row, as PostgreSQL's documents say that a binary COPY is written."""
    assert data.startswith(HEADER)
    assert data.endswith(TRAILER)
    rows, at = [], len(HEADER)
    while (count := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row.append(None if length < 0 else data[at : at + length])
            at += max(length, 0)
        rows.append(row)
    assert at == len(data) - 2
    return rows


async def whole(rows: list[WaveRows]) -> bytes:
    """All portions of a COPY."""
    return b"".join([part async for part in packed(rows)])


def as_sent(value: Any) -> bytes | None:
    """One value of a plain row as the server's type is sent."""
    match value:
        case None:
            return None
        case str():
            return value.encode()
        case bytes():
            return value
        case float():
            return struct.pack(">d", value)
        case int():
            return struct.pack(">q", value)
        case datetime():
            since = value - datetime(2000, 1, 1, tzinfo=UTC)
            return struct.pack(">q", since.days * 86_400_000_000 + since.seconds * 1_000_000
                               + since.microseconds)  # fmt: skip
    raise AssertionError(value)


@given(
    patient=st.none() | st.uuids(),
    started_at=st.integers(-(10**15), 10**16),
    samples=st.binary(max_size=40),
    number=st.integers(-(2**63), 2**63 - 1),
    scale=st.floats(allow_nan=False),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
async def test_the_packed_row_says_what_the_plain_row_says(
    patient: UUID | None, started_at: int, samples: bytes, number: int, scale: float, text: str
) -> None:
    piece = wave(
        started_at=started_at, samples=samples, sequence=number, scale=scale, code=text,
        physical_unit=text, bed="", case=str(uuid4()),
    )  # fmt: skip
    row = WaveRows("h1-icu-1", "1-0", piece, (piece,), str(patient) if patient else None)
    (fields,) = read(await whole([row]))
    (plain,) = map(list, row.plain())
    assert fields[3] == (patient.bytes if patient else None)
    del fields[3], plain[3]
    assert fields == [as_sent(value) for value in plain]
    assert len(fields) + 1 == len(COLUMNS["waveform"])


async def test_many_pieces_of_several_curves_keep_their_order() -> None:
    rows = [
        WaveRows("h1-icu-1", f"{n}-0", piece, (piece,), None)
        for n in range(2 * PORTION + 3)
        for piece in [wave(code=("I", "II", "PLETH")[n % 3], sequence=n)]
    ]
    found = read(await whole(rows))
    assert [fields[16] for fields in found] == [f"{n}-0".encode() for n in range(len(rows))]
    assert [fields[5] for fields in found[:4]] == [b"I", b"II", b"PLETH", b"I"]


@pytest.mark.parametrize(
    "change", [{"started_at": 10**18}, {"received_at": -(10**18)}, {"sequence": 2**63}]
)
async def test_a_piece_that_no_row_can_hold_is_refused_and_not_bent(
    change: dict[str, int],
) -> None:
    with pytest.raises(OverflowError):
        await whole([WaveRows("h1-icu-1", "1-0", wave(**change), (wave(**change),), None)])
