"""In which language to answer: asked for, remembered, or preferred by the browser."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from web.words import Words, preferred, words_of

LANGUAGES = ("ru", "en")
COOKIE = "language"


def language_of(connection: HTTPConnection) -> str:
    """`?lang=`, else the cookie, else Accept-Language."""
    for wanted in (connection.query_params.get("lang"), connection.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return preferred(connection.headers.get("accept-language", ""))


def remembered(request: HTTPConnection) -> list[tuple[bytes, bytes]]:
    """The header by which a language that was asked for holds on every page of this browser."""
    asked = request.query_params.get("lang")
    if asked not in LANGUAGES:
        return []
    value = f"{COOKIE}={asked}; Max-Age=31536000; Path=/; SameSite=strict"
    return [(b"set-cookie", value.encode())]


def spoken(request: HTTPConnection) -> Words:
    """The words of that language."""
    return words_of(language_of(request))
