"""What a unit's box forwards is taken as if it had come at once, each item with its own answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import wire, wire_forms
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.forward.items import (
    AGAIN,
    BROKEN,
    CARE,
    EVENTS,
    FULL,
    HL7,
    KEPT,
    STORED,
    VALUE,
    Item,
    Relay,
)  # fmt: skip
from hospital_ops.hl7.understand import Source
from hospital_ops.installation.store import KnownDevice
from hospital_ops.servers.valkey import Valkey
from hospital_ops.standing.rules import Stand
from streams.append import BUDGET_OF_MAXMEMORY, REFUSE_ALL_AT
from streams.edge import hold, made
from streams.pipe import Pipe
from streams.projections import Places
from streams.routing import Announced
from streams.shard import keys
from tests.integration.test_edge import oru
from tests.integration.web_help import BED, FOREIGN_BED, UNIT, Running, web_process

HOUR = 3600 * SECOND


@pytest.fixture
async def running(fresh_valkey: Valkey) -> AsyncIterator[Running]:
    """A web process over a Valkey of its own."""
    async with web_process(fresh_valkey.url) as started:
        yield started


async def relay(
    running: Running, *items: Item, off_us: int | None = None, by: str = "h1-gateway"
) -> dict[str, str]:
    """The answer to items that a box forwards."""
    body = wire_forms.encode(Relay(SystemClock().now_us() - (off_us or 0), items, off_us))
    async with running.client() as client:
        answer = await client.post(
            f"{running.address}/api/v1/relayed", content=body, headers=running.bearer(by)
        )
    found: dict[str, str] = answer.json().get("items", {"status": str(answer.status_code)})
    return found


async def entries(running: Running, shard: str = UNIT) -> list[Any]:
    """What lies in a shard."""
    pipe = Pipe(running.web.redis_url)
    rows = await pipe.call("XRANGE", keys(shard).incoming, "-", "+")
    await pipe.close()
    return [wire.decode(fields[1]) for _, fields in rows]


def values(at: int, bed: str = BED) -> bytes:
    """A message of a native device."""
    event = {
        "event_id": str(uuid4()), "code": "8867-4", "value": 82, "unit": "/min",
        "determined_at": iso(at), "mode": "Real",
    }  # fmt: skip
    return json.dumps({"type": "events", "bed": bed, "events": [event]}).encode()


async def test_each_item_has_its_own_answer_and_its_own_moment(running: Running) -> None:
    now = SystemClock().now_us()
    then = now - HOUR
    care = [{"observation_id": "heart-rate", "device_id": BED, "date-time": iso(then),
             "patient-id": "", "status": "final", "value": 71, "unit": "/min",
             "interpretation": "normal"}]  # fmt: skip
    hl7 = made(HL7, "unit", then, oru("M1", then))
    native = made(EVENTS, "mon", then, values(then))
    payload = made(CARE, "care", then, json.dumps(care).encode())
    foreign = made(EVENTS, "mon", then, values(then, FOREIGN_BED))
    cut = made(BROKEN, "unit", then, b"MSH|^~", note="cut")
    full = Item("full 1", FULL, "", then, b"", note=f"{then} {now} 17")
    odd = made("of-tomorrow", "unit", then, b"?")
    answer = await relay(running, hl7, native, payload, foreign, cut, full, odd)
    assert answer == {
        hl7.id: STORED, native.id: STORED, payload.id: STORED, foreign.id: KEPT, cut.id: KEPT,
        full.id: KEPT, odd.id: KEPT,
    }  # fmt: skip
    observed = [one for one in await entries(running) if isinstance(one, wire.Observed)]
    assert len(observed) == 3
    for one in observed:
        assert one.bed == BED
        assert abs(one.received_at - then) < SECOND, "as if it had come at once"
        assert one.observations[0].determined_at == pytest.approx(then, abs=1000)
    kept = [one for one in await entries(running, "h1-hall") if isinstance(one, wire.Kept)]
    assert {one.code for one in kept} == {"not_found", "cut", "edge_full", "unknown_kind"}
    assert any("17 messages were refused" in one.reason for one in kept)


async def test_the_same_bytes_sent_again_have_the_same_identity(running: Running) -> None:
    then = SystemClock().now_us() - HOUR
    items = [made(HL7, "unit", then, oru("M1", then)), made(EVENTS, "mon", then, values(then))]
    await relay(running, *items)
    await relay(running, *items)
    observed = [one for one in await entries(running) if isinstance(one, wire.Observed)]
    assert len(observed) == 4
    assert len({one.identity for one in observed}) == 2
    assert len({one.received_at for one in observed}) <= 2


async def test_a_box_whose_clock_is_wrong_does_not_make_values_old_or_young(
    running: Running,
) -> None:
    measured = SystemClock().now_us() - 10 * SECOND
    item = made(HL7, "unit", measured - HOUR, oru("M1", measured))
    await relay(running, item, off_us=HOUR)  # the box is an hour behind
    (observed,) = [one for one in await entries(running) if isinstance(one, wire.Observed)]
    assert observed.received_at == measured


async def test_what_has_no_room_at_the_hospital_stays_in_the_box(running: Running) -> None:
    pipe = Pipe(running.web.redis_url)
    info = (await pipe.call("INFO", "memory")).decode()
    used = int(info.split("used_memory:")[1].split()[0])
    full = round(used / BUDGET_OF_MAXMEMORY / (REFUSE_ALL_AT + 0.02))
    await pipe.call("CONFIG", "SET", "maxmemory", full)
    running.web.appender._watched_at = float("-inf")
    await running.web.appender.watch_memory()
    then = SystemClock().now_us()
    items = [made(HL7, "unit", then, oru("M1", then)), made(EVENTS, "mon", then, values(then))]
    assert set((await relay(running, *items)).values()) == {AGAIN}
    await pipe.call("CONFIG", "SET", "maxmemory", 0)
    running.web.appender._watched_at = float("-inf")
    await running.web.appender.watch_memory()
    assert set((await relay(running, *items)).values()) == {STORED}
    await pipe.close()


async def test_nobody_but_a_gateway_relays(running: Running) -> None:
    then = SystemClock().now_us()
    item = made(HL7, "unit", then, oru("M1", then))
    async with running.client() as client:
        address = f"{running.address}/api/v1/relayed/devices"
        for who in ("h1-monitor", "h1-nurse", "h2-monitor"):
            assert await relay(running, item, by=who) == {"status": "404"}, who
            refused = await client.get(address, headers=running.bearer(who))
            assert refused.status_code == 404, who
        listed = (await client.get(address, headers=running.bearer("h1-gateway"))).json()
    assert [one["device"] for one in listed["devices"]] == ["h1-monitor"]
    assert running.tokens["h1-monitor"] not in json.dumps(listed)


def test_at_the_box_a_message_is_ranked_by_what_it_says() -> None:
    source = Source(name="unit", hospital="h1")
    taken = hold(oru("M1", 1_795_262_400_000_000), source, Announced(Places()), 1, 2000)
    assert (taken.code, taken.appends[0].stream) == ("", str(VALUE))
    refused = hold(b"MSH|nonsense", source, Announced(Places()), 1, 2000)
    assert refused.code
    assert len(refused.appends) == 1, "refused at once, and its bytes go to the hospital"


def _registered(running: Running, mode: str, *stands: Stand) -> None:
    """A monitor of the unit in the registry, and where people have said that it stands."""
    places = running.web.places
    bed = stands[-1].bed if stands else BED
    places.devices["h1", "mon"] = KnownDevice(
        device="mon", hospital="h1", bed=bed, mode=mode, address="", model=""
    )
    if stands:
        places.stands["h1", "mon"] = stands


async def test_what_a_box_sends_of_a_demo_device_is_never_real_whatever_the_box_says(
    running: Running,
) -> None:
    then = SystemClock().now_us() - HOUR
    for mode in ("Demo", "Real"):
        _registered(running, mode)
        assert await relay(running, made(EVENTS, "mon", then, values(then)))
    observed = [one for one in await entries(running) if isinstance(one, wire.Observed)]
    assert observed[0].mode == "Demo"
    assert all(one.device == "mon" for one in observed)


async def test_a_device_that_people_took_away_from_a_bed_is_not_at_that_bed_through_a_box(
    running: Running,
) -> None:
    now = SystemClock().now_us()
    _registered(running, "Real", Stand(now - 3 * HOUR, BED), Stand(now - 2 * HOUR, ""))
    moments = [now - HOUR, now - 2 * HOUR - 60 * SECOND]
    for then in moments:
        item = made(EVENTS, "mon", then, values(then))
        assert await relay(running, item) == {item.id: STORED}
    observed = [one for one in await entries(running) if isinstance(one, wire.Observed)]
    assert [one.bed for one in observed] == ["", BED]
