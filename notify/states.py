"""The life of a message as one table; callbacks and people move it along these lines only.

due: may be claimed; sending: claimed, the provider may have it; sent: the provider has it;
delivered, failed: what the network said; unknown: nobody knows, no machine sends it again;
held: waits for a person; expired: its window closed; cancelled: it must not go any more.
"""

from __future__ import annotations

from typing import Final

DUE, SENDING, SENT, DELIVERED = "due", "sending", "sent", "delivered"
FAILED, UNKNOWN, HELD = "failed", "unknown", "held"
EXPIRED, CANCELLED = "expired", "cancelled"

MOVES: Final[dict[str, frozenset[str]]] = {
    HELD: frozenset({DUE, EXPIRED, CANCELLED}),
    DUE: frozenset({SENDING, HELD, EXPIRED, CANCELLED}),
    # Back to due only where no byte has left the house; see `AGAIN` in providers/base.py.
    SENDING: frozenset({SENT, DELIVERED, FAILED, UNKNOWN, DUE}),
    SENT: frozenset({DELIVERED, FAILED}),
    UNKNOWN: frozenset({SENT, DELIVERED, FAILED}),
    DELIVERED: frozenset(),
    FAILED: frozenset(),
    EXPIRED: frozenset(),
    CANCELLED: frozenset({HELD}),  # the end of the stay was an error: a person releases it
}
STATES: Final = tuple(MOVES)
OPEN: Final = (HELD, DUE)  # what a death or a discharge cancels
MAY_HAVE_LEFT: Final = (SENDING, SENT, DELIVERED, UNKNOWN)  # what the death screen shows
FROM_CALLBACK: Final = (SENT, DELIVERED, FAILED)


def may_move(state: str, to: str) -> bool:
    """Whether the line `state` to `to` is drawn."""
    return to in MOVES[state]


def before(to: str) -> list[str]:
    """The states from which a line leads to `to`, for the condition of an update."""
    return [state for state, following in MOVES.items() if to in following]


def of_callback(state: str, told: str) -> str:
    """The state after a provider told `told` (sent, delivered, failed): forward or unchanged."""
    return told if told in FROM_CALLBACK and may_move(state, told) else state
