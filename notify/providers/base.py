"""What every way out answers: taken, delivered, refused for good, not taken yet, or unknown.

`AGAIN` may be said only where the provider cannot have taken the message: no byte of the request
left the house, or it answered that it did not process it (429). Everything else that is not a
clear answer is `UNKNOWN`, and no machine sends it again (SAFETY I4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

TAKEN, DELIVERED, REFUSED = "taken", "delivered", "refused"
AGAIN, UNKNOWN = "again", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message at the door; `reference` carries our token back in callbacks."""

    message: str
    attempt: str
    hospital: str
    to: str  # E.164
    words: str
    validity_s: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider answered; `code` is its own, without the number or the text."""

    kind: str
    provider_id: str = ""
    code: str = ""


# Reasons by which a number is no good: it is stopped and a person is asked (STACK.md, section 5).
NUMBER_IS_WRONG: Final = frozenset({"21211", "21614", "30005", "30006"})
ASKED_TO_STOP: Final = frozenset({"21610"})


class Provider(Protocol):
    """A way to send an SMS, once."""

    name: str

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Hands the message over; never raises for what a network or provider does."""
        ...

    async def find(self, outgoing: Outgoing, since_us: int) -> Outcome | None:
        """Looks an unknown message up in the provider's list; None: it cannot tell."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...
