"""`hospital-ops demo`: the whole house on one machine, with patients that come from recordings."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hospital_ops import log, settings
from hospital_ops.commands import demo_house
from hospital_ops.commands.demo_house import House
from hospital_ops.commands.machine import Machine, machine, until_told
from hospital_ops.errors import ConfigurationError
from hospital_ops.settings import MllpSource, Settings
from simulators.admissions import admissions, send_all
from simulators.courses import recordings_folder

READY_WITHIN_S = 90.0
POLL_S = 0.1


def main(argv: list[str]) -> int:
    """Runs the demo until Ctrl-C; a start on the same data goes on where it was."""
    arguments = _parser().parse_args(argv)
    try:
        wanted = _settings(arguments)
        log.configure("main", wanted.log_level)
        with suppress(KeyboardInterrupt):
            asyncio.run(_run(wanted, arguments))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hospital-ops demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the pages (default 8000)")
    parser.add_argument("--mllp-port", type=int, default=2575, help="of HL7 (default 2575)")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="kept between starts")
    parser.add_argument("--icu-beds", type=int, default=12, help="beds of each ICU, 1 to 50")
    parser.add_argument("--ambulances", type=int, default=3, help="that drive in to each hospital")
    parser.add_argument("--seed", type=int, default=1, help="which patients")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast their courses pass")
    parser.add_argument("--no-simulators", action="store_true", help="patients, but no devices")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    if not 1 <= arguments.icu_beds <= 50:
        raise ConfigurationError("--icu-beds is 1 to 50: a wall shows no more.")
    loopback = MllpSource(
        name="loopback",
        networks=("127.0.0.0/8", "::1/128"),
        hospital=demo_house.HOSPITALS[0][0],
        mode="Demo",
    )
    return settings.load(
        demo=True,
        data_dir=arguments.data_dir.absolute(),
        http_port=arguments.port,
        mllp_port=arguments.mllp_port,
        mllp_sources=(loopback,),
    )


async def _run(wanted: Settings, arguments: argparse.Namespace) -> None:
    house = House(wanted.data_dir, arguments.seed, arguments.icu_beds, arguments.ambulances)
    run_file = RunFile(wanted, house)
    async with machine(wanted, house.prepare, run_file.pids_changed) as running:
        run_file.begin(running)
        told = asyncio.create_task(until_told())
        work = asyncio.create_task(_bring_up(running, house, run_file, arguments))
        await asyncio.wait([told, work], return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            work.result()
            await told
        work.cancel()
        run_file.end()


async def _bring_up(
    running: Machine, house: House, run_file: RunFile, arguments: argparse.Namespace
) -> None:
    """Admits the patients, starts the devices, and says so when a probe has come through."""
    host = "127.0.0.1"
    beds = admissions(house.seed, house.beds, house.started_at)
    run_file.admitted(beds)
    if not house.admitted:
        await send_all(host, arguments.mllp_port, [raw for _, _, raw in beds])
        house.note_admitted()
    run_file.write()
    if not arguments.no_simulators:
        await running.start(
            "simulators",
            "simulate",
            "ward",
            "--run",
            str(run_file.path),
            "--seed",
            str(house.seed),
            "--speed",
            str(arguments.speed),
        )
    await _until_ready(run_file.http)
    run_file.ready = True
    run_file.write()
    run_file.announce()


async def _until_ready(http: str) -> None:
    problems: list[str] = ["the web role does not answer"]
    async with asyncio.timeout(READY_WITHIN_S) as limit:
        while problems:
            await asyncio.sleep(POLL_S)
            problems = await asyncio.to_thread(_problems, http)
    if limit.expired():
        raise ConfigurationError(f"The demo did not become ready: {' '.join(problems)}")


def _problems(http: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"{http}/readyz", timeout=2) as answer:  # noqa: S310
            found: list[str] = json.load(answer)["problems"]
    except urllib.error.HTTPError as error:
        found = json.load(error).get("problems", [str(error)])
    except OSError as error:
        found = [str(error)]
    return found


class RunFile:
    """`D/run.json`, readable by its owner alone: where everything is while the demo runs."""

    def __init__(self, wanted: Settings, house: House) -> None:
        self.path = wanted.data_dir / "run.json"
        self.http = f"http://127.0.0.1:{wanted.http_port}"
        self.mllp = f"127.0.0.1:{wanted.mllp_port}"
        self.house = house
        self.ready = False
        self._running: Machine | None = None
        self._pids: dict[str, int] = {}
        self._mrns: dict[str, tuple[str, str]] = {}

    def begin(self, running: Machine) -> None:
        """The machine whose addresses it tells."""
        self._running = running

    def pids_changed(self, pids: Mapping[str, int]) -> None:
        """A child has a new process."""
        self._pids = dict(pids)
        if self._running is not None:
            self.write()

    def admitted(self, beds: list[tuple[str, str, bytes]]) -> None:
        """Who lies where."""
        self._mrns = {bed: (mrn, self.house.patient_id(bed, mrn)) for bed, mrn, _ in beds}

    def write(self) -> None:
        """Writes the file anew, in one step."""
        running = self._running
        if running is None:
            return
        content: dict[str, Any] = {
            "http": self.http,
            "mllp": self.mllp,
            "redis_url": running.redis_url,
            "database_url": running.database_url,
            "pids": {"main": os.getpid(), **self._pids},
            "ready": self.ready,
            **self.house.as_json(self._mrns),
        }
        new = self.path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
        new.replace(self.path)

    def end(self) -> None:
        """Nothing runs any more."""
        self.path.unlink(missing_ok=True)

    def announce(self) -> None:
        """Address, users and passwords, for whoever started it."""
        print(f"\nHospital Ops, demonstration: {self.http}")
        if recordings_folder() is None:
            print("No recordings found: the monitors play synthetic patients.")
        for user in self.house.users:
            print(f"  {user['name']:24} {user['password']}   {user['role']}, {user['hospital']}")
        print(
            "The bedside monitor is the primary alarm. Ctrl-C ends the demonstration.\n", flush=True
        )
