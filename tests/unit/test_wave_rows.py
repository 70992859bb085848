"""A piece of a curve as the server takes it: every column, to the last bit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import from_datetime
from streams.columns import COLUMNS
from streams.copying import PORTION
from streams.wave_rows import WaveRows, packed
from tests.binary_copy import as_sent, read

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


async def whole(rows: list[WaveRows]) -> bytes:
    """All portions of a COPY."""
    return b"".join([part async for part in packed(rows)])


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
    whose = COLUMNS["waveform"].index("patient_id")
    assert fields[whose] == (patient.bytes if patient else None)
    del fields[whose], plain[whose]
    assert fields == [as_sent(value) for value in plain]
    assert len(fields) + 1 == len(COLUMNS["waveform"])


async def test_many_pieces_of_several_curves_keep_their_order() -> None:
    rows = [
        WaveRows("h1-icu-1", f"{n}-0", piece, (piece,), None)
        for n in range(2 * PORTION + 3)
        for piece in [wave(code=("I", "II", "PLETH")[n % 3], sequence=n)]
    ]
    fields = read(await whole(rows))
    found = [dict(zip(COLUMNS["waveform"], row, strict=True)) for row in fields]
    assert [row["entry_id"] for row in found] == [f"{n}-0".encode() for n in range(len(rows))]
    assert [row["code"] for row in found[:4]] == [b"I", b"II", b"PLETH", b"I"]


@pytest.mark.parametrize(
    "change", [{"started_at": 10**18}, {"received_at": -(10**18)}, {"sequence": 2**63}]
)
async def test_a_piece_that_no_row_can_hold_is_refused_and_not_bent(
    change: dict[str, int],
) -> None:
    with pytest.raises(OverflowError):
        await whole([WaveRows("h1-icu-1", "1-0", wave(**change), (wave(**change),), None)])
