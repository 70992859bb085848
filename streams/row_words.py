"""A value and what is remarked about it, as a row of the archive says them: pure."""

from __future__ import annotations

import math

from hospital_ops import wire


def number_and_text(value: float | str | None) -> tuple[float | None, str | None]:
    """The columns of a number and of a text; what is no finite number is kept as text."""
    if value is None:
        return None, None
    if isinstance(value, str):
        return None, value
    return (value, None) if math.isfinite(value) else (None, repr(value))


def said(observation: wire.Observation) -> float | str | None:
    """What the row says: the value, or as text what was sent in a unit that says nothing here."""
    return observation.value if observation.sent is None else f"{observation.sent:.15g}"


def remark(observation: wire.Observation, remarks: tuple[str, ...]) -> str:
    """Sender's name of an unmapped code, its flag, and why the value is not trusted."""
    said = (observation.text, observation.flag, observation.reason, *remarks)
    return "; ".join(filter(None, said)) if any(said) else ""
