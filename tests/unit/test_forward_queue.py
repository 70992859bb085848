"""The box of a unit keeps what it has confirmed, whatever happens to it, and lets nothing go."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.items import (
    AGAIN,
    ALARM,
    CURVE,
    FULL,
    KEPT,
    LIVE_US,
    STORED,
    VALUE,
    WHO,
    Item,
)  # fmt: skip
from hospital_ops.forward.sending import within
from hospital_ops.forward.store import ROW_BYTES, Queue
from hospital_ops.sealing import Seal, parsed

NOON = 1_795_262_400_000_000
SEAL = Seal({"one": b"1" * 32})
ROOM = 1 << 20


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    opened = Queue(tmp_path / "q" / "queue.sqlite", SEAL, ROOM)
    yield opened
    opened.close()


def item(number: int, at: int = NOON, rank: int = VALUE, body: bytes = b"Ivanova 92/min") -> Item:
    return Item(f"id-{number}", "events", "monitor", at, body, rank)


def drained(queue: Queue, now: int, most: int = 7) -> list[str]:
    """The ids in the order in which one lane after the other would send them."""
    order: list[str] = []
    while items := queue.live(now, most) or queue.backlog(now, most):
        order += [one.id for one in items]
        queue.settle({one.id: STORED for one in items})
    return order


def test_what_was_confirmed_is_there_after_the_power_was_cut(tmp_path: Path) -> None:
    first = Queue(tmp_path / "queue.sqlite", SEAL, ROOM)
    assert first.add([item(1), item(2)]) == [True, True]
    # No close: the process was killed.
    again = Queue(tmp_path / "queue.sqlite", SEAL, ROOM)
    assert [one.id for one in again.live(NOON, 10)] == ["id-1", "id-2"]
    assert again.live(NOON, 10)[0] == item(1)
    again.close()
    first.close()


def test_live_values_go_before_the_backlog_and_who_lies_where_before_all(queue: Queue) -> None:
    old = [item(n, NOON - 3600 * SECOND + n, VALUE) for n in range(5)]
    curves = [item(20 + n, NOON - 10 * SECOND, CURVE) for n in range(2)]
    alarm = item(30, NOON - 100 * SECOND, ALARM)
    admission = item(40, NOON - 7200 * SECOND, WHO)
    now = [item(50, NOON - 2), item(51, NOON - 1), item(52, NOON - 1, CURVE)]
    queue.add([*old, *curves, alarm, admission, *now])
    assert drained(queue, NOON, most=4) == [
        "id-40", "id-50", "id-51", "id-52",  # at once
        "id-30",  # then alarms, then the newest values of the backlog ...
        "id-2", "id-3", "id-4",
        "id-0", "id-1", "id-20", "id-21",  # ... and curves last; each portion in its own order
    ]  # fmt: skip


def test_what_is_underway_in_one_lane_is_not_taken_by_another(queue: Queue) -> None:
    queue.add([item(n) for n in range(6)])
    taken = {one.id for one in queue.live(NOON, 4)}
    later = NOON + 2 * LIVE_US
    assert {one.id for one in queue.backlog(later, 10, taken)} == {"id-0", "id-1"}


def test_the_same_bytes_sent_again_wait_once(queue: Queue) -> None:
    assert queue.add([item(1), item(1)]) == [True, True]
    assert queue.add([item(1)]) == [True]
    assert queue.held().items == 1


def test_only_what_the_hospital_has_on_disk_leaves(queue: Queue) -> None:
    queue.add([item(1), item(2), item(3)])
    queue.settle({"id-1": STORED, "id-2": AGAIN, "id-3": KEPT, "unknown": STORED})
    assert [one.id for one in queue.live(NOON, 10)] == ["id-2"]
    assert queue.held().figures == {"stored": 1, "kept": 1}


def test_nothing_of_a_patient_can_be_read_on_the_disk(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue.sqlite", SEAL, ROOM)
    queue.add([item(n, body=b"Ivanova Anna 4711") for n in range(20)])
    for file in tmp_path.iterdir():
        assert b"Ivanova" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
    queue.close()


def test_where_room_is_short_curves_are_refused_first_and_alarms_last(queue: Queue) -> None:
    size = ROOM // 100 - ROW_BYTES
    number = 0

    def fill(rank: int) -> float:
        nonlocal number
        while True:
            number += 1
            if queue.add([item(number, rank=rank, body=b"x" * size)]) == [False]:
                return round(queue.held().share, 2)

    assert fill(CURVE) == 0.75
    assert fill(VALUE) == pytest.approx(0.90, abs=0.011)
    assert fill(ALARM) == pytest.approx(1.0, abs=0.011)
    assert queue.add([item(0, rank=WHO, body=b"x" * size)]) == [False]
    held = queue.held()
    assert held.bytes <= ROOM
    assert held.figures["refused"] == 4  # what was refused is counted, what was taken is kept
    assert held.items == number - 3


def test_after_a_time_without_room_the_hospital_is_told_how_much_was_refused(
    queue: Queue,
) -> None:
    body = b"x" * (ROOM // 10)
    queue.add([item(n, body=body) for n in range(12)])
    refused = queue.held().figures["refused"]
    assert refused == 4
    first = [one.id for one in queue.live(NOON, 4)]
    queue.settle(dict.fromkeys(first, STORED))
    queue.add([item(100, NOON + 9 * SECOND)])
    (mark,) = [one for one in queue.live(NOON, 100) if one.kind == FULL]
    assert mark.note == f"{NOON} {NOON + 9 * SECOND} {refused}"
    queue.settle({mark.id: STORED})
    queue.add([item(101, NOON + 10 * SECOND)])
    assert not [one for one in queue.live(NOON, 100) if one.kind == FULL], "it is told once"


def test_a_tablet_of_its_own_lets_the_oldest_go_and_names_them(queue: Queue) -> None:
    body = b"x" * (ROOM // 20)
    queue.add([item(n, NOON + n, body=body) for n in range(15)])
    assert queue.give_up(ROOM // 10)[:2] == ["id-0", "id-1"]
    assert queue.held().figures["given_up"] >= 2


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    old = Queue(tmp_path / "queue.sqlite", SEAL, ROOM)
    old.add([item(1)])
    old.close()
    both = Queue(tmp_path / "queue.sqlite", Seal({"two": b"2" * 32, "one": b"1" * 32}), ROOM)
    both.add([item(2)])
    assert [one.id for one in both.live(NOON, 10)] == ["id-1", "id-2"]
    both.close()
    with pytest.raises(ConfigurationError, match="'one'"):
        Queue(tmp_path / "queue.sqlite", Seal({"two": b"2" * 32}), ROOM)


def test_a_message_that_was_changed_on_the_disk_is_set_aside_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    queue = Queue(tmp_path / "queue.sqlite", SEAL, ROOM)
    queue.add([item(1), item(2)])
    with sqlite3.connect(tmp_path / "queue.sqlite") as other:
        other.execute("update item set sealed = zeroblob(64) where id = 'id-1'")
    assert [one.id for one in queue.live(NOON, 10)] == ["id-2"]
    held = queue.held()
    assert (held.beside, held.items) == (1, 1)
    queue.close()


def test_a_request_holds_what_fits_and_at_least_one() -> None:
    items = [item(n, body=b"x" * 40) for n in range(5)]
    assert [one.id for one in within(items, 100)] == ["id-0", "id-1"]
    assert [one.id for one in within(items, 10)] == ["id-0"]
    assert within([], 10) == []


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10**6))
def test_killed_between_any_two_steps_the_hospital_has_everything_once(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Steps: confirm, choose, deliver, hear the answer, let go; after any of them all is over."""
    chance = random.Random(seed)
    path = tmp_path_factory.mktemp("kills") / "queue.sqlite"
    queue = Queue(path, SEAL, ROOM)
    confirmed: set[str] = set()
    hospital: dict[str, Item] = {}  # by identity: what comes again is known
    now, number = NOON, 0
    for _ in range(15):
        now += chance.randrange(3 * SECOND)
        step = chance.randrange(5)
        new = [item(number + n, now, chance.choice((WHO, ALARM, VALUE, CURVE))) for n in range(3)]
        number += 3
        kept = queue.add(new)
        confirmed |= {one.id for one, yes in zip(new, kept, strict=True) if yes}
        chosen = chance.choice((queue.live, queue.backlog))(now, 4) if step >= 1 else []
        if step >= 2 and chance.random() < 0.7:  # else the link is cut
            for one in chosen:
                assert hospital.setdefault(one.id, one) == one, "the same bytes, the same times"
            if step >= 3:  # else the answer is lost
                queue.settle({one.id: STORED for one in chosen})
        if chance.random() < 0.4:
            queue = Queue(path, SEAL, ROOM)  # killed: what was not committed is gone
        assert confirmed - set(hospital) <= {
            one.id for one in queue.live(now, 10**6) + queue.backlog(now, 10**6)
        }
    while chosen := queue.live(now, 5) or queue.backlog(now, 5):
        hospital |= {one.id: one for one in chosen}
        queue.settle({one.id: STORED for one in chosen})
    assert set(hospital) == confirmed
    queue.close()


def test_keys_are_named_and_of_the_right_length() -> None:
    good = "2026:MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
    assert list(parsed(good, "X")) == ["2026"]
    for text in ("", "2026", "2026:short", f":{good.partition(':')[2]}"):
        with pytest.raises(ConfigurationError, match="X is a list"):
            parsed(text, "X")
