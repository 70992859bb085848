"""In which language to answer: asked for, remembered, or preferred by the browser."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from web.words import preferred

LANGUAGES = ("ru", "en")
COOKIE = "language"


def language_of(connection: HTTPConnection) -> str:
    """`?lang=`, else the cookie, else Accept-Language."""
    for wanted in (connection.query_params.get("lang"), connection.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return preferred(connection.headers.get("accept-language", ""))


def remember(request: HTTPConnection, answer: Response) -> Response:
    """The same answer; a language that was asked for holds on every page of this browser."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        answer.set_cookie(COOKIE, asked, samesite="strict", max_age=31_536_000)
    return answer
