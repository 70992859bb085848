"""The 12-lead sheet in millimetres: what a paper of a recorder shows, as lines of an SVG.

One user unit is one millimetre. Columns are one after another in time (I II III, then aVR aVL aVF,
V1-V3, V4-V6), the rhythm below is lead II from the beginning. Pure: samples in, paths out.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from sys import byteorder
from typing import Any, Final

from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from hospital_ops.waveform import NO_SAMPLE
from hospital_ops.wire import EcgLead, EcgReceived
from web.render import Renderer
from web.views.case import case_view
from web.views.page import Page
from web.views.paper import drawable, drawn
from web.views.values import Frame, clock
from web.words import Words

SPEED, GAIN = 25.0, 10.0  # mm/s, mm/mV
SPEEDS: Final = (12.5, 25.0, 50.0)
GAINS: Final = (5.0, 10.0, 20.0)
LAYOUT: Final = (
    ("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"),
)  # fmt: skip
RHYTHM: Final = "II"
COLUMN_MM, PULSE_MM = 62.5, 13.0  # 2.5 s at 25 mm/s; room for the pulse
ROW_MM, TOP_MM = 32.0, 20.0
WIDTH_MM, HEIGHT_MM = 265.0, 130.0
SMALL_MM: Final = (62.5, 20.0)
MEASURED: Final = {
    "heart_rate_per_min": "ecg.per_min", "pr_ms": "ecg.ms", "qrs_ms": "ecg.ms", "qt_ms": "ecg.ms",
    "qtc_ms": "ecg.ms", "axis_deg": "ecg.deg",
}  # fmt: skip
# Findings whose leads are framed on the paper: what cannot wait.
ISCHAEMIA: Final = frozenset(
    {"stemi_criteria", "acute_ischaemia", "posterior_mi", "de_winter", "left_main_pattern",
     "sgarbossa_modified"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One lead on the paper: its name at (`x`, `y`), its path, or no path where none was sent."""

    name: str
    x: float
    y: float
    path: str
    separated: bool  # a mark before it: another lead ends there
    evidence: bool = False  # a finding rests on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """An ECG of a case in one line, with the first 2.5 s of lead II."""

    id: str
    stage: str
    at: str
    device: str
    path: str
    findings: tuple[str, ...]
    reason: str
    case: str = ""  # where its curves lie, if it was entered for another case


def strips(ecg: EcgReceived, speed: float = SPEED, gain: float = GAIN) -> list[Strip]:
    """The twelve leads and the rhythm; a lead that was not sent has an empty path."""
    leads = {lead.name: lead for lead in ecg.leads}
    marked = {
        str(mark.get("lead"))
        for finding in _found(ecg)
        if finding["code"] in ISCHAEMIA
        for mark in finding.get("evidence", ())
    }
    column_s = COLUMN_MM / speed
    found = []
    for row, names in enumerate(LAYOUT):
        for column, name in enumerate(names):
            x, y = PULSE_MM + column * COLUMN_MM, TOP_MM + row * ROW_MM
            start = column * column_s
            path = _path(leads.get(name), ecg.rate_hz, start, column_s, (x, y), speed, gain)
            evidence = name in marked
            found.append(
                Strip(name=name, x=x, y=y, path=path, separated=column > 0, evidence=evidence)
            )
    y = TOP_MM + len(LAYOUT) * ROW_MM
    path = _path(leads.get(RHYTHM), ecg.rate_hz, 0.0, 4 * column_s, (PULSE_MM, y), speed, gain)
    return [*found, Strip(name=RHYTHM, x=PULSE_MM, y=y, path=path, separated=False)]


def pulses(speed: float = SPEED, gain: float = GAIN) -> list[str]:
    """The calibration pulse at the left of each row: 1 mV for 0.2 s."""
    wide, flat = 0.2 * speed, 1.0
    start = max(PULSE_MM - wide - 2 * flat, 0.0)
    return [
        f"M{start:.2f} {TOP_MM + row * ROW_MM:.2f}h{flat}v{-gain}h{wide}v{gain}h{flat}"
        for row in range(len(LAYOUT) + 1)
    ]


def small(ecg: dict[str, Any], frame: Frame) -> Small:
    """The line of an ECG on the page of its case."""
    preview = [int(value) for value in ecg.get("preview", ())]
    points = [
        (k * SMALL_MM[0] / max(len(preview) - 1, 1), SMALL_MM[1] * 0.6 - value / 100 * GAIN)
        for k, value in enumerate(preview)
    ]
    return Small(
        id=str(ecg["id"]),
        stage=str(ecg["stage"]),
        at=clock(from_iso(str(ecg["at"])), frame.zone, seconds=True),
        device=str(ecg.get("device", "")),
        path=drawn([points]),
        findings=tuple(named(str(code), frame.words) for code in ecg["findings"]),
        reason=str(ecg.get("reason", "")),
        case=str(ecg.get("case", "")),
    )


def named(code: str, words: Words) -> str:
    """A finding or rhythm in the reader's words; its code where it has none."""
    key = f"finding.{code}"
    return words.t(key) if words.has(key) else code.replace("_", " ")


def measured(ecg: EcgReceived, words: Words) -> list[tuple[str, str]]:
    """Rhythm, intervals and axis as name and value; what was not measured is a dash."""
    if not ecg.reading or "failed" in ecg.reading:
        return []
    numbers = ecg.reading.get("measurements", {})
    codes = ecg.reading.get("rhythm", {}).get("codes", ())
    rows = [(words.t("ecg.rhythm"), ", ".join(named(str(code), words) for code in codes))]
    for key, unit in MEASURED.items():
        value = numbers.get(key)
        text = f"{words.number(float(value), 0)} {words.t(unit)}" if value is not None else "–"
        rows.append((words.t(f"ecg.{key}"), text))
    return rows


def _found(ecg: EcgReceived) -> list[dict[str, Any]]:
    return [one for one in ecg.reading.get("findings", ()) if one.get("state") == "found"]


def _path(
    lead: EcgLead | None,
    rate_hz: float,
    start_s: float,
    length_s: float,
    origin: tuple[float, float],
    speed: float,
    gain: float,
) -> str:
    """The path of a piece of a lead; gaps are gaps."""
    if lead is None or not rate_hz:
        return ""
    numbers = array("h")
    numbers.frombytes(lead.samples)
    if byteorder == "big":
        numbers.byteswap()
    first = round(start_s * rate_hz)
    piece = numbers[first : first + round(length_s * rate_hz) + 1]
    mm_a_sample = speed / rate_hz
    lines: list[list[tuple[float, float]]] = [[]]
    for index, number in drawable(piece, rate_hz):
        if number == NO_SAMPLE:
            lines.append([])
            continue
        mv = number * lead.scale + lead.offset
        lines[-1].append((origin[0] + index * mm_a_sample, origin[1] - mv * gain))
    return drawn(lines)


def render(
    renderer: Renderer,
    language: str,
    *,
    ecg: EcgReceived,
    cell: CaseCell | None,
    speed: float,
    gain: float,
    now_us: int,
    user: str,
    demo: bool,
    back: str = "",
) -> str:
    """The page of one ECG; `cell` is its case while that is on the board.

    `back`: the page it was opened from; empty: that of its case.
    """
    frame = renderer.frame(language, now_us)
    words = frame.words
    view = case_view(cell, frame) if cell else None
    samples = len(ecg.leads[0].samples) // 2 if ecg.leads else 0
    return renderer.fill(
        "ecg12.html",
        page=Page(words=words, title=words.t("ecg.title"), user=user, demo=demo),
        back=back,
        case=ecg.case,
        ecg=ecg,
        view=view,
        strips=strips(ecg, speed, gain),
        pulses=pulses(speed, gain),
        names=", ".join(lead.name for lead in ecg.leads),
        width=WIDTH_MM,
        height=HEIGHT_MM,
        speed=speed,
        gain=gain,
        speeds=SPEEDS,
        gains=GAINS,
        taken=clock(ecg.at, frame.zone, seconds=True),
        arrived=clock(ecg.received_at, frame.zone, seconds=True),
        printed=clock(now_us, frame.zone),
        seconds=samples / ecg.rate_hz if ecg.rate_hz else 0.0,
        findings=[(named(one["code"], words), str(one["text"])) for one in _found(ecg)],
        open_questions=[
            (named(str(one["code"]), words), str(one["text"]))
            for one in ecg.reading.get("findings", ())
            if one.get("state") != "found"
        ],
        failed=str(ecg.reading.get("failed", "")),
        measured=measured(ecg, words),
        simulated=ecg.mode != "Real",
    )
