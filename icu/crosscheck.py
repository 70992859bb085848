"""The cross-check: what other signals make of an alarm; by itself it changes none.

Each rule is read from `cross_check` of its row in `alarms.json`. A verdict needs a witness of good
quality; a poor one makes it doubtful, whatever another says against the alarm. `may_silence` says
when an alarm may stay a note, which `silencing.py` asks before one begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import Shown
from hospital_ops.clinical.tables import table
from hospital_ops.wire import Reason, Verdict, Witness
from icu.rules import ROWS, RULES

FALSE, DOUBTFUL, STANDS, NO_WITNESS = "probably_false", "doubtful", "stands", "no_witness"
CHECKED: Final = ("asystole", "vt", "brady_extreme", "tachy_extreme")
PULSES: Final = ("pleth", "abp", "pr")  # pr: the pulse rate that the oximeter itself counts
PR: Final = codes.by_key["pr"].code
_ASYSTOLE_S: Final = float(table("ecg")["lethal"]["monitor_defaults"]["asystole_s"])
_GOOD, _POOR = "good", "poor"
_FIGURES: Final[dict[str, Any]] = json.loads(
    files("icu").joinpath("crosscheck.json").read_text("utf-8")
)


def verdict(
    rule: str,
    value: float | None,
    limit: float | None,
    witnesses: Sequence[Witness],
) -> Verdict | None:
    """What the witnesses make of an alarm of `rule`; None where the rule is not cross-checked."""
    if rule not in CHECKED:
        return None
    pulses = [w for w in witnesses if w.source in PULSES and w.quality != "none"]
    if rule == "vt":
        leads = [w for w in witnesses if w.source not in PULSES and w.quality != "none"]
        return _of_vt(leads, pulses)
    good = [w for w in pulses if w.quality == _GOOD]
    poor = [Reason("poor", w.source) for w in pulses if w.quality == _POOR]
    if rule == "asystole":
        judged = [_of_asystole(w) for w in good]
    elif limit is None:
        return None
    else:
        judged = [_of_rate(rule, w, value, limit) for w in good]
    return _summed(judged, poor)


def number_witness(shown: Shown | None, value: float | None) -> tuple[Witness, ...]:
    """The oximeter's own pulse rate as a witness, where there is one that may be believed."""
    if shown is None or value is None:
        return ()
    quality = _GOOD if shown.validity == "Vld" else _POOR
    return (Witness("pr", quality, value, slowest_per_min=value, fastest_per_min=value),)


def may_silence(
    rule: str,
    found: Verdict | None,
    *,
    enabled: bool,
    device: bool,
    documented: frozenset[str] | None,
) -> bool:
    """Whether an alarm could be turned into a note.

    Never one a device sent, never where the table says no, never with a pump, a pacemaker or
    compressions (`documented`; None: nobody documents them here), never without two independent
    good witnesses, and never unless the unit has enabled it for this rule.
    """
    row = ROWS.get(rule, {})
    if device or not enabled or found is None or documented is None:
        return False
    if not row.get("may_be_silenced_by_cross_check") or rule not in CHECKED:
        return False
    if documented & set(row.get("never_cross_check_when", ())):
        return False
    return RULES[rule].kind == "physiological" and found.word == FALSE and found.sources >= 2


def _of_asystole(pulse: Witness) -> tuple[bool | None, Reason]:
    """Regular pulses in the same seconds; a counted rate alone cannot say when the last was."""
    if pulse.gap_s is None:
        return None, Reason("counted_only", pulse.source, pulse.rate_per_min)
    if pulse.gap_s >= _ASYSTOLE_S:
        return False, Reason("pulse_gone", pulse.source, pulse.gap_s)
    return True, Reason("pulse_goes_on", pulse.source, pulse.rate_per_min)


def _of_rate(
    rule: str, pulse: Witness, value: float | None, limit: float
) -> tuple[bool | None, Reason]:
    slow, fast, rate = pulse.slowest_per_min, pulse.fastest_per_min, pulse.rate_per_min
    if slow is None or fast is None or rate is None:
        return None, Reason("poor", pulse.source)
    if rule == "brady_extreme":
        against = slow > limit
        return against, Reason("pulse_faster" if against else "pulse_too", pulse.source, rate)
    half, most = _FIGURES["pulse_half"]  # each second beat without a pulse
    if value and half <= rate / value <= most:
        return None, Reason("pulse_half", pulse.source, rate)
    against = fast < limit
    return against, Reason("pulse_slower" if against else "pulse_too", pulse.source, rate)


def _of_vt(leads: Sequence[Witness], pulses: Sequence[Witness]) -> Verdict:
    """Every lead beats as it always did, and the pulse is what it was: both are needed."""
    if not leads or not any(w.source != "pr" for w in pulses):
        return Verdict(NO_WITNESS)
    against: list[Reason] = []
    doubts: list[Reason] = []
    for lead in leads:
        calm = lead.quality == _GOOD and (lead.alike or -1.0) >= _FIGURES["alike_min"]
        code = "beats_alike" if calm else "beats_differ"
        (against if calm else doubts).append(Reason(code, lead.source, lead.rate_per_min))
    sources = 1 if not doubts else 0  # all leads are one source: one heart, one cable
    for pulse in pulses:
        if pulse.source == "pr":
            continue
        if pulse.quality != _GOOD or pulse.unchanged is None:
            doubts.append(Reason("poor", pulse.source))
        elif pulse.unchanged >= _FIGURES["pulse_unchanged_min"]:
            against.append(Reason("pulse_unchanged", pulse.source, pulse.rate_per_min))
            sources += 1
        else:
            doubts.append(Reason("pulse_weaker", pulse.source, pulse.rate_per_min))
    if doubts:
        weaker = any(r.code == "pulse_weaker" for r in doubts)
        return Verdict(STANDS if weaker else DOUBTFUL, (*doubts, *against))
    return Verdict(FALSE, tuple(against), sources)


def _summed(judged: Iterable[tuple[bool | None, Reason]], poor: Sequence[Reason]) -> Verdict:
    """Against the alarm only where every good witness is; a poor one makes it doubtful."""
    found = list(judged)
    reasons = (*(reason for _, reason in found), *poor)
    if any(against is False for against, _ in found):
        return Verdict(STANDS, reasons)
    speak = sum(against is True for against, _ in found)
    if not found and not poor:
        return Verdict(NO_WITNESS)
    if not speak or poor or any(against is None for against, _ in found):
        return Verdict(DOUBTFUL, reasons)
    return Verdict(FALSE, reasons, speak)
