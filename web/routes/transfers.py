"""Transfers between hospitals: asked at the bed, answered by name, read from acceptance on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request

from hospital_ops import events, wire
from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu.transferred import store as reading
from icu.transfers import forms, store
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, unit_of_bed
from web.views.transfers import SUPPORT, limit_words, who
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
# What each act needs, and on whose side it is done.
ACTS: Final = {
    "accept": (Permission.ORDER, "to"),
    "decline": (Permission.ORDER, "to"),
    "withdraw": (Permission.ORDER, "from"),
    "leave": (Permission.CONFIRM_BED, "from"),
    "arrive": (Permission.CONFIRM_BED, "to"),
}
TEXT_MAX = 500


@router.get("/api/v1/transfers/directory")
async def directory(request: Request, principal: Someone) -> list[dict[str, str]]:
    """Units of the other hospitals of this installation that a patient can be sent to."""
    require(principal, Permission.SEE_PATIENT, principal.hospital)
    return await reading.directory(web_of(request).database, principal)


@router.get("/api/v1/transfers")
async def listed(request: Request, unit: str, principal: Someone) -> list[dict[str, Any]]:
    """The transfers from and to a unit, as far as each may be known."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    await note_reading(request, principal, unit, "read_transfers", unit)
    rows = await reading.of_unit(web_of(request).database, principal, unit)
    return [_public(row, principal) for row in rows]


@router.post("/api/v1/icu/beds/{bed}/transfers", status_code=201)
async def ask(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """`{"stay", "to": unit or "elsewhere": name, "why", "needs": [...]}`."""
    unit_of_bed(request, bed, principal, Permission.ORDER)
    sent = await _object(request)
    return _public(await asked(request, principal, bed, sent), principal)


@router.get("/api/v1/transfers/{transfer}")
async def shown(request: Request, transfer: str, principal: Someone) -> dict[str, Any]:
    """One request: who asks whom for what; nothing of the patient but sex and age."""
    told = await transfer_of(request, transfer, principal, Permission.SEE_PATIENT)
    return _public(told, principal)


@router.get("/api/v1/transfers/{transfer}/record")
async def record(request: Request, transfer: str, principal: Someone) -> dict[str, Any]:
    """Person, ventilator, infusions, values, orders and limits of the last 24 h at the sender."""
    told = await transfer_of(request, transfer, principal, Permission.SEE_PATIENT)
    return await record_of(request, principal, told)


@router.post("/api/v1/transfers/{transfer}/{act}")
async def act(request: Request, transfer: str, act: str, principal: Someone) -> dict[str, Any]:
    """`accept`, `decline`, `withdraw`, `leave`, `arrive`: `{"version","words","bed","eta"}`."""
    sent = await _object(request)
    return _public(await done(request, principal, transfer, act, sent), principal)


async def asked(
    request: Request, principal: Principal, bed: str, sent: dict[str, Any]
) -> dict[str, Any]:
    """Asks for a transfer; the row as it stands."""
    web, stay = web_of(request), str(sent.get("stay") or "")
    if not stay:
        raise MessageError("no_stay", "`stay` names whose stay you have looked at")
    wanted = forms.checked(sent)
    return await store.ask(web.database, principal, bed, stay, wanted, web.clock.now_us())


async def done(
    request: Request, principal: Principal, transfer: str, act: str, sent: dict[str, Any]
) -> dict[str, Any]:
    """One act on a transfer; the row as it stands after it."""
    if act not in ACTS:
        raise NotFound(f"A transfer knows these acts: {', '.join(ACTS)}.")
    permission, side = ACTS[act]
    told = await transfer_of(request, transfer, principal, permission)
    unit = told["unit"] if side == "from" or told["to_unit"] is None else told["to_unit"]
    require(principal, permission, hospital_of(unit), unit)
    web, version = web_of(request), sent.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise MessageError("bad_version", "`version` is that of what you have seen")
    words, bed = str(sent.get("words") or "").strip()[:TEXT_MAX], str(sent.get("bed") or "")
    known = web.places.units.get(told["to_unit"] or "")
    kind, at, db = known.kind if known else "", web.clock.now_us(), web.database
    line = f"{told['from_name']}, {who(told, words_of(language_of(request)))}"
    if act == "accept":
        return await store.accept(
            db, principal, transfer, version, words=words, bed=bed if kind == "icu" else "",
            line=line, limits=limit_words_of(request), kind=kind, at=at,
        )  # fmt: skip
    if act == "decline":
        return await store.decline(db, principal, transfer, version, words, at)
    if act == "withdraw":
        return await store.withdraw(db, principal, transfer, version, words, kind, at)
    if act == "leave":
        eta = forms.eta_of(sent.get("eta"), at)
        return await store.leave(db, principal, transfer, version, eta, line, kind, at)
    if kind == "ed":
        raise Conflict("The arrival is recorded on the emergency board, on the patient's card.")
    person = wire.PatientFacts(mrn="")
    if kind == "icu":
        facts = (await reading.record(db, principal, transfer, at, ()))["person"]
        number = f"T{told['transfer'].replace('-', '')[-10:].upper()}"
        person = wire.PatientFacts(**{**facts, "mrn": number}, age_years=told["age_years"])
    return await store.arrive(db, principal, transfer, version, bed, person, at)


async def transfer_of(
    request: Request, transfer: str, principal: Principal, permission: Permission
) -> dict[str, Any]:
    """A transfer on which `principal` may do this, at either end; NotFound otherwise."""
    told = await reading.one(web_of(request).database, principal, transfer)
    ends = [unit for unit in (told["unit"], told["to_unit"]) if unit]
    if not any(allows(principal, permission, hospital_of(unit), unit) for unit in ends):
        raise NotFound(reading.NONE)
    return told


async def record_of(request: Request, principal: Principal, told: dict[str, Any]) -> dict[str, Any]:
    """The record, noted in the chains of both hospitals; NotFound before acceptance."""
    web, transfer = web_of(request), told["transfer"]
    now = web.clock.now_us()
    known = await reading.record(web.database, principal, transfer, now, SUPPORT)
    for unit in filter(None, (told["unit"], told["to_unit"])):
        await note_reading(request, principal, unit, "read_transfer", transfer)
    return known


def limit_words_of(
    request: Request,
) -> Callable[[Sequence[Mapping[str, Any]]], list[str]]:
    """How treatment limits in force are said in the language of whoever accepts."""
    words = words_of(language_of(request))
    return lambda care: limit_words(care, words)


def _public(told: dict[str, Any], principal: Principal) -> dict[str, Any]:
    """The receiver is not told whose stay it is: the record says it, once it may be read."""
    hidden = ("stay", "patient_id", "bed")
    if told["hospital"] == principal.hospital:
        return told
    return {name: said for name, said in told.items() if name not in hidden}


async def _object(request: Request) -> dict[str, Any]:
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    return sent
