"""Who may do what, where: one table of roles, one function that decides, secrets as hashes.

Pure but for argon2, which runs in two threads of its own. Rows are guarded a second time by
row-level security with the same `Scope` (database.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """What one transaction may see: a hospital, and its units or ("*",) for all of them."""

    hospital: str
    units: tuple[str, ...]
    role: str
    actor: str
