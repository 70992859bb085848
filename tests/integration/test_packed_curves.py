"""Curves that were packed are read as they were, by piece and by column, within the same scope."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from hospital_ops import wire
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.curves import store as curves
from hospital_ops.curves.columns import columns
from hospital_ops.database import Connection, Database
from hospital_ops.ecg.files import edf, wfdb
from hospital_ops.servers.valkey import Valkey
from streams.pipe import Pipe
from streams.shard import keys
from tests.integration.streams_help import BED, UNIT, carry
from tests.integration.web_help import web_process
from web.store import waveforms

NOW = SystemClock().now_us() // (600 * SECOND) * 600 * SECOND - 3600 * SECOND
NURSE = Scope("h1", ("*",), "nurse", "nurse.h1")
ECG = "131330"


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


def piece(second: int, *steps: int, bed: str = BED) -> wire.Waved:
    """Half a second of an ECG; the rest of it is what `steps` ends with."""
    samples = [*steps, *[steps[-1]] * (125 - len(steps))]
    return wire.Waved(
        unit=UNIT, source="loopback", message_id=f"{second}", identity=f"{second} {bed}".encode(),
        received_at=NOW + second * SECOND, mode="Test", code=ECG, channel="", rate_hz=250.0,
        started_at=NOW + second * SECOND, scale=0.005, offset=0.0, physical_unit="mV",
        samples=struct.pack("<125h", *samples), bed=bed, device="monitor", sequence=second,
    )  # fmt: skip


async def read(app: Database, by: Scope = NURSE) -> list[bytes]:
    return [one async for one in waveforms(app, by, BED, None, None, None, binary=True)]


@pytest.mark.usefixtures("two_hospitals")
async def test_what_was_packed_is_read_as_before_beside_what_is_not_packed_yet(
    pipe: Pipe, writer: Database, owner: Database, app: Database, superuser: Connection
) -> None:
    sent = [piece(0, 1, 200, -100), piece(1, 7), piece(599, 9), piece(700, 3), piece(1300, 4)]
    elsewhere = piece(0, 5, bed="11111111-2222-3333-4444-555555555555")  # an ECG of a case
    await carry(pipe, writer, superuser, *sent, elsewhere)
    before = await read(app)
    assert len(before) == len(sent)
    limit = NOW + 1200 * SECOND
    assert [await curves.pack_oldest(owner, BED, limit) for _ in range(3)] == [3, 1, 0]
    assert await superuser.fetchval("select count(*) from wave_block") == 2
    assert await superuser.fetchval("select count(*) from waveform") == 2
    assert await read(app) == before
    window = [
        one
        async for one in waveforms(
            app, NURSE, BED, ECG, NOW + SECOND, NOW + 600 * SECOND, binary=True
        )
    ]
    assert window == before[1:3]
    assert await read(app, Scope("h2", ("*",), "nurse", "nurse.h2")) == []
    (found,) = await columns(app, NURSE, BED, ECG, NOW, NOW + 1400 * SECOND, 14)
    assert (found["unit"], found["low"][0], found["high"][0]) == ("mV", -0.5, 1.0)
    assert found["low"][7] == 0.015  # packed in the second block
    assert found["low"][13] == 0.02  # not packed yet
    assert found["low"][10] is None


async def test_only_the_curves_of_beds_are_packed(owner: Database, two_hospitals: None) -> None:
    assert all(bed.startswith(("h1-", "h2-")) for bed in await curves.beds(owner))


@pytest.mark.usefixtures("two_hospitals")
async def test_packed_and_loose_curves_leave_as_files_with_an_audit_row_and_for_no_stranger(
    pipe: Pipe, fresh_valkey: Valkey, writer: Database, owner: Database, app: Database,
    superuser: Connection, tmp_path: Path,
) -> None:  # fmt: skip
    await carry(pipe, writer, superuser, piece(0, 1, 200, -100), piece(1, 7), piece(650, 3))
    await curves.pack_oldest(owner, BED, NOW + 600 * SECOND)
    span = {"from": iso(NOW), "to": iso(NOW + 660 * SECOND)}
    async with (
        web_process(fresh_valkey.url, app) as running,
        running.client() as client,
    ):
        path = f"{running.address}/api/v1/icu/beds/{BED}/waveforms/export"

        async def asked(who: str, **more: str) -> httpx2.Response:
            return await client.get(path, params=span | more, headers=running.bearer(who))

        got = await asked("h1-nurse", format="wfdb")
        assert got.status_code == 200, got.text
        with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
            archive.extractall(tmp_path)
            (header,) = [name for name in archive.namelist() if name.endswith(".hea")]
        (lead,) = wfdb.read_record(tmp_path / header).signals
        assert np.allclose(lead.values[:3], [0.005, 1.0, -0.5])
        assert np.allclose(lead.values[[250, 650 * 250]], [0.035, 0.015])
        assert np.isnan(lead.values[125:250]).all()
        got = await asked("h1-nurse", format="edf")
        assert edf.read(got.content).leads["II"][1] == pytest.approx(1.0, abs=0.005)
        assert (await asked("h2-nurse", format="edf")).status_code == 404
        long = await asked("h1-nurse", format="edf", to=iso(NOW + 7201 * SECOND))
        assert (long.status_code, "two hours" in long.text) == (400, True)
    rows = await pipe.call("XRANGE", keys(UNIT).incoming, "-", "+")
    entries = [wire.decode(fields[1]) for _, fields in rows]
    noted = [e for e in entries if isinstance(e, wire.Audited) and e.action == "export_waveforms"]
    assert [(entry.subject, entry.detail.split()[0]) for entry in noted] == [
        (BED, "wfdb"), (BED, "edf"),
    ]  # fmt: skip
