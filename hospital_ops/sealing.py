"""Sealing what lies on a disk: AES-256-GCM under named keys, so that keys can be changed.

Keys are written `id:base64,id:base64`, 32 bytes each; the first seals, all of them open. Where a
setting names none they are made once in a folder, readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hospital_ops.errors import ConfigurationError

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_WAIT_S: Final = 5.0  # for another process that is just writing the file


class Unsealable(Exception):
    """What was sealed has changed, or belongs to something else."""


class Sealed(NamedTuple):
    """What was sealed, and under which key."""

    key: str
    sealed: bytes


class Seal:
    """Seals under the newest of its keys and opens what any of them has sealed."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._boxes = {name: AESGCM(key) for name, key in keys.items()}
        self.newest, self._oldest = next(iter(keys)), list(keys)[-1]

    def seal(self, plain: bytes, about: bytes) -> Sealed:
        """`plain` sealed for the thing named `about`: it opens for no other."""
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(self.newest, nonce + self._boxes[self.newest].encrypt(nonce, plain, about))

    def open(self, key: str, sealed: bytes, about: bytes) -> bytes:
        """What was sealed. KeyError: that key is not here; Unsealable: it does not belong."""
        try:
            return self._boxes[key].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise Unsealable from error

    def knows(self, key: str) -> bool:
        """Whether this key is here."""
        return key in self._keys

    def derived(self, purpose: bytes) -> bytes:
        """A key for `purpose` that stays the same while the oldest key is kept."""
        return hmac.digest(self._keys[self._oldest], purpose, "sha256")


def parsed(text: str, variable: str) -> dict[str, bytes]:
    """The keys that `text` names; ConfigurationError speaks of the setting `variable`."""
    form = f"{variable} is a list such as 2026:BASE64 with keys of 32 bytes."
    keys = {}
    for part in text.strip().split(","):
        name, _, secret = part.strip().partition(":")
        try:
            key = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise ConfigurationError(form) from error
        if not name or len(key) != KEY_BYTES:
            raise ConfigurationError(form)
        keys[name] = key
    return keys


def kept(path: Path) -> str:
    """The keys in a file; made by whoever needs it first, read by all others."""
    key = os.urandom(KEY_BYTES)
    name = hashlib.sha256(key).hexdigest()[:8]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        deadline = time.monotonic() + _WAIT_S
        while not (text := path.read_text("utf-8")) and time.monotonic() < deadline:
            time.sleep(0.01)
        return text
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{name}:{base64.b64encode(key).decode()}")
        file.flush()
        os.fsync(file.fileno())
    return path.read_text("utf-8")
