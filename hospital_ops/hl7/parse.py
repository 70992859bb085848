"""HL7 v2 text into segments and fields, by splitting; fields are taken apart when they are read.

`segment[n]` is field n of the segment as sent (escapes untouched), for MSH too: `msh[1]` is the
field separator, `msh[2]` the encoding characters.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from hospital_ops.errors import MessageError
from hospital_ops.hl7.bounds import SEGMENTS_MAX, within
from hospital_ops.hl7.charset import decode

Segment = list[str]


class Signs(NamedTuple):
    """The delimiters of a message: MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"


PLAIN: Final = Signs()
_SIGN_ORDER: Final = (PLAIN.component, PLAIN.repetition, PLAIN.escape, PLAIN.sub)
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_LONE_LF: Final = re.compile(r"\n(?=[A-Z][A-Z0-9]{2}[^A-Za-z0-9\s])")
_SEEN: Final = frozenset(("MSH", "PID", "PV1", "OBR", "OBX", "NTE", "ORC", "EVN", "MRG", "PRT"))


class Message:
    """A parsed message: its delimiters and its segments in order."""

    __slots__ = ("codec", "damaged", "msh", "segments", "signs", "warning")

    def __init__(self, signs: Signs, segments: list[Segment], damaged: list[tuple[int, str]]):
        self.signs = signs
        self.segments = segments
        self.msh = segments[0]
        self.damaged = damaged  # (number of the line from 1, what stands where the name should)
        self.codec = "ascii"
        self.warning = ""  # about the character set

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self.signs == other.signs
            and self.segments == other.segments
        )

    __hash__ = None  # type: ignore[assignment]

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        for segment in self.segments:
            if segment[0] == name:
                return segment
        return None

    def text(self, value: str) -> str:
        """`value` with its escapes read."""
        return unescape(value, self.signs, self.codec) if self.signs.escape in value else value


def field(segment: Segment | None, number: int) -> str:
    """Field `number` of a segment as sent; empty where the segment or the field is missing."""
    return segment[number] if segment is not None and number < len(segment) else ""


def component(value: str, number: int, signs: Signs) -> str:
    """Component `number`, from 1, of a field's first repetition, as sent."""
    parts = value.split(signs.repetition, 1)[0].split(signs.component)
    return parts[number - 1] if number <= len(parts) else ""


def parse(raw: bytes, default_charset: str = "") -> Message:
    """The message in `raw`; MessageError where it has no readable MSH or its text no charset."""
    if raw[:3] != b"MSH":
        raw = raw.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n \t\x00")
    if raw[:3] != b"MSH" or len(raw) < 8:
        raise MessageError("malformed", "the message does not begin with MSH: send whole messages")
    separator = raw[3:4]
    if not 0x20 < separator[0] < 0x7F or separator.isalnum():
        raise MessageError("malformed", "MSH-1 is no usable field separator: use |")
    text, codec, warning = decode(raw, "" if raw.isascii() else _declared(raw), default_charset)
    message = parse_text(text.replace("\x00", "\ufffd"))  # no database stores NUL in a text
    message.codec, message.warning = codec, warning
    return message


def _declared(raw: bytes) -> str:
    header = re.split(rb"[\r\n]", raw, maxsplit=1)[0].split(raw[3:4])
    value = header[17] if len(header) > 17 else b""
    repetition = header[1][1:2] or b"~"
    return value.split(repetition)[0].decode("ascii", "replace")


def parse_text(text: str) -> Message:
    """The same for text that is already decoded."""
    separator = text[3]
    if "\n" in text:
        if "\r" in text:
            text = _LONE_LF.sub("\r", text.replace("\r\n", "\r"))
        else:
            text = text.replace("\n", "\r")
    within("segments", text.count("\r"), SEGMENTS_MAX)  # each costs a hundred times its bytes
    segments = [line.split(separator) for line in text.split("\r") if line]
    damaged: list[tuple[int, str]] = []
    if not _SEEN.issuperset([segment[0] for segment in segments]):
        segments, damaged = _named(segments)
    header = segments[0]
    header.insert(1, separator)
    return Message(_signs(separator, header[2]), segments, damaged)


def _named(segments: list[Segment]) -> tuple[list[Segment], list[tuple[int, str]]]:
    """The segments with their names checked; one without a name begins with `?`."""
    kept: list[Segment] = []
    damaged: list[tuple[int, str]] = []
    for number, segment in enumerate(segments, 1):
        name = segment[0].strip()
        if not name and len(segment) == 1:
            continue
        if _NAME.fullmatch(name):
            segment[0] = name
        else:
            damaged.append((number, name[:3]))
            segment[0] = f"?{name[:3]}"
        kept.append(segment)
    return kept, damaged


def _signs(separator: str, encoding: str) -> Signs:
    if encoding == "^~\\&" and separator == "|":
        return PLAIN
    given = encoding[:4]
    if len(given) < 1 or len(set(given) | {separator}) != len(given) + 1:
        raise MessageError("malformed", "MSH-2 does not name four different signs: use ^~\\&")
    if any(sign.isalnum() or sign.isspace() for sign in given):
        raise MessageError("malformed", "MSH-2 holds letters, digits or spaces: use ^~\\&")
    filled = [*given, *_SIGN_ORDER[len(given) :]]
    return Signs(separator, filled[0], filled[1], filled[2], filled[3])


def unescape(value: str, signs: Signs = PLAIN, codec: str = "utf-8") -> str:
    r"""`value` with \F\ \S\ \T\ \R\ \E\ \P\ \Xhh..\ \.br\ read; others (\H\ \C..\ \Z..\) fall away.

    An escape that does not end stands as it is.
    """
    parts = value.split(signs.escape)
    if len(parts) < 3:
        return value
    out = [parts[0]]
    at, last = 1, len(parts) - 1
    while at <= last:
        if at == last:  # no closing sign
            out.append(signs.escape + parts[at])
            break
        out.append(_escaped(parts[at], signs, codec))
        out.append(parts[at + 1])
        at += 2
    return "".join(out)


def _escaped(code: str, signs: Signs, codec: str) -> str:
    single = {
        "F": signs.field,
        "S": signs.component,
        "T": signs.sub,
        "R": signs.repetition,
        "E": signs.escape,
        "P": "#",
        ".br": "\n",
        ".sp": "\n",
    }
    if code in single:
        return single[code]
    if code[:1] == "X":
        try:
            data = bytes.fromhex(code[1:])
        except ValueError:
            return ""
        return data.decode("utf-8" if codec in ("ascii", "unknown") else codec, "replace")
    return ""


def escape(value: str, signs: Signs = PLAIN) -> str:
    r"""`value` so that it can stand in a field: delimiters, CR and LF as escapes."""
    mark = signs.escape
    value = value.replace(mark, f"{mark}E{mark}")
    for sign, letter in (
        (signs.field, "F"),
        (signs.component, "S"),
        (signs.sub, "T"),
        (signs.repetition, "R"),
    ):
        value = value.replace(sign, f"{mark}{letter}{mark}")
    return value.replace("\r", f"{mark}X0D{mark}").replace("\n", f"{mark}X0A{mark}")


def print_message(message: Message) -> str:
    """The message as text again: `parse_text(print_message(x)) == x`, where nothing is damaged."""
    separator = message.signs.field
    lines = [separator.join([message.msh[0], *message.msh[2:]])]
    lines += [separator.join(segment) for segment in message.segments[1:]]
    return "\r".join(lines) + "\r"
