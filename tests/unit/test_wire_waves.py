"""The curves of one message are one entry, and nothing of any of them is lost or bent by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import bindings, wire
from hospital_ops.standing.rules import Stand, parted
from streams import waves as reading
from streams.rows import Batch, Taken
from streams.wave_rows import WaveRows
from tests.filing import named
from tests.unit.test_standing import START, unit_of
from tests.unit.test_who_is_it import BED, OTHER, UNIT

SECOND = 1_000_000
OWN = "6f2f1a2e-6f0e-4a38-9d2c-1f6a1f2b3c4d"
# Lead II as the release before wrote it: streams and archives hold such entries.
BEFORE = bytes.fromhex(
    "dc0015a3776176a868312d6963752d31a86465766963653a6da137c402abcdcf00065bfeda2d8120a45265616c"
    "a6313331333330a0cf00065bfeda25e000cb406f400000000000cb3f747ae147ae147bcb0000000000000000a2"
    "6d56c4020100ab68312d6963752d312d3037a16da007a0c2"
)


def wave(**change: Any) -> wire.Waved:
    """Half a second of a curve."""
    of: dict[str, Any] = {
        "unit": UNIT, "source": "device:m", "message_id": "7", "identity": b"i",
        "received_at": START, "mode": "Real", "code": "II", "channel": "", "started_at": START,
        "rate_hz": 250.0, "scale": 0.005, "offset": 0.0, "physical_unit": "mV",
        "samples": b"\1\0" * 5, "bed": BED, "device": "m", "sequence": 7, **change,
    }  # fmt: skip
    return wire.Waved(**of)


some_waves = st.lists(
    st.builds(
        wave,
        unit=st.sampled_from([UNIT, "h1-icu-2"]),
        message_id=st.text(max_size=3),
        identity=st.binary(max_size=3),
        mode=st.sampled_from(["Real", "Test"]),
        code=st.sampled_from(["I", "II", "PLETH"]),
        started_at=st.integers(START, START + 2),
        samples=st.binary(max_size=4),
        bed=st.sampled_from([BED, OTHER, ""]),
        case=st.sampled_from(["", "c"]),
        sequence=st.integers(0, 2**64 - 1),
        mrn=st.sampled_from(["", "M"]),
        elsewhere=st.booleans(),
    ),
    max_size=12,
)


@given(some_waves)
def test_what_goes_in_together_comes_out_apart_each_with_its_own_identity_and_number(
    waves: list[wire.Waved],
) -> None:
    entries = [wire.decode(wire.encode(entry)) for entry in wire.together(waves)]
    found = [w for e in entries if isinstance(e, wire.Waved | wire.WavesTogether)
             for w in wire.apart(e)]  # fmt: skip
    assert sorted(found, key=repr) == sorted(waves, key=repr)
    shared = {(w.unit, w.bed, w.case, w.mode, w.mrn, w.elsewhere) for w in waves}
    assert len(entries) == len(shared)


def test_five_curves_of_a_bed_are_one_entry_in_their_order_and_one_alone_stands_as_before() -> None:
    five = [wave(code=code, identity=code.encode()) for code in ("I", "II", "V1", "ABP", "PLETH")]
    (entry,) = wire.together(five)
    assert wire.apart(entry) == five
    assert wire.together(five[:1]) == five[:1]


def test_curves_of_a_device_that_was_carried_meanwhile_go_to_the_bed_of_their_own_time() -> None:
    moved = (Stand(START, BED), Stand(START + SECOND, OTHER))
    late = wave(code="ABP", started_at=START + 2 * SECOND, received_at=START + 3 * SECOND)
    parts = [
        part
        for one in (wave(received_at=START + 3 * SECOND), late)
        for part in parted(one, moved, unit_of)
    ]
    assert [entry.bed for entry in wire.together(parts)] == [BED, OTHER]


def test_an_entry_of_the_release_before_is_read_as_it_was_and_written_the_same() -> None:
    entry = wire.decode(BEFORE)
    assert isinstance(entry, wire.Waved)
    assert (entry.code, entry.bed, entry.sequence) == ("131330", "h1-icu-1-07", 7)
    assert (entry.started_at, entry.identity) == (1_790_000_000 * SECOND, b"\xab\xcd")
    assert wire.apart(entry) == [entry]
    assert wire.encode(entry) == BEFORE


def rows_of(entries: list[wire.Waved | wire.WavesTogether], raw: bytes = b"") -> Batch:
    """What the archive makes of them where a patient came between two pieces."""
    history = bindings.bound((), bindings.Binding(START, OWN, "M", mode="Real"))
    batch = Batch(datetime(2026, 11, 22, tzinfo=UTC), {BED: history})
    for entry in entries:
        batch.take(Taken(UNIT, "waves", "5-0", wire.encode(entry), raw, entry))
    return batch


@given(some_waves)
def test_the_archive_has_the_same_rows_whether_curves_came_together_or_one_by_one(
    waves: list[wire.Waved],
) -> None:
    def rows(entries: list[Any]) -> list[Any]:
        made: list[WaveRows] = rows_of(entries).waves
        return sorted((row for each in made for row in each.plain()), key=repr)

    assert rows(list(wire.together(waves))) == rows(list(waves))


def test_a_piece_from_before_the_patient_came_is_not_the_patients() -> None:
    early, late = wave(started_at=START - SECOND), wave(code="ABP")
    rows = [row for each in rows_of(wire.together([early, late])).waves for row in each.plain()]
    assert [row["patient_id"] for row in named("waveform", rows)] == [None, OWN]


def test_a_message_of_curves_alone_is_known_again_by_the_same_identity_as_before() -> None:
    waves = [wave(identity=b"first"), wave(code="ABP", identity=b"second")]
    old, new = rows_of([waves[0]], b"raw"), rows_of(wire.together(waves), b"raw")
    assert old.claims == new.claims
    assert [row[4] for row in new.rows["message"]] == ["7"]


def test_screens_and_the_ecg_analysis_get_each_curve_of_old_and_new_entries() -> None:
    waves = [wave(code="I"), wave(code="II")]
    entries = [wire.encode(one) for one in (*wire.together(waves), waves[0])]
    found = reading._waves([b"d", entry] for entry in (*entries, b"\xc1"))
    assert [one.code for one in found] == ["I", "II", "I"]
