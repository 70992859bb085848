"""Whom a box knows: the devices of its units as the hospital named them last, kept sealed.

While the link is cut the box goes on with what it was told; a device revoked meanwhile is closed
out when the link is back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from hospital_ops import log, tokens, wire_forms
from hospital_ops.access import DEVICE_ROLES, Principal, Role
from hospital_ops.sealing import Seal, Unsealable

_ABOUT: Final = b"roster 1"
logger = log.get("forward")


class Roster:
    """Devices by the sha256 of their tokens."""

    def __init__(self, file: Path, seal: Seal) -> None:
        self._file, self._seal = file, seal
        self._known: dict[str, Principal] = {}
        self._written = b""
        self._load()

    def __len__(self) -> int:
        return len(self._known)

    def become(self, devices: Iterable[Mapping[str, Any]]) -> None:
        """Takes over what the hospital says; written where it says something new."""
        rows = [dict(row) for row in devices]
        self._known = {one.key: one for one in map(_principal, rows) if one.role in DEVICE_ROLES}
        plain = wire_forms.to_json(rows)
        if plain == self._written:
            return
        sealed = self._seal.seal(plain, _ABOUT)
        beside = self._file.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed.key.encode() + b"\n" + sealed.sealed)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)
        self._written = plain

    def device(self, token: str) -> Principal | None:
        """The device that holds this token, or None."""
        return self._known.get(tokens.token_hash(token).hex()) if token else None

    def knows(self, key: str) -> bool:
        """Whether a device let in under `key` still is."""
        return key in self._known

    def _load(self) -> None:
        try:
            key, _, sealed = self._file.read_bytes().partition(b"\n")
            plain = self._seal.open(key.decode(), sealed, _ABOUT)
            rows = wire_forms.from_json(plain)
            self._known = {one.key: one for one in map(_principal, rows)}
            self._written = plain
        except FileNotFoundError:
            return
        except (KeyError, ValueError, TypeError, Unsealable, OSError) as error:
            # It is asked for again with the first contact; until then only named sources send.
            logger.error("roster_not_read", error=type(error).__name__)


def _principal(row: Mapping[str, Any]) -> Principal:
    return Principal(
        actor=f"device:{row['device']}",
        role=Role(row["role"]),
        hospital="",
        units=tuple(row["units"]),
        key=row["key"],
        mode=row["mode"],
        bed=row["bed"],
    )
