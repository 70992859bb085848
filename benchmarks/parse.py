"""parse.hl7: messages of a ward into measurements, against library `hl7` on the same messages."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from hospital_ops.hl7.understand import Source, understand

# (OBX-3, unit, usual value, spread, decimals); the last two are private to the vendor.
_METRICS = [
    ("147842^MDC_ECG_CARD_BEAT_RATE^MDC", "264864^MDC_DIM_BEAT_PER_MIN^MDC", 84, 9, 0),
    ("151562^MDC_RESP_RATE^MDC", "264928^MDC_DIM_RESP_PER_MIN^MDC", 17, 4, 0),
    ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "262688^MDC_DIM_PERCENT^MDC", 96, 2, 0),
    ("149530^MDC_PULS_OXIM_PULS_RATE^MDC", "264864^MDC_DIM_BEAT_PER_MIN^MDC", 84, 9, 0),
    ("150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC", "266016^MDC_DIM_MMHG^MDC", 121, 15, 0),
    ("150038^MDC_PRESS_BLD_ART_ABP_DIA^MDC", "266016^MDC_DIM_MMHG^MDC", 66, 9, 0),
    ("150344^MDC_TEMP^MDC", "268192^MDC_DIM_DEGC^MDC", 37, 1, 1),
    ("151708^MDC_CONC_AWAY_CO2_ET^MDC", "265987^MDC_DIM_KILO_PASCAL^MDC", 5, 1, 2),
    ("7001^MASIMO_PVI^99MASIMO", "%^%^UCUM", 14, 4, 0),
    ("150488^MDC_BLD_PERF_INDEX^MDC", "262688^MDC_DIM_PERCENT^MDC", 1, 1, 2),
]
_CHARSETS = [
    ("UNICODE UTF-8", "utf-8"),
    ("8859/5", "iso8859-5"),
    ("CP1251", "cp1251"),
    ("", "ascii"),
]
_SOURCE = Source(name="bench", hospital="h1")


def messages(count: int, seed: int) -> list[tuple[bytes, str]]:
    """(bytes, codec) of `count` ORU^R01 of 20 OBX; escapes, repetitions, four character sets."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        declared, codec = _CHARSETS[number % len(_CHARSETS)]
        family, note = ("Иванов", "датчик") if codec != "ascii" else ("Ivanov", "probe")
        at = f"202611201{number // 60 % 10}{number % 60:02d}{chance.randrange(60):02d}+0300"
        lines = [
            f"MSH|^~\\&|GW^0012A5FFFE000701^EUI-64||||{at}||ORU^R01^ORU_R01|B{number}|P|2.6"
            f"|||AL|NE||{declared}",
            f"PID|||55501^^^LAB^PI~77{number % 90 + 10}^^^HOSP^MR||{family}^O\\T\\A"
            "^^^^L||19610203|F",
            f"PV1||I|h1-icu-1^^h1-icu-1-{number % 12 + 1:02d}",
            f"OBR|1|||182777000^monitoring of patient^SCT|||{at}",
        ]
        for index in range(20):
            code, unit, usual, spread, decimals = _METRICS[index % 10]
            value = f"{chance.gauss(usual, spread / 2):.{decimals}f}"
            lines.append(
                f"OBX|{index + 1}|NM|{code}|1.{index // 10}.1.{index}|{value}|{unit}|50-110|"
                f"{'H~PM~SP' if index % 7 == 0 else ''}|||R|||{at if index % 5 == 0 else ''}"
            )
        lines.append(f"OBX|21|ST|SITE^Site^99VND|1.9.1.1|{note} 5\\F\\6 \\X0D\\||||||R")
        made.append(("\r".join(lines).encode(codec) + b"\r", codec))
    return made


def _per_second(work: Callable[[], None], count: int, rounds: int) -> float:
    work()
    rates = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        rates.append(count / (time.perf_counter() - begun))
    return statistics.median(rates)


def rows(quick: bool = False, seed: int = 1) -> list[dict[str, Any]]:
    """The row `parse.hl7`: messages a second by us and, as the limit, by library `hl7`."""
    import hl7  # a development dependency

    sample = messages(60 if quick else 600, seed)
    fewer = sample[: max(20, len(sample) // 10)]

    def ours() -> None:
        for raw, _ in sample:
            understand(raw, _SOURCE, 0)

    def peers() -> None:
        for raw, codec in fewer:
            hl7.parse(raw.decode(codec))

    found = [understand(raw, _SOURCE, 0).found for raw, _ in sample]
    assert all(f is not None and len(f.by_mode["Real"]) == 21 for f in found)
    rounds = 3 if quick else 9
    return [
        {
            "id": "parse.hl7",
            "value": _per_second(ours, len(sample), rounds),
            "limit": _per_second(peers, len(fewer), rounds),
            "n": len(sample) * rounds,
            "note": "21 OBX a message, to measurements; the peer splits into fields alone",
        }
    ]
