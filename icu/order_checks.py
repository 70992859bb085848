"""What is looked at before an order is signed, and what was found: allergy, duplicate, weight.

Pure. A check says what it compared, also when it found nothing: "checked" without its inputs is
worth nothing. Names are compared as words, drugs by the first word that can be a name and by the
names of `response_rules.json`; classes of drugs, interactions and dose limits are not known here,
and each answer says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from icu.bedside_orders import RULES
from icu.order_kinds import Wanted, main_word
from icu.response import drug_of

DRUGS: Final = ("medication", "infusion")
CHECKED: Final = ("medication", "infusion", "diet", "procedure", "imaging")  # contrast, latex, food
SHORT: Final = 3  # letters of a name such as ASA or йод: the shortest that is compared
LONG: Final = 7  # letters of a name that is looked for inside longer words
BEGIN: Final = 6  # letters with which two names begin alike: amoxicillin, Amoxiclav
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_BY_KG: Final = re.compile(r"/\s*(kg|кг)(?!\w)", re.IGNORECASE)
_NO_NAMES: Final = frozenset(RULES["no_names"])


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

    check: str  # allergy, duplicate, weight, words
    order: str  # what is ordered
    state: str  # clear, found, unknown; not_recorded: unknown, no drug asks for it; not_compared
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
            "digest": self.digest,
        }

    @property
    def digest(self) -> str:
        """What was found, as a name: a reason that was given for it is for nothing else."""
        told = repr((self.check, self.order, self.state, sorted(self.found), "" in self.told_only))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


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
        of_set = beside if order.item >= 0 else []  # items of one set differ by more than a name
        named = [*known.open_orders, *(() if of_set else beside)]
        findings.append(_duplicate(order.kind, what, named, of_set))
        if order.kind in DRUGS and not order.details:
            findings.append(Finding("words", what, "not_compared", ()))
        if _by_weight(order):
            findings.append(_weight(what, known))
    return findings


def asking(findings: Iterable[Finding]) -> list[Finding]:
    """Those without which nothing is signed unless somebody says why."""
    return [finding for finding in findings if finding.asks]


def unanswered(
    findings: Iterable[Finding], reason: str, seen: Iterable[str], *, draft: bool = False
) -> bool:
    """Whether something asks that no reason was given for: it names the findings that were `seen`.

    A draft is nobody's signature: only what is written down or ordered already is asked about.
    """
    waiting = {f.digest for f in asking(findings) if not draft or f.check == "duplicate"}
    return bool(waiting) and (not reason.strip() or not waiting <= set(seen))


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
    """Whether a word of the substance stands in what is ordered, in whatever ending."""
    if drug_of(substance) and drug_of(substance) == drug_of(said):
        return True
    return any(_alike(one, other) for one in _stems(substance) for other in _stems(said))


def same_drug(one: str, other: str) -> bool:
    """Whether two orders name one drug, with whatever dose in words behind it.

    By the names of the table in both languages, else by the first word that can be a name.
    """
    known = drug_of(one), drug_of(other)
    if all(known):
        return known[0] == known[1]
    first, second = _name(one), _name(other)
    return bool(first and second) and _alike(first, second)


def _name(text: str) -> str:
    """The first word that can be the name of a drug; empty where there is none."""
    words = (word.casefold().replace("ё", "е") for word in _WORD.findall(text))
    return next((word for word in words if word not in _NO_NAMES), "")


def _stems(text: str) -> set[str]:
    return {word.casefold().replace("ё", "е") for word in _WORD.findall(text)}


def _alike(one: str, other: str) -> bool:
    """Russian endings differ by case: all but two letters of the shorter have to agree.

    A short name of a substance (`one`) has no ending to lose: a word that begins with it is found.
    A long one is found inside a longer word too: penicillin in benzylpenicillin. Names that begin
    alike are asked about: whether they are relatives is for a physician to say.
    """
    if len(one) <= SHORT:
        return other.startswith(one)
    length = max(4, min(len(one), len(other)) - 2)
    inside = len(one) >= LONG and one[: len(one) - 2] in other
    begin = min(len(one), len(other)) >= BEGIN and one[:BEGIN] == other[:BEGIN]
    return inside or begin or one[:length] == other[:length]


_Others = Iterable[tuple[str, str, str]]  # id, kind, what


def _duplicate(kind: str, what: str, others: _Others, of_set: _Others) -> Finding:
    """An open order for the same thing: drugs as injection and infusion count as one."""
    group = DRUGS if kind in DRUGS else (kind,)
    named = [said for _, other_kind, said in others if other_kind in group]
    beside = [said for _, other_kind, said in of_set if other_kind in group]
    found = tuple(
        said
        for said in [*named, *beside]
        if _normal(said) == _normal(what)
        or (kind in DRUGS and said not in beside and same_drug(said, what))
    )
    against = (*named, *beside)
    return Finding("duplicate", what, "found" if found else "clear", against, found)


def _normal(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


def _by_weight(order: Wanted) -> bool:
    said = [order.details.get("dose_unit", ""), order.details.get("rate_unit", "")]
    said += [order.text] if order.kind in DRUGS else []
    return any(_BY_KG.search(str(each)) for each in said)


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
