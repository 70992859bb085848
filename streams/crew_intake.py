"""What a crew sends beside facts and values: treatments, limits, notes, withdrawals, moves.

Each has an id of the sender's own, so that sending it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal
from hospital_ops.case_steps import ONSET_KINDS
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.errors import MessageError
from streams.intake import Intake, case_id
from streams.shard import at_us

ITEMS_MAX: Final = 200  # a request
MOVED_MAX: Final = 2000  # ids of one move
TEXT_MAX: Final = 300
FUTURE_US: Final = 60 * SECOND  # SAFETY rule 6
# What each kind says (the first is needed).
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "treatment": ("what", "dose", "route"),
    "limit": ("what", "who", "until"),
    "note": ("text",),
    "allergy": ("what", "reaction", "who"),
    "onset": ("how", "since"),
    "withdrawal": ("of",),
}
ONSET_AHEAD_US: Final = 300 * SECOND  # a clock that is ahead, SAFETY rule 6; further: a wrong day
ONSET_OLDEST_US: Final = 365 * 86_400 * SECOND


class CrewIntake:
    """Checks and appends what crews do; answers from disk like the rest of the intake."""

    def __init__(self, intake: Intake) -> None:
        self.intake, self.appender, self.clock = intake, intake.appender, intake.clock

    async def take_items(self, principal: Principal, case: str, body: bytes) -> dict[str, Any]:
        """Stores `{"items": [ITEM]}`; answers `{"stored", "rejected", "stored_at"}`."""
        unit = await self.intake.case_unit(principal, case, Permission.SEND_VALUES)
        try:
            parsed = events.parse_json(body)
            sent = parsed.get("items") if isinstance(parsed, dict) else None
            if not isinstance(sent, list) or len(sent) > ITEMS_MAX:
                raise MessageError("no_items", f'send {{"items": [...]}}, at most {ITEMS_MAX}')
        except MessageError as error:
            await self.intake.keep(principal, error, body)
            raise
        entries, rejected = [], []
        for one in sent:
            try:
                entries.append(self._item(principal, unit, case, one))
            except MessageError as error:
                claimed = one.get("item_id") if isinstance(one, Mapping) else None
                rejected.append({"item_id": claimed, "error": str(error)})
        if rejected:
            reason = f"{len(rejected)} items were rejected"
            await self.intake.keep(principal, MessageError("rejected_items", reason), body)
        ids = await self.appender.append_many(unit, [(entry, b"") for entry in entries])
        answer = {"stored": [entry.item for entry in entries], "rejected": rejected}
        return answer | ({"stored_at": iso(max(map(at_us, ids)))} if ids else {})

    async def say_onset(
        self, principal: Principal, case: str, item: str, how: str, since: int | None
    ) -> None:
        """What the hospital itself has asked: when the symptoms began (`since` in microseconds)."""
        unit = await self.intake.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
        now = self.clock.now_us()
        sent = {"item_id": item, "kind": "onset", "at": iso(now), "how": how}
        if since is not None:
            sent["since"] = iso(since)
        await self.appender.append(unit, self._item(principal, unit, case, sent))

    async def say_allergy(
        self, principal: Principal, case: str, item: str, what: str, reaction: str, who: str
    ) -> None:
        """What the hospital itself was told before the bed; an empty `what`: none known."""
        unit = await self.intake.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
        sent: dict[str, Any] = {"item_id": item, "kind": "allergy", "at": iso(self.clock.now_us())}
        sent |= {"what": what, "reaction": reaction, "who": who, "none_known": not what}
        await self.appender.append(unit, self._item(principal, unit, case, sent))

    async def take_back(self, principal: Principal, case: str, item: str, of: str) -> None:
        """Somebody in the hospital says that an item of the case was a mistake."""
        unit = await self.intake.case_unit(principal, case, Permission.ACKNOWLEDGE_CASE)
        now = iso(self.clock.now_us())
        sent = {"item_id": item, "kind": "withdrawal", "at": now, "of": of}
        await self.appender.append(unit, self._item(principal, unit, case, sent))

    async def move(self, principal: Principal, case: str, body: bytes) -> dict[str, Any]:
        """Moves `{"move_id", "to", "items": [ids], "note"}`; no items: the whole case joins it."""
        unit = await self.intake.case_unit(principal, case, Permission.SEND_VALUES)
        sent = events.parse_json(body)
        if not isinstance(sent, dict):
            raise MessageError("not_an_object", "send one JSON object with `move_id` and `to`")
        to, items = case_id(str(sent.get("to", ""))), sent.get("items", [])
        if not isinstance(items, list) or len(items) > MOVED_MAX:
            raise MessageError("bad_items", f"`items` is a list of at most {MOVED_MAX} ids")
        if to == case_id(case):
            raise MessageError("same_case", "a case cannot be moved to itself")
        if await self.intake.case_unit(principal, to, Permission.SEND_VALUES) != unit:
            raise MessageError("other_unit", "both cases must have the same destination")
        now = self.clock.now_us()
        entry = wire.CaseMoved(
            unit=unit,
            case=case_id(case),
            to=to,
            move=_id(sent.get("move_id"), "move_id"),
            items=tuple(_id(one, "items") for one in items),
            at=now,
            by=principal.actor,
            source=principal.actor,
            received_at=now,
            mode=principal.mode,
            note=_text(sent.get("note") or "", "note"),
        )
        entry_id = await self.appender.append(unit, entry)
        await self._audit(principal, unit, entry)
        return {"id": entry.case, "to": to, "stored_at": iso(at_us(entry_id))}

    def _item(self, principal: Principal, unit: str, case: str, sent: Any) -> wire.CaseItem:
        if not isinstance(sent, Mapping):
            raise MessageError("not_an_item", "each item is an object with item_id and kind")
        kind, now = sent.get("kind"), self.clock.now_us()
        if not isinstance(kind, str) or kind not in KINDS:
            raise MessageError("bad_kind", f"`kind` is one of {', '.join(KINDS)}")
        names = KINDS[kind]
        said: dict[str, Any] = {
            name: _text(sent[name], name) for name in names if sent.get(name) is not None
        }
        if kind == "allergy":
            said = allergy_said(said, sent, principal)
        elif not said.get(names[0]):
            raise MessageError("nothing_said", f"a {kind} says `{names[0]}`")
        if kind == "withdrawal":
            said["of"] = _id(said["of"], "of")
        at = _time(sent.get("at"), now)
        if kind == "onset":
            said = _onset(said, now)
        return wire.CaseItem(
            unit=unit,
            case=case_id(case),
            item=_id(sent.get("item_id"), "item_id"),
            kind=kind,
            at=at,
            source=principal.actor,
            received_at=now,
            mode=principal.mode,
            said=said,
        )

    async def _audit(self, principal: Principal, unit: str, entry: wire.CaseMoved) -> None:
        audited = wire.Audited(
            unit=unit,
            at=entry.at,
            actor=principal.actor,
            role=principal.role,
            action="move_items" if entry.items else "merge_case",
            subject=entry.case,
            detail=f"to {entry.to}, {len(entry.items)} items",
        )
        await self.appender.append(unit, audited)


def _id(text: Any, name: str) -> str:
    try:
        return str(UUID(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise MessageError("bad_id", f"`{name}` is a UUID of your own") from error


def _onset(said: dict[str, str], now_us: int) -> dict[str, str]:
    """How the onset is known, and since when; a time that nobody knows has none."""
    how, since = said["how"], said.get("since", "")
    if how not in ONSET_KINDS:
        raise MessageError("bad_onset", f"`how` is one of {', '.join(ONSET_KINDS)}")
    if how == ONSET_KINDS[-1]:
        return {"how": how}
    try:
        began = from_iso(since)
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError("bad_onset", "`since` is ISO 8601 with a zone") from error
    if not now_us - ONSET_OLDEST_US <= began <= now_us + ONSET_AHEAD_US:
        raise MessageError("bad_onset", "`since` lies within the past year, not in the future")
    began = min(began, now_us)  # "now" by a clock that is ahead
    return {"how": how, "since": iso(began)}


def allergy_said(
    said: dict[str, Any], sent: Mapping[str, Any], principal: Principal
) -> dict[str, Any]:
    """A substance, or that none are known, with the role of whoever was told."""
    what = str(said.pop("what", "")).strip()
    none_known = sent.get("none_known") is True
    if bool(what) == none_known:
        raise MessageError("nothing_said", "an allergy says `what`, or `none_known` as true")
    about: dict[str, Any] = {"none_known": True} if none_known else {"what": what}
    if none_known:
        said.pop("reaction", None)
    return about | said | {"role": principal.role.value}


def _text(said: Any, name: str) -> str:
    if not isinstance(said, str):
        raise MessageError("no_text", f"`{name}` is a text")
    return said[:TEXT_MAX]


def _time(said: Any, now_us: int) -> int:
    try:
        at = from_iso(said)
    except (ValueError, TypeError, OverflowError) as error:
        raise MessageError("bad_time", "`at` is ISO 8601 with a zone") from error
    return min(at, now_us + FUTURE_US)
