"""The two bases of every message and state of the house, and how they are written as bytes.

A reader of version N understands N-1 (missing trailing fields take their default) and N+1
(unknown trailing fields are passed over; the archive keeps the bytes): new fields go to the end
and have a default. All times are microseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec


class Form(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of every message part: an array on the wire, immutable in memory."""


class State(msgspec.Struct, array_like=True):
    """Base of what a live reader keeps in memory and writes into its snapshot: mutable."""


T = TypeVar("T")


def decoder(form: type[T]) -> Callable[[bytes], T]:
    """The function that reads one `form` (a Form or State) from its encoded bytes."""
    return msgspec.msgpack.Decoder(form).decode


def decoder_of_any(forms: Any) -> Callable[[bytes], Any]:
    """The function that reads whichever of several tagged forms (a union) the bytes hold."""
    return msgspec.msgpack.Decoder(forms).decode


DecodeError = msgspec.DecodeError  # also raised when a field has the wrong type
encode = msgspec.msgpack.Encoder().encode
to_json = msgspec.json.Encoder().encode
from_json = msgspec.json.decode
field = msgspec.field
replaced = msgspec.structs.replace  # the same form with some fields changed
