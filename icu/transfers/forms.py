"""What is asked of another hospital, and what its emergency board is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from hospital_ops import codes, identity, wire
from hospital_ops.clock import SECOND, from_iso, to_datetime
from hospital_ops.errors import MessageError

NEEDS: Final = ("ventilator", "vasopressors", "dialysis", "isolation", "surgery", "ecmo")
READABLE: Final = ("accepted", "left", "arrived")  # from acceptance on, never before
LONGEST_US: Final = 24 * 3600 * SECOND  # of the record that goes along
CURRENT_US: Final = 3600 * SECOND  # values that the receiver's board begins with
WHY_MAX, NAME_MAX = 500, 120


def checked(sent: Mapping[str, Any]) -> dict[str, Any]:
    """`to` or `elsewhere`, `why`, `needs` of a request. Raises MessageError in words."""
    why, needs = str(sent.get("why") or "").strip(), sent.get("needs") or []
    to, elsewhere = str(sent.get("to") or ""), str(sent.get("elsewhere") or "").strip()
    if not why:
        raise MessageError("no_reason", "say in `why` what the transfer is for")
    if not isinstance(needs, list) or not all(need in NEEDS for need in needs):
        raise MessageError("bad_needs", f"`needs` is a list of {', '.join(NEEDS)}")
    if bool(to) == bool(elsewhere):
        raise MessageError("no_receiver", "name one receiver: a unit in `to`, or in `elsewhere`")
    return {
        "why": why[:WHY_MAX],
        "needs": needs,
        "to": to,
        "elsewhere": elsewhere[:NAME_MAX],
    }


def age_years(birth_date: str, at: int) -> float | None:
    """Whole years at a moment; None where the date of birth is not known."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    now = to_datetime(at).date()
    return float(now.year - born.year - ((now.month, now.day) < (born.month, born.day)))


def board_entries(
    told: Mapping[str, Any],
    known: Mapping[str, Any],
    limits: Sequence[str],
    by: str,
    at: int,
) -> list[wire.Entry]:
    """The case that the receiver's emergency board shows: who comes, newest values, limits.

    `told` is the transfer, `known` its record, `limits` the treatment limits in force in words.
    """
    unit, case, mode = str(told["to_unit"]), str(told["transfer"]), str(told["mode"])
    person = known["person"]
    facts: dict[str, Any] = {
        "destination": unit,
        "origin": "transfer",
        "sex": told["sex"],
        "complaint": told["why"],
        "crew": told["from_name"],
        "eta": told["eta"],
        "age_years": told["age_years"],
        **{name: person[name] for name in ("family", "given", "birth_date")},
    }
    entries: list[wire.Entry] = [
        wire.CaseFacts(
            unit=unit,
            case=case,
            source=by,
            message_id=str(identity.derived("transfer", case, str(told["version"]))),
            received_at=at,
            mode=mode,
            facts={name: said for name, said in facts.items() if said not in (None, "")},
        )
    ]
    current = tuple(
        wire.Observation(
            code=one["code"],
            value=one["value"],
            unit=one["unit"],
            determined_at=from_iso(one["at"]),
            event_id=str(identity.derived("transfer", case, one["code"])),
        )
        for one in known["values"]
        if one["code"] in codes.by_code and from_iso(one["at"]) > at - CURRENT_US
    )
    if current:
        entries.append(
            wire.Observed(
                unit=unit,
                source=by,
                message_id=str(identity.derived("transfer", case, "values")),
                identity=b"",
                received_at=at,
                mode=mode,
                observations=current,
                case=case,
                device=str(told["unit"]),
            )
        )
    return entries + _said(unit, case, mode, known, limits, by, at)


def _said(
    unit: str,
    case: str,
    mode: str,
    known: Mapping[str, Any],
    limits: Sequence[str],
    by: str,
    at: int,
) -> list[wire.Entry]:
    """Limits of treatment in force and allergies, as items of the case."""
    told_of: list[wire.Entry] = [_limit(unit, case, mode, text, by, at) for text in limits]
    return told_of + [_allergy(unit, case, mode, one, by, at) for one in known.get("allergies", ())]


def _allergy(
    unit: str, case: str, mode: str, one: Mapping[str, Any], by: str, at: int
) -> wire.CaseItem:
    """As the sender has it; nobody at the receiver has asked yet."""
    about = {"none_known": True} if one["none_known"] else {"what": one["substance"]}
    said = {"reaction": one["reaction"], "who": one["told_by"]}
    return wire.CaseItem(
        unit=unit,
        case=case,
        item=str(identity.derived("transfer", case, "allergy", str(one["id"]))),
        kind="allergy",
        at=at,
        source=by,
        received_at=at,
        mode=mode,
        said={**about, **{name: text for name, text in said.items() if text}, "role": "hospital"},
    )


def _limit(unit: str, case: str, mode: str, text: str, by: str, at: int) -> wire.CaseItem:
    return wire.CaseItem(
        unit=unit,
        case=case,
        item=str(identity.derived("transfer", case, text)),
        kind="limit",
        at=at,
        source=by,
        received_at=at,
        mode=mode,
        said={"what": text},
    )


def eta_facts(told: Mapping[str, Any], by: str, at: int) -> wire.CaseFacts:
    """The patient has left: the emergency board hears when to expect the arrival."""
    return wire.CaseFacts(
        unit=str(told["to_unit"]),
        case=str(told["transfer"]),
        source=by,
        message_id=str(identity.derived("transfer", told["transfer"], str(told["version"]))),
        received_at=at,
        mode=str(told["mode"]),
        facts={"eta": told["eta"]},
    )


def coming(told: Mapping[str, Any], words: str, at: int) -> wire.Coming:
    """What the bar of an intensive care board is told; `words` name nobody."""
    return wire.Coming(
        unit=str(told["to_unit"]),
        transfer=str(told["transfer"]),
        version=int(told["version"]),
        state=str(told["state"]),
        words=words,
        bed=str(told["to_bed"]),
        eta=from_iso(told["eta"]) if told["eta"] else 0,
        at=at,
        mode=str(told["mode"]),
    )


def ended_case(told: Mapping[str, Any], by: str, reason: str, at: int) -> wire.CaseStep:
    """The transfer was withdrawn: the emergency board does not expect the patient any more."""
    return wire.CaseStep(
        unit=str(told["to_unit"]),
        case=str(told["transfer"]),
        step="cancellation",
        at=at,
        by=by,
        source=by,
        received_at=at,
        mode=str(told["mode"]),
        note=reason,
    )


def window(told: Mapping[str, Any], now: int) -> tuple[int, int]:
    """The last 24 h of the patient at the sender: until they left or arrived, else until now."""
    ended = told["left_at"] or (told["ended_at"] if told["state"] == "arrived" else None)
    until = from_iso(ended) if ended else now
    return until - LONGEST_US, until


def eta_of(sent: Any, now: int) -> int:
    """Microseconds of an ISO time, or of minutes from now; 0 where nothing was said."""
    if sent in (None, ""):
        return 0
    if isinstance(sent, int) and not isinstance(sent, bool):
        return now + min(max(sent, 0), 48 * 60) * 60_000_000
    try:
        return from_iso(str(sent))
    except ValueError as error:
        raise MessageError("bad_time", "`eta` is an ISO 8601 time, or minutes") from error
