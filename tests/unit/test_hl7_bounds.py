"""No single message costs the ward more than it may: values, samples, segments, and times."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from hospital_ops.hl7.bounds import MAX_OBX, SEGMENTS_MAX
from hospital_ops.hl7.times import Zone, to_us
from hospital_ops.hl7.understand import Source, Understood, understand
from hospital_ops.hl7.waves import GAP, pack
from hospital_ops.waveform import SAMPLES_MAX
from streams.hl7_intake import take
from streams.routing import Announced
from tests.mllp_ward import LOCAL, Ward, oru

NOW: Final = 1_795_219_200_000_000
WARD: Final = Source(name="ward", hospital="h1")
HEAD: Final = "MSH|^~\\&|GW||||%s||ORU^R01|C1|P|2.4\rPV1||I|h1-icu-1^^h1-icu-1-07\r"
SENT: Final = "20261120101530+0000"
GROUP: Final = "OBR|1||||||20261120101500|20261120101530\r"
# What a program writes that has no time, and the last hours that there are.
NO_MOMENTS: Final = (
    "00010101000000", "00010101000000+1400", "99991231240000", "99991231235959-1400",
    "99991231240000+0000",
)  # fmt: skip
ZONES: Final = sorted(available_timezones())


def read(body: str, sent: str = SENT, source: Source = WARD) -> Understood:
    return understand((HEAD % sent + body).encode(), source, NOW)


def hr(value: str, stamp: str = "") -> str:
    return f"OBX|1|NM|147842^HR^MDC|1.2.1.1|{value}|/min^/min^UCUM|||||F|||{stamp}\r"


def wave(samples: str) -> str:
    return (
        f"OBX|1|NA|131330^ECG^MDC|1.1.1.1|{samples}|mV^mV^UCUM|||||F\r"
        "OBX|2|NM|67981^MDC_ATTR_SAMP_RATE^MDC|1.1.1.1.1|500|264608^X^MDC|||||F\r"
    )


def refusal(known: Understood) -> tuple[str, str]:
    assert known.problem is not None
    return known.problem.outcome, known.problem.code


def rows(known: Understood) -> list[wire.Observation]:
    return [
        row
        for _, entry in known.entries("h1-icu-1", "h1-icu-1-07")
        if isinstance(entry, wire.Observed)
        for row in entry.observations
    ]


def test_values_are_counted_and_not_the_lines_on_which_they_stand() -> None:
    assert len(rows(read(GROUP + hr("~".join(["80"] * MAX_OBX))))) == MAX_OBX
    assert refusal(read(GROUP + hr("~".join(["80"] * (MAX_OBX + 1))))) == ("R", "too_many")
    half = "~".join(["80"] * (MAX_OBX // 2 + 1))
    assert refusal(read(GROUP + hr(half) + hr(half))) == ("R", "too_many")
    others = "".join(f"OBX|{n}|NM|Q{n}^Q^99Z||1|x|||||F\r" for n in range(MAX_OBX - 1))
    assert refusal(read(GROUP + hr("80~81") + others)) == ("R", "too_many")


def test_a_refused_message_says_how_many_values_there_may_be() -> None:
    known = read(GROUP + hr("~".join(["80"] * 330_000)))
    answer = known.answer(NOW)
    assert b"MSA|AR|C1|" in answer
    assert b"330000 values in one message, at most 2000: send several messages" in answer
    assert known.kept("h1-hall").code == "too_many"


def test_damaged_segments_are_one_note_with_their_number_and_the_first() -> None:
    known = read(GROUP + "xx|\r" * 3000 + hr("80"))
    notes = [e for _, e in known.entries("h1-icu-1", "b") if isinstance(e, wire.Kept)]
    assert [(note.code, note.reason) for note in notes] == [
        ("damaged", "segment 4 has no name ('xx') and was not taken, nor were 2999 others")
    ]
    assert len(rows(known)) == 1
    assert len(known.answer(NOW)) < 1000


def test_a_refused_message_that_comes_again_is_known_by_its_bytes() -> None:
    places = Announced(Ward())
    refused = [
        b"no HL7", oru("A1", bed="ICU7N^^BED799"), oru("A2").replace(b"ORU^R01", b"ORM^O01"),
        oru("A3") + b"xx|\r" * (SEGMENTS_MAX + 1), oru("A4") + b"xx|\r" * (SEGMENTS_MAX + 1),
    ]  # fmt: skip
    known = []
    for raw in refused:
        first, again = (take(raw, LOCAL, places, NOW + n, MAX_OBX) for n in range(2))
        (one,), (other,) = first.appends, again.appends
        assert isinstance(one.entry, wire.Kept)
        assert isinstance(other.entry, wire.Kept)
        assert one.entry.identity == other.entry.identity
        known.append(one.entry.identity)
    assert len({*known}) == len(refused)
    assert all(known)


@pytest.mark.parametrize("line", ["xx|\r", "NTE|\r", "?|\r", "OBR|1\r"])
def test_a_message_of_too_many_segments_is_refused_and_not_to_be_sent_again(line: str) -> None:
    known = read(line * (SEGMENTS_MAX + 1) + hr("80"))
    assert refusal(known) == ("R", "too_many")
    assert b"MSA|AR|C1|" in known.answer(NOW)


def test_a_message_holds_so_many_samples_of_curves_and_no_more() -> None:
    found = read(wave("^".join(["1"] * SAMPLES_MAX))).found
    assert found is not None
    assert len(found.pieces[0].samples) == 2 * SAMPLES_MAX
    assert refusal(read(wave("^".join(["1"] * (SAMPLES_MAX + 1))))) == ("R", "too_many")
    half = wave("^".join(["1"] * (SAMPLES_MAX // 2 + 1)))
    assert refusal(read(half + half)) == ("R", "too_many")


@given(st.lists(st.integers(-32_767, 32_767) | st.none(), min_size=1), st.integers(0, 5))
@example([32_767], 3)
def test_decimals_that_fit_are_packed_exactly(steps: list[int | None], digits: int) -> None:
    values = [None if step is None else step / 10**digits for step in steps]
    present = [v for v in values if v is not None]
    if not present:
        return
    samples, scale, offset = pack(values, present)
    assert offset == 0
    again = memoryview(samples).cast("h")
    assert [None if s == GAP else pytest.approx(s * scale, abs=1e-9) for s in again] == values


@pytest.mark.parametrize("text", NO_MOMENTS)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "America/St_Johns"])
def test_a_time_that_no_calendar_holds_is_none_and_the_value_says_so(text: str, zone: str) -> None:
    source = Source(name="ward", hospital="h1", zone=zone)
    for known in (
        read(hr("80", text), source=source),
        read(f"OBR|1||||||{text}\r" + hr("80") + hr("90"), source=source),
    ):
        first = rows(known)[0]
        assert (first.value, first.validity, first.determined_at) == (80.0, "Vld", None)
        assert first.reason == "its time says no moment; receive time is used"
    for kind, body in (("ORU^R01", hr("80")), ("ADT^A01", "PID|1||77\r"), ("ORU^R40", "")):
        known = understand((HEAD % text + body).replace("ORU^R01", kind).encode(), source, NOW)
        assert known.problem is None
        assert known.sent_at is None
        assert known.event is None or known.event.at == NOW


@given(
    st.builds(
        "{:04d}{:02d}{:02d}{:02d}{:02d}{:02d}{}".format,
        st.sampled_from([0, 1, 2, 3, 1600, 1883, 1969, 1970, 2026, 2100, 9997, 9998, 9999]),
        st.integers(1, 12), st.integers(1, 31), st.integers(0, 24), st.integers(0, 59),
        st.integers(0, 60), st.sampled_from(["", ".9999", "+1400", "-1400", "Z", "-0330"]),
    ),
    st.sampled_from(ZONES).map(ZoneInfo) | st.integers(-14, 14).map(lambda h: h * 3600),
)  # fmt: skip
def test_whatever_time_is_said_in_whatever_zone_a_calendar_holds_it(text: str, zone: Zone) -> None:
    at = to_us(text, zone)
    if at is not None:
        for there in (ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")):
            to_datetime(at).astimezone(there)
