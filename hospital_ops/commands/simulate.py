"""`hospital-ops simulate monitor|curves|vehicle|ambulance|ward|past`: devices for any address."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from hospital_ops.ecg.files.recording import EcgFileError
from hospital_ops.ecg.replay import recorded
from hospital_ops.errors import ConfigurationError, NotStored
from simulators.ambulance import Ambulance, AmbulancePlan
from simulators.clients import MllpClient
from simulators.courses import course_for, recordings_folder
from simulators.history import History, Kept
from simulators.ledger import Ledger
from simulators.monitor import Monitor, MonitorPlan
from simulators.stories import STORIES
from simulators.tablet import TabletLine
from simulators.vehicle import VehicleMonitor, VehiclePlan
from simulators.ward import Ward, address, read_run_file, socket_address
from simulators.wave_device import WaveDevice, WavePlan

LESS_URGENT: Final = 10  # than what is live, as `nice` counts


def main(argv: list[str]) -> int:
    """Plays devices until Ctrl-C or `--seconds`; 0 when that went well, 2 for bad arguments."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    # The client logs each call with its address, which names the case.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    ledger = Ledger(arguments.ledger, keep=False)
    try:
        # Inside the loop: locks and clients belong to it.
        asyncio.run(_play(arguments, ledger))
    except (ConfigurationError, NotStored, OSError) as error:
        print(f"hospital-ops simulate: {error}", file=sys.stderr)
        return 2
    finally:
        ledger.close()
    counts = ledger.counts
    print(
        f"made {counts.made}, attempts {counts.sends}, acknowledged {counts.acked}, "
        f"refused {counts.refused}, dropped {counts.dropped}",
        file=sys.stderr,
    )
    return 0


async def _play(arguments: argparse.Namespace, ledger: Ledger) -> None:
    player: Coroutine[Any, Any, None]
    if arguments.what == "monitor":
        player = _monitor(arguments, ledger).run()
    elif arguments.what == "curves":
        player = _curves(arguments, ledger).run()
    elif arguments.what == "vehicle":
        player = _vehicle(arguments, ledger).run()
    elif arguments.what == "ambulance":
        player = _ambulance(arguments, ledger).run()
    elif arguments.what == "past":
        os.nice(LESS_URGENT)
        kept = Kept.read(arguments.kept, arguments.until)
        player = History(read_run_file(arguments.run), arguments.seed, kept).run()
    else:
        plan = read_run_file(arguments.run)
        player = Ward(plan, arguments.seed, arguments.speed, ledger).run()
    playing = asyncio.create_task(player)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    if arguments.seconds is not None:
        loop.call_later(arguments.seconds, playing.cancel)
    await asyncio.wait([playing])
    if not playing.cancelled():
        playing.result()


def _monitor(arguments: argparse.Namespace, ledger: Ledger) -> Monitor:
    host, port = arguments.mllp
    return Monitor(
        MonitorPlan(
            bed=arguments.bed,
            mrn=arguments.mrn,
            course=course_for(arguments.seed, arguments.bed, recordings_folder()),
            seed=arguments.seed,
            speed=arguments.speed,
            processing="T" if arguments.mode == "test" else "P",
            device=arguments.device,
            loose=frozenset(arguments.loose),
        ),
        MllpClient(host, port),
        ledger,
    )


def _curves(arguments: argparse.Namespace, ledger: Ledger) -> WaveDevice:
    try:
        recording = recorded(arguments.recording) if arguments.recording else None
    except EcgFileError as error:
        raise ConfigurationError(f"{arguments.recording}: {error}") from None
    return WaveDevice(
        WavePlan(
            url=socket_address(arguments.http),
            token=arguments.token,
            bed=arguments.bed,
            course=course_for(arguments.seed, arguments.bed, recordings_folder()),
            seed=arguments.seed,
            recording=recording,
            speed=arguments.speed,
            mode="Test" if arguments.mode == "test" else "Demo",
        ),
        ledger=ledger,
    )


def _vehicle(arguments: argparse.Namespace, ledger: Ledger) -> VehicleMonitor:
    return VehicleMonitor(
        VehiclePlan(
            url=socket_address(arguments.http),
            token=arguments.token,
            name=arguments.name,
            course=course_for(arguments.seed, arguments.name, recordings_folder()),
            seed=arguments.seed,
            speed=arguments.speed,
            mode="Test" if arguments.mode == "test" else "Demo",
        ),
        ledger,
    )


def _ambulance(arguments: argparse.Namespace, ledger: Ledger) -> Ambulance:
    return Ambulance(
        AmbulancePlan(
            name=arguments.name,
            unit=arguments.unit,
            seed=arguments.seed,
            story=arguments.scenario or "",
            speed=arguments.speed,
            cases=arguments.cases,
            mode="Test" if arguments.mode == "test" else "Demo",
        ),
        TabletLine(arguments.http, arguments.token),
        ledger,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hospital-ops simulate",
        description="Plays devices: recorded or invented patients, the same for the same seed.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--seed", type=int, default=1, help="which patients and noise (default 1)")
    common.add_argument("--speed", type=_positive, default=1.0, help="how fast courses pass")
    common.add_argument("--seconds", type=_positive, help="end after so many seconds")
    common.add_argument("--ledger", type=Path, help="file of JSON lines: what was acknowledged")
    mode = argparse.ArgumentParser(add_help=False)
    mode.add_argument("--mode", choices=("demo", "test"), default="demo")
    kinds = parser.add_subparsers(dest="what", required=True)
    monitor = kinds.add_parser("monitor", parents=[common, mode], help="one monitor over MLLP")
    monitor.add_argument("--mllp", type=address, default=("127.0.0.1", 2575), help="host:port")
    monitor.add_argument("--bed", required=True, help="for example h1-icu-1-07")
    monitor.add_argument("--mrn", default="", help="PID-3; empty: the monitor was not told")
    monitor.add_argument("--device", default="", help="the monitor's own name")
    monitor.add_argument("--loose", nargs="*", default=[], help="sensors that are off, e.g. spo2")
    curves = kinds.add_parser("curves", parents=[common, mode], help="the curves of one monitor")
    curves.add_argument("--http", required=True, help="address, for example http://host:8000")
    curves.add_argument("--token", required=True, help="the monitor's key")
    curves.add_argument("--bed", required=True, help="for example h1-icu-1-07")
    curves.add_argument("--recording", type=Path, help="a WFDB record: its curves, as they were")
    vehicle = kinds.add_parser("vehicle", parents=[common, mode], help="the monitor of a vehicle")
    vehicle.add_argument("--http", required=True, help="address, for example http://host:8000")
    vehicle.add_argument("--token", required=True, help="the monitor's key")
    vehicle.add_argument("--name", default="vehicle-1", help="the monitor's name")
    ambulance = kinds.add_parser("ambulance", parents=[common, mode], help="one ambulance")
    ambulance.add_argument("--http", required=True, help="address, for example http://host:8000")
    ambulance.add_argument("--token", required=True, help="the tablet's key")
    ambulance.add_argument("--unit", required=True, help="destination, for example h1-ed")
    ambulance.add_argument("--scenario", choices=sorted(STORIES), help="default: one after another")
    ambulance.add_argument("--cases", type=int, help="end after so many cases")
    ambulance.add_argument("--name", default="Ambulance 1", help="the crew's name")
    ward = kinds.add_parser("ward", parents=[common], help="all beds and tablets of a run.json")
    ward.add_argument("--run", type=Path, required=True, help="run.json of the running program")
    past = kinds.add_parser(
        "past", parents=[common], help="what the beds of a run.json sent before"
    )
    past.add_argument("--run", type=Path, required=True, help="run.json of the running program")
    past.add_argument("--until", type=int, required=True, help="its end, microseconds since 1970")
    past.add_argument("--kept", type=Path, required=True, help="file that says how far it came")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("give a number above 0")
    return value
