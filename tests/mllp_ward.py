"""What the tests of the MLLP gateway share: a disk that records, a ward, messages, answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from hospital_ops import wire
from hospital_ops.errors import NotStored
from hospital_ops.hl7.framing import FS, VT
from hospital_ops.hl7.understand import Source
from hospital_ops.standing.rules import Standing

CORPUS = Path(__file__).parent / "hl7"
NOW = 1_795_219_200_000_000
LOCAL = Source(name="local", hospital="h7", networks=("127.0.0.0/8",))


class Disk:
    """Records what is appended; `open` lets appends return, `away` refuses them."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, wire.Entry, bytes]] = []
        self.waiting = 0
        self.open = asyncio.Event()
        self.open.set()
        self.away = False
        self.broken: Exception | None = None

    async def append(
        self, shard: str, entry: wire.Entry, raw: bytes = b"", stream: str = "in"
    ) -> str:
        if self.broken:
            raise self.broken
        if self.away:
            raise NotStored("not stored, send again: the stream server is away")
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        self.entries.append((shard, stream, entry, raw))
        return f"{len(self.entries)}-0"

    def observed(self) -> list[wire.Observed]:
        return [e for _, _, e, _ in self.entries if isinstance(e, wire.Observed)]

    def kept(self) -> list[wire.Kept]:
        return [e for _, _, e, _ in self.entries if isinstance(e, wire.Kept)]


class Ward:
    """Unit ICU7N with BED701 to BED712."""

    beds = frozenset(f"BED7{n:02d}" for n in range(1, 13))

    def hospital_of_unit(self, unit: str) -> str:
        """All its units are of one hospital."""
        return "h7"

    def has_unit(self, unit: str) -> bool:
        return unit == "ICU7N"

    def mode_of_device(self, hospital: str, name: str) -> str:
        return ""

    def standing(self, hospital: str, name: str) -> Standing:
        return ()

    def unit_of_bed(self, bed_id: str) -> str | None:
        return "ICU7N" if bed_id in self.beds else None

    def units_of(self, hospital: str) -> list[str]:
        return ["ICU7N"]

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        return text if unit == "ICU7N" and text in self.beds else None


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not become true in time"
        await asyncio.sleep(0.005)


def oru(control: str, bed: str = "ICU7N^^BED701", value: str = "82") -> bytes:
    return (
        f"MSH|^~\\&|GW||||20261120101530+0000||ORU^R01^ORU_R01|{control}|P|2.6\r"
        f"PID|||7700101^^^HOSP^MR||Geheim^Anna\rPV1||I|{bed}\r"
        "OBR|1|||182777000^monitoring of patient^SCT|||20261120101530+0000\r"
        f"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|{value}|264864^^MDC|||||R\r"
    ).encode()


async def answer(reader: asyncio.StreamReader) -> list[str]:
    """MSA fields of the next answer."""
    frame = await asyncio.wait_for(reader.readuntil(FS + b"\r"), 5)
    text = frame.strip(VT + FS + b"\r").decode()
    (msa,) = [line for line in text.split("\r") if line.startswith("MSA")]
    return msa.split("|")[1:]
