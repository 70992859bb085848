"""Numbers at rest: AES-GCM with a key id, and an HMAC index to find one without opening it.

Keys come from HOSPITAL_OPS_NUMBER_KEYS (`id:base64,id:base64`, 32 bytes each, the first seals) or
are made once in the data directory, readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hospital_ops.errors import ConfigurationError

_NONCE: Final = 12
_KEY: Final = 32
_FILE: Final = "number.keys"
_WAIT_S: Final = 5.0  # for another process that is just writing the file


@dataclass(frozen=True, slots=True)
class Sealed:
    """A number as it lies in the database."""

    key: str
    sealed: bytes


class Keys:
    """The keys of this installation; the index key never changes with the sealing key."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError("HOSPITAL_OPS_NUMBER_KEYS names no key.")
        self._keys = keys
        self.newest = next(iter(keys))
        oldest = keys[list(keys)[-1]]
        self._index_key = hmac.digest(oldest, b"hospital-ops number index 1", "sha256")

    def seal(self, e164: str, about: str) -> Sealed:
        """The number sealed for the contact `about`: it opens for no other."""
        nonce = os.urandom(_NONCE)
        box = AESGCM(self._keys[self.newest]).encrypt(nonce, e164.encode(), about.encode())
        return Sealed(self.newest, nonce + box)

    def open(self, sealed: Sealed, about: str) -> str:
        """The number again. Raises ConfigurationError where the key is not here."""
        key = self._keys.get(sealed.key)
        if key is None:
            raise ConfigurationError(
                f"Numbers are sealed with key {sealed.key!r}: name it in HOSPITAL_OPS_NUMBER_KEYS."
            )
        nonce, box = sealed.sealed[:_NONCE], sealed.sealed[_NONCE:]
        try:
            return AESGCM(key).decrypt(nonce, box, about.encode()).decode()
        except InvalidTag as error:
            raise ConfigurationError("A sealed number does not belong to its contact.") from error

    def index(self, hospital: str, e164: str) -> bytes:
        """The same 32 bytes for the same number of a hospital, and nothing else to be learnt."""
        return hmac.digest(self._index_key, f"{hospital}\x1f{e164}".encode(), "sha256")

    def code_hash(self, contact: str, code: str) -> bytes:
        """A confirmation code as it is kept: bound to its contact."""
        return hmac.digest(self._index_key, f"code\x1f{contact}\x1f{code}".encode(), "sha256")


def load(text: str, folder: Path) -> Keys:
    """The keys of the setting, else of the data directory. Raises ConfigurationError."""
    return _parsed(text) if text else _parsed(_kept(folder / _FILE))


def _parsed(text: str) -> Keys:
    keys = {}
    for part in text.strip().split(","):
        name, _, secret = part.strip().partition(":")
        try:
            key = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise ConfigurationError(_form()) from error
        if not name or len(key) != _KEY:
            raise ConfigurationError(_form())
        keys[name] = key
    return Keys(keys)


def _form() -> str:
    return "HOSPITAL_OPS_NUMBER_KEYS is a list such as 2026:BASE64 with keys of 32 bytes."


def _kept(path: Path) -> str:
    """The file's content; made by whoever needs it first, read by all others."""
    key = os.urandom(_KEY)
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
    return path.read_text("utf-8")
