"""MLLP frames out of a byte stream, and the messages inside a frame.

A frame is VT (0x0B), bytes, FS (0x1C); the CR after FS is noise like any other between frames.
The same frames come out for any split of the bytes, and what is held never exceeds the limit.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

VT: Final = b"\x0b"
FS: Final = b"\x1c"
END: Final = b"\x1c\r"
MIB: Final = 1 << 20
HEAD: Final = 1024  # bytes kept of a frame that is too large: enough for its MSH
NOISE_LIMIT: Final = 64 * 1024  # bytes without a frame after which the peer speaks no MLLP


class Frame(NamedTuple):
    """The bytes between VT and FS; `problem` is empty, `cut`, `oversize` or `no_frame`."""

    data: bytes
    problem: str = ""


class Framer:
    """Cuts a byte stream into frames.

    A VT inside a frame starts a new one and reports the first as `cut`. Beyond `limit` bytes a
    frame is reported once as `oversize` with its first bytes, and the rest passes unheld. Empty
    frames (keep-alives) and noise between frames are counted, not reported; noise beyond
    `NOISE_LIMIT` is reported once as `no_frame`.
    """

    def __init__(self, limit: int = MIB) -> None:
        self.limit = limit
        self.empty = 0  # keep-alive frames so far
        self.inside = False  # a frame has begun and not ended
        self._held = bytearray()
        self._passing = False  # the rest of an oversize frame
        self._noise = 0
        self._told = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order, broken ones among them."""
        if not self.inside and data[:1] == VT and data[1:2] > b" " and data.find(VT, 1) < 0:
            end = data.find(FS)
            if 0 < end - 1 <= self.limit and len(data) - end <= 2:
                self._noise = len(data) - end - 1
                self._told = False
                return [Frame(data[1:end])]
        found: list[Frame] = []
        at, size = 0, len(data)
        while at < size:
            if not self.inside:
                start = data.find(VT, at)
                self._skip((size if start < 0 else start) - at, found)
                if start < 0:
                    break
                self._begin()
                at = start + 1
                continue
            end = data.find(FS, at)
            until = size if end < 0 else end
            cut = data.find(VT, at, until)
            if cut >= 0:
                self._hold(data, at, cut, found)
                self._finish("cut", found)
                self._begin()
                at = cut + 1
                continue
            self._hold(data, at, until, found)
            if end < 0:
                break
            self._finish("", found)
            at = end + 1
        return found

    def abandon(self) -> Frame | None:
        """What is held of an unfinished frame, at a time-out or when the peer is gone."""
        held, self._held = bytes(self._held), bytearray()
        self.inside = False
        return Frame(held, "cut") if held and not self._passing else None

    def _skip(self, count: int, found: list[Frame]) -> None:
        self._noise += count
        if self._noise > NOISE_LIMIT and not self._told:
            self._told = True
            found.append(Frame(b"", "no_frame"))

    def _begin(self) -> None:
        self.inside, self._passing = True, False
        self._noise, self._told = 0, False

    def _hold(self, data: bytes, start: int, stop: int, found: list[Frame]) -> None:
        if self._passing or start == stop:
            return
        room = self.limit - len(self._held)
        if stop - start > room:
            self._held += data[start : start + max(room, HEAD)]
            found.append(Frame(bytes(self._held[: min(HEAD, self.limit)]), "oversize"))
            self._held = bytearray()
            self._passing = True
        else:
            self._held += data[start:stop]

    def _finish(self, problem: str, found: list[Frame]) -> None:
        self.inside = False
        if self._passing:
            return
        if self._held.strip():
            found.append(Frame(bytes(self._held), problem))
        elif not problem:
            self.empty += 1
        self._held = bytearray()


_MESSAGE_START: Final = re.compile(rb"(?:\A|(?<=[\r\n]))[ \t]*MSH(?=[^A-Za-z0-9 \r\n])")
_ENVELOPE: Final = re.compile(rb"(?:\A|[\r\n]+)(?:FHS|BHS|BTS|FTS)[^\r\n]*")


def split_messages(frame: bytes) -> list[bytes]:
    """The messages of a frame: one as a rule; several when glued or in a batch (FHS, BHS).

    A batch's envelope lines are dropped. Bytes without any MSH come back as they are.
    """
    if frame[:3] == b"MSH" and frame.find(b"MSH", 3) < 0:
        return [frame]
    body = frame.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:3] in (b"FHS", b"BHS") or b"BTS" in body or b"BHS" in body or b"FTS" in body:
        body = _ENVELOPE.sub(b"", body)
    starts = [match.start() for match in _MESSAGE_START.finditer(body)]
    if not starts:
        return [frame]
    pieces = [
        body[start:stop].strip(b"\r\n")
        for start, stop in zip(starts, [*starts[1:], len(body)], strict=True)
    ]
    if starts[0] > 0 and body[: starts[0]].strip():
        pieces.insert(0, body[: starts[0]])  # something before the first MSH: never dropped unseen
    return pieces


def framed(message: bytes) -> bytes:
    """`message` as it goes over the wire."""
    return VT + message + END
