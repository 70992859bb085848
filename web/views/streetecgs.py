"""The ECGs from before a bed, as lines: when, how long ago, and what the computer read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hospital_ops.clock import SECOND, to_datetime
from triage.ecgs import line
from web.streetecgs.store import Taken
from web.views import ecg12
from web.views.values import Frame


def lines(taken: Iterable[Taken], frame: Frame) -> list[dict[str, Any]]:
    """What is shown of each; `taken` is the moment from which the page counts its age."""
    return [_line(one, frame) for one in taken]


def _line(one: Taken, frame: Frame) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": one.ecg,
        "case": one.case,
        "at": moment(one.at, frame),
        "taken": one.at,
        "ago": frame.words.duration((frame.now_us - one.at) / SECOND),
        "picture": one.whole is None,
        "path": "",
        "findings": (),
        "measured": False,
        "rhythm": "",
        "simulated": False,
    }
    if one.whole is None:
        return shown
    small = ecg12.small(line(one.whole), frame)
    measured = ecg12.measured(one.whole, frame.words)
    return shown | {
        "path": small.path,
        "findings": small.findings,
        "measured": bool(measured),
        "rhythm": ", ".join(f"{name} {value}" for name, value in measured if value != "–"),
        "simulated": one.whole.mode != "Real",
    }


def moment(at: int, frame: Frame) -> str:
    """`12:10`; with the day where it is not today."""
    then, now = (to_datetime(each).astimezone(frame.zone) for each in (at, frame.now_us))
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M}"
