"""A poster of the CARE gateway's payload reaches its beds; what is refused is kept or counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.hl7.understand import Source
from hospital_ops.installation.store import KnownDevice
from hospital_ops.servers.valkey import Valkey
from streams.batch import AHEAD
from streams.device_intake import DeviceIntake
from streams.shard import keys
from tests.integration.test_device_socket import event, stored
from tests.integration.web_help import BED, FOREIGN_BED, OTHER_BED, UNIT, Running, web_process
from tests.unit.test_care import PRESSURE, WAVEFORM, observation
from web.guard import BODY_MAX

LOOPBACK = Source(
    name="care", hospital="h1", networks=("127.0.0.0/8",), units=(UNIT,), mode="Test", zone=""
)


@pytest.fixture
async def running(fresh_valkey: Valkey) -> AsyncIterator[Running]:
    """A web process with a named source and a monitor that its gateway knows by an address."""
    async with web_process(fresh_valkey.url) as started:
        started.web.sources = (LOOPBACK,)
        monitor = KnownDevice(
            device="h1-monitor", hospital="h1", bed=BED, mode="Test", address="10.0.0.7", model=""
        )
        places = replace(started.web.places, devices={("h1", "10.0.0.7"): monitor})
        started.web.places.become(places)
        started.web.projections.places = lambda: _same(places)  # type: ignore[method-assign]
        yield started


async def _same(places: Any) -> Any:
    return places


async def post(running: Running, body: Any, who: str = "") -> httpx2.Response:
    """The answer to a payload."""
    headers = running.bearer(who) if who else {}
    async with running.client() as client:
        return await client.post("/update_observations", json=body, headers=headers)


def now(**said: Any) -> dict[str, Any]:
    return {"date-time": iso(SystemClock().now_us())} | said


async def test_a_named_source_posts_values_and_curves_of_the_devices_that_are_registered(
    running: Running,
) -> None:
    sent = [observation("heart-rate"), PRESSURE, WAVEFORM]
    at_the_bed = observation("SpO2", device_id=OTHER_BED, value=97, unit="%")
    answer = await post(
        running, [[item | now(device_id="10.0.0.7") for item in sent], [at_the_bed]]
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == []
    rows = [e for e in await stored(running, keys(UNIT).incoming) if isinstance(e, wire.Observed)]
    assert [(row.bed, row.mode, row.source, len(row.observations)) for row in rows] == [
        (BED, "Test", "care", 4),
        (OTHER_BED, "Test", "care", 1),
    ]
    (wave,) = [e for e in await stored(running, keys(UNIT).waves) if isinstance(e, wire.Waved)]
    assert (wave.bed, wave.code, wave.rate_hz) == (BED, "131330", 200)


async def test_a_monitor_with_a_token_sends_for_its_own_bed_whatever_it_calls_itself(
    running: Running,
) -> None:
    answer = await post(running, [observation("heart-rate", **now())], "h1-monitor")
    assert answer.status_code == 200, answer.text
    (row,) = [e for e in await stored(running, keys(UNIT).incoming)]
    assert isinstance(row, wire.Observed)
    assert row.bed == BED


async def test_a_device_of_no_bed_is_refused_in_words_and_kept_and_the_others_are_taken(
    running: Running,
) -> None:
    unknown = observation("heart-rate", **now(device_id="10.9.9.9"))
    foreign = observation("heart-rate", **now(device_id=FOREIGN_BED))
    alone = await post(running, [unknown])
    assert alone.status_code == 400
    assert "10.9.9.9" in alone.json()["detail"]
    both = await post(running, [unknown, observation("pulse-rate", **now(device_id=BED)), foreign])
    assert both.status_code == 200
    assert [each["device_id"] for each in both.json()["rejected"]] == ["10.9.9.9", FOREIGN_BED]
    kept = [e for e in await stored(running, keys("h1-hall").incoming) if isinstance(e, wire.Kept)]
    assert {each.code for each in kept} == {"rejected_observations"}
    assert await stored(running, keys("h2-icu-1").incoming) == []


async def test_nobody_posts_without_a_name_nor_from_a_page_nor_as_a_person(
    running: Running,
) -> None:
    body = [observation("heart-rate", **now(device_id=BED))]
    assert (await post(running, body, "h1-nurse")).status_code == 404
    async with running.client() as client:
        page = await client.post(
            "/update_observations", json=body, headers={"Origin": "https://elsewhere.example"}
        )
    assert page.status_code == 401
    running.web.sources = ()
    assert (await post(running, body)).status_code == 401
    assert await stored(running, keys(UNIT).incoming) == []


async def test_a_body_that_is_too_large_is_counted_under_its_sender(running: Running) -> None:
    async with running.client() as client:
        for who in ("h1-gateway", "h1-gateway", ""):
            answer = await client.post(
                "/update_observations",
                content=b" " * (BODY_MAX + 1),
                headers=running.bearer(who) if who else {},
            )
            assert answer.status_code == 413
    assert await running.web.projections.refusals("h1") == [
        ("device:h1-gateway", "too_large", 2),
        ("stranger", "too_large", 1),
    ]
    assert await running.web.projections.refusals("h2") == [("stranger", "too_large", 1)]


async def test_a_native_device_hears_that_its_clock_is_ahead(running: Running) -> None:
    web = running.web
    intake = DeviceIntake(web.appender, web.places, web.intake, web.clock)
    token = running.tokens["h1-monitor"]
    principal = await web.projections.principal(token, web.clock.now_us())
    assert principal is not None
    early = event(event_id=str(uuid4()), determined_at=iso(web.clock.now_us() + 3600 * SECOND))
    message = wire.to_json({"type": "events", "events": [early, event()]}).decode()
    answer = await intake.take_text(principal, message)
    assert answer["type"] == "ack"
    assert [(each["event_id"], each["text"]) for each in answer["warnings"]] == [
        (early["event_id"], AHEAD)
    ]
