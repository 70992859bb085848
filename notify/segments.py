"""How many parts a text makes: the GSM 7-bit alphabet where it fits, else UCS-2 (3GPP 23.038)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # an escape and a character: two places
_ONE: Final = {"gsm7": 160, "ucs2": 70}
_EACH_OF_MANY: Final = {"gsm7": 153, "ucs2": 67}  # the rest holds the header that joins them


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text costs on its way: alphabet, places it takes, parts."""

    encoding: str  # gsm7, ucs2
    units: int  # septets, or 16-bit units
    parts: int


def count(text: str) -> Parts:
    """The parts of `text`; a character of two places is never cut in two."""
    gsm = all(letter in _BASIC or letter in _EXTENDED for letter in text)
    encoding = "gsm7" if gsm else "ucs2"
    sizes = [_size(letter, gsm=gsm) for letter in text]
    total = sum(sizes)
    if total <= _ONE[encoding]:
        return Parts(encoding, total, 1)
    parts, used = 1, 0
    for size in sizes:
        if used + size > _EACH_OF_MANY[encoding]:
            parts, used = parts + 1, 0
        used += size
    return Parts(encoding, total, parts)


def _size(letter: str, *, gsm: bool) -> int:
    if gsm:
        return 2 if letter in _EXTENDED else 1
    return 2 if ord(letter) > 0xFFFF else 1
