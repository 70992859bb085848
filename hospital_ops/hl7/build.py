"""HL7 v2 messages that we send: acknowledgements, and segments for simulators."""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops.hl7.framing import framed
from hospital_ops.hl7.parse import PLAIN, Signs, escape
from hospital_ops.hl7.times import stamp

SENDER: Final = "HOSPITAL_OPS"
ACCEPTED: Final = "A"
ERROR: Final = "E"  # send again once what the text says is put right
REJECTED: Final = "R"  # sending the same again will not help
_TEXT_LIMIT: Final = 200


class Header(NamedTuple):
    """What an answer needs of the message it answers; all empty where MSH cannot be read."""

    control_id: str = ""
    application: str = ""  # MSH-3 as sent
    facility: str = ""
    trigger: str = ""  # ORU^R01
    version: str = "2.6"
    processing: str = "P"
    accept: str = ""  # MSH-15: AL, NE, ER, SU or empty
    finish: str = ""  # MSH-16
    codec: str = "ascii"
    signs: Signs = PLAIN


def answers(header: Header, outcome: str, at_us: int, text: str = "", error: str = "") -> bytes:
    """The framed acknowledgements of a message, none (empty) where the sender wants none.

    `outcome` is ACCEPTED, ERROR or REJECTED. Original mode answers AA, AE, AR; enhanced mode
    (MSH-15, or MSH-16 asking for an answer) CA, CE, CR as MSH-15 and then AA as MSH-16 wish.
    `error` is a code of HL7 table 0357.
    """
    return b"".join(
        framed(_acknowledge(header, kind + outcome, at_us, text, error))
        for kind in _wanted(header, outcome == ACCEPTED)
    )


def _wanted(header: Header, good: bool) -> tuple[str, ...]:
    accept, finish = header.accept, header.finish
    if not accept and finish not in ("AL", "SU", "ER"):
        return ("A",)
    wishes = ("AL", "SU") if good else ("AL", "ER")
    first = ("C",) if accept in wishes else ()
    if not good and first:
        return first  # what was not taken gets no second answer
    return (*first, "A") if finish in wishes else first


def _acknowledge(header: Header, code: str, at_us: int, text: str, error: str) -> bytes:
    signs = header.signs
    s, c = signs.field, signs.component
    trigger = header.trigger.partition(c)[2].split(c)[0] or header.trigger.partition("^")[2]
    kind = c.join(("ACK", trigger, "ACK")) if trigger else "ACK"
    words = escape(text[:_TEXT_LIMIT], signs)
    moment = stamp(at_us)
    number = f"{code}{at_us}"[-20:]
    encoding = f"{c}{signs.repetition}{signs.escape}{signs.sub}"
    lines = [
        f"MSH{s}{encoding}{s}{SENDER}{s}{s}{header.application}{s}{header.facility}{s}{moment}"
        f"{s}{s}{kind}{s}{number}{s}{header.processing}{s}{header.version}",
        f"MSA{s}{code}{s}{header.control_id}" + (f"{s}{words}" if words else ""),
    ]
    if error:
        lines.append(
            f"ERR{s}{s}{s}{error}{c}{_ERRORS.get(error, '')}{c}HL70357{s}E{s}{s}{s}{words}"
        )
    codec = header.codec if header.codec != "unknown" else "ascii"
    return ("\r".join(lines) + "\r").encode(codec, "replace")


_ERRORS: Final = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}


def message(segments: list[list[str]]) -> bytes:
    """A message of plain delimiters in UTF-8 from segments of raw fields (escape them first)."""
    return ("\r".join("|".join(fields) for fields in segments) + "\r").encode()
