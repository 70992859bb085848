"""The 12-lead that an ambulance takes: a recorded one where there are recordings, else invented.

A chest pain of the story `stemi` gets a recorded infarction (LUDB); the others an invented heart at
the patient's own rate. It goes up in small parts and resumes where the network left it.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hospital_ops.clock import iso
from hospital_ops.ecg import synthetic
from hospital_ops.ecg.files import wfdb
from hospital_ops.ecg.files.recording import TWELVE_LEADS, EcgFileError
from simulators import ecg_stages, seeds
from simulators.courses import recordings_folder
from simulators.scenarios import Case
from simulators.tablet import Refused, TabletLine

TAKEN_AT_S: Final = 45.0  # of the story: electrodes are on
PART_BYTES: Final = 32 * 1024  # small enough for a bad network
RATE_HZ: Final = 500
SECONDS: Final = 10.0
STEMI_RECORDS: Final = (7, 21, 33, 64)  # LUDB: ST elevation infarctions
PATTERNS: Final = {"stemi": "anterior_stemi", "stroke": "atrial_fibrillation"}
# Hearts that are too young for an adult's leads, and wounds that nobody glues electrodes on.
WITHOUT: Final = frozenset({"child", "trauma", "minor"})


def file_of(case: Case, t_s: float, at_us: int, device: str) -> bytes:
    """The ECG of a case as a tablet sends it (hospital_ops/ecg/files/samples.py); b"": none."""
    name = case.story.name
    if name in WITHOUT:
        return b""
    leads, rate_hz = _recorded(case.seed) if name == "stemi" else ({}, 0.0)
    if not leads:
        rate = case.value_at("hr", t_s)
        per_min = round(rate) if isinstance(rate, float | int) else 80
        pattern, seed = PATTERNS.get(name, "sinus"), case.seed % 2**32
        made = synthetic.twelve_leads(min(max(per_min, 20), 300), SECONDS, RATE_HZ, pattern, seed)
        leads = {lead: list(numbers) for lead, numbers in made.items()}
        rate_hz = RATE_HZ
    sent = {
        "rate_hz": rate_hz,
        "scale_uv": 1.0,
        "started_at": iso(at_us),
        "device": device,
        "leads": leads,
    }
    return json.dumps(sent, separators=(",", ":")).encode()


def _recorded(seed: int) -> tuple[dict[str, list[int | None]], float]:
    """A recorded infarction in whole microvolts; nothing where there are no recordings."""
    folder = recordings_folder()
    number = STEMI_RECORDS[seed % len(STEMI_RECORDS)]
    path = (folder or Path()) / "ludb" / f"{number}.hea"
    if folder is None or not path.is_file():
        return {}, 0.0
    try:
        found = wfdb.read(path)
    except EcgFileError:
        return {}, 0.0
    leads = {
        name: [None if math.isnan(mv) else round(mv * 1000) for mv in values.tolist()]
        for name, values in found.leads.items()
        if name in TWELVE_LEADS
    }
    return leads, found.rate_hz


class Upload:
    """One ECG on its way: what the hospital has not confirmed is sent again."""

    def __init__(self, case_id: str, data: bytes, at_us: int, *seed_parts: str | int) -> None:
        self.case_id, self.data = case_id, data
        self.id = str(seeds.seeded_uuid7(at_us, "ecg", *seed_parts))
        self._sha256 = hashlib.sha256(data).hexdigest()
        self._missing = [[0, len(data)]] if data else []
        ways = (("preview", ecg_stages.preview), ("coarse", ecg_stages.coarse)) if data else ()
        self._stages = [(name, made(data)) for name, made in ways]

    @property
    def waiting(self) -> bool:
        """Whether the hospital lacks something of it."""
        return bool(self._missing)

    async def send_part(self, line: TabletLine) -> None:
        """Sends what comes first: a stage, else the first part that is missing.

        TryAgain: nobody knows whether it arrived. An ECG that the hospital cannot read is given
        up: sending it again would change nothing.
        """
        if self._stages:
            name, staged = self._stages[0]
            with suppress(Refused):  # the file says more than its first glance
                await line.send_ecg(self.case_id, {"id": self.id, "stage": name}, staged)
            del self._stages[0]
            return
        start, end = self._missing[0]
        part = self.data[start : min(end, start + PART_BYTES)]
        asked: dict[str, Any] = {
            "id": self.id,
            "offset": start,
            "total": len(self.data),
            "sha256": self._sha256,
        }
        try:
            answer = await line.send_ecg(self.case_id, asked, part)
        except Refused:
            self._missing = []
            return
        self._missing = [] if answer.get("complete") else list(answer.get("missing", []))
