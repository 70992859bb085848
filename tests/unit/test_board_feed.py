"""What a web process hands to the screens of a board: ready frames, the same bytes for everyone."""

from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from hospital_ops import wire
from hospital_ops.board import INDICATORS, BedCell
from hospital_ops.clock import ManualClock
from streams.projections import Bed, Places, Unit
from web.boards import IcuBoard
from web.feed import KEPT_S, RING
from web.lines import Viewer, text_frame
from web.render import Renderer

UNIT = Unit("h1-icu-1", "h1", "icu", "ICU 1")


class Screen:
    """A line that keeps what is written to it."""

    def __init__(self) -> None:
        self.free = True
        self.written: list[bytes] = []

    def put(self, frames: bytes) -> None:
        self.written.append(frames)

    def messages(self) -> list[dict[str, Any]]:
        """What came since the last time, as the screen reads it."""
        reader, found = StreamReader(), []
        reader.feed_data(b"".join(self.written))
        self.written.clear()
        while reader.buffer:
            found.append(wire.from_json(_parsed(reader).data))
        return found


def _parsed(reader: StreamReader) -> Frame:
    parsing = Frame.parse(reader.read_exact, mask=False, max_size=None)
    try:
        while True:
            next(parsing)
    except StopIteration as done:
        frame: Frame = done.value
    assert frame.fin
    assert frame.opcode is Opcode.TEXT
    return frame


@pytest.fixture
def board() -> IcuBoard:
    places = Places(beds={"h1-icu-1-01": Bed("h1-icu-1-01", UNIT.unit, "1", 0)})
    clock = ManualClock(1_772_359_200_000_000)
    feed = IcuBoard("unix:///nowhere", UNIT, places, Renderer("UTC"), clock)
    feed.live_at = clock.monotonic_s()
    return feed


def change(feed: IcuBoard, times: int = 1) -> None:
    """The live reader shows the bed anew."""
    for _ in range(times):
        cell = BedCell(bed="h1-icu-1-01", label="1", patient=None, values={})
        rev = feed.rev + 1
        feed._apply(wire.Changed(rev=rev, at=0, cells={cell.bed: wire.encode(cell)}))
    feed._tell()


def look(feed: IcuBoard, rev: int | None = None) -> tuple[Screen, Viewer]:
    screen = Screen()
    viewer = Viewer(screen, "json")
    feed.begin(viewer, rev)
    return screen, viewer


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_frame_of_any_size_is_read_back_by_a_browser(size: int) -> None:
    reader = StreamReader()
    reader.feed_data(text_frame(b"x" * size))
    assert _parsed(reader).data == b"x" * size


def test_a_screen_that_comes_gets_the_board_a_beat_and_then_each_change_once(
    board: IcuBoard,
) -> None:
    change(board)
    screen, _ = look(board)
    assert [m["type"] for m in screen.messages()] == ["snapshot", "beat"]
    change(board)
    change(board)
    assert [(m["type"], m["rev"]) for m in screen.messages()] == [("change", 2), ("change", 3)]


def test_after_a_standstill_nothing_is_called_live_before_the_news_is_read(
    board: IcuBoard,
) -> None:
    clock = board.clock
    assert isinstance(clock, ManualClock)
    change(board)
    clock.advance(3.0)  # the process stood still; what came meanwhile is not read yet
    screen, _ = look(board)
    assert [m["type"] for m in screen.messages()] == ["snapshot"]
    board.live_at = clock.monotonic_s()
    assert [m["type"] for m in look(board)[0].messages()] == ["snapshot", "beat"]


def test_everybody_is_handed_the_very_same_bytes(board: IcuBoard) -> None:
    one, other = look(board)[0], look(board)[0]
    change(board)
    for index in (0, -1):  # the whole board, and what changes on it
        assert one.written[index] is other.written[index]


def test_a_screen_that_resumes_gets_what_it_missed_and_no_snapshot(board: IcuBoard) -> None:
    board.used("json")  # the board was fetched; its socket comes a moment later
    change(board, times=5)
    screen, _ = look(board, rev=2)
    assert [m["rev"] for m in screen.messages()] == [3, 4, 5, 5]


def test_a_page_resumes_in_its_language_while_another_language_begins_anew(
    board: IcuBoard,
) -> None:
    board.used("html:ru")  # the page was fetched; its socket comes a moment later
    change(board, times=3)
    changes = [kept.frames["html:ru"] for kept in board.changes]
    for language, resumes in (("ru", True), ("en", False)):
        screen = Screen()
        board.begin(Viewer(screen, f"html:{language}"), 1)
        assert (screen.written[0] == b"".join(changes[1:])) is resumes


def test_of_what_was_shown_only_finished_frames_are_kept_and_none_that_nobody_looks_at(
    board: IcuBoard,
) -> None:
    clock = board.clock
    assert isinstance(clock, ManualClock)
    board.used("html:ru")
    change(board)
    clock.advance(KEPT_S + 1.0)  # everybody who had the board in Russian has left long ago
    change(board)
    (kept,) = board.changes
    assert not kept.frames
    board.used("json")
    change(board)
    kept = board.changes[-1]
    assert set(kept.frames) == {"json"}
    assert all(isinstance(frame, bytes) for frame in kept.frames.values())


@pytest.mark.parametrize("rev", [-1, 0, 9999])
def test_a_screen_from_another_time_gets_a_snapshot(board: IcuBoard, rev: int) -> None:
    change(board, times=RING + 1)  # revision 1 is no longer kept
    screen, _ = look(board, rev=rev)
    assert screen.messages()[0]["type"] == "snapshot"


def test_a_snapshot_kept_for_a_herd_is_followed_by_what_came_since(board: IcuBoard) -> None:
    change(board)
    look(board)
    change(board)
    screen, _ = look(board)
    assert [(m["type"], m["rev"]) for m in screen.messages()] == [
        ("snapshot", 1),
        ("change", 2),
        ("beat", 2),
    ]


def test_a_screen_whose_line_is_full_is_passed_over_and_catches_up(board: IcuBoard) -> None:
    slow, viewer = look(board)
    quick, _ = look(board)
    slow.messages()
    quick.messages()
    slow.free = False
    change(board)
    change(board)
    assert [m["rev"] for m in quick.messages()] == [1, 2]
    assert slow.written == []
    slow.free = True
    board.show(viewer, 0.0)
    assert [m["rev"] for m in slow.messages()] == [1, 2]


def test_a_screen_that_is_too_far_behind_gets_the_board_anew(board: IcuBoard) -> None:
    slow, viewer = look(board)
    slow.messages()
    slow.free = False
    change(board, times=RING + 2)
    slow.free = True
    board.show(viewer, 0.0)
    assert [(m["type"], m["rev"]) for m in slow.messages()] == [("snapshot", RING + 2)]


def test_indicators_that_come_on_their_own_stand_on_the_bed_that_they_are_of(
    board: IcuBoard,
) -> None:
    bed = "h1-icu-1-01"
    figures = BedCell(bed + INDICATORS, "1", None, {}, indicators={"sofa": {"value": 3}})
    change(board)
    screen, _ = look(board)
    screen.messages()
    board._apply(wire.Changed(rev=2, at=0, cells={figures.bed: wire.encode(figures)}))
    change(board)  # the bed alone
    shown = [message["beds"] for message in screen.messages()]
    assert [[one["bed"] for one in beds] for beds in shown] == [[bed], [bed]]
    assert [one["indicators"] for beds in shown for one in beds] == [{"sofa": {"value": 3}}] * 2
    again = {name: wire.encode(cell) for name, cell in board.cells.items()}
    board.become(9, again)  # the board of the version before: all in the cell of the bed
    assert board.cells[bed].indicators == {"sofa": {"value": 3}}
