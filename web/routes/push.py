"""Web Push: a browser of somebody on duty may be called, beside the boards and never instead."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from hospital_ops.access import PERMISSIONS, Permission, Principal
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.webpush import BadSubscription, checked, private_key, public_text
from notify.push import store
from notify.push.post import allowed
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import json_object
from web.routes.tablet import STATIC

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
WORKER: Final = STATIC / "js" / "push-sw.js"
OFF: Final = "Calls by push are not set up here: boards and pages call you."
ENDPOINT_MOST: Final = 1000


@router.get("/api/v1/push")
async def key(request: Request, principal: Someone) -> dict[str, Any]:
    """The key with which a browser subscribes; `null` where push is not set up."""
    _may_be_called(principal)
    web = web_of(request)
    on = bool(web.push_hosts) and web.keys is not None
    return {"key": public_text(private_key(web.keys.push_seed)) if on and web.keys else None}


@router.post("/api/v1/push")
async def subscribe(request: Request, principal: Someone) -> dict[str, Any]:
    """`{"endpoint","keys":{"p256dh","auth"}}` of PushSubscription.toJSON()."""
    _may_be_called(principal)
    web, sent = web_of(request), await json_object(request)
    given = sent.get("keys")
    keys: dict[str, Any] = given if isinstance(given, dict) else {}
    endpoint, p256dh, auth = sent.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not isinstance(endpoint, str) or len(endpoint) > ENDPOINT_MOST:
        raise MessageError("bad_subscription", "send what PushSubscription.toJSON() gives")
    if not isinstance(p256dh, str) or not isinstance(auth, str):
        raise MessageError("bad_subscription", "send what PushSubscription.toJSON() gives")
    if web.keys is None or not web.push_hosts:
        raise NotFound(OFF)
    if not allowed(endpoint, web.push_hosts):
        raise MessageError("push_service", "this site does not allow the browser's push service")
    try:
        checked(p256dh, auth)
    except BadSubscription as error:
        raise MessageError("bad_subscription", str(error)) from error
    await store.subscribe(
        web.database, principal, endpoint, p256dh, auth, language_of(request), web.clock.now_us()
    )
    return {"subscribed": True}


@router.delete("/api/v1/push")
async def unsubscribe(request: Request, principal: Someone) -> dict[str, Any]:
    """`{"endpoint"}`: this browser is called no more; without one, none of this person's."""
    _may_be_called(principal)
    web, sent = web_of(request), await json_object(request)
    endpoint = sent.get("endpoint")
    known = endpoint if isinstance(endpoint, str) else ""
    await store.unsubscribe(web.database, principal, known, web.clock.now_us())
    return {"subscribed": False}


@router.get("/push/sw.js")
async def worker(request: Request) -> Response:
    """The service worker that shows a call; it keeps nothing and answers no request."""
    return Response(
        WORKER.read_text("utf-8"),
        media_type="text/javascript",
        headers={"Service-Worker-Allowed": "/icu/", "Cache-Control": "no-cache"},
    )


def _may_be_called(principal: Principal) -> None:
    if Permission.SILENCE_ALARM not in PERMISSIONS[principal.role]:
        raise NotFound("Nurses and physicians are called.")
