"""What becomes of one HL7 message: the entries to append and the answer to give; pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.deciding import PROBE_BED
from hospital_ops.hl7 import build
from hospital_ops.hl7.adt import Event
from hospital_ops.hl7.framing import Frame
from hospital_ops.hl7.understand import IN, WAVES, Source, Understood, understand
from hospital_ops.identity import message_identity
from hospital_ops.standing.rules import Standing, bed_at, elsewhere, mode_of, parted
from streams.routing import Announced, Place, Unknown, place, place_patient
from streams.shard import hall

KEPT_BYTES: Final = 64 * 1024  # of a message that cannot be read: enough to see what it was

OUT_OF_SCOPE: Final = "out_of_scope"


class Append(NamedTuple):
    """One entry on its way into a shard; `raw` are the message's bytes or empty."""

    shard: str
    stream: str
    entry: wire.Entry
    raw: bytes


class Intake(NamedTuple):
    """A message decided: append all, then answer. `code` is empty for a message that is taken."""

    understood: Understood
    appends: list[Append]
    code: str


def take(raw: bytes, source: Source, places: Announced, received_at: int, max_obx: int) -> Intake:
    """Decides one message of `source`."""
    known = understand(raw, source, received_at, max_obx)
    if known.silent:
        return Intake(known, [], "acknowledgement")
    if known.problem is not None:
        return _refused(known, raw)
    if known.event is not None:
        return _admission(known, raw, places)
    stands = places.standing(source.hospital, known.device)
    found = place(known.location, places)
    if isinstance(found, Unknown) and not known.location and stands:
        found = _stood(stands, places, received_at) or found
    if isinstance(found, Unknown):
        known.refuse(build.ERROR, found.code, found.reason, "204")
        return _refused(known, raw)
    probe = found.bed == PROBE_BED and source.units is None  # one canary sings in every hospital
    if not probe and not source.may_write(found.unit, places.hospital_of_unit(found.unit)):
        return _out_of_scope(known, raw, found.unit)
    mode = places.mode_of_device(source.hospital, known.device)
    entries = _as_registered(known.entries(found.unit, found.bed), mode)
    return _taken(known, raw, _told(entries, stands, known, places) if stands else entries)


def _as_registered(
    entries: list[tuple[str, wire.Entry]], mode: str
) -> list[tuple[str, wire.Entry]]:
    """What a device that is registered as demo or test sends is never real, whoever sends it."""
    if mode_of("", mode) == "":
        return entries
    return [
        (stream, wire.replaced(entry, mode=mode))
        if isinstance(entry, wire.Observed | wire.Waved | wire.DeviceAlert)
        else (stream, entry)
        for stream, entry in entries
    ]


def _stood(stands: Standing, places: Announced, moment: int) -> Place | None:
    """Where a person has bound the device, for a message that names no bed."""
    bed = bed_at(stands, moment)
    unit = places.unit_of_bed(bed) if bed else None
    return Place(unit, bed) if unit else None


def _told(
    entries: list[tuple[str, wire.Entry]], stands: Standing, known: Understood, places: Announced
) -> list[tuple[str, wire.Entry]]:
    """The entries of a device that a person has bound: each of its own time's bed.

    Where the message itself names another bed it is shown there, and is nobody's until somebody
    has looked: one of the two is wrong.
    """
    told: list[tuple[str, wire.Entry]] = []
    for stream, entry in entries:
        if not isinstance(entry, wire.Observed | wire.Waved):
            told.append((stream, entry))
        elif not known.location:
            told += [(stream, part) for part in parted(entry, stands, places.unit_of_bed)]
        else:
            other = elsewhere(stands, entry.bed, _taken_at(entry))
            told.append((stream, wire.replaced(entry, elsewhere=True) if other else entry))
    return told


def _taken_at(entry: wire.Observed | wire.Waved) -> int:
    if isinstance(entry, wire.Waved):
        return min(entry.started_at, entry.received_at)
    times = [one.determined_at for one in entry.observations if one.determined_at is not None]
    return min(*times, entry.received_at) if times else entry.received_at


def broken(frame: Frame, source: Source, received_at: int) -> Append:
    """A frame that is no message (cut, oversize, no frame at all), as an entry of the hall."""
    reasons = {
        "cut": "the frame did not end: the sender began anew or fell silent",
        "oversize": "the frame is larger than the limit: send several messages",
        "no_frame": "bytes without a frame: this port takes MLLP, VT before and FS CR after",
    }
    entry = wire.Kept(
        hall(source.hospital), source.name, received_at, frame.problem, reasons[frame.problem],
        identity=message_identity(source.name, "", frame.data),
    )  # fmt: skip
    return Append(entry.unit, IN, entry, frame.data[:KEPT_BYTES])


def answer_broken(frame: Frame, source: Source, at_us: int) -> bytes:
    """The answer to a broken frame: only what is too large is told so, a cut one is silence.

    Whoever was cut has given up on that frame; an answer now would be taken for the next one's.
    """
    if frame.problem != "oversize":
        return b""
    known = understand(frame.data, source, at_us)
    known.silent = False
    known.refuse(build.REJECTED, "oversize", "larger than the limit: send several messages", "207")
    return known.answer(at_us)


def _refused(known: Understood, raw: bytes) -> Intake:
    entry = known.kept(hall(known.source.hospital))
    return Intake(known, [Append(entry.unit, IN, entry, raw[:KEPT_BYTES])], entry.code)


def _out_of_scope(known: Understood, raw: bytes, unit: str) -> Intake:
    reason = f"this sender may not write to unit {unit}: an administrator has to allow it"
    known.refuse(build.REJECTED, OUT_OF_SCOPE, reason, "204")
    return _refused(known, raw)


def _taken(known: Understood, raw: bytes, entries: list[tuple[str, wire.Entry]]) -> Intake:
    appends = []
    for stream, entry in _joined(entries):
        appends.append(Append(_shard(entry), stream, entry, raw))
        raw = b""
    return Intake(known, appends, "")


def _joined(entries: list[tuple[str, wire.Entry]]) -> list[tuple[str, wire.Entry]]:
    """The same entries with the curves of the message together, in the place of the first."""
    curves = [entry for _, entry in entries if isinstance(entry, wire.Waved)]
    if len(curves) < 2:
        return entries
    first = next(i for i, (_, entry) in enumerate(entries) if isinstance(entry, wire.Waved))
    rest = [one for one in entries if not isinstance(one[1], wire.Waved)]
    rest[first:first] = [(WAVES, entry) for entry in wire.together(curves)]
    return rest


def _shard(entry: wire.Entry) -> str:
    return entry.unit if not isinstance(entry, wire.Tick | wire.Changed) else ""


def _admission(known: Understood, raw: bytes, places: Announced) -> Intake:
    event = known.event
    assert event is not None  # noqa: S101 - the caller asked
    found = place_patient(known.location, places)
    prior = place_patient(event.prior, places) if event.prior else None
    for seen in (found, prior):
        if seen is None or isinstance(seen, Unknown):
            continue
        if not known.source.may_write(seen.unit, places.hospital_of_unit(seen.unit)):
            return _out_of_scope(known, raw, seen.unit)
    if isinstance(found, Unknown):
        known.refuse(build.ERROR, found.code, found.reason, "204")
        return _refused(known, raw)
    if found is not None and found.bed and places.announce(found.unit, found.bed):
        new = f"bed {found.bed[:40]!r} is new in unit {found.unit} and is shown there from now on"
        known.warnings.append(f"{new}: correct PV1-3 where it has another name")
    unit, bed = (found.unit, found.bed) if found else (hall(known.source.hospital), "")
    prior_unit, prior_bed = prior if isinstance(prior, Place) else ("", "")
    if event.merged:
        return _merged(known, raw, event, places)
    return _taken(known, raw, known.entries(unit, bed, prior_unit, prior_bed))


def _merged(known: Understood, raw: bytes, event: Event, places: Announced) -> Intake:
    """A40 names a person and not a place: the record in the hall, and a word to every unit.

    Two numbers are one person's in the whole hospital or not at all: a sender that may write to
    some of its units only does not say so.
    """
    hospital = known.source.hospital
    units = places.units_of(hospital)
    closed = next((unit for unit in units if not known.source.may_write(unit, hospital)), "")
    if closed:
        return _out_of_scope(known, raw, closed)
    entries = known.entries(hall(hospital), "")
    for unit in units:
        told = wire.Merged(
            unit, known.source.name, known.received_at, known.mode, event.patient.mrn,
            event.merged, event.at,
        )  # fmt: skip
        entries.append((IN, told))
    return _taken(known, raw, entries)
