"""Who has the same name, and who was here a short while ago: two mistakes at registration. Pure.

A warning, never a merge: a person looks at both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Arrival(NamedTuple):
    """A case of the last three days: when it was opened, and what was said about the person."""

    case: str
    at: int
    ended: bool
    facts: Mapping[str, Any]


class Same(NamedTuple):
    """A warning: `namesake` is here now under the same family name, `again` was here before."""

    kind: str
    case: str
    at: int
    facts: Mapping[str, Any]


def warnings_of(case: str, facts: Mapping[str, Any], others: Iterable[Arrival]) -> list[Same]:
    """The cases to look at before this one is taken for somebody else, the newest first."""
    family = _folded(facts.get("family"))
    if not family:
        return []
    found = []
    for other in others:
        if other.case == case or _folded(other.facts.get("family")) != family:
            continue
        if not other.ended:
            found.append(Same("namesake", other.case, other.at, other.facts))
        elif _may_be_one(facts, other.facts):
            found.append(Same("again", other.case, other.at, other.facts))
    return sorted(found, key=lambda same: -same.at)


def _may_be_one(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether nothing that both say tells the two apart."""
    for key in ("given", "birth_date"):
        mine, theirs = _folded(one.get(key)), _folded(other.get(key))
        if mine and theirs and mine != theirs:
            return False
    return {one.get("sex"), other.get("sex")} != {"F", "M"}


def _folded(text: Any) -> str:
    """As names are compared: without case, ё as е, without marks between."""
    if not isinstance(text, str):
        return ""
    return "".join(sign for sign in text.casefold().replace("ё", "е") if sign.isalnum())
