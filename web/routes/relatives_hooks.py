"""What an SMS provider calls back: states of messages and texts of relatives, signed.

A callback names our message and the token of its attempt; it can only move a state forward. What
is not signed by the provider, or is not about a message of ours, is answered 404 and changes
nothing.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hospital_ops.access import Scope
from hospital_ops.errors import MessageError, NotFound
from notify.contacts import store as contacts
from notify.phone import read
from notify.providers.base import NUMBER_IS_WRONG
from notify.sender import scope_of
from notify.settling import store as settling
from web.auth import web_of
from web.routes.relatives_api import desk_of
from web.state import Web

router = APIRouter(prefix="/webhooks/twilio", include_in_schema=False)
STOP_WORDS = frozenset(
    ("stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel")
) | {"стоп", "отписаться", "не надо"}
CALL_WORDS = frozenset({"call", "звонок", "перезвоните"})
NOT_HERE = "There is nothing at this address."


@router.post("/status")
async def status(request: Request) -> Response:
    """A state of a message: forward, or nothing."""
    web = web_of(request)
    given = await _signed(request, web)
    from notify.providers.twilio import STATES  # a second of import, where Twilio is used

    told = STATES.get(given.get("MessageStatus", ""))
    query = request.query_params
    hospital, message, attempt = (query.get(name, "") for name in ("h", "m", "t"))
    if told is None or hospital not in web.places.hospitals:
        raise NotFound(NOT_HERE)
    now, code = web.clock.now_us(), given.get("ErrorCode", "")
    by: Scope = scope_of(hospital)
    async with web.database.transaction(by) as connection:
        state = await settling.told(
            connection, message, attempt, given.get("MessageSid", ""), told, code, now
        )
        if state is None:
            raise NotFound(NOT_HERE)
        if code in NUMBER_IS_WRONG and state == "failed":
            contact = await settling.contact_of(connection, message)
            await contacts.withdraw(connection, by, contact, "wrong_number", now)
    return Response(status_code=204)


@router.post("/inbound")
async def inbound(request: Request) -> Response:
    """STOP withdraws at once, CALL asks for a call, anything else is for the unit's inbox."""
    web, desk = web_of(request), desk_of(request)
    given = await _signed(request, web)
    words = given.get("Body", "")
    try:
        phone = read(given.get("From", ""))
    except MessageError as error:
        raise NotFound(NOT_HERE) from error
    kind = kind_of(words)
    for hospital in sorted(web.places.hospitals):
        index = desk.keys.index(hospital, phone.e164)
        by = scope_of(hospital)
        async with web.database.transaction(by) as connection:
            now = web.clock.now_us()
            await contacts.take_inbound(connection, by, index, kind, words, now)
    return Response("<Response/>", media_type="text/xml")


def kind_of(words: str) -> str:
    """stop, call or other: by the whole text, without case and full stops."""
    said = " ".join(words.lower().strip(" .!").split())
    if said in STOP_WORDS:
        return "stop"
    return "call" if said in CALL_WORDS else "other"


async def _signed(request: Request, web: Web) -> dict[str, str]:
    """The form of a request that Twilio signed over our exact public address."""
    if not (web.public_url and web.twilio_token):
        raise NotFound(NOT_HERE)
    from notify.providers.twilio import is_signed

    form = {name: str(value) for name, value in (await request.form()).items()}
    url = f"{web.public_url}{request.url.path}"
    if request.url.query:
        url += f"?{request.url.query}"
    signature = request.headers.get("x-twilio-signature", "")
    if not is_signed(web.twilio_token, url, form, signature):
        raise NotFound(NOT_HERE)
    return form
