"""The vitals the house knows, by LOINC, by key, by MDC number and by senders' other spellings.

Everything here is read from `clinical/tables/codes.json`, `observation_classes.json` and
`codes_aliases.json` (other spellings, each with its source), and from `codes_own.json` (entries of
the chart that the published table lacks); no limit is typed in code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

CONTINUOUS: Final = "continuous"
CYCLIC: Final = "cyclic"
SPOT: Final = "spot"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # each row is there once
class Vital:
    """One row of the table: what a value means and which figures a body can reach."""

    key: str
    code: str  # the public code: LOINC, or the key where there is none
    loinc: str | None
    ucum: str
    mdc: int | None
    name: str
    plausible: tuple[float, float] | None  # outside: Qst
    reject_outside: tuple[float, float] | None  # outside: no physics, Inv
    resolution: float | None
    kind: str  # continuous, cyclic or spot, as the class of its usual origin
    present_s: float  # so long triage takes it for the present; heart rate's where none is given
    laboratory: bool = False
    one_unit: bool = False  # a missing unit cannot be mistaken


def table(name: str) -> dict[str, Any]:
    """A clinical table as read from `clinical/tables/NAME.json`."""
    path = files("hospital_ops") / "clinical" / "tables" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def _beside(name: str) -> dict[str, Any]:
    path = files("hospital_ops") / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def _pair(limits: list[float] | None) -> tuple[float, float] | None:
    return (float(limits[0]), float(limits[1])) if limits else None


def _vitals(aliases: Mapping[str, Any]) -> tuple[Vital, ...]:
    classes = table("observation_classes")["rows"]
    kinds = {row["key"]: row["class"] for row in classes}
    present_min = {row["key"]: row["window_min"]["triage"] for row in classes}
    laboratory, one_unit = aliases["laboratory"]["keys"], aliases["one_unit"]["keys"]
    return tuple(
        Vital(
            key=row["key"],
            code=row["loinc"] or row["key"],
            loinc=row["loinc"],
            ucum=row["ucum"],
            mdc=row["mdc"],
            name=row["name"],
            plausible=_pair(row["plausible"]),
            reject_outside=_pair(row["reject_outside"]),
            resolution=row["resolution"],
            kind=kinds.get(row["key"], SPOT),
            present_s=60.0 * (present_min.get(row["key"]) or present_min["hr"]),
            laboratory=row["key"] in laboratory,
            one_unit=row["key"] in one_unit,
        )
        for row in (*table("codes")["rows"], *_beside("codes_own")["rows"])
    )


_ALIASES: Final = _beside("codes_aliases")
VITALS: Final = _vitals(_ALIASES)
by_key: Final[Mapping[str, Vital]] = MappingProxyType({v.key: v for v in VITALS})
by_code: Final[Mapping[str, Vital]] = MappingProxyType({v.code: v for v in VITALS})


def _with_aliases(own: dict[Any, Vital], name: str) -> Mapping[Any, Vital]:
    return MappingProxyType(
        {row["code"]: by_key[row["key"]] for row in _ALIASES[name]} | own  # the table's own wins
    )


by_mdc: Final[Mapping[int, Vital]] = _with_aliases(
    {v.mdc: v for v in VITALS if v.mdc is not None}, "mdc"
)
by_loinc: Final[Mapping[str, Vital]] = _with_aliases(
    {v.loinc: v for v in VITALS if v.loinc}, "loinc"
)
by_ref_id: Final[Mapping[str, Vital]] = _with_aliases({}, "ref_id")
by_plain_name: Final[Mapping[str, Vital]] = _with_aliases({}, "plain")
by_private: Final[Mapping[str, Vital]] = _with_aliases({}, "private")  # "SYSTEM CODE"
by_care: Final[Mapping[str, Vital]] = _with_aliases({}, "care")  # names of the CARE gateway
KEPT_APART: Final = frozenset(row["code"] for row in _ALIASES["apart"])  # MDC numbers


_CLASSES: Final = table("observation_classes")["classes"]
_CONTINUOUS: Final = (
    CONTINUOUS,
    float(_CLASSES[CONTINUOUS]["amber_s"]),
    float(_CLASSES[CONTINUOUS]["withdrawn_s"]),
)
_AMBER_CYCLES: Final = _CLASSES[CYCLIC]["amber_cycles"]
_GREY_CYCLES: Final = _CLASSES[CYCLIC]["grey_cycles"]
_NEVER: Final = (SPOT, 0.0, 0.0)
_PROBES: Final = frozenset(_ALIASES["probe"]["keys"])


def ages(
    code: str, origin: str = "monitor", period_s: float | None = None
) -> tuple[str, float, float]:
    """(kind, seconds until amber, seconds until withdrawn) of a value; 0 means never.

    `code` is public (LOINC or key); an unknown one ages like a continuous one, so that nothing
    looks live for ever. `period_s` is the sender's cycle where known: a cyclic value without one
    is a spot value. Source: observation_classes.json, SAFETY.md I6.
    """
    vital = by_code.get(code)
    kind = vital.kind if vital else CONTINUOUS
    if kind == SPOT or origin in ("typed", "laboratory"):
        return _NEVER
    continuous = _CONTINUOUS
    if kind == CYCLIC and vital and vital.key in _PROBES:
        # A probe streams: what comes more often than the continuous limit is no cuff's cycle.
        kind = CONTINUOUS if period_s is not None and period_s <= continuous[2] else kind
    if kind == CYCLIC:
        if period_s is None:
            return _NEVER
        return CYCLIC, _AMBER_CYCLES * period_s, _GREY_CYCLES * period_s
    if period_s is not None and period_s > 1:  # "slow_source" of the table
        # A gateway that sends each hour makes no value of an hour ago live (I6).
        live_s = min(3 * period_s, (vital or by_key["hr"]).present_s)
        return CONTINUOUS, max(continuous[1], live_s), max(continuous[2], 5 * period_s)
    return continuous
