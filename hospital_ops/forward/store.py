"""The queue on disk: SQLite, sealed, bounded. Nothing leaves it before the hospital has it.

What `add` has answered with True is on the disk (WAL, synchronous FULL), and stays there until
`settle` is told that the hospital has it, or until `give_up` names it to whoever counts. Killed
between any two steps it holds at the next start what it held: at worst an item is sent twice, and
the hospital knows it by its identity. One thread uses a queue.

The column `at` is for the order alone: the box's time, and so much more that all that was kept by
an earlier clock comes before it, and is never taken for live, wherever that clock stood.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hospital_ops import wire_forms
from hospital_ops.clock import SECOND
from hospital_ops.errors import ConfigurationError
from hospital_ops.forward.items import (
    ALARM,
    CURVE,
    FULL,
    KEPT,
    LIVE_US,
    REFUSED_AT,
    STORED,
    VALUE,
    WHO,
    Item,
)  # fmt: skip
from hospital_ops.sealing import Seal, Unsealable

RANKED: Final = (ALARM, VALUE, CURVE)
ROW_BYTES: Final = 200  # of a row beside what is sealed: its id, its place in three trees
BESIDE: Final = 9  # rank of what cannot be opened: kept, counted, never sent
ROOM_AGAIN: Final = 0.70  # below this share the time of refusing is over
RESERVE_BYTES: Final = 32 << 20  # of the disk: letting go of what was delivered needs room, too
_SCHEMA: Final = (
    "create table if not exists item (seq integer primary key autoincrement, id text not null"
    " unique, at integer not null, rank integer not null, size integer not null, key text not null,"
    " sealed blob not null)",
    "create index if not exists item_order on item (rank, at)",
    "create table if not exists figure (name text primary key, value integer not null)",
    "create table if not exists clock (seq integer primary key autoincrement, name text not null"
    " unique, ahead_us integer not null, off_us integer)",
)
CLOCKS_MOST: Final = 1000  # that are remembered, one for each start of the machine
_FIRST: Final = """
    select seq, id, key, sealed from item where rank = ? and at >= ? order by at, seq limit ?
"""
_NEWEST: Final = """
    select seq, id, key, sealed from item where rank = ? and at >= ?
    order by at desc, seq desc limit ?
"""
_OLDER: Final = """
    select seq, id, key, sealed from item where rank = ? and at < ?
    order by at desc, seq desc limit ?
"""
_decode: Final = wire_forms.decoder(Item)


@dataclass(frozen=True, slots=True)
class Held:
    """What a queue holds, and what became of everything before."""

    items: int
    bytes: int
    limit_bytes: int
    oldest_at: int  # 0: there is none
    beside: int  # cannot be opened
    figures: dict[str, int]  # stored, kept, given_up, refused, full_since

    @property
    def share(self) -> float:
        """How much of the room is in use."""
        return self.bytes / self.limit_bytes


class Queue:
    """Items in the order of their coming; `path` None keeps them in memory.

    `clock` names the clock of the items to come (`SteadyClock.name`), `began_at` is its beginning.
    """

    def __init__(
        self,
        path: Path | None,
        seal: Seal,
        limit_bytes: int,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        *,
        clock: str = "",
        began_at: int = 0,
    ) -> None:
        self._free_bytes, self._clock = free_bytes, clock
        self._seal, self._limit = seal, limit_bytes
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=1.0
        )
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        for statement in _SCHEMA:
            self._db.execute(statement)
        for key in _keys(self._db):
            if not seal.knows(key):
                raise ConfigurationError(
                    f"The queue holds messages sealed with key {key!r}: name it beside the new one."
                )
        self._folder = path.parent if path is not None else None
        self._bytes = self._items = 0
        self._look()
        self._ahead_us = self._begin(began_at) if clock else 0
        self._offs: dict[str, int | None] = dict(self._db.execute("select name, off_us from clock"))

    @property
    def off_us(self) -> int | None:
        """How far the hospital is ahead of the present clock, as it was last remembered."""
        return self._offs.get(self._clock)

    def add(self, items: Sequence[Item]) -> list[bool]:
        """For each item whether it is on disk; one that waits already is. All in one commit.

        sqlite3.Error: none of them is (the disk is full or broken).
        """
        kept = []
        with self._transaction():
            short = self._is_short()
            for item in items:
                known = self._has(item.id)
                size = len(item.body) + ROW_BYTES
                share = (self._bytes + size) / self._limit
                taken = known or (not short and share <= REFUSED_AT[item.rank])
                if not taken:
                    self._count("refused", 1)
                    self._begin_full(item.received_at)
                elif not known:
                    self._insert(item, size)
                kept.append(taken)
            if items:
                self._end_full(items[-1].received_at)
        return kept

    def live(self, now_us: int, most: int, without: Collection[str] = ()) -> list[Item]:
        """Who lies where, whenever it came, then the newest of the last seconds, by rank."""
        chosen = self._chosen(_FIRST, (WHO,), 0, most, without)
        since, left = self._since(now_us), most - len(chosen)
        return chosen + self._chosen(_NEWEST, RANKED, since, left, without)

    def backlog(self, now_us: int, most: int, without: Collection[str] = ()) -> list[Item]:
        """What is older: by rank, the newest first, because it says most of the patient."""
        return self._chosen(_OLDER, RANKED, self._since(now_us), most, without)

    def settle(self, outcomes: Mapping[str, str], off_us: int | None = None) -> None:
        """Lets go of what the hospital has on disk; an AGAIN stays.

        `off_us`: how far the hospital is ahead of the present clock, for when that is the last one.
        """
        with self._transaction():
            known = self._remembered(off_us)
            for id_, outcome in outcomes.items():
                # Any other word is not ours: it stays.
                if outcome in (STORED, KEPT) and self._delete(id_):
                    self._count(outcome, 1)
        self._offs[self._clock] = known

    def give_up(self, need_bytes: int) -> list[str]:
        """Lets the oldest go until so much room is free, counted; answers their ids.

        Only for a device of its own, that has told nobody that these are safe.
        """
        gone: list[str] = []
        with self._transaction():
            while self._bytes + need_bytes > self._limit * REFUSED_AT[CURVE]:
                row = self._db.execute("select id from item order by seq limit 1").fetchone()
                if row is None:
                    break
                self._delete(row[0])
                self._count("given_up", 1)
                gone.append(row[0])
        return gone

    def held(self) -> Held:
        """The state of the queue."""
        oldest = [
            self._db.execute("select min(at) from item where rank = ?", (rank,)).fetchone()[0]
            for rank in (WHO, *RANKED)
        ]
        (beside,) = self._db.execute(
            "select count(*) from item where rank = ?", (BESIDE,)
        ).fetchone()
        return Held(
            items=self._items - beside,
            bytes=self._bytes,
            limit_bytes=self._limit,
            oldest_at=min((at - self._ahead_us for at in oldest if at is not None), default=0),
            beside=beside,
            figures=dict(self._db.execute("select name, value from figure")),
        )

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _is_short(self) -> bool:
        """Whether others have left the disk no room; pages that we have let go of are room."""
        if self._folder is None or self._free_bytes(self._folder) >= RESERVE_BYTES:
            return False
        ((pages,),) = self._db.execute("pragma freelist_count")
        ((page,),) = self._db.execute("pragma page_size")
        return bool(pages * page < RESERVE_BYTES)

    def _has(self, id_: str) -> bool:
        found = self._db.execute("select 1 from item where id = ?", (id_,)).fetchone()
        return found is not None

    def _begin(self, began_at: int) -> int:
        """What is added to the present clock, so that all of earlier ones lies before it."""
        with self._transaction():
            (last,) = self._db.execute("select max(at) from item where rank < 9").fetchone()
            ahead = 0 if last is None else max(0, last + LIVE_US + 1 - began_at)
            self._db.execute(
                "insert into clock (name, ahead_us) values (?, ?) on conflict do nothing",
                (self._clock, ahead),
            )
            self._db.execute(
                "delete from clock where seq <= (select max(seq) from clock) - ?", (CLOCKS_MOST,)
            )
        found: int
        (found,) = self._db.execute(
            "select ahead_us from clock where name = ?", (self._clock,)
        ).fetchone()
        return found

    def _since(self, now_us: int) -> int:
        return now_us + self._ahead_us - LIVE_US

    def _remembered(self, off_us: int | None) -> int | None:
        known = self.off_us
        if off_us is None or (known is not None and abs(off_us - known) <= SECOND):
            return known
        self._db.execute("update clock set off_us = ? where name = ?", (off_us, self._clock))
        return off_us

    def _insert(self, item: Item, size: int) -> None:
        item = wire_forms.replaced(item, clock=self._clock) if self._clock else item
        sealed = self._seal.seal(wire_forms.encode(item), _about(item.id, item.rank))
        self._db.execute(
            "insert into item (id, at, rank, size, key, sealed) values (?, ?, ?, ?, ?, ?)",
            (
                item.id,
                item.received_at + self._ahead_us,
                item.rank,
                size,
                sealed.key,
                sealed.sealed,
            ),
        )
        self._bytes += size
        self._items += 1

    def _delete(self, id_: str) -> bool:
        row = self._db.execute("delete from item where id = ? returning size", (id_,)).fetchone()
        if row is not None:
            self._bytes -= row[0]
            self._items -= 1
        return row is not None

    def _chosen(
        self, order: str, ranks: Sequence[int], at: int, most: int, without: Collection[str]
    ) -> list[Item]:
        """At most so many items of the ranks, each rank in the order of their coming."""
        found: list[Item] = []
        for rank in ranks:
            left = most - len(found)
            if left <= 0:
                break
            rows = self._db.execute(order, (rank, at, left + len(without))).fetchall()
            wanted = sorted([row for row in rows if row[1] not in without][:left])
            opened = (self._opened(rank, *row[1:]) for row in wanted)
            found += [item for item in opened if item is not None]
        return found

    def _opened(self, rank: int, id_: str, key: str, sealed: bytes) -> Item | None:
        try:
            item = _decode(self._seal.open(key, sealed, _about(id_, rank)))
        except (KeyError, Unsealable, wire_forms.DecodeError):
            self._db.execute("update item set rank = ? where id = ?", (BESIDE, id_))
            return None
        if item.clock == self._clock:
            return item
        return wire_forms.replaced(item, off_us=self._offs.get(item.clock))

    def _count(self, name: str, by: int) -> None:
        self._db.execute(
            "insert into figure values (?, ?) on conflict (name) do update"
            " set value = value + excluded.value",
            (name, by),
        )

    def _figure(self, name: str) -> int:
        row = self._db.execute("select value from figure where name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def _begin_full(self, at: int) -> None:
        if not self._figure("full_since"):
            self._count("full_since", at)
            self._count("full_refused_before", self._figure("refused") - 1)

    def _end_full(self, now: int) -> None:
        """Where there is room again: a mark for the hospital that something was refused."""
        since = self._figure("full_since")
        if not since or self._bytes / self._limit >= ROOM_AGAIN or self._is_short():
            return
        refused = self._figure("refused") - self._figure("full_refused_before")
        note = f"{since} {now} {refused}"
        self._insert(Item(f"full {since}", FULL, "", now, b"", WHO, note=note), ROW_BYTES)
        self._db.execute("delete from figure where name in ('full_since', 'full_refused_before')")

    def _look(self) -> None:
        self._items, self._bytes = self._db.execute(
            "select count(*), coalesce(sum(size), 0) from item"
        ).fetchone()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; the file is synced at the end."""
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # a full disk has rolled back by itself
                self._db.execute("rollback")
            self._look()
            raise


def _about(id_: str, rank: int) -> bytes:
    return f"{id_}\x1f{rank}".encode()


def keys_needed(path: Path) -> list[str]:
    """The names of the keys that a queue on disk needs; sqlite3.Error where it cannot be read."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as db:
        return _keys(db)


def _keys(db: sqlite3.Connection) -> list[str]:
    return [key for (key,) in db.execute("select distinct key from item where rank < 9")]
