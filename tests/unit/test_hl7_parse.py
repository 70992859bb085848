"""Parsing: escapes, delimiters, character sets, and agreement with library `hl7`."""

from __future__ import annotations

import contextlib
import json
import string
from pathlib import Path
from zoneinfo import ZoneInfo

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import from_iso, iso
from hospital_ops.errors import MessageError
from hospital_ops.hl7.parse import (
    PLAIN,
    Message,
    Signs,
    escape,
    parse,
    parse_text,
    print_message,
    unescape,
)
from hospital_ops.hl7.times import Zone, stamp, to_us

CORPUS = Path(__file__).parents[1] / "hl7"
# Files that library hl7 reads as one message; the others are frames, batches or lost letters.
PEERS = [
    case["file"]
    for case in map(json.loads, (CORPUS / "expected.jsonl").read_text("utf-8").splitlines())
    if case["framing"] == "bare" and case["file"][:3] not in ("044", "071")
]
SIGNS = st.sampled_from([PLAIN, Signs("|", "$", "%", "@", "!"), Signs("#", "^", "~", "\\", "&")])


@pytest.mark.parametrize("file", PEERS)
def test_fields_are_the_same_as_those_of_library_hl7(file: str) -> None:
    ours = parse((CORPUS / file).read_bytes())
    text = print_message(ours)
    theirs = hl7.parse(text)
    assert len(theirs) == len(ours.segments)
    for own, other in zip(ours.segments, theirs, strict=True):
        assert [str(field) for field in other] == own


@given(st.text(), SIGNS)
def test_what_is_escaped_reads_back_the_same(text: str, signs: Signs) -> None:
    printed = escape(text, signs)
    assert unescape(printed, signs) == text
    for sign in (signs.field, signs.component, signs.repetition, signs.sub, "\r", "\n"):
        assert sign not in printed.replace(signs.escape, "") or sign == signs.escape


FIELD = st.text(alphabet=string.ascii_letters + string.digits + "^~\\& .-", max_size=12)
SEGMENT = st.tuples(
    st.sampled_from(["PID", "PV1", "OBR", "OBX", "ZZ9"]), st.lists(FIELD, max_size=8)
).map(lambda pair: [pair[0], *pair[1]])


@given(st.lists(SEGMENT, max_size=8), SIGNS)
def test_a_printed_message_parses_to_itself(segments: list[list[str]], signs: Signs) -> None:
    encoding = signs.component + signs.repetition + signs.escape + signs.sub
    clean = [[field.replace(signs.field, "") for field in segment] for segment in segments]
    header = ["MSH", signs.field, encoding, "GW"]
    message = Message(signs, [header, *clean], [])
    assert parse_text(print_message(message)) == message


@given(st.binary(max_size=300), st.sampled_from([b"", b"MSH|^~\\&|", b"MSH"]))
def test_no_bytes_make_the_parser_fail_otherwise_than_in_words(data: bytes, start: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert parse(start + data).segments


def test_an_escape_never_makes_a_segment_or_a_delimiter() -> None:
    message = parse(
        b"MSH|^~\\&|GW\rNTE|1|L|a\\X0D\\PID\\F\\b\\.br\\c\\H\\d\\Zq\\e\\X4\\f\\C2842\\g"
    )
    assert [segment[0] for segment in message.segments] == ["MSH", "NTE"]
    assert message.text(message.segments[1][3]) == "a\rPID|b\ncdefg"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("8859/5", "iso8859-5"),
        ("CP1251", "cp1251"),
        ("8859/5~UNICODE UTF-8", "iso8859-5"),
    ],
)
def test_text_is_read_in_the_character_set_of_msh_18(declared: str, codec: str) -> None:
    raw = f"MSH|^~\\&|{'|' * 15}{declared}\rPID|||||Иванов".encode(codec)
    assert parse(raw).segments[1][5] == "Иванов"


def test_text_that_does_not_fit_its_character_set_is_refused_in_words() -> None:
    raw = b"MSH|^~\\&|" + b"|" * 15 + b"UNICODE UTF-8\rPID|||||\xc8\xe2"
    with pytest.raises(MessageError, match="MSH-18"):
        parse(raw)


def test_an_unnamed_character_set_costs_the_letters_and_not_the_values() -> None:
    raw = b"MSH|^~\\&|GW\rPID|||||\xc8\xe2\rOBX|1|NM|x||72"
    message = parse(raw)
    assert message.warning
    assert message.segments[1][5] == "\ufffd\ufffd"
    assert message.segments[2][5] == "72"
    assert parse(raw, "cp1251").segments[1][5] == "Ив"


@pytest.mark.parametrize(
    "raw", [b"", b"MSH", b"PID|1", b"MSHx^~\\&|", b"MSH|^^^^|A", b"MSH|ABCD|A"]
)
def test_what_has_no_readable_header_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError, match="malformed"):
        parse(raw)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_segments_end_with_any_line_end(end: bytes) -> None:
    message = parse(end.join([b"MSH|^~\\&|GW", b"PID|1", b"OBX|1|TX|a", b""]))
    assert [segment[0] for segment in message.segments] == ["MSH", "PID", "OBX"]


def test_a_segment_that_lost_a_letter_is_named() -> None:
    message = parse(b"MSH|^~\\&|GW\rPID|1\rBX|1|NM")
    assert message.damaged == [(3, "BX")]


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20261120101530+0300", 0, "2026-11-20T07:15:30.000Z"),
        ("20261120101530.1234-0400", 0, "2026-11-20T14:15:30.123Z"),
        ("20261120101530", 19_800, "2026-11-20T04:45:30.000Z"),
        ("202611201015Z", 3600, "2026-11-20T10:15:00.000Z"),
        ("20261120240000", 0, "2026-11-21T00:00:00.000Z"),
        ("20260715120000", ZoneInfo("Europe/Berlin"), "2026-07-15T10:00:00.000Z"),
        ("20261025023000", ZoneInfo("Europe/Berlin"), "2026-10-25T00:30:00.000Z"),
    ],
)
def test_a_time_stamp_is_a_moment(text: str, zone: Zone, expected: str) -> None:
    at = to_us(text, zone)
    assert at is not None
    assert iso(at) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20261120",
        "2026112010",
        "20261320101530",
        "20261120256000",
        "20261120240001",
        "nonsense",
        "20261120101530+9900",
        "20261120101530.x",
        "２０２６１１２０１０１５３０",
    ],
)
def test_what_says_no_moment_is_none(text: str) -> None:
    assert to_us(text, 0) is None


def test_our_own_stamps_read_back() -> None:
    at = from_iso("2026-11-20T10:15:30.123Z")
    assert to_us(stamp(at), 7200) == at
