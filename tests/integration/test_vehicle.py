"""The vehicle's monitor: its values belong to the case that the crew has given it, or to none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import wire
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SystemClock, iso
from hospital_ops.errors import NotFound
from hospital_ops.installation.store import KnownDevice
from hospital_ops.servers.valkey import Valkey
from simulators.courses import course_for, recordings_folder
from simulators.vehicle import VehicleMonitor, VehiclePlan
from streams import vehicles
from streams.append import Appender
from streams.device_intake import DeviceIntake
from streams.intake import Intake
from streams.pipe import Pipe
from streams.projections import Places, Projections, Unit
from streams.shard import keys

ED = "h1-ed"


def who(name: str, role: Role) -> Principal:
    return Principal(
        actor=f"device:{name}", role=role, hospital="h1", units=ALL_UNITS, key=name, mode="Test"
    )


TABLET, OTHER = who("h1-tablet", Role.TABLET), who("h1-tablet-2", Role.TABLET)
MONITOR = who("h1-car-monitor", Role.MONITOR)


class Vehicle:
    """A tablet and a monitor of one ambulance at a real stream server."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe, clock, places = pipe, SystemClock(), Places()
        places.units[ED] = Unit(ED, "h1", "ed", "ED")
        places.devices["h1", "h1-car-monitor"] = KnownDevice(
            device="h1-car-monitor", hospital="h1", bed="", mode="Test", address="", model="",
            vehicle="h1-tablet",
        )  # fmt: skip
        appender = Appender(pipe)
        self.intake = Intake(appender, Projections(pipe), places, clock)
        self.devices = DeviceIntake(appender, places, self.intake, clock)

    async def opens(self, tablet: Principal = TABLET) -> str:
        """A case of a crew."""
        case = str(uuid4())
        await self.intake.open_case(tablet, case, json.dumps({"destination": ED}).encode())
        return case

    async def measures(self, value: float) -> dict[str, Any]:
        """One heart rate of the monitor."""
        course = course_for(1, "car", recordings_folder())
        plan = VehiclePlan("", "", "car", course, 1, mode="Test")
        events = VehicleMonitor(plan).values(1, SystemClock().now_us())
        pulse = next(event for event in events if event["code"] == "8867-4") | {"value": value}
        pulse["determined_at"] = iso(SystemClock().now_us())
        sent = json.dumps({"type": "events", "events": [pulse]})
        return await self.devices.take_text(MONITOR, sent)

    async def stored(self) -> list[tuple[str, Any, str]]:
        """(case, value, origin) of what is in the stream, in order."""
        entries = await self.pipe.call("XRANGE", keys(ED).incoming, "-", "+")
        read = [wire.decode(fields[1]) for _, fields in entries]
        return [
            (entry.case, entry.observations[0].value, entry.observations[0].origin)
            for entry in read
            if isinstance(entry, wire.Observed)
        ]


@pytest.fixture
async def vehicle(fresh_valkey: Valkey) -> AsyncIterator[Vehicle]:
    pipe = Pipe(fresh_valkey.url)
    yield Vehicle(pipe)
    await pipe.close()


async def test_values_of_the_vehicles_monitor_go_to_the_case_the_crew_gave_it_and_to_no_other(
    vehicle: Vehicle,
) -> None:
    first, second = await vehicle.opens(), await vehicle.opens()
    refused = await vehicle.measures(80)
    assert (refused["type"], refused["error"]) == ("nack", "no_case"), "nobody guesses"

    await vehicles.attach(vehicle.intake, TABLET, first, attached=True)
    assert (await vehicle.measures(81))["type"] == "ack"
    await vehicles.attach(vehicle.intake, TABLET, second, attached=True)
    assert (await vehicle.measures(82))["type"] == "ack"
    await vehicles.attach(vehicle.intake, TABLET, first, attached=False)  # it is not there any more
    assert (await vehicle.measures(83))["type"] == "ack"
    assert await vehicle.stored() == [
        (first, 81, "monitor"), (second, 82, "monitor"), (second, 83, "monitor"),
    ]  # fmt: skip

    foreign = await vehicle.opens(OTHER)
    with pytest.raises(NotFound):
        await vehicles.attach(vehicle.intake, TABLET, foreign, attached=True)
    await vehicles.attach(vehicle.intake, OTHER, foreign, attached=True)
    assert (await vehicle.measures(84))["type"] == "ack"
    assert (await vehicle.stored())[-1][0] == second, "the other vehicle has its own monitor"

    await vehicle.intake.step(TABLET, second, "cancellation", "")
    ended = await vehicle.measures(85)
    assert (ended["type"], ended["error"]) == ("nack", "no_case")
    assert len(await vehicle.stored()) == 4
