"""Values and signs that the department types on a page, read as a tablet would send them. Pure.

One reader for who walks in and for who is here already: the same fields, limits and refusals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from hospital_ops import events
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import MessageError
from hospital_ops.identity import derived
from web.views.walkin import AVPU, AVPU_CODE, VITALS, number_of

ONCE_US: Final = 10 * SECOND  # a page that is sent twice within it says the same thing once


class FieldError(MessageError):
    """A field that cannot be used; `field` names it, so that the page can say it in words."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__("bad_number", reason)


def values_of(text: Mapping[str, str], case: str, now_us: int, mode: str) -> list[dict[str, Any]]:
    """The EVENTs of the filled fields; FieldError where one is no number or out of physics.

    A correction is a new value under an id of its own: the value and its time are part of it.
    """
    found = []
    for key, (code, unit) in VITALS.items():
        try:
            value = number_of(text.get(key, ""), key)
        except MessageError as error:
            raise FieldError(key, error.reason) from error
        if value is not None:
            found.append((key, _event(case, code, value, unit, now_us, mode)))
    if text.get("avpu") in AVPU:
        found.append(("avpu", _event(case, AVPU_CODE, text["avpu"], "", now_us, mode)))
    for key, event in found:
        _, _, doubt = events.read(event, origin="typed")
        if doubt:
            raise FieldError(key, doubt)
    return [event for _, event in found]


def signs_after(
    known: Collection[str], shown: Collection[str], ticked: Collection[str]
) -> list[str]:
    """The signs of a case after a page that `shown` some: what came since it was opened stays."""
    return sorted((set(known) - (set(shown) - set(ticked))) | set(ticked))


def _event(case: str, code: str, value: Any, unit: str, now_us: int, mode: str) -> dict[str, Any]:
    return {
        "event_id": str(derived("typed", case, code, str(value), str(now_us // ONCE_US))),
        "code": code,
        "value": value,
        "unit": unit,
        "determined_at": iso(now_us),
        "validity": "Vld",
        "mode": mode,
    }
