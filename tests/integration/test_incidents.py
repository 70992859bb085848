"""'Something is wrong here': one tap keeps the minutes around it, for those who review."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.archive import freeze_incidents
from streams.pipe import Pipe
from tests.integration.streams_help import HALL, icu_room, living, observed, storing, until
from tests.integration.web_help import BED, UNIT, Running, web_process

PULSE = "8867-4"
NOW = SystemClock().now_us


@pytest.fixture
async def running(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[Running]:
    pipe = Pipe(fresh_valkey.url)
    async with (
        web_process(pipe.url, app) as running,
        living(pipe.url, "one", icu_room),
        storing(pipe.url, writer, shards=(UNIT, HALL)),
    ):
        yield running
    await pipe.close()


class Floor:
    """A bed with a value on the board, and people who call."""

    def __init__(self, running: Running, http: httpx2.AsyncClient) -> None:
        self.running, self.http = running, http

    async def call(self, who: str, path: str, body: Any = None) -> httpx2.Response:
        """Reads, or sends where there is a body."""
        method = "GET" if body is None else "POST"
        return await self.http.request(method, path, json=body, headers=self.running.bearer(who))

    async def tap(self, who: str) -> httpx2.Response:
        """One tap on the heart rate."""
        return await self.http.post(
            f"/icu/beds/{BED}/wrong",
            data={"about": f"value:{PULSE}"},
            headers=self.running.bearer(who),
        )

    async def measure(self, value: float) -> None:
        """The value is measured and stands on the board."""
        await self.running.web.appender.append(UNIT, observed(value, NOW()))

        async def shows() -> bool:
            cell = self.running.web.feeds[UNIT].cells.get(BED)
            return cell is not None and PULSE in cell.values and cell.values[PULSE].value == value

        await until(shows, f"{value} is on the board")


@pytest.fixture
async def floor(running: Running) -> AsyncIterator[Floor]:
    async with running.client() as http:
        made = Floor(running, http)
        await made.measure(83.0)
        yield made


async def test_one_tap_freezes_the_minutes_around_it_with_what_was_seen_and_the_versions(
    floor: Floor, writer: Database, superuser: Connection
) -> None:
    for who in ("h1-wall", "h2-nurse"):
        assert (await floor.tap(who)).status_code == 404
    assert "five minutes before and after" in (await floor.tap("h1-nurse")).text
    (one,) = (await floor.call("h1-doctor", "/api/v1/incidents")).json()
    assert (one["place"], one["about"], one["seen"]["value"]) == (BED, PULSE, 83.0)
    assert "hospital_ops/clinical/tables/alarms.json" in one["versions"]
    # What comes in the minutes after it is kept too, once they have been stored.
    await floor.measure(84.0)
    await superuser.execute(
        "update incident set until_at = now(), from_at = now() - interval '10 minutes'"
    )
    await floor.measure(85.0)

    async def frozen() -> int:
        async with writer.transaction() as connection:
            return await freeze_incidents(connection)

    assert await until(frozen, "the minutes are stored") == 1
    assert await frozen() == 0
    # The originals go with their day; the copy stays.
    await superuser.execute("truncate board_frame")
    kept = (await floor.call("h1-doctor", f"/api/v1/incidents/{one['incident']}")).json()
    assert kept["frozen_at"]
    assert kept["copies"]["measurement"] >= 1
    (bed,) = [bed for bed in kept["board"]["beds"] if bed["bed"] == BED]
    assert bed["values"][PULSE]["value"] == 83.0
    page = await floor.call("h1-doctor", f"/incidents/{one['incident']}")
    assert ">83<" in page.text


async def test_an_incident_is_reviewed_once_by_those_with_the_right(
    floor: Floor, superuser: Connection
) -> None:
    await floor.tap("h1-nurse")
    (one,) = (await floor.call("h1-doctor", "/api/v1/incidents")).json()
    where = f"/api/v1/incidents/{one['incident']}/review"
    said = {"version": 1, "outcome": "device", "finding": "the lead was loose"}
    assert (await floor.call("h1-nurse", "/api/v1/incidents")).status_code == 404
    assert (await floor.call("h2-doctor", "/api/v1/incidents")).json() == []
    assert (await floor.call("h2-doctor", where, said)).status_code == 404
    assert (await floor.call("h1-nurse", where, said)).status_code == 404
    assert (await floor.call("h1-doctor", where, said)).status_code == 200
    assert (await floor.call("h1-doctor", where, said)).status_code == 409
    assert "device or connection" in (await floor.call("h1-doctor", "/incidents")).text
    rows = await superuser.fetch("select action from audit where subject = $1", one["incident"])
    assert {"file_incident", "review_incident"} <= {row["action"] for row in rows}
