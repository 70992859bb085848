"""How long a practised person needs for an entry, by a model: no test looks at a clock.

The keystroke-level model of Card, Moran and Newell (Communications of the ACM 23(7), 1980, 396-410)
with its published times: pointing at a target 1.1 s and pressing 0.1 s (here one tap of a finger),
a key of somebody who does not type for a living 0.28 s, getting ready for one thing in the mind
1.35 s. Gloves are no part of the model: a tap with them counts half as much again, an assumption of
ours. The system's answer and the measuring of a patient are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

TAP_S: Final = 1.1 + 0.1
KEY_S: Final = 0.28
MIND_S: Final = 1.35
GLOVES: Final = 1.5


@dataclass
class Hands:
    """Counts what somebody does on a page."""

    taps: int = 0
    keys: int = 0
    thoughts: int = 0

    async def tap(self, wanted: Any, *, thought: bool = True) -> None:
        """A tap; `thought`: something to decide or to look for goes before it."""
        self.taps += 1
        self.thoughts += thought
        await wanted.click()

    async def type(self, page: Any, text: str) -> None:
        """Keys, read off what was measured or asked."""
        self.keys += len(text)
        await page.keyboard.type(text)

    def time_s(self, *, gloves: bool = False) -> float:
        """Seconds by the model."""
        tap_s = TAP_S * (GLOVES if gloves else 1.0)
        return self.taps * tap_s + self.keys * KEY_S + self.thoughts * MIND_S
