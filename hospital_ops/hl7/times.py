"""HL7 v2 time stamps to microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from hospital_ops.clock import FIRST_US, LAST_US, SECOND, from_datetime

Zone = int | ZoneInfo  # offset in seconds east of UTC, or a named zone

_EPOCH: Final = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=512)
def _day_us(text: str) -> int | None:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
    return (day.toordinal() - _EPOCH) * 86_400 * SECOND


@lru_cache(maxsize=2048)
def offset_s(text: str) -> int | None:
    """The zone that a time stamp carries, in seconds east of UTC; None where it carries none."""
    if text.endswith("Z"):
        return 0
    if len(text) < 5 or text[-5] not in "+-":
        return None
    digits = text[-4:]
    if not (digits.isascii() and digits.isdecimal()):
        return None
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    if seconds > 14 * 3600 or int(digits[2:]) > 59:
        return None
    return -seconds if text[-5] == "-" else seconds


@lru_cache(maxsize=2048)  # the stamps of one second repeat, within a message and over the ward
def to_us(text: str, zone: Zone) -> int | None:
    """`YYYYMMDDHHMM[SS[.ffff]][+zzzz]` as microseconds UTC; `zone` where it carries none.

    24:00 is midnight of the next day. None where it says no moment: a date alone, nonsense,
    a time that no datetime holds.
    """
    offset: int | None = None
    if text and (text[-1] == "Z" or text[-5:-4] in ("+", "-")):
        offset = offset_s(text)
        if offset is None:
            return None
        text = text[:-1] if text[-1] == "Z" else text[:-5]
    main, _, fraction = text.partition(".")
    size = len(main)
    if size not in (12, 14) or not (main.isascii() and main.isdecimal()):
        return None
    day = _day_us(main[:8])
    hour, minute = int(main[8:10]), int(main[10:12])
    second = int(main[12:14]) if size == 14 else 0
    if day is None or hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second):
        return None
    us = 0
    if fraction:
        if not (fraction.isascii() and fraction.isdecimal()):
            return None
        us = int(fraction[:6].ljust(6, "0"))
    local = day + (hour * 3600 + minute * 60 + second) * SECOND + us
    if not FIRST_US <= local <= LAST_US:
        return None
    if offset is None:
        if not isinstance(zone, int):
            return _in_zone(local, zone)
        offset = zone
    return local - offset * SECOND


def _in_zone(local_us: int, zone: ZoneInfo) -> int:
    """A wall time of a named zone; in the hour that comes twice, the first of both."""
    wall = datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=local_us)  # wall arithmetic
    return from_datetime(wall)


def stamp(at_us: int) -> str:
    """`YYYYMMDDHHMMSS.ffff+0000` of a moment."""
    second, us = divmod(at_us, SECOND)
    return f"{_second(second)}.{us // 100:04d}+0000"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds):%Y%m%d%H%M%S}"
