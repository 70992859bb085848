"""The way in for a 12-lead ECG: parts in any order, each acknowledged once it is on disk.

Parts wait beside the unit's streams (same slot, same fsync) under the sender's own id. When the
last gap is closed the whole is checked against its sha256, read into leads and appended as one
entry, with the file beside it; repeats of any part, before or after, change nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from hospital_ops import wire
from hospital_ops.access import Permission, Principal
from hospital_ops.clock import iso
from hospital_ops.ecg.computer import found, read_by_computer
from hospital_ops.ecg.files import packing, reading
from hospital_ops.ecg.files.recording import EcgFileError, EcgRecording
from hospital_ops.errors import MessageError, NotStored
from streams import ecg_about
from streams.append import REFUSE_WAVES_AT
from streams.intake import Intake
from streams.pipe import ReplyError

TOTAL_MAX: Final = 4 << 20  # SAFETY.md section 3
PARTS_MAX: Final = 1024
PENDING_MAX: Final = 32  # ECGs of one case, whole or coming
KEPT_S: Final = 48 * 3600  # parts of a broken upload, and the copy that pages read
KEPT_BYTES: Final = 64 * 1024
_DONE, _META, _PICTURE = b"done", b"meta", b"picture"
# What may come before the whole, the better one first: low resolution, for the eye alone.
STAGES: Final = ("coarse", "preview")
STAGE_MAX: Final = 64 * 1024
PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}

Interpret = Callable[[EcgRecording, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a sender says about the bytes of one request."""

    ecg: str  # UUID; empty: derived from the file
    offset: int = 0
    total: int | None = None  # None: these bytes are all
    sha256: str = ""  # of the whole file, hexadecimal
    rate_hz: float | None = None  # of a text file, which does not know it
    step_mv: float | None = None


class EcgIntake:
    """Takes ECGs of pre-arrival cases. `interpret` is the computer's reading of the curves."""

    def __init__(self, intake: Intake, interpret: Interpret = read_by_computer) -> None:
        self.intake, self.interpret = intake, interpret
        self.appender, self.clock, self.pipe = intake.appender, intake.clock, intake.appender.pipe

    async def take(
        self,
        principal: Principal,
        case: str,
        part: Part,
        body: bytes,
    ) -> dict[str, Any]:
        """Stores one part; answers `{"id","received","total","complete","missing"}` from disk.

        The whole is read for the age and sex of the case (streams/ecg_about.py).
        Errors: MessageError (nothing of this part was kept, or the whole was refused, in words),
        NotStored (send the part again), NotFound.
        """
        unit = await self.intake.case_unit(principal, case, Permission.SEND_VALUES)
        case = str(UUID(case))
        part = await self._checked(principal, case, part, body)
        total = part.total or len(body)
        key = key_of(unit, case, part.ecg)
        kept = await self._fields(key)
        if _DONE in kept:
            return _answer(part.ecg, total, [(0, total)], await self._done(key))
        if kept.get(_META, _meta(part)) != _meta(part):
            raise MessageError("other_file", "this id has another total or sha256: take a new id")
        await self._room(unit, case, part.ecg, kept)
        first = not kept
        await self._keep_part(key, part, body)
        kept = await self._fields(key)
        missing = gaps((_span(name) for name in kept if name[:1].isdigit()), total)
        if missing:
            if first:
                await self._append(unit, self._entry(principal, unit, case, part, "receiving"))
            return _answer(part.ecg, total, _covered(missing, total), None)
        data = await self._parts(key, total)
        facts = await ecg_about.known(self.pipe, principal.hospital, case)
        entry = await self._whole(principal, unit, case, part, key, data, facts)
        await self.read_again(principal, unit, case)  # for what was said while it was read
        return _answer(part.ecg, total, [(0, total)], entry)

    async def take_stage(
        self, principal: Principal, case: str, ecg: str, stage: str, body: bytes
    ) -> dict[str, Any]:
        """Takes what shows an ECG before its file is here: 2.5 s of a lead, or coarse leads.

        It is drawn and marked, and never read by a computer: no finding comes from it. The same
        id is used for the file; what comes after the file changes nothing.
        """
        unit = await self.intake.case_unit(principal, case, Permission.SEND_VALUES)
        case = str(UUID(case))
        digest = hashlib.sha256(body).hexdigest()
        try:
            if stage not in STAGES or not 0 < len(body) <= STAGE_MAX:
                raise MessageError("bad_stage", f"a {STAGE_MAX} byte `preview` or `coarse`")
            part = Part(ecg=_ecg_id(ecg), sha256=digest, total=len(body))
            entry = self._entry(principal, unit, case, part, stage)
            entry = await asyncio.to_thread(self._read, entry, part, body, None)
        except (MessageError, EcgFileError) as error:
            refused = MessageError(error.code, error.reason)
            await self.intake.keep(principal, refused, body[:KEPT_BYTES])
            raise refused from error
        key = key_of(unit, case, part.ecg)
        await self._room(unit, case, part.ecg, await self._fields(key))
        await self._append(unit, entry, body)
        await self._call("HSET", key, stage, wire.encode(entry))
        await self._call("EXPIRE", key, KEPT_S)
        return {"id": part.ecg, "stage": stage, "leads": [lead.name for lead in entry.leads]}

    async def best(self, unit: str, case: str, ecg: str) -> wire.EcgReceived | None:
        """The whole ECG while it is kept beside the stream, else the best that has come of it."""
        key = key_of(unit, str(UUID(case)), _ecg_id(ecg))
        for name in (_DONE, *(stage.encode() for stage in STAGES)):
            if found := await self._kept(key, name):
                return found
        return None

    async def state(self, unit: str, case: str, ecg: str) -> dict[str, Any] | None:
        """What has come of an upload, so that a sender resumes it; None: nothing is known."""
        key = key_of(unit, str(UUID(case)), _ecg_id(ecg))
        kept = await self._fields(key)
        if _META not in kept:
            return None
        total = int(kept[_META].split(b" ")[0])
        if _DONE in kept:
            return _answer(ecg, total, [(0, total)], await self._done(key))
        missing = gaps((_span(name) for name in kept if name[:1].isdigit()), total)
        return _answer(ecg, total, _covered(missing, total), None)

    async def stored(self, unit: str, case: str, ecg: str) -> wire.EcgReceived | None:
        """The whole ECG while it is kept beside the stream; None: ask the archive."""
        return await self._done(key_of(unit, str(UUID(case)), _ecg_id(ecg)))

    async def _checked(self, principal: Principal, case: str, part: Part, body: bytes) -> Part:
        total = len(body) if part.total is None else part.total
        digest = part.sha256.lower()
        if part.total is None and not digest:
            digest = hashlib.sha256(body).hexdigest()
        try:
            if not total:
                raise MessageError("empty", "send the ECG file as the body")
            if not 0 < total <= TOTAL_MAX:
                raise MessageError("too_large", f"an ECG file has at most {TOTAL_MAX} bytes")
            if not body or part.offset < 0 or part.offset + len(body) > total:
                raise MessageError("bad_part", "offset and length of the part lie outside total")
            if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
                raise MessageError("bad_sha256", "send sha256 of the whole file, 64 hex digits")
            derived = str(UUID(bytes=hashlib.sha256(f"{case} {digest}".encode()).digest()[:16]))
            ecg = _ecg_id(part.ecg) if part.ecg else derived
        except MessageError as error:
            await self.intake.keep(principal, error, body[:KEPT_BYTES])
            raise
        return replace(part, ecg=ecg, total=total, sha256=digest)

    async def _room(self, unit: str, case: str, ecg: str, kept: Mapping[bytes, bytes]) -> None:
        if self.appender.used >= REFUSE_WAVES_AT:
            raise NotStored("not stored, send again: memory is kept for vitals and alarms")
        if len(kept) > PARTS_MAX:
            raise MessageError("too_many", f"send at most {PARTS_MAX} parts: make them larger")
        names = f"{{{unit}}}:ecgs:{case}"
        await self._call("SADD", names, ecg)
        await self._call("EXPIRE", names, KEPT_S)
        if not kept and await self._call("SCARD", names) > PENDING_MAX:
            await self._call("SREM", names, ecg)
            raise MessageError("too_many", f"a case has at most {PENDING_MAX} ECGs")

    async def _keep_part(self, key: str, part: Part, body: bytes) -> None:
        await self._call("HSET", key, _META, _meta(part), f"{part.offset}-{len(body)}", body)
        await self._call("EXPIRE", key, KEPT_S)

    async def _parts(self, key: str, total: int) -> bytes:
        flat = await self._call("HGETALL", key)
        whole = bytearray(total)
        for name, value in zip(flat[::2], flat[1::2], strict=True):
            if name[:1].isdigit():
                start, end = _span(name)
                whole[start:end] = value
        return bytes(whole)

    async def _whole(
        self,
        principal: Principal,
        unit: str,
        case: str,
        part: Part,
        key: str,
        data: bytes,
        facts: Mapping[str, Any],
    ) -> wire.EcgReceived:
        """Reads the complete file and appends it; a bad one is refused, kept and told."""
        try:
            if hashlib.sha256(data).hexdigest() != part.sha256:
                raise EcgFileError("bad_sha256", "the bytes differ from sha256: send all again")
            if picture_type(data):
                return await self._picture(principal, unit, case, part, key, data)
            entry = self._entry(principal, unit, case, part, "stored")
            entry = await asyncio.to_thread(self._read, entry, part, data, facts)
        except EcgFileError as error:
            refused = MessageError(error.code, error.reason)
            await self.intake.keep(principal, refused, data[:KEPT_BYTES])
            await self._append(
                unit, self._entry(principal, unit, case, part, "refused", error.reason)
            )
            await self._call("DEL", key)
            raise refused from error
        await self._append(unit, entry, data)
        copy = wire.encode(entry)
        await self._call("HSET", key, _DONE, copy)
        names = [name for name in await self._call("HKEYS", key) if name[:1].isdigit()]
        await self._call("HDEL", key, *names)
        return entry

    async def _picture(
        self, principal: Principal, unit: str, case: str, part: Part, key: str, data: bytes
    ) -> wire.EcgReceived:
        """A photograph of an ECG: shown as it is, never read by a computer."""
        entry = self._entry(principal, unit, case, part, "picture")
        await self._append(unit, entry, data)
        await self._call("HSET", key, _DONE, wire.encode(entry), _PICTURE, data)
        names = [name for name in await self._call("HKEYS", key) if name[:1].isdigit()]
        await self._call("HDEL", key, *names)
        return entry

    async def picture(self, unit: str, case: str, ecg: str) -> bytes:
        """The photograph while it is kept beside the stream; b"": ask the archive."""
        key = key_of(unit, str(UUID(case)), _ecg_id(ecg))
        return bytes(await self._call("HGET", key, _PICTURE) or b"")

    async def read_again(self, principal: Principal, unit: str, case: str) -> None:
        """Reads the whole ECGs of a case anew where age or sex are known better than then."""
        facts = await ecg_about.known(self.pipe, principal.hospital, case)
        for name in await self._call("SMEMBERS", f"{{{unit}}}:ecgs:{case}"):
            key = key_of(unit, case, name.decode())
            ecg, now = await self._done(key), self.clock.now_us()
            new = ecg and await ecg_about.read_again(ecg, principal, facts, now)
            if ecg and new:
                await self._append(unit, wire.replaced(new, leads=()))
                kept = wire.replaced(ecg, findings=new.findings, reading=new.reading)
                await self._call("HSET", key, _DONE, wire.encode(kept))

    def _read(
        self, entry: wire.EcgReceived, part: Part, data: bytes, facts: Mapping[str, Any] | None
    ) -> wire.EcgReceived:
        """The entry with its curves; `facts` None: not to be read by a computer."""
        recording = reading.read(data, rate_hz=part.rate_hz, step_mv=part.step_mv)
        leads = packing.packed(recording)
        said = {} if facts is None else self.interpret(recording, facts)
        at, notes = ecg_about.taken_at(recording.started_at, entry.received_at)
        return wire.EcgReceived(
            **{name: getattr(entry, name) for name in entry.__struct_fields__}
            | {
                "at": at,
                "rate_hz": recording.rate_hz,
                "leads": leads,
                "device": recording.device,
                "source_format": recording.source_format,
                "notes": (*recording.notes, *notes),
                "preview": packing.preview(leads, recording.rate_hz),
                "findings": found(said),
                "reading": said,
            }
        )

    def _entry(
        self,
        principal: Principal,
        unit: str,
        case: str,
        part: Part,
        stage: str,
        reason: str = "",
    ) -> wire.EcgReceived:
        now = self.clock.now_us()
        what = f"{principal.actor}\x1f{case}\x1f{part.ecg}\x1f{stage}\x1f{part.sha256}"
        return wire.EcgReceived(
            unit=unit,
            case=case,
            ecg=part.ecg,
            source=principal.actor,
            message_id=part.ecg,
            identity=hashlib.sha256(what.encode()).digest(),
            received_at=now,
            mode=principal.mode,
            stage=stage,
            at=now,
            sha256=part.sha256,
            reason=reason,
            total_bytes=part.total or 0,
        )

    async def _append(self, unit: str, entry: wire.EcgReceived, raw: bytes = b"") -> None:
        await self.appender.append(unit, entry, raw)

    async def _fields(self, key: str) -> dict[bytes, bytes]:
        """The names of what is kept, and the value of `meta`; parts stay where they are."""
        names = await self._call("HKEYS", key)
        meta = await self._call("HGET", key, _META)
        return dict.fromkeys(names, b"") | ({_META: meta} if meta else {})

    async def _done(self, key: str) -> wire.EcgReceived | None:
        return await self._kept(key, _DONE)

    async def _kept(self, key: str, name: bytes) -> wire.EcgReceived | None:
        kept = await self._call("HGET", key, name)
        entry = wire.decode(kept) if kept else None
        return entry if isinstance(entry, wire.EcgReceived) else None

    async def _call(self, *arguments: Any) -> Any:
        try:
            return await self.pipe.call(*arguments)
        except (ReplyError, OSError) as error:
            raise NotStored("not stored, send again: the stream server is away or full") from error


def picture_type(data: bytes) -> str:
    """The media type of a photograph by its first bytes; "" where it is none."""
    return next((kind for head, kind in PICTURES.items() if data.startswith(head)), "")


def key_of(unit: str, case: str, ecg: str) -> str:
    """Where the parts of an upload wait: in the slot of the unit's streams."""
    return f"{{{unit}}}:ecg:{case}:{ecg}"


def gaps(spans: Iterable[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """What of 0..total no span covers, in order; spans may overlap."""
    missing, at = [], 0
    for start, end in sorted(spans):
        if start > at:
            missing.append((at, start))
        at = max(at, end)
    if at < total:
        missing.append((at, total))
    return missing


def _covered(missing: list[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    return gaps(missing, total)


def _span(name: bytes) -> tuple[int, int]:
    start, _, length = name.partition(b"-")
    return int(start), int(start) + int(length)


def _meta(part: Part) -> bytes:
    return f"{part.total} {part.sha256}".encode()


def _answer(
    ecg: str, total: int, have: list[tuple[int, int]], entry: wire.EcgReceived | None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": ecg,
        "received": sum(end - start for start, end in have),
        "total": total,
        "complete": entry is not None,
        "missing": [list(span) for span in gaps(have, total)],
    }
    if entry is not None:
        answer |= {
            "at": iso(entry.at),
            "leads": [lead.name for lead in entry.leads],
            "rate_hz": entry.rate_hz,
            "format": entry.source_format,
            "notes": list(entry.notes),
            "findings": list(entry.findings),
        }
    return answer


def _ecg_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise MessageError("bad_ecg_id", "the ECG is named by a UUID of your own") from error
