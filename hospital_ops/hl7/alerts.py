"""ORU^R40 (IHE PCD-04): alarms of devices, as they tell them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hospital_ops.hl7.codes import Plan, coded, plan
from hospital_ops.hl7.parse import Message, Segment
from hospital_ops.hl7.parse import field as field_of
from hospital_ops.hl7.ranges import ATTRIBUTE, Limits, limits_in
from hospital_ops.hl7.times import Zone, offset_s, to_us
from hospital_ops.hl7.values import measured

_EVENT: Final = "MDC_EVT_ALARM"  # then the event stands in OBX-5
_WATCHDOG: Final = "MDC_EVT_ACTIVE"
_FACETS: Final = {
    "MDC_ATTR_EVENT_PHASE": "phase",
    "MDC_ATTR_ALARM_STATE": "state",
    "MDC_ATTR_ALARM_PRIORITY": "priority",
    "MDC_ATTR_ALERT_TYPE": "kind",
    "MDC_ATTR_ALERT_TEXT": "note",
}
_PRIORITIES: Final = ("PH", "PM", "PL", "PI", "PN")
_KINDS: Final = ("SP", "ST", "SA")
_LIMIT: Final = 300


@dataclass(slots=True)
class Alert:
    """One alarm condition as one OBR group describes it."""

    alert: str
    at: int | None
    event: str = ""
    name: str = ""
    text: str = ""
    phase: str = ""
    state: str = ""
    priority: str = ""
    kind: str = ""
    note: str = ""
    inactivation: tuple[str, ...] = field(default_factory=tuple)
    about: str = ""
    value: float | None = None
    value_unit: str = ""
    device: str = ""
    limits: Limits | None = None
    plan: Plan | None = None  # of the value it is about

    @property
    def watchdog(self) -> bool:
        """Whether it only says that the sender is alive."""
        return self.name == _WATCHDOG and self.priority in ("PN", "PI", "")


def read(message: Message, site_zone: Zone) -> list[Alert]:
    """The alarms of a message, one for each OBR."""
    stated = offset_s(field_of(message.msh, 7))
    zone = site_zone if stated is None else stated
    found: list[Alert] = []
    for segment in message.segments:
        if segment[0] == "OBR":
            found.append(_begin(segment, message, zone))
        elif segment[0] == "OBX" and found:
            _take(found[-1], segment, message, zone)
    return [alert for alert in found if alert.event or alert.phase or alert.state]


def _begin(segment: Segment, message: Message, zone: Zone) -> Alert:
    """OBR-29 points to the start of the condition; its first message has OBR-3 alone."""
    signs = message.signs
    parent = field_of(segment, 29).split(signs.component)
    pointed = next((p.split(signs.sub)[0] for p in reversed(parent) if p), "")
    own = field_of(segment, 3).split(signs.component)[0]
    return Alert(message.text(pointed or own)[:_LIMIT], to_us(field_of(segment, 7), zone))


def _take(alert: Alert, segment: Segment, message: Message, zone: Zone) -> None:
    signs = message.signs
    element, other = coded(field_of(segment, 3), signs)
    value = field_of(segment, 5)
    for mark in field_of(segment, 8).split(signs.repetition):
        word = mark.split(signs.component)[0]
        if word in _PRIORITIES:
            alert.priority = alert.priority or word
        elif word in _KINDS:
            alert.kind = alert.kind or word
    if not alert.device:
        alert.device = message.text(field_of(segment, 18).split(signs.component)[0])[:_LIMIT]
    if element.text in _FACETS:
        setattr(alert, _FACETS[element.text], message.text(value).strip()[:_LIMIT])
    elif element.text == "MDC_ATTR_ALARM_INACTIVATION_STATE":
        words = (word.strip() for word in value.split(signs.repetition))
        alert.inactivation = tuple(message.text(word)[:_LIMIT] for word in words if word)
    elif element.text == ATTRIBUTE:
        alert.limits = limits_in(value, alert.plan) if alert.plan else None
    elif element.text == "MDC_ATTR_ALERT_SOURCE":
        alert.about = alert.about or message.text(value.split(signs.component)[0])
    elif not alert.event:
        parts = [message.text(part) for part in value.split(signs.component)]
        if element.text == _EVENT:
            alert.event, alert.name = parts[0], parts[1] if len(parts) > 1 else ""
            alert.text = (parts[8] if len(parts) > 8 else alert.name)[:_LIMIT]
        else:
            alert.event = element.code or other.code
            alert.name, alert.text = element.text, message.text(value)[:_LIMIT]
        stamp = field_of(segment, 14)
        alert.at = (to_us(stamp, zone) if stamp else None) or alert.at
    elif field_of(segment, 2) == "NM":
        made = plan(field_of(segment, 3), field_of(segment, 6), signs)
        alert.about, alert.plan = made.code, made
        alert.limits = limits_in(field_of(segment, 7), made)
        if made.vital is not None:
            judged = measured(made, made.vital, value.strip())
            if isinstance(judged.value, float):
                alert.value, alert.value_unit = judged.value, made.unit
