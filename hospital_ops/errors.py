"""The family tree of our errors; every message says what to do and carries no patient data.

HospitalOpsError
├── ConfigurationError      a setting or a server is not fit to start with
├── MessageError            what a device or tablet sent cannot be understood
├── NotStored               nothing was put on disk: the sender keeps it and sends again
├── Fenced                  somebody newer owns this shard: stop, publish nothing
├── NotAllowed              known sender, wrong scope
├── TooMany                 more than one person may ask for in a time: wait
├── NotFound                not there, or not yours to know
└── Conflict                somebody else was first; carries what is true now
"""

from __future__ import annotations

from typing import Any


class HospitalOpsError(Exception):
    """An error of this house, with a sentence that says what to do."""


class ConfigurationError(HospitalOpsError):
    """A setting or a server that is not fit for patients; starting is refused."""


class MessageError(HospitalOpsError):
    """A message that cannot be understood; `code` is stable, `reason` says what to do."""

    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"{code}: {reason}")


class NotStored(HospitalOpsError):
    """Nothing was written; the sender has to keep its message and send it again."""


class Fenced(HospitalOpsError):
    """The lease of this shard has passed to a newer owner."""


class NotAllowed(HospitalOpsError):
    """The sender or user is known, but this is outside its scope."""


class NotFound(HospitalOpsError):
    """The thing does not exist, or the asker may not know that it does."""


class Conflict(HospitalOpsError):
    """Somebody else was first; `current` is what holds now, to be shown to the loser."""

    def __init__(self, reason: str, current: Any = None) -> None:
        self.current = current
        super().__init__(reason)


class TooMany(HospitalOpsError):
    """More of something than one person, or one unit, may ask for; again in `wait_s` seconds."""

    def __init__(self, sentence: str, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(sentence)
