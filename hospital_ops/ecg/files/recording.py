"""The one form of a recorded ECG, whatever file it came in, and the words a bad file gets.

Pure: bytes and arrays in, a recording or an `EcgFileError` out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hospital_ops.errors import HospitalOpsError

Samples = NDArray[np.float64]

# The order in which a page, a printout and the wire name the twelve leads.
TWELVE_LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# Bounds of what is read, each far above any real file: a hostile one must not fill the memory.
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_SAMPLES: Final = 20_000_000
MOST_LEADS: Final = 64
LOWEST_RATE_HZ: Final = 0.001  # hourly numerics are WFDB records too
HIGHEST_RATE_HZ: Final = 100_000.0
# A heart makes 5 mV at the skin, a shock or a loose electrode some hundred: above is not an ECG.
HIGHEST_MV: Final = 100_000.0

_LEAD_NAMES: Final = {name.upper(): name for name in TWELVE_LEADS} | {
    "VX": "X", "VY": "Y", "VZ": "Z", "-AVR": "-aVR",
}  # fmt: skip


class EcgFileError(HospitalOpsError):
    """A file that cannot be taken; `code` is stable, the sentence says what to do.

    Codes: `too_large`, `not_ecg` (nothing we know), `damaged`, `refused` (known, but a part of
    it is not read here), `hostile` (asks for more than any real file), `bad_sha256` (an upload).
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"{code}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EcgRecording:
    """One recorded ECG: every lead in millivolts, of equal length, NaN where nothing was measured.

    `started_at` is as the file has it: aware where the file names a zone, else naive, else None.
    `ids` are what the file says of the patient; they are never printed, logged or sent on.
    `step_mv` is the size of one stored unit of each lead, 0 where the file does not say.
    `low_cut_hz`: from where the recorder let slow changes pass (its high-pass, the highest of the
    leads); None where the file does not say.
    """

    leads: dict[str, Samples]
    rate_hz: float
    started_at: datetime | None
    device: str
    ids: dict[str, str] = field(repr=False)
    source_format: str
    notes: tuple[str, ...] = ()
    step_mv: dict[str, float] = field(default_factory=dict)
    low_cut_hz: float | None = None

    @property
    def samples(self) -> int:
        """How many samples each lead has."""
        return len(next(iter(self.leads.values())))

    @property
    def duration_s(self) -> float:
        """Seconds from the first to just after the last sample."""
        return self.samples / self.rate_hz


def low_cut(written: Iterable[object]) -> float | None:
    """The highest of the high-pass settings that a file writes, Hz; None: it says none."""
    found = []
    for each in written:
        try:
            found.append(float(str(each)))
        except ValueError:
            continue  # "off", "FIR": no figure
    return max((hz for hz in found if 0 < hz < HIGHEST_RATE_HZ), default=None)


def lead_name(written: str) -> str:
    """The lead as we write it (`aVR`, `V1`), from any way a maker writes it; unknown stay."""
    bare = " ".join(written.split())
    for prefix in ("ECG Lead ", "ECG ", "Lead ", "MDC_ECG_LEAD_", "lead "):
        bare = bare.removeprefix(prefix)
    return _LEAD_NAMES.get(bare.replace(" ", "").upper(), bare[:24])


def checked(recording: EcgRecording) -> EcgRecording:
    """The recording, when it is one: leads of equal length, a real rate, values a body can make.

    Errors: `EcgFileError` with `damaged`, `hostile` or `not_ecg`.
    """
    if not recording.leads:
        raise EcgFileError("not_ecg", "no ECG lead was found: send the file that holds the curves")
    if len(recording.leads) > MOST_LEADS:
        raise EcgFileError("hostile", f"more than {MOST_LEADS} leads: no recorder makes these")
    if not LOWEST_RATE_HZ <= recording.rate_hz <= HIGHEST_RATE_HZ:
        raise EcgFileError("damaged", "the sampling rate is impossible: export the file again")
    lengths = {len(values) for values in recording.leads.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise EcgFileError("damaged", "the leads differ in length or are empty: export again")
    check_count(lengths.pop() * len(recording.leads))
    for values in recording.leads.values():
        if np.isinf(values).any() or np.nanmax(np.abs(values), initial=0.0) > HIGHEST_MV:
            raise EcgFileError("damaged", "values that no body can make: export the file again")
    return recording


def check_size(data: bytes, most: int = MOST_BYTES) -> bytes:
    """The bytes, when they are few enough to read."""
    if len(data) > most:
        raise EcgFileError(
            "too_large", f"more than {most // 2**20} MiB: send one ECG, not a Holter"
        )
    return data


def check_count(samples: int) -> int:
    """The number of samples, when they fit."""
    if not 0 <= samples <= MOST_SAMPLES:
        raise EcgFileError("hostile", f"it announces more than {MOST_SAMPLES} samples: send a part")
    return samples
