"""EVENT, the public form of a value (DESIGN.md section 4), read into an Observation. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from hospital_ops import codes, judging, units, wire
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError
from hospital_ops.identity import written
from hospital_ops.judging import Judged

MODES: Final = ("Real", "Test", "Demo")
VALIDITIES: Final = ("Vld", "Qst", "Inv")  # the worst last
_TEXT_MOST: Final = 256  # characters of a value that is text
NESTING_MAX: Final = 32
_NUMBER: Final = (int, float)
_LIMIT_MOST: Final = 1e6  # beyond any unit; also what is no finite number
_OLDEST_US: Final = from_iso("1970-01-01T00:00:00Z")
_NEWEST_US: Final = from_iso("2100-01-01T00:00:00Z")


def parse_json(body: bytes, wanted: str = "one JSON object") -> Any:
    """The value of a JSON text; NaN and Infinity are read, to be stored as invalid.

    Raises MessageError for anything that is no JSON, is not UTF-8, or nests deeper than 32; it
    says to send what is `wanted`.
    """
    try:
        parsed = wire.from_json(body)
    except (ValueError, RecursionError):
        parsed = _lenient(body, wanted)
    # No deeper than it has brackets: the usual small batch need not be walked through.
    if body.count(b"{") + body.count(b"[") > NESTING_MAX and _depth(parsed) > NESTING_MAX:
        raise MessageError("too_deep", f"nest objects and lists at most {NESTING_MAX} deep")
    # Only an escape can bring what no database or encoder takes: NUL, or half of a pair.
    return _storable(parsed) if b"\\u" in body else parsed


def storable(text: str) -> str:
    """The text with the replacement character for NUL and for halves of surrogate pairs."""
    whole = text.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass")
    return whole.decode("utf-16-le", "replace")


def _storable(parsed: Any) -> Any:
    if isinstance(parsed, str):
        return storable(parsed)
    if isinstance(parsed, list):
        return [_storable(inner) for inner in parsed]
    if isinstance(parsed, dict):
        return {_storable(name): _storable(inner) for name, inner in parsed.items()}
    return parsed


def _lenient(body: bytes, wanted: str) -> Any:
    """The slower reader, which knows NaN and Infinity."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MessageError("malformed_json", f"send {wanted}, UTF-8 encoded") from error


def _depth(parsed: Any) -> int:
    level, deepest = [parsed], 0
    while level:
        deepest += 1
        if deepest > NESTING_MAX:
            return deepest
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return deepest


def read(event: Any, *, origin: str) -> tuple[wire.Observation, str, str]:
    """(observation, mode, warning) of one EVENT; the warning is empty where all is well.

    Well-formed but not to be trusted (not a number, out of physics, unknown unit) becomes an
    observation with validity Inv and a warning. Raises MessageError where it is not an EVENT.
    """
    if not isinstance(event, dict):
        raise MessageError("not_an_event", "each event is an object with event_id, code, value")
    event_id = _uuid(event.get("event_id"))
    code = event.get("code")
    if not isinstance(code, str) or not code or len(code) > 64:
        raise MessageError("no_code", "give `code`: a LOINC code such as 8867-4")
    mode = event.get("mode")
    if mode not in MODES:
        raise MessageError("no_mode", "give `mode`: Real, Test or Demo")
    validity = event.get("validity", "Vld")
    if validity not in VALIDITIES:
        raise MessageError("bad_validity", "`validity` is Vld, Qst or Inv")
    determined_at = _time(event.get("determined_at"))
    vital = codes.by_loinc.get(code) or codes.by_key.get(code)
    sent_unit = str(event.get("unit") or "")
    judged, unit = valued(event.get("value"), sent_unit, vital)
    value, found, reason, sent = judged
    sent = sent if sent_unit and validity == "Vld" else None
    says_limits = origin == "monitor" and event.get("limits") is not None
    if found != "Vld":
        validity = max(validity, found, key=VALIDITIES.index)
    observation = wire.Observation(
        code=vital.code if vital else code,
        value=value,
        unit=unit,
        determined_at=determined_at,
        validity=validity,
        event_id=event_id,
        origin=origin,
        text="" if vital else code,
        reason=reason,
        mapped=vital is not None,
        limits=_limits(event["limits"], sent_unit, vital) if says_limits else None,
        sent=sent,
    )
    if vital is None and not reason:
        reason = "unknown code: stored and shown under its own name"
    return observation, str(mode), reason


def _limits(
    sent: Any, unit: str, vital: codes.Vital | None
) -> tuple[float | None, float | None] | None:
    """The device's own alarm limits `{"low", "high"}` in the unit of the value; None: not said."""
    if sent is None or vital is None:
        return None
    if not isinstance(sent, Mapping):
        raise MessageError(
            "bad_limits", '`limits` is {"low": number, "high": number}, one may lack'
        )
    convert = units.conversion(vital, units.to_ucum(unit) if unit else "")
    numbers = [sent.get("low"), sent.get("high")]
    if any(isinstance(n, bool) or not isinstance(n, int | float | None) for n in numbers):
        raise MessageError("bad_limits", "`low` and `high` of `limits` are numbers")
    if convert.problem or not all(n is None or abs(n) < _LIMIT_MOST for n in numbers):
        return None
    low, high = (None if n is None else convert(float(n)) for n in numbers)
    return None if low is None and high is None else (low, high)


def _uuid(text: Any) -> str:
    try:
        return written(text)
    except (ValueError, TypeError, AttributeError) as error:
        raise MessageError("no_event_id", "give `event_id`: a UUID of your own") from error


def _time(text: Any) -> int | None:
    if text is None:
        return None
    try:
        at = from_iso(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError("bad_time", "`determined_at` is ISO 8601 with a zone") from error
    if not _OLDEST_US <= at <= _NEWEST_US:
        raise MessageError("bad_time", "`determined_at` lies outside 1970 to 2100: set the clock")
    return at


def valued(value: Any, unit: str, vital: codes.Vital | None) -> tuple[Judged, str]:
    """(value with its trust, unit) of what an event or a payload says."""
    if isinstance(value, bool) or not isinstance(value, _NUMBER):
        return _no_number(value, vital), unit
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return Judged(None, "Inv", "the value is not a finite number"), unit
    if vital is None:
        return Judged(number), unit
    read_as = _scale(vital, unit)
    judged = judging.number(number, vital, *read_as)
    return judged, unit if read_as.convert.problem else read_as.convert.unit


@lru_cache(maxsize=1024)
def _scale(vital: codes.Vital, unit: str) -> judging.Scale:
    return judging.scale(vital, units.to_ucum(unit) if unit else "")


def _no_number(value: Any, vital: codes.Vital | None) -> Judged:
    if value is None:
        return Judged(None, "Inv", "no value")
    if isinstance(value, str) and vital is None:
        return Judged(value[:_TEXT_MOST])
    if isinstance(value, str) and vital is not None and vital.ucum == "code":
        return judging.word(value[:_TEXT_MOST], vital)
    return Judged(None, "Inv", "the value is not a number")
