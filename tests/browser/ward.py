"""The demonstration as a test uses it: who may sign in, the monitors at its beds, an ambulance.

It is the real program with its servers and roles; only the devices are moved by a test's hand.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx2
from playwright.async_api import Browser, Page

from hospital_ops.clock import SECOND, iso
from simulators.clients import Acknowledgement, MllpClient
from simulators.demonstration import demonstration, free_port
from simulators.messages import Reading, Sender, hl7_time, observations
from tests.patience import PATIENCE_S

ROOT: Final = Path(__file__).resolve().parents[2]
WATCH: Final = (
    "window.complaints = [];"
    "addEventListener('error', (event) => { complaints.push(event.message || 'resource'); });"
    "addEventListener('securitypolicyviolation', (event) => {"
    " complaints.push(event.violatedDirective + ' ' + event.blockedURI); });"
)


def now_us() -> int:
    """This machine's time, microseconds since 1970."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class Ward:
    """A running demonstration: addresses, people and pids out of its `run.json`."""

    data: Path
    side_port: int  # pages that come by this port of loopback are the house's own, too
    tokens: dict[str, str] = field(default_factory=dict)
    street: list[Ambulance] = field(default_factory=list)

    @property
    def run(self) -> dict[str, Any]:
        """The present `run.json`: pids change when a role was started again."""
        content: dict[str, Any] = json.loads((self.data / "run.json").read_text("utf-8"))
        return content

    @property
    def http(self) -> str:
        """Where the pages are."""
        address: str = self.run["http"]
        return address

    def pid(self, role: str) -> int:
        """The process of a role."""
        pid: int = self.run["pids"][role]
        return pid

    def password(self, name: str) -> str:
        """The password of a user such as `nurse.h1`."""
        found = next(user for user in self.run["users"] if user["name"] == name)
        return str(found["password"])

    def patient(self, bed: str) -> dict[str, str]:
        """The line of a bed in `run.json`: device, patient_id, mrn."""
        line: dict[str, str] = next(one for one in self.run["beds"] if one["bed"] == bed)
        return line

    async def new_token(self, name: str) -> str:
        """A session of its own for a user."""
        async with self.stranger() as client:
            said = {"name": name, "password": self.password(name)}
            answer = await client.post("/api/v1/session", json=said)
            answer.raise_for_status()
            return str(answer.json()["token"])

    async def token(self, name: str) -> str:
        """A session that tests share: one sign-in for each user."""
        if name not in self.tokens:
            self.tokens[name] = await self.new_token(name)
        return self.tokens[name]

    def stranger(self, **more: Any) -> httpx2.AsyncClient:
        """Calls of somebody whom the house does not know, with patience."""
        return httpx2.AsyncClient(base_url=self.http, trust_env=False, timeout=PATIENCE_S, **more)

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Calls as a user; `tablet:ID` calls with a device's token."""
        kind, _, device = name.partition(":")
        if kind == "tablet":
            token = next(one["token"] for one in self.run["devices"] if one["id"] == device)
        else:
            token = await self.token(name)
        async with self.stranger(headers={"Authorization": f"Bearer {token}"}) as client:
            yield client

    async def bed(self, name: str, bed: str) -> dict[str, Any]:
        """A bed as the board of its unit has it for a user."""
        board = await self.json(name, f"/api/v1/boards/{bed.rpartition('-')[0]}")
        found: dict[str, Any] = next(one for one in board["beds"] if one["bed"] == bed)
        return found

    async def json(self, name: str, path: str) -> Any:
        """What a user gets from an address as JSON."""
        async with self.client(name) as client:
            answer = await client.get(path)
            answer.raise_for_status()
            return answer.json()

    async def open(
        self,
        browser: Browser,
        name: str,
        path: str,
        *,
        http: str = "",
        token: str = "",
        **context: Any,
    ) -> Page:
        """A page of a signed-in user; `http` is another way to the same server."""
        address = http or self.http
        own = await browser.new_context(**{"locale": "en-GB", **context})
        own.set_default_timeout(PATIENCE_S * 1000)
        cookie: Any = {
            "name": "session",
            "value": token or await self.token(name),
            "url": address,
            "httpOnly": True,
            "sameSite": "Strict",
        }
        await own.add_cookies([cookie])
        await own.add_init_script(WATCH)
        page = await own.new_page()
        await page.goto(address + path)
        await page.evaluate("document.fonts.ready")
        return page

    def monitor(self, bed: str) -> Monitor:
        """The monitor at a bed."""
        return Monitor(self, bed)

    def ambulance(self, tablet: str = "h1-tablet-1") -> Ambulance:
        """A vehicle with a case of its own."""
        self.street.append(Ambulance(self, tablet))
        return self.street[-1]

    async def clear_the_street(self) -> None:
        """Ends every case that a test has opened: cancelled, or handed over where it arrived."""
        vehicles, self.street = self.street, []
        for vehicle in vehicles:
            if not vehicle.called:
                continue
            try:
                await vehicle.step("cancellation")
            except httpx2.HTTPStatusError as error:
                if error.response.status_code != 409:
                    raise
                async with self.client(f"ed.{vehicle.hospital}") as client:
                    await client.post(f"/api/v1/prearrivals/{vehicle.case}/handover")


class Monitor:
    """A bedside monitor that sends what it is told to, over MLLP."""

    def __init__(self, ward: Ward, bed: str) -> None:
        self.bed, self.mrn = bed, ward.patient(bed)["mrn"]
        self.unit = bed.rpartition("-")[0]
        host, _, port = ward.run["mllp"].partition(":")
        self._line = MllpClient(host, int(port), timeout_s=PATIENCE_S)

    async def raw(self, message: bytes) -> Acknowledgement:
        """Sends a message as it is."""
        return await self._line.send(message)

    async def send(self, *, cuff: Sequence[float] = (), at_us: int = 0, **values: float) -> int:
        """Sends values by their key; `cuff` is systolic, diastolic, mean. Returns their time."""
        at = at_us or now_us()
        sender = Sender(f"{self.bed}-monitor", self.unit, self.bed, self.mrn)
        pressures = [
            Reading(key, value)
            for key, value in zip(("nibp_sys", "nibp_dia", "nibp_mean"), cuff, strict=False)
        ]
        readings = [Reading(key, value) for key, value in values.items()]
        message = observations(uuid4().hex[:20], sender, at, readings, pressures, at)
        answer = await self._line.send(message)
        assert answer.stored, answer.text
        return at

    async def type_in(self, code: str, value: str, *, name: str = "", kind: str = "NM") -> None:
        """A value that somebody typed at the bed: a message with one observation."""
        at = hl7_time(now_us())
        segments = (
            f"MSH|^~\\&|CHART|SIMULATOR|||{at}||ORU^R01^ORU_R01|{uuid4().hex[:20]}|P|2.6|||||"
            "|UNICODE UTF-8",
            f"PID|||{self.mrn}^^^HOSP^MR{name and f'||{name}'}",
            f"PV1||I|{self.unit}^^{self.bed}",
            f"OBR|1|||^chart|||{at}",
            f"OBX|1|{kind}|{code}^^LN||{value}||||||F|||{at}",
        )
        answer = await self._line.send(("\r".join(segments) + "\r").encode())
        assert answer.stored, answer.text

    @asynccontextmanager
    async def sending(self, **values: float) -> AsyncIterator[None]:
        """Sends the values each second for as long as the block lasts."""

        async def again() -> None:
            while True:
                await self.send(cuff=(), at_us=0, **values)
                await asyncio.sleep(1)

        task = asyncio.create_task(again())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.close()

    async def close(self) -> None:
        """Puts the line down."""
        await self._line.close()


WELL: Final[dict[str, float | str]] = {
    "8867-4": 80, "9279-1": 16, "59408-5": 98, "8310-5": 36.8, "8480-6": 122, "8462-4": 78,
    "80288-4": "A", "9269-2": 15,
}  # fmt: skip
UNITS: Final = {
    "8867-4": "/min", "9279-1": "/min", "59408-5": "%", "8310-5": "Cel", "8480-6": "mm[Hg]",
    "8462-4": "mm[Hg]", "9269-2": "{score}",
}  # fmt: skip


class Ambulance:
    """A crew with a tablet and one case."""

    def __init__(self, ward: Ward, tablet: str) -> None:
        self._ward, self._tablet = ward, tablet
        self.case, self.called = str(uuid4()), False
        self.hospital = tablet.partition("-")[0]
        self.facts: dict[str, Any] = {
            "age_years": 61,
            "sex": "F",
            "complaint": "abdominal_pain",
            "signs": [],
            "on_oxygen": False,
            "crew": "214",
            "destination": f"{tablet.partition('-')[0]}-ed",
            "eta": iso((now_us() // SECOND + 9 * 60) * SECOND),
        }

    async def _call(self, method: str, path: str, body: Any) -> Any:
        async with self._ward.client(f"tablet:{self._tablet}") as client:
            answer = await client.request(
                method, f"/api/v1/prearrivals/{self.case}{path}", json=body
            )
            answer.raise_for_status()
            return answer.json()

    async def call(self, **facts: Any) -> None:
        """Opens the case, or changes its facts."""
        self.facts |= facts
        await self._call("PUT", "", self.facts)
        self.called = True

    async def measure(self, values: dict[str, float | str]) -> None:
        """Sends values by their LOINC code."""
        at = iso(now_us())
        events = [
            {
                "event_id": str(uuid4()),
                "code": code,
                "value": value,
                "unit": UNITS.get(code, ""),
                "determined_at": at,
                "validity": "Vld",
                "mode": "Demo",
            }
            for code, value in values.items()
        ]
        answer = await self._call("POST", "/measurements", {"events": events})
        assert not answer["rejected"], answer

    async def does(self, said: dict[str, Any]) -> None:
        """Sends something that the crew did, agreed or was told (an ITEM without its id)."""
        item = {"item_id": str(uuid4()), "at": iso(now_us()), **said}
        answer = await self._call("POST", "/items", {"items": [item]})
        assert not answer["rejected"], answer

    async def step(self, step: str) -> None:
        """Arrival or cancellation."""
        await self._call("POST", f"/{step}", {})


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that stands still for the length of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def running(data: Path, *arguments: str) -> Iterator[Ward]:
    """The demonstration on free ports, ready; it ends with the block."""
    kept = "HOSPITAL_OPS_RECORDINGS"  # everything else is the test's own
    own = {k: v for k, v in os.environ.items() if k == kept or not k.startswith("HOSPITAL_OPS_")}
    side_port = free_port()
    own["HOSPITAL_OPS_ALLOWED_ORIGINS"] = f"http://127.0.0.1:{side_port}"
    program = (sys.executable, "-m", "hospital_ops")
    with demonstration(program, data, *arguments, folder=ROOT, environment=own):
        yield Ward(data, side_port)


async def until(condition: Any, within_s: float = PATIENCE_S) -> Any:
    """Asks an async condition again until it says something true, and returns that."""
    end = time.monotonic() + within_s
    while True:
        found = await condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.1)
