"""SCP-ECG (EN 1064 / ISO 11073-91064): sections 0, 1, 2, 3 and 6.

Rhythm data in 16-bit integers or packed with the standard's own Huffman table; recordings from
which a reference beat was subtracted, and other tables, are refused in words.
"""

from __future__ import annotations

import binascii
import struct
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hospital_ops.ecg.files import scp_huffman
from hospital_ops.ecg.files.leads import lead_of_number
from hospital_ops.ecg.files.recording import (
    MOST_LEADS,
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
)

_SECTION_HEAD: Final = 16
_STANDARD_TABLE: Final = 19999
_MOST_HUFFMAN_SAMPLES: Final = 2_000_000  # unpacked bit by bit: seconds, not minutes
_NV_IN_MV: Final = 1e-6


def read(data: bytes) -> EcgRecording:
    """The rhythm of a file. Errors: `EcgFileError`."""
    try:
        return _read(data)
    except (struct.error, ValueError, IndexError, OverflowError, ZeroDivisionError) as problem:
        raise EcgFileError("damaged", "the SCP-ECG file is cut: send it again") from problem


def is_scp(data: bytes) -> bool:
    """Whether the bytes begin as an SCP-ECG file does: its own length, then section 0."""
    if len(data) < 30:
        return False
    length, _, section, head = struct.unpack_from("<IHHI", data, 2)
    named = data[16:22] == b"SCPECG"
    return bool(section == 0 and head >= 136 and (named or length == len(data)))


def crc(data: bytes) -> int:
    """The check sum of the standard (CRC-CCITT, starting with ones)."""
    return binascii.crc_hqx(data, 0xFFFF)


def _read(data: bytes) -> EcgRecording:
    sections = _sections(data)
    if 3 not in sections or 6 not in sections:
        raise EcgFileError("not_ecg", "the SCP-ECG file holds no rhythm: export it with curves")
    leads, subtracted = _leads(sections[3])
    if subtracted and sections.get(4):
        raise EcgFileError(
            "refused", "the rhythm was stored without its beats (bimodal): export it uncompressed"
        )
    nv, step_us, order, _ = struct.unpack_from("<HHBB", sections[6], 0)
    lengths = struct.unpack_from(f"<{len(leads)}H", sections[6], 6)
    packed = 2 in sections and len(sections[2]) >= 2
    if packed and struct.unpack_from("<H", sections[2], 0)[0] != _STANDARD_TABLE:
        raise EcgFileError("refused", "the rhythm is packed with a private table: export it again")
    values: dict[str, Samples] = {}
    notes: list[str] = []
    tags = _tags(sections.get(1, b""))
    at = 6 + 2 * len(leads)
    for (name, wanted), length in zip(leads, lengths, strict=True):
        part = sections[6][at : at + length]
        at += length
        if len(part) < length:
            raise ValueError("a lead is cut")
        steps = (
            scp_huffman.unpack(part, min(wanted, _MOST_HUFFMAN_SAMPLES // len(leads)))
            if packed
            else np.frombuffer(part[: length // 2 * 2], "<i2").astype(np.int64)[:wanted]
        )
        if len(steps) < wanted:
            notes.append(f"{name}: {len(steps)} of {wanted} samples are in the file")
        values[name] = _summed(steps, order) * (nv * _NV_IN_MV)
    return checked(
        EcgRecording(
            leads=values,
            rate_hz=1e6 / step_us,
            started_at=_started_at(tags.get(25, b""), tags.get(26, b"")),
            device=tags.get(14, b"")[8:13].decode("latin-1").strip("\0 "),
            ids={"patient": tags.get(2, b"").decode("latin-1").strip("\0 ")},
            source_format="SCP-ECG",
            notes=tuple(notes),
            step_mv=dict.fromkeys(values, nv * _NV_IN_MV),
        )
    )


def _sections(data: bytes) -> dict[int, bytes]:
    """The bodies of the sections that the pointers of section 0 name."""
    stored, length = struct.unpack_from("<HI", data, 0)
    if length > len(data):
        raise ValueError("cut")
    head_length = struct.unpack_from("<I", data, 10)[0]
    pointers = data[6 + _SECTION_HEAD : 6 + min(head_length, 6000)]
    if stored and stored != crc(data[2:length]):
        raise EcgFileError("damaged", "the check sum of the SCP-ECG file is wrong: send it again")
    found: dict[int, bytes] = {}
    for at in range(0, len(pointers) - 9, 10):
        number, size, index = struct.unpack_from("<HII", pointers, at)
        if size > _SECTION_HEAD and number < 12:
            body = data[index - 1 : index - 1 + size]
            if index < 1 or len(body) < size:
                raise ValueError("a section lies outside the file")
            found[number] = body[_SECTION_HEAD:]
    return found


def _leads(section: bytes) -> tuple[list[tuple[str, int]], bool]:
    """(name, samples) of each lead, and whether a reference beat was taken out."""
    count, flags = section[0], section[1]
    if not 0 < count <= MOST_LEADS:
        raise ValueError("number of leads")
    leads = []
    for k in range(count):
        first, last, number = struct.unpack_from("<IIB", section, 2 + 9 * k)
        leads.append((lead_of_number(number) or f"lead {number}", check_count(last - first + 1)))
    check_count(sum(samples for _, samples in leads))
    if len({name for name, _ in leads}) != count:
        raise ValueError("a lead twice")
    return leads, bool(flags & 1)


def _summed(steps: NDArray[np.int64], order: int) -> Samples:
    """The samples of first (1) or second (2) differences; 0: they are samples already.

    The first one or two values are samples themselves (EN 1064, 5.9).
    """
    if order > 2:
        raise ValueError("differences")
    values = steps.astype(np.float64)
    if order == 2 and len(values) > 2:
        values[1] -= values[0]  # so that two running sums give both first samples back
        values[1:] = np.cumsum(values[1:])
        return np.asarray(np.cumsum(values), dtype=np.float64)
    return np.asarray(np.cumsum(values), dtype=np.float64) if order else values


def _tags(section: bytes) -> dict[int, bytes]:
    """The tags of section 1: 2 patient, 14 device, 25 and 26 day and time."""
    tags: dict[int, bytes] = {}
    at = 0
    while at + 3 <= len(section):
        tag, length = section[at], struct.unpack_from("<H", section, at + 1)[0]
        if tag == 255:
            break
        tags.setdefault(tag, section[at + 3 : at + 3 + length])
        at += 3 + length
    return tags


def _started_at(day: bytes, clock: bytes) -> datetime | None:
    if len(day) < 4 or len(clock) < 3:
        return None
    try:
        return datetime(day[0] | day[1] << 8, day[2], day[3], clock[0], clock[1], clock[2])
    except ValueError:
        return None
