"""How often a cell is shown: its changes twice a second, and one beside them at once.

What a tick changes on every bed (a score of the minute) would else hold up the value that each bed
sends a moment later. Over a second and more it stays at twice a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

AGAIN_S: Final = 0.5


class Showing:
    """Which of the cells that changed have their turn. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}  # until then the turns of a cell are used up, but for one

    def due(self, changed: Iterable[str], now: float) -> set[str]:
        """The cells that may be shown now."""
        return {name for name in changed if self._used.get(name, 0.0) - now <= AGAIN_S}

    def shown(self, names: Iterable[str], now: float) -> None:
        """They were shown."""
        for name in names:
            self._used[name] = max(now, self._used.get(name, 0.0)) + AGAIN_S

    def forget(self, name: str) -> None:
        """The cell is no longer on the board."""
        self._used.pop(name, None)
