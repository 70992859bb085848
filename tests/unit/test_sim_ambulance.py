"""An ambulance delivers every event through a bad network, newest first; a seed is one run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from hospital_ops.clock import ManualClock, from_iso
from hospital_ops.ecg.files import samples
from simulators import seeds
from simulators.ambulance import Ambulance, AmbulancePlan, Drive
from simulators.ledger import Ledger
from simulators.stories import STORIES, scenario
from simulators.tablet import Refused, TabletLine, TryAgain

NOON = 1_795_262_400_000_000
SEEDS = range(12)


class Hospital:
    """The pre-arrival calls, failing one call in four: 503, no answer, a cut, an answer lost."""

    def __init__(self) -> None:
        self.cases: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.batches: list[list[dict[str, Any]]] = []
        self.ecgs: dict[str, bytearray] = {}
        self.arrived: list[str] = []
        self.tokens: set[str] = set()
        self.calls = 0
        self.failing = True
        self.status = 200
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                sent = body if "/ecgs?" in lines[0] else json.loads(body)
                if not self._answer(writer, lines[0], headers, sent):
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.transport.abort()

    def _answer(
        self, writer: asyncio.StreamWriter, line: str, headers: dict[str, str], body: Any
    ) -> bool:
        self.calls += 1
        self.tokens.add(headers["authorization"])
        failure = self.calls % 12 if self.failing else 0
        if failure == 4:
            self._write(writer, 503, {}, "Retry-After: 0\r\n")
            return True
        if failure == 8:
            return False
        content = self._do(line, body) if self.status == 200 else {}
        if failure == 11:
            return False  # done, but the tablet never hears of it
        self._write(writer, self.status, content)
        return True

    def _do(self, line: str, body: Any) -> dict[str, Any]:
        method, path, _ = line.split(" ")
        case, _, step = path.removeprefix("/api/v1/prearrivals/").partition("/")
        step, _, query = step.partition("?")
        if method == "PUT":
            self.cases[case] = body
        elif step == "measurements":
            assert case in self.cases, "a case is opened before its values come"
            self.batches.append(body["events"])
            self.events.update({event["event_id"]: event for event in body["events"]})
            return {"stored": [one["event_id"] for one in body["events"]], "rejected": []}
        elif step == "ecgs":
            asked = dict(parse_qsl(query))
            if "stage" in asked:  # shown until the file is here
                return {"stage": asked["stage"]}
            whole = self.ecgs.setdefault(asked["sha256"], bytearray())
            assert int(asked["offset"]) <= len(whole), "the first part that is missing comes first"
            whole[int(asked["offset"]) :] = body
            total = int(asked["total"])
            missing = [[len(whole), total]] if len(whole) < total else []
            return {"complete": not missing, "missing": missing}
        elif step == "arrival":
            self.arrived.append(case)
        return {}

    def _write(
        self, writer: asyncio.StreamWriter, status: int, content: dict[str, Any], more: str = ""
    ) -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        writer.write(head.encode() + body)


@pytest.fixture
async def hospital() -> AsyncIterator[Hospital]:
    server = Hospital()
    yield server
    await server.stop()


def plan(story: str, cases: int = 1) -> AmbulancePlan:
    return AmbulancePlan(
        name="Ambulance 1",
        unit="h1-ed",
        seed=5,
        story=story,
        speed=600,
        every_s=0.02,
        pause_s=0.01,
        cases=cases,
    )


@pytest.mark.parametrize("story", ["stemi", "network_loss"])
async def test_every_event_is_stored_although_one_call_in_four_fails(
    hospital: Hospital, story: str
) -> None:
    http = await hospital.start()
    ambulance = Ambulance(plan(story, cases=2), TabletLine(http, "secret"), Ledger())
    async with asyncio.timeout(60):
        await ambulance.run()
    ledger = ambulance.ledger
    assert ambulance.drives == 2
    assert ledger.unacknowledged() == []
    assert set(hospital.events) == set(ledger.rows)
    assert len(hospital.ecgs) == 2, "one 12-lead a case"
    for sha256, data in hospital.ecgs.items():
        assert hashlib.sha256(data).hexdigest() == sha256
        assert len(samples.read(bytes(data)).leads) == 12
    assert set(hospital.arrived) == set(hospital.cases)
    assert len(hospital.cases) == 2
    assert hospital.tokens == {"bearer secret"}
    for facts in hospital.cases.values():
        assert facts["destination"] == "h1-ed"
        assert from_iso(facts["eta"]) > 0
        assert facts["signs"]
    for event in hospital.events.values():
        assert UUID(event["event_id"]).version == 7
        assert event["mode"] == "Demo"


async def test_the_newest_values_leave_the_tablet_first(hospital: Hospital) -> None:
    hospital.failing = False
    line = TabletLine(await hospital.start(), "t")
    clock = ManualClock(NOON)
    drive = Drive(scenario("stemi", 1), plan("stemi"), 0, line, Ledger(), clock)
    for _ in range(30):
        drive.measure()
        clock.advance(0.01)
    while await drive._next():
        continue
    times = [event["determined_at"] for batch in hospital.batches for event in batch]
    assert len(hospital.batches) > 1
    assert times == sorted(times, reverse=True)
    assert drive.waiting == 0
    await line.close()


async def test_nobody_at_home_is_tried_again_later() -> None:
    line = TabletLine("http://127.0.0.1:9", "t")
    with pytest.raises(TryAgain):
        await line.put_case("x", {})
    await line.close()


async def test_retry_after_is_heard(hospital: Hospital) -> None:
    line = TabletLine(await hospital.start(), "t")
    hospital.calls = 3
    with pytest.raises(TryAgain) as again:
        await line.put_case("x", {})
    assert again.value.after_s == 0
    await line.close()


async def test_a_refused_case_is_given_up_and_the_vehicle_drives_on(hospital: Hospital) -> None:
    hospital.failing, hospital.status = False, 403
    line = TabletLine(await hospital.start(), "t")
    with pytest.raises(Refused, match="403"):
        await line.put_case("x", {})
    ambulance = Ambulance(plan("minor", cases=2), line, Ledger())
    async with asyncio.timeout(20):
        await ambulance.run()
    assert ambulance.drives == 0
    assert ambulance.ledger.counts.acked == 0


def run(name: str, seed: int) -> list[Any]:
    case = scenario(name, seed)
    return [case.inputs_at(t) for t in range(0, int(case.duration_s), 7)]


@pytest.mark.parametrize("name", STORIES)
def test_the_same_seed_is_the_same_run(name: str) -> None:
    assert run(name, 4) == run(name, 4)
    assert run(name, 4) != run(name, 5)


def test_event_and_case_ids_come_from_seed_and_time() -> None:
    def ids(seed: int) -> list[str]:
        ledger = Ledger()
        line = TabletLine("http://127.0.0.1:9", "t")
        own = AmbulancePlan(name="A", unit="h1-ed", seed=seed)
        drive = Drive(scenario("stemi", seed), own, 0, line, ledger, ManualClock(NOON))
        drive.measure()
        return [drive.id, *ledger.rows]

    assert ids(1) == ids(1)
    assert not set(ids(1)) & set(ids(2))
    assert len(set(ids(1))) == len(ids(1))


def test_a_seeded_id_carries_its_time() -> None:
    one = seeds.seeded_uuid7(NOON, "x")
    assert one.int >> 80 == NOON // 1000
    assert one.version == 7
    assert one.variant == "specified in RFC 4122"


@pytest.mark.parametrize("name", STORIES)
def test_signs_and_complaints_are_those_of_the_published_tables(name: str) -> None:
    tables = files("hospital_ops.clinical").joinpath("tables")
    known = {row["id"] for row in json.loads(tables.joinpath("iitt.json").read_text())["signs"]}
    complaints = json.loads(tables.joinpath("complaints.json").read_text())["complaints"]
    story = STORIES[name]
    assert {one for phase in story.phases for one in phase.signs} <= known
    assert story.complaint in {row["id"] for row in complaints}
    assert story.phases[0].from_s == 0


def news2(inputs: dict[str, Any]) -> tuple[int, int]:
    """Total and highest single item, straight from the table, SpO2 scale 1."""
    table = json.loads(files("hospital_ops.clinical").joinpath("tables/news2.json").read_text())[
        "params"
    ]
    vitals = inputs["vitals"]
    names = {"spo2_pct": "spo2_scale1_pct"}
    items = [
        band["score"]
        for key in ("rr_bpm", "spo2_pct", "sbp_mmhg", "hr_bpm", "temp_c")
        if key in vitals
        for band in table[names.get(key, key)]
        if (band["min"] is None or vitals[key] >= band["min"])
        and (band["max"] is None or vitals[key] <= band["max"])
    ]
    items.append(table["acvpu"][vitals["avpu"]])
    return sum(items) + (2 if vitals["on_oxygen"] else 0), max(items)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_never_moves_a_story_over_a_limit_of_its_note(seed: int) -> None:
    for name in STORIES:
        case = scenario(name, seed)
        for t_s in range(0, int(case.duration_s), 5):
            inputs = case.inputs_at(t_s)
            total, single = news2(inputs)
            vitals = inputs["vitals"]
            if name in ("minor", "stroke", "loose_lead"):
                assert total <= 1
                assert 60 <= vitals["hr_bpm"] <= 130
                assert 36 <= vitals["temp_c"] <= 39
            elif name == "sepsis":
                assert total >= 8
            elif name == "deterioration" and case.expected_at(t_s) == "yellow":
                assert (total <= 4, single < 3) == (True, True)
            elif name == "deterioration" and case.expected_at(t_s) == "red":
                assert total >= 10
            elif name == "network_loss" and case.expected_at(t_s) == "red":
                assert (vitals["avpu"], vitals["gcs"]) == ("P", 7)


def test_a_loose_sensor_gives_an_invalid_event_without_a_value() -> None:
    case = scenario("loose_lead", 1)
    assert case.value_at("spo2", 80) is not None
    assert case.value_at("spo2", 100) is None
    assert "spo2_pct" not in case.inputs_at(100)["vitals"]
    assert case.value_at("spo2", 300) is not None


def test_an_ambulance_plays_every_story_before_it_repeats_one() -> None:
    line = TabletLine("http://127.0.0.1:9", "t")
    ambulance = Ambulance(AmbulancePlan(name="A", unit="h1-ed", seed=2), line)
    assert {ambulance.story(number) for number in range(len(STORIES))} == set(STORIES)
