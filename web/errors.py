"""From an error of the house to an answer: a status, a sentence and a short code, for both kinds.

Nothing of the request is repeated in an answer; what may not be known is 404.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from hospital_ops.accounts import SignInRefused
from hospital_ops.database import BadRow, DatabaseGone
from hospital_ops.errors import (
    Conflict,
    HospitalOpsError,
    MessageError,
    NotAllowed,
    NotFound,
    NotStored,
    TooMany,
)
from web.auth import SignInNeeded, web_of
from web.language import language_of
from web.views.refused import in_words
from web.words import words_of

RETRY_AFTER_S = "2"
SAID_THERE = {"HX-Retarget": "#refused", "HX-Reswap": "innerHTML"}
Handler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Teaches the application to answer our errors."""
    for kind, handler in _handlers():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _unexpected)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to an error of a route that stands before the router."""
    for kind, handler in _handlers():
        if isinstance(error, kind):
            return await handler(request, error)
    raise error


def _handlers() -> tuple[tuple[type[Exception], Handler], ...]:
    return (
        (HospitalOpsError, _ours),
        (SignInNeeded, _sign_in),
        (RequestValidationError, _malformed),
        (StarletteHTTPException, _http),
        *((kind, _not_storable) for kind in (*BadRow, UnicodeEncodeError)),
    )


def _status(error: Exception) -> tuple[int, str]:
    if isinstance(error, SignInRefused):
        return (429 if error.wait_s else 401), "sign_in_refused"
    if isinstance(error, TooMany):
        return 429, "too_many"
    if isinstance(error, NotStored):
        return 503, "not_stored"
    if isinstance(error, DatabaseGone):
        return 503, "database_away"
    if isinstance(error, Conflict):
        return 409, "conflict"
    if isinstance(error, MessageError):
        return (503 if error.code == "not_yet" else 400), error.code
    if isinstance(error, NotFound):
        return 404, "not_found"
    if isinstance(error, NotAllowed):
        return 403, "not_allowed"
    return 500, "internal"


async def _ours(request: Request, error: Exception) -> Response:
    status, code = _status(error)
    sentence = error.reason if isinstance(error, MessageError) else str(error)
    if status == 500:
        sentence = "Something failed on our side. What you sent was not accepted: send it again."
    headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else {}
    if isinstance(error, SignInRefused | TooMany) and error.wait_s:
        headers["Retry-After"] = str(error.wait_s)
    current = error.current if isinstance(error, Conflict) else None
    return _answer(request, status, code, sentence, headers, current)


async def _sign_in(request: Request, error: Exception) -> Response:
    if _wants_page(request) and request.method == "GET":
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)
    sentence = "Sign in, or send `Authorization: Bearer TOKEN`."
    return _answer(request, 401, "sign_in_needed", sentence, {"WWW-Authenticate": "Bearer"}, None)


async def _malformed(request: Request, error: Exception) -> Response:
    places = []
    if isinstance(error, RequestValidationError):
        places = [".".join(str(part) for part in found["loc"]) for found in error.errors()]
    sentence = f"The request has not the form of the documentation: {', '.join(places[:5])}."
    return _answer(request, 422, "malformed", sentence, {}, None)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException | StarletteHTTPException):
        raise error
    sentence = "There is nothing at this address." if error.status_code == 404 else error.detail
    return _answer(
        request,
        error.status_code,
        f"http_{error.status_code}",
        sentence,
        dict(error.headers or {}),
        None,
    )


async def _not_storable(request: Request, error: Exception) -> Response:
    """A text or number that no row can hold."""
    sentence = "Something in it cannot be stored: send plain text and numbers within their limits."
    return _answer(request, 400, "not_storable", sentence, {}, None)


async def _unexpected(request: Request, error: Exception) -> Response:
    """The outermost edge: a sentence for whoever asked; the server logs where it failed."""
    sentence = "Something failed on our side. What you sent was not accepted: send it again."
    return _answer(request, 500, "internal", sentence, {}, None)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _answer(
    request: Request,
    status: int,
    code: str,
    sentence: str,
    headers: dict[str, str],
    current: object,
) -> Response:
    if status == 409 and request.headers.get("hx-request"):  # a panel says it where it stands
        said = in_words(sentence, words_of(language_of(request)), code, status)
        return HTMLResponse(escape(said), status_code=status, headers=headers | SAID_THERE)
    if _wants_page(request):
        language = language_of(request)
        sentence = in_words(sentence, words_of(language), code, status)
        page = web_of(request).renderer.error_page(language, status, sentence, code)
        return HTMLResponse(page, status_code=status, headers=headers)
    body: dict[str, object] = {"error": code, "detail": sentence}
    if current is not None:
        body["current"] = current
    return JSONResponse(body, status_code=status, headers=headers)
