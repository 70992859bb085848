"""What single OBX mean, beyond the corpus; and where PV1-3 leads."""

from __future__ import annotations

import math
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.errors import ConfigurationError
from hospital_ops.hl7.parse import PLAIN
from hospital_ops.hl7.people import location
from hospital_ops.hl7.understand import Source, Understood, understand
from hospital_ops.standing.rules import Standing
from streams.routing import Announced, Place, Unknown, place, place_patient

NOW = 1_795_219_200_000_000
WARD = Source(name="ward", hospital="h1")
HEAD = "MSH|^~\\&|GW||||20261120101530+0000||ORU^R01|C1|P|2.4\rPV1||I|h1-icu-1^^h1-icu-1-07\r"


def read(*obx: str, source: Source = WARD, head: str = HEAD, obr: str = "") -> Understood:
    lines = [obr or "OBR|1||||||20261120101530", *obx]
    return understand((head + "\r".join(lines) + "\r").encode(), source, NOW)


def rows(*obx: str, **how: str) -> list[wire.Observation]:
    entries = read(*obx, **how).entries("h1-icu-1", "h1-icu-1-07")  # type: ignore[arg-type]
    return [o for _, e in entries if isinstance(e, wire.Observed) for o in e.observations]


def hr(value: str, unit: str = "/min", more: str = "|||||R") -> str:
    return f"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|{value}|{unit}{more}"


@given(st.text(alphabet="0123456789.+-eEnaifNIF_,% <>~^x\u0664", max_size=10))
def test_only_what_hl7_calls_a_number_becomes_one_and_never_beyond_physics(text: str) -> None:
    for row in rows(hr(text)):
        if row.validity == "Inv":
            assert row.value is None
            assert row.reason
        else:
            assert isinstance(row.value, float)
            assert math.isfinite(row.value)
            assert 0 <= row.value <= 350


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("82", (82.0, "Vld")),
        ("0", (0.0, "Qst")),
        ("301", (301.0, "Qst")),
        ("350", (350.0, "Qst")),
        ("351", (None, "Inv")),
        ("1000000000", (None, "Inv")),
        ("-1", (None, "Inv")),
        ("NaN", (None, "Inv")),
        ("inf", (None, "Inv")),
        ("98%", (None, "Inv")),
    ],
)
def test_the_limits_of_the_table_decide_over_trust(value: Any, expected: Any) -> None:
    (row,) = rows(hr(value))
    assert (row.value, row.validity) == expected


def test_an_unknown_unit_never_becomes_a_number() -> None:
    (row,) = rows(hr("82", "furlong"))
    assert (row.value, row.validity, row.unit) == (None, "Inv", "furlong")
    assert row.sent == 82.0  # so that somebody can say which unit it means
    (row,) = rows(hr("82", "furlong", more="|||||W"))
    assert row.sent is None  # what the device takes back stays taken back, whatever is mapped
    assert "unit" in row.reason


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("20261120235950+0000", ""),
        ("20261121000030+0000", ""),
        ("20261120235800+0000", ""),
        ("20261121030000+0000", "its time lies 3 h ahead of ours"),
        ("20261120230000+0000", "its time lies 60 min behind ours: set the clock"),
        (
            "20261121030000",
            "3 h ahead of ours (not shown yet): set the clock or send the zone (without one: UTC)",
        ),
    ],
)
def test_whoever_sends_a_wrong_time_is_told_so_and_as_what_a_time_without_a_zone_was_read(
    told: str, said: str
) -> None:
    head = HEAD.replace("20261120101530+0000", "")
    known = read(hr("82"), head=head, obr=f"OBR|1||||||{told}")
    assert said in known.answer(NOW).decode()
    assert bool(known.warnings) == bool(said)


@pytest.mark.parametrize(("result", "validity"), [("R", "Vld"), ("W", "Inv"), ("D", "Inv")])
def test_a_withdrawn_result_is_invalid(result: str, validity: str) -> None:
    (row,) = rows(hr("82", more=f"|||||{result}"))
    assert row.validity == validity


def test_plain_names_without_a_code_system_are_known() -> None:
    found = rows(
        "OBX|1|ST|HR||73|/min|||||R",
        "OBX|2|ST|RR||15|breaths/min|||||R",
        "OBX|3|ST|CO2EX||32|mm(hg)|||||R",
        "OBX|4|ST|CO2RR||14|breaths/min|||||R",
        "OBX|5|ST|SPO2R||74|/min|||||R",
        "OBX|6|ST|SPO2P||99|%|||||R",
        "OBX|7|ST|STI||-0.5|mm|||||R",
    )
    assert [(row.code, row.value) for row in found] == [
        ("8867-4", 73),
        ("9279-1", 15),
        ("19891-1", 32),
        ("9279-1", 14),
        ("8889-8", 74),
        ("59408-5", 99),
        ("STI", -0.5),
    ]
    assert len({(row.code, row.channel) for row in found}) == 7


def test_a_private_code_never_passes_as_a_vital_of_the_same_spelling() -> None:
    (first, second) = rows(
        "OBX|1|NM|8867-4^Wedge count^99VND|1.1.1.1|70|/min|||||R",
        "OBX|2|NM|8867-4^Heart rate^LN|1.1.1.2|70|/min|||||R||||||MSET",
    )
    assert not first.mapped
    assert not second.mapped
    assert {first.code, second.code} == {"99VND:8867-4", "LN:8867-4"}
    assert second.origin == "setting"


def test_a_setting_keeps_the_unit_it_was_sent_in() -> None:
    (row,) = rows("OBX|1|NM|151976^PEEP^MDC|1.1.1.1|10|266098^^MDC|||||R||||||ASET")
    assert (row.code, row.value, row.unit, row.mapped) == ("151976", 10, "mbar", False)


def test_two_probes_in_one_channel_do_not_overwrite_each_other() -> None:
    found = rows(
        "OBX|1|NM|150344^^MDC|1.2.1.1|36.5|Cel|||||R",
        "OBX|2|NM|150344^^MDC|1.2.1.2|37.5|Cel|||||R",
    )
    assert len({row.channel for row in found}) == 2


def test_a_value_typed_at_the_bedside_and_one_of_the_laboratory_say_so() -> None:
    typed, lab = rows(
        "OBX|1|NM|8310-5^Temp^LN||36.5|Cel|||||R||||||MMEAS^manual-measurement^MDC",
        "OBX|2|NM|2823-3^K^LN||4.1|mmol/L|||||F",
    )
    assert (typed.origin, lab.origin) == ("typed", "laboratory")


def test_a_fraction_in_a_per_cent_field_is_converted() -> None:
    (row,) = rows("OBX|1|NM|152196^^MDC|1.1.1.1|0.45|%|||||R")
    assert row.value == 45


def test_a_time_without_zone_takes_that_of_the_source() -> None:
    moscow = Source(name="ward", hospital="h1", zone="Europe/Moscow")
    head = HEAD.replace("20261120101530+0000", "")
    known = read(hr("82"), source=moscow, head=head)
    ((_, entry),) = known.entries("h1-icu-1", "h1-icu-1-07")
    assert isinstance(entry, wire.Observed)
    assert entry.observations[0].determined_at == 1_795_158_930_000_000  # 07:15:30Z


def test_without_any_time_the_receive_time_is_left_to_the_reader() -> None:
    (row,) = rows(hr("82"), obr="OBR|1")
    assert row.determined_at is None


@pytest.mark.parametrize(
    ("mark", "mode"), [("P", "Real"), ("T", "Test"), ("D", "Test"), ("", "Real")]
)
def test_msh_11_keeps_test_data_from_passing_as_real(mark: str, mode: str) -> None:
    known = read(hr("82"), head=HEAD.replace("|P|2.4", f"|{mark}|2.4"))
    assert [e.mode for _, e in known.entries("u", "b") if isinstance(e, wire.Observed)] == [mode]


def test_a_demo_source_stays_demo_and_a_devices_test_value_is_taken_out() -> None:
    demo = Source(name="ward", hospital="h1", mode="Demo")
    known = read(hr("82"), hr("83", more="||TEST|||R"), source=demo)
    entries = [e for _, e in known.entries("u", "b") if isinstance(e, wire.Observed)]
    assert [entry.mode for entry in entries] == ["Demo", "Test"]
    assert entries[0].identity != entries[1].identity


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("|2.4\r", "|3.0\r"), "version"),
        (("|P|", "|X|"), "processing"),
        (("|C1|", "||"), "malformed"),
        (("ORU^R01", "ORU^R99"), "unknown_trigger"),
    ],
)
def test_what_the_header_forbids_is_rejected_with_a_code(
    change: tuple[str, str], code: str
) -> None:
    known = read(hr("82"), head=HEAD.replace(*change))
    assert known.problem is not None
    assert (known.problem.outcome, known.problem.code) == ("R", code)


def test_more_obx_than_the_limit_are_rejected() -> None:
    known = read(*[hr("82")] * 2001)
    assert known.problem is not None
    assert known.problem.code == "too_many"


def test_a_name_beyond_its_character_set_is_left_out_of_an_admission() -> None:
    raw = (
        b"MSH|^~\\&|HIS||||20261120090000||ADT^A01|D1|P|2.4\r"
        b"PID|||77^^^H^MR||\xc8\xe2^A\rPV1||I|h1-icu-1^^h1-icu-1-07\r"
    )
    known = understand(raw, WARD, NOW)
    ((_, admission),) = known.entries("h1-icu-1", "h1-icu-1-07")
    assert isinstance(admission, wire.Admission)
    assert (admission.patient.mrn, admission.patient.family) == ("77", "")
    assert "MSH-18" in known.answer(NOW).decode()


def test_a_transfer_between_units_is_told_to_both() -> None:
    raw = (
        b"MSH|^~\\&|HIS||||20261120090000||ADT^A02|D1|P|2.4\rPID|||77^^^H^MR\r"
        b"PV1||I|h1-icu-1^^h1-icu-1-07|||h1-ed^^h1-ed-02\r"
    )
    entries = understand(raw, WARD, NOW).entries("h1-icu-1", "h1-icu-1-07", "h1-ed", "h1-ed-02")
    told = [e for _, e in entries if isinstance(e, wire.Admission)]
    assert [(e.unit, e.bed, e.prior_bed) for e in told] == [
        ("h1-icu-1", "h1-icu-1-07", "h1-ed-02"),
        ("h1-ed", "", "h1-ed-02"),
    ]
    assert told[0].identity != told[1].identity
    assert told[0].from_unit == "h1-ed"  # the former bed is none of the unit's own
    assert (told[1].to_unit, told[1].to_bed) == ("h1-icu-1", "h1-icu-1-07")


def test_a_sender_is_told_which_values_could_not_be_used() -> None:
    told = read(hr("82", "furlong"), hr("", "/min")).answer(NOW).decode()
    assert "1 values stored as invalid, the first 8867-4" in told


@pytest.mark.parametrize("charset", ["8859/5", "CP1251"])
def test_a_site_whose_senders_name_no_character_set_is_understood_and_answered(
    charset: str,
) -> None:
    """MSH-18 is empty and the text is Cyrillic: the source's own character set holds."""
    source = Source(name="ward", hospital="h1", charset=charset)
    names = {"8859/5": "iso8859-5", "CP1251": "cp1251"}
    raw = f"{HEAD}\rPID|||7700102^^^БОЛЬНИЦА^MR\rPV1||I|ICU7N^^BED702\r"
    known = understand(raw.encode(names[charset]), source, NOW)
    assert known.answer(NOW).decode(names[charset]).startswith("\x0bMSH")
    assert known.answer(NOW, "диск полон").decode(names[charset]).count("диск полон")


def test_a_lost_segment_is_told_and_kept() -> None:
    known = read(hr("82"), hr("83")[1:])
    ((_, stored), (_, kept)) = known.entries("h1-icu-1", "h1-icu-1-07")
    assert isinstance(stored, wire.Observed)
    assert isinstance(kept, wire.Kept)
    assert kept.code == "damaged"
    assert "has no name" in known.answer(NOW).decode()


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "real"}, {"zone": "Mars/Base"}, {"networks": ("loopback",)}, {"charset": "?"}],
)
def test_a_source_that_cannot_work_is_refused_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="source ward"):
        Source(name="ward", hospital="h1", **wrong)


class House:
    """Two units; bed ids as in run.json."""

    beds: Final = {"h1-icu-1-07": "h1-icu-1", "h1-ed-02": "h1-ed"}

    def hospital_of_unit(self, unit: str) -> str:
        """All its units are of one hospital."""
        return "h1"

    def has_unit(self, unit: str) -> bool:
        return unit in ("h1-icu-1", "h1-ed")

    def mode_of_device(self, hospital: str, name: str) -> str:
        return ""

    def standing(self, hospital: str, name: str) -> Standing:
        return ()

    def unit_of_bed(self, bed_id: str) -> str | None:
        return self.beds.get(bed_id)

    def units_of(self, hospital: str) -> list[str]:
        return sorted(set(self.beds.values()))

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        for bed in (text, f"{unit}-{text}"):
            if self.beds.get(bed) == unit:
                return bed
        return None


@pytest.mark.parametrize(
    "field",
    [
        "h1-icu-1^^h1-icu-1-07",
        "h1-icu-1^^07",
        "^^h1-icu-1-07^10.0.0.7:1",
        "^^h1-icu-1&h1-icu-1-07&0&0&0",
        "^^&h1-icu-1-07",
        "^^h1-icu-1-07&5&1",
        "h1-icu-1-07",
        "h1-icu-1-h1-icu-1-07",
        "SOUTH^^h1-icu-1-07^SC8^^tkl",
        "h1-icu-1^ROOM 7^h1-icu-1-07~x^^y",
    ],
)
def test_every_form_of_pv1_3_leads_to_the_bed(field: str) -> None:
    assert place(location(field, PLAIN), House()) == Place("h1-icu-1", "h1-icu-1-07")


@pytest.mark.parametrize("field", ["", "h1-icu-1", "h1-icu-1^^99", "h1-ed^^h1-icu-1-07", "^^07"])
def test_a_bed_is_never_guessed(field: str) -> None:
    found = place(location(field, PLAIN), House())
    assert isinstance(found, Unknown)
    assert found.code == "unknown_bed"


def test_the_hospitals_system_may_name_a_bed_before_it_is_registered() -> None:
    told: list[tuple[str, str]] = []
    house = Announced(House(), lambda unit, bed: told.append((unit, bed)))
    where = location("h1-icu-1^^NEW1", PLAIN)
    assert isinstance(place(where, house), Unknown)
    assert place_patient(where, house) == Place("h1-icu-1", "NEW1")
    assert house.announce("h1-icu-1", "NEW1")
    assert not house.announce("h1-icu-1", "NEW1")
    assert place(where, house) == Place("h1-icu-1", "NEW1")
    assert told == [("h1-icu-1", "NEW1")]
    assert place_patient(location("MOON^^1", PLAIN), house) is None


@pytest.mark.parametrize("field", ["PID|1|7700|", "PID|1|||7700", "PID|1|8|7700^^^H^MR|9"])
@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^R40", "ADT^A01"])
def test_a_number_that_an_older_sender_gives_beside_pid_3_is_the_patients_too(
    field: str, kind: str
) -> None:
    head = HEAD.replace("ORU^R01", kind).replace("PV1", f"{field}\rPV1")
    known = understand(f"{head}OBR|1||||||20261120101530\r".encode(), WARD, NOW)
    assert known.mrn == "7700"


def merge(*lines: str) -> Understood:
    head = HEAD.replace("ORU^R01", "ADT^A40").partition("PV1")[0]
    return understand((head + "\r".join(lines) + "\r").encode(), WARD, NOW)


def test_every_number_of_a_merge_is_merged_or_the_sender_is_told() -> None:
    both = merge("PID|1||N^^^H^MR", "MRG|O1^^^H^MR~O2^^^H^MR~7^^^H^SS").event
    assert both is not None
    assert both.merged == ("O1", "O2")
    plain = merge("PID|1||N", "MRG|O1~O2", "MRG|O3").event
    assert plain is not None
    assert plain.merged == ("O1", "O2", "O3")
    many = merge("PID|1||N", "MRG|" + "~".join(f"O{number}" for number in range(101)))
    assert many.problem is not None
    assert many.problem.code == "too_many"
    two = merge("PID|1||N", "MRG|O1", "PID|2||M", "MRG|O2")
    assert two.problem is not None
    assert two.problem.code == "several_patients"
