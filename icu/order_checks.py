"""What is looked at before an order is signed, and what was found: allergy, duplicate, weight.

Pure. A check says what it compared, also when it found nothing: "checked" without its inputs is
worth nothing. Names are compared as words; classes of drugs, interactions and dose limits are not
known here, and each answer says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from icu.order_kinds import Wanted, main_word

DRUGS: Final = ("medication", "infusion")
CHECKED: Final = ("medication", "infusion", "diet", "procedure", "imaging")  # contrast, latex, food
SHORT: Final = 3  # letters of a name such as ASA or йод: the shortest that is compared
LONG: Final = 7  # letters of a name that is looked for inside longer words
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_KG: Final = "/kg"


class Known(NamedTuple):
    """What is known of the patient at the signing."""

    allergies: tuple[str, ...] = ()
    none_known: bool = False  # somebody asked, and there are none
    told_only: tuple[str, ...] = ()  # of these what nobody has confirmed; "": that none are known
    open_orders: tuple[tuple[str, str, str], ...] = ()  # id, kind, what
    weight_kg: float | None = None
    weight_status: str = ""  # measured, typed ...


class Finding(NamedTuple):
    """One check of one order: `found` empty means that nothing was found in `against`."""

    check: str  # allergy, duplicate, weight
    order: str  # what is ordered
    state: str  # clear, found, unknown; not_recorded: unknown too, and no drug asks for it
    against: tuple[str, ...]  # what it was compared with
    found: tuple[str, ...] = ()
    told_only: tuple[str, ...] = ()  # of `against`, what was told before the bed and not confirmed

    @property
    def asks(self) -> bool:
        """Whether signing needs a reason."""
        return self.state in ("found", "unknown")

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "check": self.check,
            "order": self.order,
            "state": self.state,
            "against": list(self.against),
            "found": list(self.found),
            "told_only": list(self.told_only),
        }


def checked(orders: Sequence[Wanted], known: Known) -> list[Finding]:
    """All checks of all orders that are signed together; each also against the others."""
    findings = []
    for place, order in enumerate(orders):
        what = main_word(order.kind, order.text, order.details)
        if order.kind in CHECKED:
            findings.append(_allergy(order, what, known))
        beside = [
            (f"#{other}", each.kind, main_word(each.kind, each.text, each.details))
            for other, each in enumerate(orders[:place])
        ]
        findings.append(_duplicate(order.kind, what, [*known.open_orders, *beside]))
        if _by_weight(order):
            findings.append(_weight(what, known))
    return findings


def asking(findings: Iterable[Finding]) -> list[Finding]:
    """Those without which nothing is signed unless somebody says why."""
    return [finding for finding in findings if finding.asks]


def _allergy(order: Wanted, what: str, known: Known) -> Finding:
    # That there are none has to be confirmed before a medicine rests on it.
    none_told = not known.allergies and known.none_known and "" in known.told_only
    if none_told or (not known.allergies and not known.none_known):
        state = "unknown" if order.kind in DRUGS else "not_recorded"
        return Finding("allergy", what, state, (), (), ("",) if none_told else ())
    said = " ".join([what, order.text, *(str(value) for value in order.details.values())])
    found = tuple(substance for substance in known.allergies if _same_words(substance, said))
    told_only = tuple(one for one in known.allergies if one in known.told_only)
    state = "found" if found else "clear"
    return Finding("allergy", what, state, known.allergies, found, told_only)


def _same_words(substance: str, said: str) -> bool:
    """Whether a word of the substance stands in what is ordered, whatever its ending."""
    return any(_alike(one, other) for one in _stems(substance) for other in _stems(said))


def _stems(text: str) -> set[str]:
    return {word.casefold().replace("ё", "е") for word in _WORD.findall(text)}


def _alike(one: str, other: str) -> bool:
    """Russian endings differ by case: all but two letters of the shorter have to agree.

    A short name of a substance (`one`) has no ending to lose: a word that begins with it is found.
    A long one is found inside a longer word too: penicillin in benzylpenicillin.
    """
    if len(one) <= SHORT:
        return other.startswith(one)
    length = max(4, min(len(one), len(other)) - 2)
    inside = len(one) >= LONG and one[: len(one) - 2] in other
    return inside or one[:length] == other[:length]


def _duplicate(kind: str, what: str, others: Iterable[tuple[str, str, str]]) -> Finding:
    """An open order for the same thing: drugs as injection and infusion count as one."""
    group = DRUGS if kind in DRUGS else (kind,)
    like = [(order, said) for order, other_kind, said in others if other_kind in group]
    found = tuple(said for _, said in like if _normal(said) == _normal(what))
    against = tuple(said for _, said in like)
    return Finding("duplicate", what, "found" if found else "clear", against, found)


def _normal(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


def _by_weight(order: Wanted) -> bool:
    units = (order.details.get("dose_unit", ""), order.details.get("rate_unit", ""))
    return any(_KG in str(unit) for unit in units)


def _weight(what: str, known: Known) -> Finding:
    if known.weight_kg is None:
        return Finding("weight", what, "unknown", ())
    said = f"{known.weight_kg:g} kg, {known.weight_status}".rstrip(", ")
    return Finding("weight", what, "clear", (said,))


def from_json(rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings as they were kept with an order."""
    return [
        Finding(
            row["check"],
            row["order"],
            row["state"],
            tuple(row["against"]),
            tuple(row["found"]),
            tuple(row.get("told_only", ())),
        )
        for row in rows
    ]
