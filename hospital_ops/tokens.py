"""Secrets that prove who is asking: tokens of sessions and devices, origins. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from typing import Final

_SECRET_LENGTH: Final = 43  # 32 bytes in base64 without padding


def new_token(hospital: str) -> str:
    """A secret of 256 random bits, `h1.RANDOM`: the hospital tells where to look it up."""
    return f"{hospital}.{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> bytes:
    """The sha256 that is stored in place of the token; it has too much chance to need a salt."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def token_hospital(token: str) -> str:
    """The hospital a token claims; "" where it has not the form of a token."""
    hospital, dot, secret = token.partition(".")
    return hospital if dot and len(secret) == _SECRET_LENGTH else ""


def new_password() -> str:
    """A random password of 128 bits for a demo user or a first sign-in."""
    return secrets.token_urlsafe(16)


def origin_allowed(origin: str | None, allowed: Collection[str], *, has_cookie: bool) -> bool:
    """Whether a socket upgrade or unsafe request may come from there: an exact list, no patterns.

    A machine with a bearer token and no cookie sends no Origin and needs none; where it sends one
    it has to be listed like any other.
    """
    if origin is None:
        return not has_cookie
    return origin in allowed
