"""Mappings of senders' codes, applied to observations as they come and to rows as they are read.

Pure. A mapping is of one code and one unit as sent; that of the source goes before that of the
device's model, and both before one for every sender of the hospital. Where the unit says nothing
here a mapping names the unit that it means, one that `units` converts: no factor is ever typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from hospital_ops import codes, identity, judging, units, wire
from hospital_ops.codes import Vital
from hospital_ops.errors import MessageError
from hospital_ops.events import VALIDITIES
from hospital_ops.units import Conversion, mdc_number

ANY: Final = ""


def of_source(name: str) -> str:
    """The scope of a named source or a device: `source:NAME`."""
    return f"source:{name}"


def of_model(name: str) -> str:
    """The scope of a device's model: `model:NAME`."""
    return f"model:{name}"


class Rule(NamedTuple):
    """A code and unit of a scope, what they mean (a key of codes.json), and since which version."""

    scope: str
    code: str
    unit: str  # UCUM where it is known, else as sent
    key: str
    version: int
    read_as: str = ""  # the UCUM unit that `unit` means; empty: it is one itself


def row_of(rule: Rule) -> dict[str, Any]:
    """A rule as the way in is told of it: what an older process does not know only where it is
    said."""
    return {name: value for name, value in rule._asdict().items() if value or name != "read_as"}


class Read(NamedTuple):
    """A value under a code of ours; `reason` says why it is not to be trusted."""

    vital: Vital
    value: float | str | None
    unit: str
    validity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """The mappings of one hospital that hold now."""

    rules: Mapping[tuple[str, str, str], Rule] = field(default_factory=dict)

    def find(self, source: str, model: str, code: str, unit: str) -> Rule | None:
        """The mapping of a sender's code and unit, the nearest first."""
        for scope in (of_source(source), of_model(model) if model else ANY, ANY):
            rule = self.rules.get((scope, code, unit))
            if rule is not None:
                return rule
        return None

    def read(self, message: wire.Observed, model: str = "") -> wire.Observed:
        """The message with what is mapped under our codes; nothing is made anew without need."""
        if not self.rules or all(map(understood, message.observations)):
            return message
        rows = tuple(self._one(row, message.source, model) for row in message.observations)
        if not any(row.event_id for row in message.observations):
            return wire.replaced(message, observations=rows)
        # Sent again under its id it is the same event, whatever the mapping says by then.
        as_sent = tuple(
            b"" if read is row else identity.content(wire.content(row))
            for row, read in zip(message.observations, rows, strict=True)
        )
        return wire.replaced(message, observations=rows, as_sent=as_sent)

    def _one(self, row: wire.Observation, source: str, model: str) -> wire.Observation:
        if understood(row) or row.origin == "setting":
            return row
        rule = self.find(source, model, row.code, row.unit)
        if rule is None:
            return row
        read = (
            translated(rule, row.value, row.unit, row.validity, row.reason)
            if row.sent is None
            else translated(rule, row.sent, row.unit, "Vld", "")
        )
        if row.mapped:  # its code is known already, only the unit was not
            return wire.replaced(
                row, value=read.value, unit=read.unit, validity=read.validity, reason=read.reason,
                sent=None,
            )  # fmt: skip
        return wire.replaced(
            row,
            code=read.vital.code,
            value=read.value,
            unit=read.unit,
            validity=read.validity,
            reason=read.reason,
            channel=row.channel or row.code,  # two codes of one vital never overwrite each other
            text=row.text or row.code,
            mapped=True,
        )

    def senders_of(self, code: str) -> list[str]:
        """The senders' codes that mean `code` (public) by some mapping."""
        return sorted(
            {rule.code for rule in self.rules.values() if codes.by_key[rule.key].code == code}
        )


def understood(row: wire.Observation) -> bool:
    """Whether code and unit are known here: most values of a ward."""
    return row.mapped and row.sent is None


def book(rules: list[Rule]) -> Codebook:
    """The mappings that hold; one with an empty key has ended, an unknown key is of a newer us."""
    return Codebook({rule[:3]: rule for rule in rules if rule.key in codes.by_key})


def translated(
    rule: Rule, value: float | str | None, unit: str, validity: str, reason: str
) -> Read:
    """A value as the mapping reads it, with the limits of physics of what it now means."""
    vital = codes.by_key[rule.key]
    if value is None:
        return Read(vital, None, vital.ucum, validity, reason)
    if isinstance(value, str):
        if vital.ucum != "code":
            return Read(vital, None, vital.ucum, "Inv", "what was sent is not a number")
        judged, to_unit = judging.word(value, vital), vital.ucum
    else:
        unit = rule.read_as or unit
        read_as = judging.scale(vital, units.to_ucum(unit) if unit else "")
        judged, to_unit = judging.number(float(value), vital, *read_as), read_as.convert.unit
    if VALIDITIES.index(judged.validity) > VALIDITIES.index(validity):
        validity, reason = judged.validity, judged.reason
    return Read(vital, judged.value, to_unit, validity, reason)


def checked(scope: str, code: str, unit: str, key: str, read_as: str = "") -> Vital:
    """The vital that a new mapping names; MessageError says why it cannot be one."""
    vital = codes.by_key.get(key)
    if vital is None:
        raise MessageError("unknown_key", "choose one of the list")
    known = codes.by_code.get(code)
    if known is not None and (known.key != key or not read_as):
        raise MessageError("own_code", "this is a code of ours already: only its unit can be said")
    if known is None and code in codes.by_key:
        raise MessageError("own_code", "this is a code of ours already: it needs no mapping")
    if mdc_number(code) in codes.KEPT_APART:
        raise MessageError(
            "kept_apart", "this value is kept apart on purpose: it must not stand in for another"
        )
    if scope != ANY and not scope.startswith((of_source(""), of_model(""))):
        raise MessageError("bad_scope", "a mapping is of a source, a model or every sender")
    if read_as and not unit:
        raise MessageError("no_unit", "no unit was sent: it cannot mean one")
    if read_as and not _conversion(vital, unit).problem:
        raise MessageError("known_unit", "this unit is known already: it means what it says")
    problem = _conversion(vital, read_as or unit).problem
    if problem:
        raise MessageError("wrong_unit", problem)
    return vital


def fitting(unit: str) -> list[Vital]:
    """The vitals whose values may come in `unit`, in the order of the table."""
    return [vital for vital in codes.VITALS if not _conversion(vital, unit).problem]


def meanings(code: str, unit: str) -> list[tuple[Vital, str]]:
    """What a code and unit may mean: (vital, the unit that is meant; empty: as it says).

    Of a code of ours only the unit is open; of any other code in a unit that says nothing here,
    each vital in its own unit.
    """
    known = codes.by_code.get(code)
    if known is not None:
        return [(known, one) for one in units.known() if not units.conversion(known, one).problem]
    fits = [(vital, "") for vital in fitting(unit)]
    if fits or not unit or units.to_ucum(unit) is not None:
        return fits
    return [(vital, vital.ucum) for vital in codes.VITALS if vital.reject_outside is not None]


def _conversion(vital: Vital, unit: str) -> Conversion:
    return units.conversion(vital, units.to_ucum(unit) if unit else "")
