"""Kept bytes as an integrator needs them: form, codes, units, times; nothing that says who it is.

Only what is named here is shown as it was sent. All else keeps its form: each letter is an x, each
digit a 9. Pure.
"""

from __future__ import annotations

import re
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.errors import MessageError
from hospital_ops.hl7.parse import parse

MOST: Final = 16_384  # characters of a page
_END: Final = re.compile(r"\r\n|\r|\n")
_ALL: Final = frozenset(range(1, 100))
# Fields as HL7 v2 counts them; of MSH all but 8 (security), of PV1 class, bed and former bed.
_SHOWN: Final[dict[str, frozenset[int]]] = {
    "MSH": _ALL - {8},
    "EVN": frozenset((1, 2, 6)),
    "PV1": frozenset((1, 2, 3, 6)),
    "OBR": frozenset((1, 4, 7, 8, 22, 25)),
    "OBX": frozenset((1, 2, 3, 4, 6, 8, 11, 14, 17, 18)),
}
_NUMERIC: Final = re.compile(r"[-+0-9.,<>=^~ ]*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_ -]{0,39}")
_WORDS: Final = frozenset(
    ("observation_id", "device_id", "unit", "code", "status", "date-time", "determined_at", "type",
     "validity", "mode", "event_id", "interpretation", "wave-name", "resolution", "sampling rate",
     "sampling-rate", "bed")
)  # fmt: skip
_NUMBERS: Final = frozenset(
    ("value", "low", "high", "low-limit", "high-limit", "data-baseline", "sampling rate",
     "sampling-rate")
)  # fmt: skip


def whole(raw: bytes) -> str:
    """The bytes as text, every character of them; at most the first `MOST`."""
    return _lines(_text(raw))[:MOST]


def shaped(raw: bytes) -> str:
    """The bytes with everything hidden that may say who it is; at most the first `MOST`."""
    text = _text(raw)
    if text.lstrip()[:1] in ("{", "["):
        try:
            return wire.to_json(_json(wire.from_json(raw), "")).decode()[:MOST]
        except (ValueError, RecursionError):
            return hidden(text)[:MOST]
    sign = next((line[3] for line in _END.split(text) if line[:3] == "MSH" and len(line) > 3), "|")
    return "\n".join(_segment(line, sign) for line in _END.split(text))[:MOST]


def hidden(text: str) -> str:
    """The form of a text: 9 for a digit, x for a letter or sign of any script but ASCII's own."""
    return "".join(
        "9" if one.isdigit() else one if one.isascii() and not one.isalpha() else "x"
        for one in text
    )


def _text(raw: bytes) -> str:
    if sum(byte < 32 and byte not in b"\t\r\n\x0b\x1c\x1d\x1e" for byte in raw[:256]) > 8:
        return f"({len(raw)} bytes that are no text)"
    try:
        return raw.decode(parse(raw).codec, "replace")
    except (MessageError, LookupError):
        return raw.decode("utf-8", "replace")


def _lines(text: str) -> str:
    return "\n".join(_END.split(text))


def _segment(line: str, sign: str) -> str:
    fields = line.split(sign)
    shown = _SHOWN.get(fields[0])
    if shown is None:
        return sign.join((fields[0] if _is_name(fields[0]) else hidden(fields[0]),
                          *map(hidden, fields[1:])))  # fmt: skip
    first = 1 if fields[0] == "MSH" else 0  # MSH-1 is the sign itself
    return sign.join(
        field if at == 0 or at + first in shown or _is_number(fields, at) else hidden(field)
        for at, field in enumerate(fields)
    )


def _is_name(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Z][A-Z0-9]{2}", text))


def _is_number(fields: list[str], at: int) -> bool:
    """A value, or its reference range, that is a number."""
    return fields[0] == "OBX" and at in (5, 7) and bool(_NUMERIC.fullmatch(fields[at]))


def _json(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {
            (key if _NAME.fullmatch(key) else hidden(key)): _json(inner, key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_json(inner, name) for inner in value]
    if isinstance(value, str):
        return value if name in _WORDS else hidden(value)
    if isinstance(value, bool) or value is None or name in _NUMBERS:
        return value
    return hidden(str(value))
