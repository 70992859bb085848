"""Who is asking: a machine with a bearer token, a person with a cookie; CSRF and Origin."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.requests import HTTPConnection

from hospital_ops import tokens
from hospital_ops.access import Principal
from hospital_ops.errors import NotStored
from streams.pipe import ReplyError
from web.state import Web

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class SignInNeeded(Exception):
    """Nobody is signed in: pages go to the sign-in form, machines get 401."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secret that came with a request, and how."""

    token: str
    by_cookie: bool


def web_of(connection: HTTPConnection) -> Web:
    """The process's own objects, put there by the application."""
    web: Web = connection.app.state.web
    return web


def credentials(connection: HTTPConnection) -> Credentials | None:
    """Bearer token first; else the cookie."""
    header = connection.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token:
        return Credentials(token.strip(), by_cookie=False)
    cookie = connection.cookies.get(web_of(connection).cookie_name)
    return Credentials(cookie, by_cookie=True) if cookie else None


async def identify(connection: HTTPConnection) -> Principal | None:
    """The principal of a request or socket upgrade, or None."""
    return await _known(connection, credentials(connection))


async def _known(connection: HTTPConnection, found: Credentials | None) -> Principal | None:
    if found is None:
        return None
    web = web_of(connection)
    try:
        return await web.projections.principal(found.token, web.clock.now_us())
    except (OSError, ReplyError) as error:
        raise NotStored("sessions cannot be checked now, try again in a moment") from error


async def signed_in(request: Request) -> Principal:
    """The principal of a request; refuses unsafe requests that another site could have made."""
    found = credentials(request)
    principal = await _known(request, found)
    if principal is None:
        raise SignInNeeded
    if request.method in UNSAFE and found is not None and found.by_cookie:
        check_origin(request)
    return principal


def check_origin(connection: HTTPConnection) -> None:
    """Refuses what comes from a page that is not ours (cross-site requests and sockets).

    Browsers send Origin with every unsafe request and upgrade, and it has to be on the exact list;
    machines send neither Origin nor cookie. The cookie is SameSite=Strict besides.
    """
    web = web_of(connection)
    origin = connection.headers.get("origin")
    cookie = web.cookie_name in connection.cookies
    if not tokens.origin_allowed(origin, web.origins, has_cookie=cookie):
        raise HTTPException(403, "This address is not on the list of allowed origins.")
