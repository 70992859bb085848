"""Character sets as MSH-18 names them (HL7 table 0211), and a few that senders use anyway."""

from __future__ import annotations

from typing import Final

from hospital_ops.errors import MessageError

_NAMES: Final = {
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "CP1251": "cp1251",
    "WINDOWS-1251": "cp1251",
    "WIN1251": "cp1251",
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
    "KOI8-R": "koi8-r",
    "CP866": "cp866",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    **{f"8859/{part}": f"iso8859-{part}" for part in range(1, 16) if part != 12},
    **{f"8859-{part}": f"iso8859-{part}" for part in range(1, 16) if part != 12},
    **{f"ISO-8859-{part}": f"iso8859-{part}" for part in range(1, 16) if part != 12},
}


def codec(name: str) -> str | None:
    """The codec of an MSH-18 value; None when it is not known."""
    return _NAMES.get(name.strip().upper())


def decode(raw: bytes, declared: str, default: str = "") -> tuple[str, str, str]:
    """(text, codec, warning) of a message whose MSH-18 says `declared`.

    A declared and known set that does not fit is a MessageError. Where nothing (or `ASCII`) is
    declared: UTF-8, else the source's `default`, else the ASCII part with U+FFFD for the rest and
    a warning, for the values still count. The same for a name that is not known.
    """
    if raw.isascii():
        return raw.decode("ascii"), "ascii", ""
    name = codec(declared)
    if name is not None and name != "ascii":
        try:
            return raw.decode(name), name, ""
        except UnicodeDecodeError as error:
            raise MessageError(
                "charset",
                f"byte {error.start} does not fit the character set of MSH-18, {declared!r}: "
                "correct MSH-18 or the text",
            ) from None
    tries = ["utf-8", default] if name == "ascii" or not declared else [default]
    for attempt in filter(None, tries):
        known = codec(attempt) or attempt  # a site says it as MSH-18 does: 8859/5
        try:
            return raw.decode(known), known, ""
        except (UnicodeDecodeError, LookupError):
            continue
    what = f"MSH-18 {declared!r} is not known" if declared else "MSH-18 is empty"
    return raw.decode("ascii", "replace"), "unknown", f"{what}: text beyond ASCII is kept as bytes"
