"""Messages for the benches: a bed's numerics, a piece of its waves, padded to a size."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import Final

from hospital_ops import wire

# Ten numerics of a monitor: (LOINC, UCUM, usual value).
NUMERICS: Final = (
    ("8867-4", "/min", 84.0),
    ("59408-5", "%", 96.0),
    ("9279-1", "/min", 17.0),
    ("8480-6", "mm[Hg]", 121.0),
    ("8462-4", "mm[Hg]", 66.0),
    ("8478-0", "mm[Hg]", 84.0),
    ("8310-5", "Cel", 36.9),
    ("8889-8", "/min", 84.0),
    ("60985-9", "mm[Hg]", 8.0),
    ("19889-5", "kPa", 5.1),
)

# The same monitor in HL7: (OBX-3, OBX-6, usual value).
MDC: Final = (
    ("147842^MDC_ECG_HEART_RATE^MDC", "264864^MDC_DIM_BEAT_PER_MIN^MDC", 84),
    ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "262688^MDC_DIM_PERCENT^MDC", 92),
    ("151562^MDC_RESP_RATE^MDC", "264928^MDC_DIM_RESP_PER_MIN^MDC", 17),
    ("150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC", "266016^MDC_DIM_MMHG^MDC", 121),
    ("150038^MDC_PRESS_BLD_ART_ABP_DIA^MDC", "266016^MDC_DIM_MMHG^MDC", 66),
    ("150039^MDC_PRESS_BLD_ART_ABP_MEAN^MDC", "266016^MDC_DIM_MMHG^MDC", 84),
    ("150344^MDC_TEMP^MDC", "268192^MDC_DIM_DEGC^MDC", 36),
    ("149530^MDC_PULS_OXIM_PULS_RATE^MDC", "264864^MDC_DIM_BEAT_PER_MIN^MDC", 84),
    ("150087^MDC_PRESS_BLD_VEN_CENT_MEAN^MDC", "266016^MDC_DIM_MMHG^MDC", 8),
    ("151708^MDC_CONC_AWAY_CO2_ET^MDC", "265987^MDC_DIM_KILO_PASCAL^MDC", 5),
)


def numerics(
    unit: str, bed: str, at: int, number: int, *, stamped: bool = False, heart: float = 0.0
) -> wire.Observed:
    """A monitor's message of ten values; `heart` takes the place of the usual heart rate.

    `stamped`: boards tell times in milliseconds, so the rest of `at` goes into the temperature,
    a ten-thousandth of a degree each; whoever looks can read the exact moment.
    """
    values = [value + number % 7 * 0.5 for _, _, value in NUMERICS]
    values[0] = heart or values[0]
    if stamped:
        values[6], at = 36.5 + at % 1000 / 10_000, at - at % 1000
    message_id = f"{bed}-{at}"
    return wire.Observed(
        unit=unit,
        source="bench",
        message_id=message_id,
        identity=hashlib.sha256(message_id.encode()).digest(),
        received_at=at,
        mode="Test",
        observations=tuple(
            wire.Observation(code=code, value=value, unit=ucum, determined_at=at)
            for (code, ucum, _), value in zip(NUMERICS, values, strict=True)
        ),
        bed=bed,
        device=f"{bed}-monitor",
    )


def admission(unit: str, bed: str, at: int) -> wire.Admission:
    """A grown-up lies in the bed: the limits of grown-ups hold."""
    return wire.Admission(
        unit=unit,
        source="bench",
        message_id=f"a{bed}",
        identity=hashlib.sha256(bed.encode()).digest(),
        received_at=at,
        mode="Test",
        trigger="A01",
        patient=wire.PatientFacts(f"m{bed}", "F", "G", "F", "1960-01-01"),
        event_at=at,
        bed=bed,
    )


def waves(unit: str, bed: str, at: int, number: int, seconds: float = 0.5) -> list[wire.Waved]:
    """The same stretch of five waves at 250 Hz; samples that no compression helps with."""
    return [
        wire.Waved(
            unit=unit,
            source="bench",
            message_id=f"{bed}-w{number}",
            identity=b"",
            received_at=at,
            mode="Test",
            code=code,
            channel="",
            started_at=at,
            rate_hz=250.0,
            scale=0.005,
            offset=0.0,
            physical_unit="mV",
            samples=os.urandom(2 * round(250 * seconds)),
            bed=bed,
            device=f"{bed}-monitor",
            sequence=number,
        )
        for code in ("I", "II", "V1", "ABP", "PLETH")
    ]


def event(size: int, number: int) -> wire.Observed:
    """One message whose encoded form has `size` bytes."""
    values = 1 if size < 300 else 8
    made = _event(number, values, "")
    return _event(number, values, "x" * max(0, size - len(wire.encode(made))))


def _event(number: int, values: int, filling: str) -> wire.Observed:
    at = 1_772_359_200_000_000 + number
    return wire.Observed(
        unit="h1-icu-1",
        source="bench",
        message_id=filling,
        identity=b"",
        received_at=at,
        mode="Test",
        observations=tuple(
            wire.Observation(code=code, value=value, unit=ucum, determined_at=at)
            for code, ucum, value in NUMERICS[:values]
        ),
        bed="h1-icu-1-07",
        device="m7",
    )


def oru(unit: str, bed: str, number: int, values: int = 20, moment: datetime | None = None) -> str:
    """An ORU^R01 of PCD-01 with `values` OBX for a bed, CR between segments.

    `moment` is that of the values, now by itself; MSH-7 says that the message is sent now.
    """
    now = datetime.now(UTC)
    sent, at = (f"{when:%Y%m%d%H%M%S.%f}"[:18] + "+0000" for when in (now, moment or now))
    lines = [
        f"MSH|^~\\&|MON^0012A5^EUI-64||||{sent}||ORU^R01^ORU_R01|B{number}|P|2.6"
        "|||AL|NE||UNICODE UTF-8",
        f"PV1||I|{unit}^^{bed}",
        f"OBR|1|||182777000^monitoring of patient^SCT|||{at}",
    ]
    for index in range(values):
        code, ucum, usual = MDC[index % len(MDC)]
        lines.append(
            f"OBX|{index + 1}|NM|{code}|1.{index // len(MDC)}.1.{index}|{usual + number % 7}|{ucum}"
            f"|50-110||||R|||{at}"
        )
    return "\r".join(lines) + "\r"
