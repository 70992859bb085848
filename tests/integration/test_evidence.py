"""The evidence of an alarm: kept once with ten seconds of all curves, read by those who may."""

from __future__ import annotations

from hospital_ops import wire
from hospital_ops.clock import SECOND, ManualClock, SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.evidence.store import EvidenceKeeper
from tests.integration.streams_help import storing, until
from tests.integration.test_alarm_acts import ward
from tests.integration.web_help import BED, UNIT, Running

PIECE_US = SECOND // 2
ECG_II, PLETH = "131330", "150452"


def piece(code: str, started_at: int, level: int) -> wire.Waved:
    rate = 250.0 if code == ECG_II else 125.0
    samples = level.to_bytes(2, "little", signed=True) * round(rate / 2)
    return wire.Waved(
        UNIT, "device:m", str(started_at), b"", started_at + PIECE_US, "Test", code, "",
        started_at, rate, 0.005, 0.0, "mV" if code == ECG_II else "1", samples, bed=BED,
    )  # fmt: skip


async def play(running: Running, begin: int, end: int) -> None:
    """Two curves of the bed over this time, with the number of the half second as level."""
    for number, at in enumerate(range(begin, end, PIECE_US)):
        for code in (ECG_II, PLETH):
            await running.web.appender.append(UNIT, piece(code, at, number), stream="waves")


async def test_the_strip_of_an_alarm_is_kept_once_and_outlives_its_curves(
    fresh_valkey: Valkey, app: Database, writer: Database, superuser: Connection
) -> None:
    async with ward(fresh_valkey.url, app) as (running, url):
        now = SystemClock().now_us()
        await play(running, now - 12 * SECOND, now + 4 * SECOND)
        async with running.client("h1-nurse") as client:
            live = (await client.get(f"{url}/evidence")).json()
            assert live["stored"] is False
            assert {curve["code"] for curve in live["strip"]["curves"]} == {ECG_II, PLETH}

            later = ManualClock(now + 70 * SECOND)
            keeper = EvidenceKeeper(writer, [UNIT], later)
            async with storing(running.web.redis_url, writer):

                async def archived() -> bool:
                    waves = await superuser.fetchval("select count(*) from waveform")
                    alarms = await superuser.fetchval("select count(*) from alert_event")
                    return bool(waves == 64 and alarms)

                await until(archived, "alarm and curves are archived")
            assert await keeper.step() >= 1
            assert await keeper.step() == 0
            await superuser.execute("delete from waveform")

            kept = (await client.get(f"{url}/evidence")).json()
            assert kept["stored"] is True
            assert (kept["value"], kept["limit"]) == (45.0, 60.0)
            assert kept["rule"]["id"] == "map_low"
            assert kept["approved_by"] is None
            curves = kept["strip"]["curves"]
            seconds = {
                code: sum(len(c["samples"]) / c["rate_hz"] for c in curves if c["code"] == code)
                for code in (ECG_II, PLETH)
            }
            assert all(9 <= length <= 11 for length in seconds.values())
            panel = url.replace("/api/v1", "") + "/evidence"
            text = (await client.get(panel)).text
            assert "data-strip=" in text
            assert "changed by nobody" in text
            assert (
                await client.get(url.rpartition("/")[0] + "/no-uuid/evidence")
            ).status_code == 404
        for who in ("h2-nurse", "h1-emergency", "h1-wall"):
            async with running.client(who) as client:
                assert (await client.get(f"{url}/evidence")).status_code in (403, 404)
