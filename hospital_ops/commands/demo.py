"""`hospital-ops demo`: the whole house on one machine, with patients that come from recordings."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from hospital_ops import log, settings
from hospital_ops.commands import demo_house, demo_orders, demo_past, demo_relatives
from hospital_ops.commands.demo_house import House
from hospital_ops.commands.machine import Machine, machine, until_told
from hospital_ops.commands.run_file import RunFile
from hospital_ops.errors import ConfigurationError, HospitalOpsError
from hospital_ops.settings import MllpSource, Settings
from simulators.admissions import admissions, send_all
from simulators.courses import recordings_folder


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
    parser.add_argument(
        "--no-history", action="store_true", help="the wards begin without the past 24 hours"
    )
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    if not 1 <= arguments.icu_beds <= 50:
        raise ConfigurationError("--icu-beds is 1 to 50: a wall shows no more.")
    loopback = MllpSource(
        name="loopback",
        networks=("127.0.0.0/8", "::1/128"),
        hospital=demo_house.HOSPITALS[0][0],
        units=demo_house.UNITS,
        mode="Demo",
    )
    return settings.load(
        demo=True,
        data_dir=arguments.data_dir.absolute(),
        http_port=arguments.port,
        mllp_port=arguments.mllp_port,
        mllp_sources=(loopback,),
        http_sources=(loopback.model_copy(update={"zone": ""}),),
    )


async def _run(wanted: Settings, arguments: argparse.Namespace) -> None:
    house = House(wanted.data_dir, arguments.seed, arguments.icu_beds, arguments.ambulances)
    run_file = RunFile(wanted, house.as_json)
    async with machine(wanted, house.prepare, run_file.pids_changed) as running:
        run_file.begin(running)
        told = asyncio.create_task(until_told())
        work = asyncio.create_task(_bring_up(running, house, run_file, arguments))
        await asyncio.wait([told, work], return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            work.result()
            await told
        work.cancel()
        await asyncio.wait([work])
        run_file.end()


async def _bring_up(
    running: Machine, house: House, run_file: RunFile, arguments: argparse.Namespace
) -> None:
    """Admits the patients, starts the devices, and says so when a probe has come through."""
    host = "127.0.0.1"
    beds = admissions(house.seed, house.beds, house.started_at)
    house.lie_here(beds)
    if not house.admitted:
        await send_all(host, arguments.mllp_port, [raw for _, _, raw in beds])
        house.note_admitted(has_past=not (arguments.no_history or arguments.no_simulators))
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
    await run_file.until_ready()
    _announce(run_file.http, house.users)
    if not arguments.no_simulators:
        try:
            await demo_orders.seed(running.settings, house.lying[2:4])
            for bed in house.beds[:2]:  # one rings red, so its message is held; one is calm
                await demo_relatives.seed(running.settings, bed)
        except (HospitalOpsError, TimeoutError) as error:
            # Two beds without orders or messages do not end the demonstration.
            log.get("demo").warning("no_relative", error=type(error).__name__)
    if not (arguments.no_history or arguments.no_simulators):
        await demo_past.give(running, run_file, house.seed, house.past_until)


def _announce(http: str, users: list[dict[str, str]]) -> None:
    """Address, users and passwords, for whoever started it."""
    print(f"\nHospital Ops, demonstration: {http}")
    if recordings_folder() is None:
        print("No recordings found: the monitors play synthetic patients.")
    for user in users:
        print(f"  {user['name']:24} {user['password']}   {user['role']}, {user['hospital']}")
    print("The bedside monitor is the primary alarm. Ctrl-C ends the demonstration.\n", flush=True)
