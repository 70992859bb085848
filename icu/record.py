"""What the indicators of a bed remember: medians, lowest values, spot values, rates, volumes.

Small, because it stands in every snapshot. A streamed value is kept for the minute it falls in and
becomes the median of that minute (`observation_classes.json`, rules: a median of 60 s, flagged
where it has fewer than 30 samples); a spot value is kept as it is for a day.
"""

from __future__ import annotations

from statistics import median
from typing import Final
from zlib import crc32

from hospital_ops import codes
from hospital_ops.clinical.prose import bound
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from hospital_ops.wire import Form, State, field

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
SAMPLES_FOR_A_MEDIAN: Final = 30  # observation_classes.json, rules
SAMPLES_KEPT: Final = 120  # of one minute: twice a second is the most a monitor sends
SPOTS_KEPT: Final = 400  # of one entry in a day; a bound, not a rule
HELD_KEPT: Final = 400
KEPT_US: Final = 30 * HOUR  # of spot values: a day, and the entry before it

READABLE: Final = bound(table("scores")["sf_pf"]["rice_2007"]["valid"])  # "SpO2 <=97 %"

DRUGS: Final = (
    "dopamine", "dobutamine", "epinephrine", "norepinephrine", "milrinone", "vasopressin",
)  # fmt: skip
IN: Final = ("fluid_in",)
OUT: Final = ("urine", "drain", "other_out")
VOLUMES: Final = (*IN, *OUT)
PRESSURES: Final = ("abp_mean", "nibp_mean")
# What is held until it is changed: a rate or a setting; kept as spans.
HELD: Final = frozenset((*DRUGS, "fio2", "peep", "vent_mode"))
# Whose every value of a day counts.
SPOTS: Final = frozenset(
    ("gcs", "rass", "pao2", "lactate", "platelets", "bilirubin_umol_l", "bilirubin_mg_dl",
     "creatinine_umol_l", "creatinine_mg_dl", *VOLUMES)
)  # fmt: skip
_NEWEST: Final = (
    "hr", "rr", "spo2", "temp", "abp_sys", "nibp_sys", "pplat", "vt", "weight", "height", "avpu",
    "pain", "o2_device", "o2_flow", "on_oxygen", "pregnant",
)  # fmt: skip
# As they are received: never converted before they are scored (scores.md).
_BY_UNIT: Final = {
    (name, unit): f"{name}_{suffix}"
    for name in ("bilirubin", "creatinine")
    for unit, suffix in (("mg/dL", "mg_dl"), ("umol/L", "umol_l"))
}
_IN_UNITS: Final = frozenset(name for name, _ in _BY_UNIT)
KEYS: Final = {
    codes.by_key[key].code: key
    for key in ("bilirubin", "creatinine", *PRESSURES, *_NEWEST, *HELD, *SPOTS)
    if key in codes.by_key
}


TRAIL: Final = frozenset(("hr", "spo2", "rr", "temp", "abp_sys", "abp_mean", "nibp_mean"))
TRAIL_STEP_US: Final = 5 * MINUTE
TRAIL_US: Final = 20 * MINUTE


class Reading(Form, frozen=True):
    """A value as the indicators use it."""

    at: int  # event time of the value, or of the newest of its minute
    value: float | str
    few: bool = False  # the median of too few samples
    until: int = 0  # of a span: last heard with this value
    channel: str = ""


Readings = tuple[Reading, ...]  # rising by time


class Minute(State):
    """The samples of one streamed value in the running minute."""

    at: int = 0
    samples: list[int | float] = field(default_factory=list)


Levels = dict[str, float]  # by the record's name of a value


class Known(State):
    """By what a patient's signals are known again after an interruption (`sameness.py`)."""

    shapes: dict[str, tuple[bytes, ...]] = field(default_factory=dict)  # of beats, by lead
    shaped_at: int = 0
    offered: dict[str, bytes] = field(default_factory=dict)  # seen, and not known to be theirs
    likeness: float = -1.0  # of the beats after the last interruption
    looked_at: int = 0  # when that was
    moved_at: int = 0  # came to this bed, and nothing was seen of the beats since; 0: did not
    since: int = 0  # values came back, and their level is not settled yet; 0: nothing waits
    before: Levels = field(default_factory=dict)  # their level before that


class Record(State):
    """One patient's record at a bed; it moves with them and ends with their stay."""

    minute_until: int = 0  # 0: no minute is running
    minute: dict[str, Minute] = field(default_factory=dict)
    newest: dict[str, Reading] = field(default_factory=dict)
    lowest: dict[str, Readings] = field(default_factory=dict)  # candidates for the worst of a day
    spots: dict[str, Readings] = field(default_factory=dict)
    held: dict[str, Readings] = field(default_factory=dict)
    awake_gcs: Reading | None = None  # the last one that was not taken under sedation
    hours: dict[int, tuple[float, float]] = field(default_factory=dict)  # UTC hour: in, out, mL
    given: float = 0.0  # mL since the record began
    lost: float = 0.0
    began_at: int = 0
    found_at: int = 0  # when the figures were found last
    next_at: int = 0  # when they change by time alone; 0: never
    trail: dict[str, Readings] = field(default_factory=dict)  # every 5 min, of the last 20
    known: Known = field(default_factory=Known)
    known_from: int = 0  # what was before this is lost (`left.py`); 0: nothing is
    first_weight: Reading | None = None  # of the stay: fluid overload is of the admission weight


def key_of(code: str, unit: str) -> str:
    """The record's name of a value, empty where no indicator needs it."""
    key = KEYS.get(code, "")
    return _BY_UNIT.get((key, unit), key) if key in _IN_UNITS else key


def note(record: Record, key: str, reading: Reading, now: int) -> bool:
    """Takes a value in; answers whether the figures are to be found anew at once."""
    _begin(record, reading.at, now)
    return _take(record, key, reading, now)


def _begin(record: Record, at: int, now: int) -> None:
    """What is charted late counts from when it was."""
    if not record.began_at or now - DAY < at < record.began_at:
        record.began_at = at


def sample(bed: str, record: Record, key: str, value: float, at: int, now: int) -> None:
    """Takes a streamed value into the running minute of the bed."""
    _begin(record, at, now)
    if not record.minute_until:
        record.minute_until = _end_of_minute(bed, now)
    running = record.minute.get(key)
    if running is None:
        running = record.minute[key] = Minute()
    running.at = max(running.at, at)
    if len(running.samples) < SAMPLES_KEPT:
        running.samples.append(_small(value))


def close_minute(record: Record, now: int) -> bool:
    """Turns a minute that is over into medians; answers whether anything came of it."""
    if not record.minute_until or now < record.minute_until:
        return False
    record.minute_until = 0
    minute, record.minute = record.minute, {}
    for key, running in sorted(minute.items(), key=lambda row: row[0] == "spo2"):
        few = len(running.samples) < SAMPLES_FOR_A_MEDIAN
        _take(record, key, Reading(running.at, float(median(running.samples)), few), now)
    return bool(minute)


def forget(record: Record, key: str, at: int, value: float | str | None, channel: str) -> bool:
    """Takes a value out that was entered in error; answers whether it was there."""
    found = False
    for kept in (record.spots, record.lowest, record.held):
        rows = kept.get(key, ())
        left = tuple(r for r in rows if (r.at, r.value, r.channel) != (at, value, channel))
        if len(left) < len(rows):
            kept[key], found = left, True
    if found and key in VOLUMES and isinstance(value, int | float):
        _add(record, key, at, -value)
    first = record.first_weight
    if key == "weight" and first is not None and (first.at, first.value) == (at, value):
        record.first_weight, found = None, True
    newest = record.newest.get(key)
    if newest is not None and (newest.at, newest.value) == (at, value):
        del record.newest[key]
        left = record.spots.get(key) or record.held.get(key) or ()
        if left:
            record.newest[key] = left[-1]
        found = True
    if key == "gcs" and record.awake_gcs is not None and record.awake_gcs.at == at:
        record.awake_gcs = None  # found anew from the day's
    return found


def withdraw(record: Record, key: str, at: int, channel: str) -> bool:
    """Takes out whatever was told of a moment and channel; answers whether anything was there."""
    kept = [by_key.get(key, ()) for by_key in (record.spots, record.lowest, record.held)]
    told = {row.value for rows in kept for row in rows if (row.at, row.channel) == (at, channel)}
    return any([forget(record, key, at, value, channel) for value in told])


def joined(came: Record, here: Record) -> Record:
    """A record that came from another unit, with what was noted here before it came."""
    if not here.began_at:
        return came
    for key, reading in came.newest.items():
        if key not in here.newest or here.newest[key].at < reading.at:
            here.newest[key] = reading
    for theirs, ours in (
        (came.lowest, here.lowest), (came.spots, here.spots),
        (came.held, here.held), (came.trail, here.trail),
    ):  # fmt: skip
        for key, rows in theirs.items():
            ours[key] = tuple(sorted({*rows, *ours.get(key, ())}, key=lambda row: row.at))
    for hour, (taken_in, lost) in came.hours.items():
        more = here.hours.get(hour, (0.0, 0.0))
        here.hours[hour] = (taken_in + more[0], lost + more[1])
    if came.awake_gcs and (here.awake_gcs is None or here.awake_gcs.at < came.awake_gcs.at):
        here.awake_gcs = came.awake_gcs
    here.known_from = here.known_from or came.known_from
    weights = [one for one in (came.first_weight, here.first_weight) if one is not None]
    here.first_weight = min(weights, key=lambda one: one.at, default=None)
    here.given, here.lost = here.given + came.given, here.lost + came.lost
    here.began_at = min(here.began_at, came.began_at) if came.began_at else here.began_at
    return here


def _take(record: Record, key: str, reading: Reading, now: int) -> bool:
    if reading.at <= now - DAY:
        return False
    known = record.newest.get(key)
    if key == "weight":
        first = record.first_weight or known
        record.first_weight = reading if first is None or reading.at < first.at else first
    if key in SPOTS and not _put(record, key, reading, now):
        return False
    if known is None or reading.at >= known.at:
        record.newest[key] = reading
    if key in TRAIL:
        rows = tuple(r for r in record.trail.get(key, ()) if r.at > reading.at - TRAIL_US)
        if not rows or reading.at >= rows[-1].at + TRAIL_STEP_US:
            rows = (*rows, reading)
        record.trail[key] = rows
    if key in VOLUMES and not isinstance(reading.value, str):
        _add(record, key, reading.at, reading.value)
    if key in HELD:
        record.held[key] = _hold(record.held.get(key, ()), reading)
    if key in PRESSURES:
        keep_lowest(record, key, reading, now)
    if key == "spo2":
        _saturation(record, reading, now)
    return True


def _saturation(record: Record, reading: Reading, now: int) -> None:
    """SpO2 over FiO2, where both are known and the saturation tells something."""
    spans = record.held.get("fio2", ())
    if not spans or isinstance(reading.value, str) or not READABLE.met(reading.value):
        return
    oxygen = spans[-1]
    if isinstance(oxygen.value, str) or not oxygen.value or reading.at - oxygen.until > HOUR:
        return
    ratio = reading.value / (oxygen.value / 100)
    keep_lowest(record, "sf", Reading(reading.at, ratio, reading.few), now)


def _put(record: Record, key: str, reading: Reading, now: int) -> bool:
    """Puts a spot value in its place by time; the same one twice is one."""
    rows = record.spots.get(key, ())
    if reading in rows:
        return False
    kept = [row for row in rows if row.at > now - KEPT_US]
    kept.append(reading)
    kept.sort(key=lambda row: row.at)
    record.spots[key] = tuple(kept[-SPOTS_KEPT:])
    return True


def _hold(rows: Readings, reading: Reading) -> Readings:
    """The spans with one more value: a value heard again lengthens the span that holds it."""
    if rows and reading.at < rows[-1].until:
        return rows  # what comes late never changes what was held after it
    last = rows[-1] if rows else None
    if last is not None and reading.at - last.until <= HOUR:
        until = reading.at
        rows = (*rows[:-1], Reading(last.at, last.value, last.few, until))
        if last.value == reading.value:
            return rows
    span = Reading(reading.at, reading.value, reading.few, reading.at)
    kept = [row for row in rows if row.until > reading.at - DAY - HOUR]
    return (*kept[-HELD_KEPT:], span)


def keep_lowest(record: Record, key: str, reading: Reading, now: int) -> None:
    """Keeps what may yet be the lowest of a day: what is older and no lower is idle."""
    rows = [r for r in record.lowest.get(key, ()) if r.at > now - DAY]
    if any(r.at >= reading.at and r.value <= reading.value for r in rows):  # type: ignore[operator]
        record.lowest[key] = tuple(rows)
        return
    rows = [r for r in rows if r.at > reading.at or r.value < reading.value]  # type: ignore[operator]
    rows.append(reading)
    rows.sort(key=lambda row: row.at)
    record.lowest[key] = tuple(rows)


def _add(record: Record, key: str, at: int, volume: float) -> None:
    hour = at // HOUR * HOUR
    taken_in, lost = record.hours.get(hour, (0.0, 0.0))
    if key in IN:
        record.given += volume
        record.hours[hour] = (taken_in + volume, lost)
    else:
        record.lost += volume
        record.hours[hour] = (taken_in, lost + volume)
    oldest = max(record.hours) - DAY - HOUR
    if min(record.hours) < oldest:
        record.hours = {start: row for start, row in record.hours.items() if start >= oldest}


def _end_of_minute(bed: str, now: int) -> int:
    """Each bed has minutes of its own, so that a unit's figures are not all found at once."""
    phase = crc32(bed.encode()) % 60 * SECOND
    return now - (now - phase) % MINUTE + MINUTE


def _small(value: float) -> int | float:
    """A whole number without its fraction: one byte in the snapshot instead of nine."""
    return int(value) if value == int(value) else value
