"""A box that starts anew with a wrong clock does not make what waited in it new."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire_forms
from hospital_ops.clock import SECOND
from hospital_ops.forward.items import ALARM, LIVE_US, STORED, VALUE, WHO, Item, Relay
from hospital_ops.forward.steady import SteadyClock
from hospital_ops.forward.store import Queue
from hospital_ops.sealing import Seal
from streams.relayed import OLD_US, moment

NOON = 1_795_262_400_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
SEAL = Seal({"one": b"1" * 32})
ROOM = 1 << 20


def item(number: int, at: int, rank: int = VALUE, clock: str = "") -> Item:
    return Item(f"id-{number}", "events", "monitor", at, b"x" * 300, rank, clock=clock)


def opened(folder: Path, clock: str, began_at: int) -> Queue:
    return Queue(folder / "queue.sqlite", SEAL, ROOM, clock=clock, began_at=began_at)


def relayed(queue: Queue, now: int, off_us: int | None, clock: str, began_at: int) -> Relay:
    """All that the box has, as it sends it."""
    found = (*queue.live(now, 100), *queue.backlog(now, 100))
    return Relay(now, tuple(found), off_us, clock, began_at)


@pytest.mark.parametrize("behind", [HOUR, -HOUR, 56 * 365 * DAY])
def test_after_a_power_cut_old_values_keep_their_time_whatever_the_new_clock_says(
    tmp_path: Path, behind: int
) -> None:
    """Ten minutes of values, a power cut, and a clock that stands elsewhere."""
    before = opened(tmp_path, "before", NOON - DAY)
    before.add([item(n, NOON + n * 60 * SECOND) for n in range(10)])
    before.settle({}, 0)  # the hospital answered once: the clock was right
    before.close()
    began = NOON + 12 * 60 * SECOND  # the machine starts again
    now = began + 30 * SECOND
    after = opened(tmp_path, "after", began - behind)
    after.add([item(100, now - behind - SECOND)])
    relay = relayed(after, now - behind, behind, "after", began - behind)
    after.close()
    moments = {one.id: moment(relay, one, now) for one in relay.items}
    assert moments.pop("id-100") == now - SECOND, "what came since then is of now"
    assert moments == {f"id-{n}": NOON + n * 60 * SECOND for n in range(10)}


@pytest.mark.parametrize("behind", [HOUR, -HOUR])
def test_after_a_power_cut_the_live_values_still_go_first(tmp_path: Path, behind: int) -> None:
    before = opened(tmp_path, "before", NOON - DAY)
    before.add([item(n, NOON - n * SECOND, rank) for n, rank in enumerate((VALUE, ALARM, WHO))])
    before.close()
    began = NOON + 20 * SECOND - behind
    for _ in range(2):  # and the program is started again, too
        after = opened(tmp_path, "after", began)
        after.add([item(100, began + 30 * SECOND), item(101, began + 30 * SECOND, WHO)])
        live = [one.id for one in after.live(began + 31 * SECOND, 100)]
        assert live == ["id-2", "id-101", "id-100"], "ADT in its order, then what is live"
        assert [one.id for one in after.live(began + 31 * SECOND, 1)] == ["id-2"]
        backlog = [one.id for one in after.backlog(began + 31 * SECOND, 100)]
        assert backlog == ["id-1", "id-0"]
        after.close()


def test_what_the_box_found_of_its_clock_outlives_the_clock(tmp_path: Path) -> None:
    before = opened(tmp_path, "before", NOON - DAY - HOUR)
    before.add([item(1, NOON - HOUR)])
    before.settle({}, HOUR)  # it was an hour behind
    before.close()
    again = opened(tmp_path, "before", NOON - DAY - HOUR)
    assert again.off_us == HOUR, "known at once to the next program of the same start"
    again.close()
    after = opened(tmp_path, "after", NOON + 60 * SECOND)
    assert after.off_us is None
    now = NOON + 120 * SECOND
    relay = relayed(after, now, 0, "after", NOON + 60 * SECOND)
    assert [moment(relay, one, now) for one in relay.items] == [NOON]
    after.settle({"id-1": STORED}, 0)
    after.close()


@given(
    wrong=st.integers(-400 * DAY, 400 * DAY),
    age=st.integers(0, 30 * DAY),
    known=st.booleans(),
    behind=st.integers(-400 * DAY, 400 * DAY),
)
def test_nothing_that_came_before_the_last_start_is_ever_of_now(
    wrong: int, age: int, known: bool, behind: int
) -> None:
    """`wrong` and `behind`: how far the box's clock was off before the start and is off now."""
    now, began = NOON, NOON - 20 * SECOND
    old = wire_forms.replaced(
        item(1, began - age - wrong, clock="before"), off_us=wrong if known else None
    )
    relay = Relay(now - behind, (old,), behind, "after", began - behind)
    at = moment(relay, old, now)
    assert at <= began + 2 * SECOND
    assert at <= now - (LIVE_US if known else OLD_US)
    if known and abs(wrong) > 2 * SECOND:
        # Differences below two seconds are left as they are: so is the start by the present clock.
        start = began - behind if abs(behind) <= 2 * SECOND else began
        assert at == min(began - age, start), "its own clock's difference, not the present one's"


def test_a_clock_that_was_never_set_does_not_bring_values_to_1970() -> None:
    old = item(1, 1000 * SECOND, clock="before")
    relay = Relay(NOON, (old,), 0, "after", NOON - HOUR)
    assert moment(relay, old, NOON) == NOON - HOUR


def test_a_queue_of_an_earlier_release_is_read_and_is_not_of_now(tmp_path: Path) -> None:
    class ItemBefore(wire_forms.Form, frozen=True):
        id: str
        kind: str
        source: str
        received_at: int
        body: bytes

    made = opened(tmp_path, "", 0)
    made.close()
    sealed = SEAL.seal(
        wire_forms.encode(ItemBefore("id-1", "events", "monitor", NOON, b"x")), b"id-1\x1f2"
    )
    with sqlite3.connect(tmp_path / "queue.sqlite") as file:
        file.execute("drop table clock")
        file.execute(
            "insert into item (id, at, rank, size, key, sealed) values ('id-1', ?, 2, 1, ?, ?)",
            (NOON, sealed.key, sealed.sealed),
        )
    queue = opened(tmp_path, "after", NOON - HOUR)
    relay = relayed(queue, NOON - HOUR + SECOND, HOUR, "after", NOON - HOUR)
    queue.close()
    (old,) = relay.items
    assert old.body == b"x"
    assert moment(relay, old, NOON + SECOND) == NOON + SECOND - OLD_US


def test_a_box_of_an_earlier_release_is_understood_as_before() -> None:
    old = item(1, NOON - HOUR)
    assert moment(Relay(NOON - HOUR, (old,), HOUR), old, NOON) == NOON


def test_no_message_is_made_younger_than_the_request_that_brings_it() -> None:
    """A difference found before the hospital's clock was put right, or none found yet."""
    old = item(1, NOON - 60 * SECOND)
    for off_us in (HOUR, None):
        relay = Relay(NOON + 50 * SECOND, (old,), off_us)  # by a clock that is 50 s ahead
        assert moment(relay, old, NOON) == NOON - 110 * SECOND


def test_each_reading_of_the_wall_clock_has_a_name_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    first = SteadyClock(file, lambda: NOON * 1000)
    assert SteadyClock(file, lambda: 0).name == first.name
    assert first.began_at <= first.now_us()
    file.write_text("another-start 12\n")
    assert SteadyClock(file, lambda: NOON * 1000).name != first.name
    unwritten = tmp_path / "nowhere" / "clock"  # a full disk does not keep the box from starting
    assert SteadyClock(unwritten, lambda: NOON * 1000).now_us() >= NOON
