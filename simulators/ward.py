"""A whole ward: a monitor at each bed of `run.json`, with curves, ventilator and pumps where it has
a key, a nurse of each hospital who charts, the laboratory, and an ambulance for each tablet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hospital_ops.errors import ConfigurationError
from simulators.ambulance import Ambulance, AmbulancePlan
from simulators.clients import MllpClient
from simulators.courses import course_for, recordings_folder
from simulators.laboratory import Laboratory, Sampled
from simulators.ledger import Ledger
from simulators.monitor import Monitor, MonitorPlan
from simulators.nurse import Cared, ChartLine, Nurse
from simulators.tablet import TabletLine
from simulators.wave_device import WaveDevice, WavePlan


@dataclass(frozen=True, slots=True)
class Bed:
    """A bed with a monitor."""

    bed: str
    device: str
    mrn: str
    token: str = ""  # of the monitor's own line for curves; empty: it has none
    hospital: str = ""

    @property
    def unit(self) -> str:
        """The unit of the bed: its id without the last part."""
        return self.bed.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A tablet with its key, and the unit that it drives to."""

    name: str
    token: str
    unit: str


@dataclass(frozen=True, slots=True)
class WardPlan:
    """Addresses, beds and vehicles, as the running program wrote them down."""

    mllp_host: str
    mllp_port: int
    http: str
    beds: tuple[Bed, ...]
    vehicles: tuple[Vehicle, ...]
    nurses: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # hospital: name, password


def read_run_file(path: Path) -> WardPlan:
    """The plan of a ward from `run.json`; ConfigurationError where that is not one."""
    try:
        run: dict[str, Any] = json.loads(path.read_text("utf-8"))
        host, port = address(str(run["mllp"]))
        rooms: dict[str, list[str]] = {}
        for unit in run["units"]:
            if unit["kind"] == "ed":
                rooms.setdefault(unit["hospital"], []).append(unit["id"])
        tablets = [
            one for one in run["devices"] if one["kind"] == "tablet" and rooms.get(one["hospital"])
        ]
        hospitals = {unit["id"]: str(unit["hospital"]) for unit in run["units"]}
        keys = {
            one.get("bed"): str(one["token"]) for one in run["devices"] if one["kind"] == "monitor"
        }
        return WardPlan(
            mllp_host=host,
            mllp_port=port,
            http=str(run["http"]),
            beds=tuple(
                Bed(
                    row["bed"],
                    row.get("device") or "",
                    row.get("mrn") or "",
                    keys.get(row["bed"], ""),
                    hospitals.get(row["unit"], ""),
                )
                for row in run["beds"]
            ),
            vehicles=tuple(
                Vehicle(row["id"], row["token"], rooms[row["hospital"]][0]) for row in tablets
            ),
            nurses={
                str(one["hospital"]): (str(one["name"]), str(one["password"]))
                for one in run.get("users", ())
                if one["role"] == "nurse"
            },
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is no run.json of a running program ({type(error).__name__}): "
            "start `hospital-ops demo` and give its data directory's run.json"
        ) from None


def address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:2575` or `mllp://127.0.0.1:2575`; ValueError without a port."""
    host, _, port = text.rpartition("//")[2].rstrip("/").rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


def socket_address(http: str) -> str:
    """Where native devices connect: `ws://host:port/ws/v1/devices` for `http://host:port`."""
    return http.replace("http", "ws", 1).rstrip("/") + "/ws/v1/devices"


class Ward:
    """All devices of a plan in one process."""

    def __init__(
        self, plan: WardPlan, seed: int, speed: float = 1.0, ledger: Ledger | None = None
    ) -> None:
        self.ledger = ledger if ledger is not None else Ledger(keep=False)
        folder = recordings_folder()
        self.monitors = [
            Monitor(
                MonitorPlan(
                    bed=bed.bed,
                    mrn=bed.mrn,
                    device=bed.device,
                    course=course_for(seed, bed.bed, folder),
                    seed=seed,
                    speed=speed,
                    phase_s=index / max(len(plan.beds), 1),
                ),
                MllpClient(plan.mllp_host, plan.mllp_port),
                self.ledger,
            )
            for index, bed in enumerate(plan.beds)
        ]
        self.curves = [
            WaveDevice(
                WavePlan(
                    url=socket_address(plan.http),
                    token=bed.token,
                    bed=bed.bed,
                    course=course_for(seed, bed.bed, folder),
                    seed=seed,
                    speed=speed,
                    phase_s=0.5 * index / max(len(plan.beds), 1),
                    treated=True,
                    charts=bed.hospital not in plan.nurses,
                )
            )
            for index, bed in enumerate(plan.beds)
            if bed.token
        ]
        self.ambulances = [
            Ambulance(
                AmbulancePlan(name=one.name, unit=one.unit, seed=seed, speed=speed),
                TabletLine(plan.http, one.token),
                self.ledger,
            )
            for one in plan.vehicles
        ]

        self.laboratory = Laboratory(
            MllpClient(plan.mllp_host, plan.mllp_port),
            [
                Sampled(bed.bed, bed.mrn, course_for(seed, bed.bed, folder))
                for bed in plan.beds
                if bed.mrn
            ],
            seed,
            speed,
        )
        self.nurses = _nurses(plan, seed, speed)

    async def run(self) -> None:
        """Plays until cancelled."""
        players: Sequence[Monitor | WaveDevice | Ambulance | Laboratory | Nurse] = [
            *self.monitors,
            *self.curves,
            *self.ambulances,
            self.laboratory,
            *self.nurses,
        ]
        async with asyncio.TaskGroup() as group:
            for player in players:
                group.create_task(player.run())


def _nurses(plan: WardPlan, seed: int, speed: float) -> list[Nurse]:
    """One of each hospital that has a nurse who may sign in, for all beds with a patient."""
    folder = recordings_folder()
    return [
        Nurse(
            ChartLine(plan.http, *known),
            [
                Cared(bed.bed, course_for(seed, bed.bed, folder))
                for bed in plan.beds
                if bed.hospital == hospital and bed.mrn
            ],
            seed,
            speed,
        )
        for hospital, known in plan.nurses.items()
    ]
