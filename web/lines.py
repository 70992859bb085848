"""What a board knows of a screen: the line it is written to, and frames as a line takes them."""

from __future__ import annotations

from typing import Final, Protocol

LINE: Final = "hospital_ops.line"  # under this name the server puts a socket's line into its scope


class Line(Protocol):
    """What a socket of the server can do for a board."""

    @property
    def free(self) -> bool:
        """Whether it takes another frame now."""
        ...

    def put(self, frames: bytes) -> None:
        """Writes whole frames."""
        ...


class Listener(Protocol):
    """Who takes what comes over a line, and hears that it has ended."""

    def heard(self, text: str) -> None:
        """A message."""
        ...

    def gone(self) -> None:
        """The line has ended, whoever ended it; comes once."""
        ...


class OpenLine(Line, Protocol):
    """A line whose request may end: what comes is told to a listener, nothing else is kept."""

    def hand_over(self, listener: Listener) -> None:
        """From here on `listener` is told, also what came meanwhile."""
        ...

    def end(self, code: int) -> None:
        """Says goodbye with a close code (RFC 6455, 7.4); who does not answer is cut."""
        ...


class Viewer:
    """One screen on a board: where it is written to, and the revision that it has been sent."""

    def __init__(self, line: Line, form: str) -> None:
        self.line, self.form = line, form
        self.rev = -1
        self.unpainted_since: float | None = None


def text_frame(text: bytes) -> bytes:
    """An unmasked, unfragmented WebSocket text frame (RFC 6455, 5.2), as a server sends it."""
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text
