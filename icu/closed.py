"""Whether somebody lives at a bed that was closed after a death: then it rings again, at once.

What still hangs on the dead rings for nobody: no beats, no breaths, a sensor off. The closing
is of that patient and those devices alone. It ends with the first sign of a pulse or of a breath
that no ventilator gives, with another device that watches them, and with a message that names
another patient; whoever is admitted there ends it too (`quiet.leave`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import codes, wire
from icu.limits import FLAT_MMHG, VENTILATED, number_of
from icu.state import BedState, Closed, RhythmSeen

_PULSE: Final = frozenset(codes.by_key[key].code for key in ("hr", "pr", "spo2"))
_CUFF: Final = frozenset(v.code for v in codes.VITALS if v.key.startswith("nibp"))
_LINE: Final = frozenset(v.code for v in codes.VITALS if v.key.startswith("abp"))
_ABP: Final = tuple(codes.by_key[key].code for key in ("abp_sys", "abp_dia"))
_BREATH: Final = codes.by_key["rr"].code
WATCHED: Final = _PULSE | _CUFF | _LINE | {_BREATH}


def of(bed: BedState) -> Closed:
    """Of whom and of which devices a closing of this moment is."""
    binding = bed.history[-1] if bed.history else None
    numbers = (binding.mrn, *binding.known_as) if binding and binding.patient_id else ()
    senders = {who for channel, who in bed.senders.items() if channel.split(" ")[0] in WATCHED}
    return Closed(numbers=numbers, senders=tuple(sorted(senders)))


def by_values(
    bed: BedState, since: int, message: wire.Observed, changed: Iterable[str], at: int
) -> bool:
    """Whether a message shows that somebody lives here."""
    fresh = [name for name in changed if bed.values[name].at > since]
    if fresh and _names_another(bed.closed, message.mrn):
        return True
    watched = [name for name in fresh if name in WATCHED and bed.values[name].origin == "monitor"]
    if watched and _is_new(bed.closed, f"{message.source} {message.device}"):
        return True
    return any(_lives(bed, name, at) for name in watched)


def by_alert(bed: BedState, since: int, message: wire.DeviceAlert) -> bool:
    """Whether an alarm is of another patient, or of another device that watches pulse or breath."""
    if (message.at or message.received_at) <= since:
        return False
    if _names_another(bed.closed, message.mrn):
        return True
    return message.about in WATCHED and _is_new(bed.closed, f"{message.source} {message.device}")


def by_beats(seen: RhythmSeen, since: int) -> bool:
    """Whether our own look at the ECG counts beats."""
    return seen.at > since and not seen.leads_off and bool(seen.heart_rate)


def _names_another(closed: Closed, mrn: str) -> bool:
    return bool(mrn and closed.numbers and mrn not in closed.numbers)


def _is_new(closed: Closed, sender: str) -> bool:
    return bool(closed.senders) and sender not in closed.senders


def _lives(bed: BedState, name: str, at: int) -> bool:
    value = number_of(bed.values[name], at)
    if not value:
        return False
    if name in _LINE:  # a pressure without a pulse is that of the bag, or of the height
        systolic, diastolic = (number_of(bed.values.get(code), at) for code in _ABP)
        return systolic is not None and diastolic is not None and systolic - diastolic >= FLAT_MMHG
    if name == _BREATH:
        return not any(number_of(bed.values.get(code), at) for code in VENTILATED)
    return name in _PULSE or name in _CUFF
