"""What people do with charted values, as entries of the streams."""

from __future__ import annotations

from hospital_ops.wire_forms import Form


class Corrected(Form, frozen=True, tag="cor"):
    """A charted value that does not hold; the new one, if any, follows as a value of its own.

    Where the patient has left `unit`, the unit of now is told as well: its board alone follows.
    """

    unit: str
    bed: str
    event: str  # event id of the value that does not hold
    replaced_by: str  # event id of the new one; empty: entered in error
    code: str
    value: float | str | None  # as it was charted
    determined_at: int
    by: str
    role: str
    at: int
    reason: str
    source: str
    received_at: int
    mode: str
    channel: str = ""
    patient_id: str = ""  # whose it is: the patient may lie in another bed or unit by now
    instead: bytes = b""  # the message with the new value, for the board of that other bed


class HourValidated(Form, frozen=True, tag="val"):
    """A column of the flowsheet that somebody has looked through, with what stood in it."""

    unit: str
    bed: str
    from_at: int
    to_at: int
    figures: dict[str, float]  # by code
    by: str
    role: str
    at: int
    source: str
    received_at: int
    mode: str
