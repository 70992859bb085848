"""What a board showed at a past second is rebuilt exactly, from what the store reader keeps."""

import hashlib
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import past, wire
from hospital_ops.board import HEAD, BedCell, Head, Shown
from hospital_ops.clock import SECOND, ManualClock
from streams.projections import Bed, Places, Unit
from streams.rows import Batch, Taken
from streams.shard import seen_at
from web.boards import IcuBoard
from web.render import Renderer

UNIT = Unit("h1-icu-1", "h1", "icu", "ICU 1")
BEDS = [f"h1-icu-1-{n:02d}" for n in range(1, 7)]
NOON = 1_772_366_400_000_000


def board(clock: ManualClock) -> IcuBoard:
    """The board of the unit as a web process keeps it."""
    beds = {bed: Bed(bed, UNIT.unit, str(n), n) for n, bed in enumerate(BEDS)}
    return IcuBoard("unix:///nowhere", UNIT, Places(beds=beds), Renderer("UTC"), clock)


def cell(bed: str, at: int, chance: random.Random) -> bytes:
    """A bed with a fresh value, which grows old by itself."""
    pulse = Shown(
        value=float(chance.randrange(30, 200)),
        unit="/min",
        at=at,
        amber_at=at + 5 * SECOND,
        gone_at=at + 15 * SECOND,
    )
    return wire.encode(BedCell(bed=bed, label=bed[-2:], patient=None, values={"8867-4": pulse}))


def hour(seed: int) -> list[tuple[str, wire.Changed]]:
    """An hour of a unit: entries of `out` with their ids, a whole board now and then."""
    chance, shown, entries, rev = random.Random(seed), dict[str, bytes](), [], 0
    moment = NOON
    while moment < NOON + 3600 * SECOND:
        moment += chance.randrange(1, 8) * SECOND // 2
        rev += 1
        cells = {bed: cell(bed, moment, chance) for bed in chance.sample(BEDS, 2)}
        cells[HEAD] = wire.encode(Head(UNIT.unit, probe_at=moment))
        removed = (BEDS[5],) if chance.random() < 0.05 else ()
        cells = {name: c for name, c in cells.items() if name not in removed}
        whole = rev == 1 or chance.random() < 0.02
        others = {n: c for n, c in shown.items() if n not in cells and n not in removed}
        shown = {n: c for n, c in (shown | cells).items() if n not in removed}
        change = wire.Changed(rev, moment, cells, removed, whole, others if whole else {})
        entries.append((f"{moment // 1000}-{rev % 3}", change))
    return entries


def stored(entries: list[tuple[str, wire.Changed]], batch: int) -> list[past.Row]:
    """The rows that the store reader makes of them, so many entries at once."""
    rows = []
    for start in range(0, len(entries), batch):
        made = Batch(datetime.now(UTC), {})
        for entry_id, change in entries[start : start + batch]:
            made.take(Taken(UNIT.unit, "out", entry_id, wire.encode(change), b"", change))
        made.finish()
        for _, unit, at, whole, packed in made.rows["board_frame"]:
            micro = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (at.resolution)
            rows.append(past.Row(unit, micro, whole, packed))
    return rows


def rebuilt(rows: list[past.Row], moment: int) -> past.Seen | None:
    """As the archive is asked: from the newest whole board before the moment."""
    wholes = [row.at for row in rows if row.whole and row.at <= moment]
    if not wholes:
        return None
    return past.board_at((r.packed for r in rows if wholes[-1] <= r.at <= moment), moment)


def digest(snapshot: object) -> str:
    return hashlib.sha256(wire.to_json(snapshot)).hexdigest()


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_the_snapshot_of_twenty_past_seconds_is_what_was_recorded_then(batch: int) -> None:
    chance, entries = random.Random(batch), hour(batch)
    rows = stored(entries, batch)
    clock = ManualClock(NOON)
    live, recorded = board(clock), {}
    seconds = sorted(chance.sample(range(10, 3600), 20))
    waiting = list(entries)
    for second in seconds:
        moment = NOON + second * SECOND
        while waiting and seen_at(waiting[0][0]) <= moment:
            live._apply(waiting.pop(0)[1])
        clock.advance(moment / SECOND - clock.monotonic_s())
        recorded[moment] = digest(live.snapshot_json())
    for moment in chance.sample(sorted(recorded), 20):
        seen = rebuilt(rows, moment)
        assert seen is not None
        then = board(ManualClock(moment))
        then.become(seen.rev, seen.cells)
        assert digest(then.snapshot_json()) == recorded[moment]


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_stream_that_is_read_again_changes_nothing(again: list[bool], second: int) -> None:
    entries = hour(3)[:25]
    rows = [row for part in entries for row in stored([part], 1)]
    twice = []
    for index, row in enumerate(rows):
        twice.append(row)
        if index < len(again) and again[index]:
            twice += stored(entries[: index + 1], 4)
    twice.sort(key=lambda row: row.at)
    moment = NOON + second * SECOND
    packed = [row.packed for row in rows if row.at <= moment]
    assert past.board_at((r.packed for r in twice if r.at <= moment), moment) == past.board_at(
        packed, moment
    )


def test_before_the_first_whole_board_nothing_is_claimed() -> None:
    change = wire.Changed(2, NOON, {BEDS[0]: b"x"})
    rows = stored([(f"{NOON // 1000}-0", change)], 1)
    assert past.board_at([rows[0].packed], NOON + SECOND) is None


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_row_says_so(damage: bytes) -> None:
    packed = stored(hour(1)[:3], 3)[0].packed
    with pytest.raises(ValueError, match="board revisions"):
        past.unpack(damage or packed[:-9])
