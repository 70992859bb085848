"""Numbers at rest: sealed with a key id, and an HMAC index to find one without opening it.

Keys come from HOSPITAL_OPS_NUMBER_KEYS (`id:base64,id:base64`, 32 bytes each, the first seals) or
are made once in the data directory, readable by its owner alone.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from hospital_ops import sealing
from hospital_ops.errors import ConfigurationError
from hospital_ops.sealing import Seal, Sealed, Unsealable

VARIABLE: Final = "HOSPITAL_OPS_NUMBER_KEYS"
_FILE: Final = "number.keys"


class Keys:
    """The keys of this installation; the index key never changes with the sealing key."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError(f"{VARIABLE} names no key.")
        self._seal = Seal(keys)
        self.newest = self._seal.newest
        self._index_key = self._seal.derived(b"hospital-ops number index 1")
        self.push_seed = self._seal.derived(b"hospital-ops push 1")  # of the key of Web Push

    def seal(self, e164: str, about: str) -> Sealed:
        """The number sealed for the contact `about`: it opens for no other."""
        return self._seal.seal(e164.encode(), about.encode())

    def open(self, sealed: Sealed, about: str) -> str:
        """The number again. Raises ConfigurationError where the key is not here."""
        try:
            return self._seal.open(sealed.key, sealed.sealed, about.encode()).decode()
        except KeyError as error:
            raise ConfigurationError(
                f"Numbers are sealed with key {sealed.key!r}: name it in {VARIABLE}."
            ) from error
        except Unsealable as error:
            raise ConfigurationError("A sealed number does not belong to its contact.") from error

    def index(self, hospital: str, e164: str) -> bytes:
        """The same 32 bytes for the same number of a hospital, and nothing else to be learnt."""
        return hmac.digest(self._index_key, f"{hospital}\x1f{e164}".encode(), "sha256")

    def code_hash(self, contact: str, code: str) -> bytes:
        """A confirmation code as it is kept: bound to its contact."""
        return hmac.digest(self._index_key, f"code\x1f{contact}\x1f{code}".encode(), "sha256")


def load(text: str, folder: Path) -> Keys:
    """The keys of the setting, else of the data directory. Raises ConfigurationError."""
    return Keys(sealing.parsed(text or sealing.kept(folder / _FILE), VARIABLE))
