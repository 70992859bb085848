"""The page of feeds: who sends; of each device its last message, clock and longest break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.database import Record
from hospital_ops.sender_clocks import OFF_US
from streams.sources import Named
from streams.unmapped import Seen, Sender
from web.views.values import Frame

Row = Record | Mapping[str, Any]

DEVICE: Final = "device:"
LINES_MOST: Final = 500  # of each table; those with something to look at come first
SILENT_S: Final = 60.0  # nothing came for so long: said in words


def senders(
    feeds: Sequence[Row],
    registry: Sequence[Row],
    named: Sequence[Named],
    unmapped: Iterable[tuple[Sender, Seen]],
    letters: Iterable[Row],
    frame: Frame,
) -> list[dict[str, Any]]:
    """A line for each sender, heard or only known: named sources, gateways and boxes, and those
    who sent something that has no meaning here or was of no use."""
    lasts: dict[str, Any] = {}
    behind: Counter[str] = Counter()
    for row in feeds:
        for name in {row["source"], _box(row["source"])} - {""}:
            lasts[name] = max(lasts.get(name, row["last_at"]), row["last_at"])
            behind[name] += bool(row["device"] or row["bed"])
    codes = Counter(sender.source for sender, _ in unmapped)
    unused: Counter[str] = Counter()
    for row in letters:
        unused[row["source"]] += row["number"]
    kinds = {DEVICE + row["device"]: row["kind"] for row in registry}
    ways = {one.source.name: one.way for one in named}  # hl7 goes before care
    zones = {one.source.name: one.source.zone for one in named if one.way == "hl7"}
    gateways = {name for name, kind in kinds.items() if kind == "gateway"}
    # Who speaks for itself has its line among the devices.
    through = {name for name in lasts if not name.startswith(DEVICE) or "/" in name}
    lines = [
        {
            "source": name,
            "name": name.removeprefix(DEVICE) or "?",
            "way": _way(name, ways, kinds),
            **_last(lasts.get(name), frame),
            "behind": behind[name],
            "codes": codes[name],
            "letters": unused[name],
            "zone": zones.get(name, ""),
        }
        for name in through | gateways | set(ways) | set(codes) | set(unused)
    ]
    lines.sort(key=lambda line: (not line["letters"], bool(line["last"]), line["name"]))
    return lines[:LINES_MOST]


def devices(
    feeds: Sequence[Row], registry: Sequence[Row], frame: Frame
) -> tuple[list[dict[str, Any]], int]:
    """A line for each device that was heard or is registered, and how many more there are.

    Where a sender names no device its beds stand for them. A registered device is known by its id
    or its address; one that never sent says so. What is off or never sent comes first.
    """
    known = {name: row for row in registry for name in (row["address"], row["device"]) if name}
    lines, heard = [], set[str]()
    for feed in feeds:
        about = known.get(feed["device"]) or known.get(feed["source"].removeprefix(DEVICE))
        if about is not None:
            heard.add(about["device"])
        if feed["device"] or feed["bed"]:
            lines.append(_device(feed, known.get(feed["device"]), frame))
    lines += [
        _never(row) for row in registry if row["device"] not in heard and row["kind"] != "gateway"
    ]
    lines.sort(key=lambda line: (not line["off"], bool(line["last"]), line["bed"], line["device"]))
    return lines[:LINES_MOST], max(0, len(lines) - LINES_MOST)


def _device(feed: Row, about: Row | None, frame: Frame) -> dict[str, Any]:
    offset, half = spread(feed["offsets"])
    return {
        "device": about["device"] if about else feed["device"],
        "address": feed["device"] if about and about["device"] != feed["device"] else "",
        "model": about["model"] if about else "",
        "known": about is not None,
        "bed": feed["bed"],
        "source": feed["source"].removeprefix(DEVICE),
        "mode": feed["mode"],
        **_last(feed["last_at"], frame),
        "offset": "" if offset is None else frame.words.number(round(offset, 1)),
        "about": "" if offset is None else frame.words.number(round(half, 1)),
        "off": offset is not None and abs(offset) * SECOND > OFF_US,
        "gap": frame.words.duration(feed["gap_s"]) if feed["gap_s"] >= 1 else "",
        "gap_at": _when(feed["gap_at"], frame) if feed["gap_s"] >= 1 else "",
    }


def _never(row: Row) -> dict[str, Any]:
    return {
        "device": row["device"],
        "address": row["address"],
        "model": row["model"],
        "known": True,
        "bed": row["bed"] or row["vehicle"],
        "source": "",
        "mode": row["mode"],
        "last": "",
        "silent": "",
        "offset": "",
        "about": "",
        "off": False,
        "gap": "",
        "gap_at": "",
    }


def spread(offsets: Sequence[float]) -> tuple[float | None, float]:
    """(the middle of the offsets, half of what nine tenths of them lie within), seconds."""
    if not offsets:
        return None, 0.0
    ordered = sorted(offsets)
    edge = len(ordered) // 20
    return median(ordered), (ordered[-1 - edge] - ordered[edge]) / 2


def letters(rows: Sequence[Row], frame: Frame) -> list[dict[str, Any]]:
    """What could not be used: how many of each sender and kind."""
    return [dict(row) | {"time": _when(row["last_at"], frame)} for row in rows]


def _box(source: str) -> str:
    """The box through which a sender's messages come; empty where it sends to us itself."""
    box, slash, _ = source.removeprefix(DEVICE).partition("/")
    return DEVICE + box if slash else ""


def _way(name: str, ways: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    """Which kind of sender: a key of the words `feeds.way.`."""
    return ways.get(name) or ("box" if "/" in name else kinds.get(name, "other"))


def _last(at: Any, frame: Frame) -> dict[str, str]:
    age_s = 0.0 if at is None else (frame.now_us - from_datetime(at)) / SECOND
    return {
        "last": _when(at, frame),
        "silent": frame.words.duration(age_s) if age_s > SILENT_S else "",
    }


def _when(at: Any, frame: Frame) -> str:
    return "" if at is None else f"{at.astimezone(frame.zone):%Y-%m-%d %H:%M}"
