"""What the way in must know without PostgreSQL: places, sessions, devices, cases, heartbeats.

The relay keeps these projections in Redis from PostgreSQL's rows; whoever signs somebody in or out
writes the one row at once. Nothing here is the record: losing it all costs one turn of the relay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hospital_ops import tokens, wire
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND
from hospital_ops.codebook.rules import Codebook, Rule, book, row_of
from hospital_ops.deciding import PROBE_BED
from hospital_ops.installation.store import DeviceRow, KnownDevice, Projection, UnitRow
from hospital_ops.standing.rules import Stand, Standing
from streams.cases import Cases
from streams.pipe import Pipe, ReplyError
from streams.remembered import Remembered
from streams.shard import hall
from streams.unmapped import Seen, Sender

HOSPITALS = "hospitals"
HEARTBEATS = "heartbeats"
REFUSALS = "refusals"
UNMAPPED_MOST = 1000  # codes of one hospital: a page that somebody can still read
UNMAPPED_S = 7 * 86_400
GONE_US = 3600 * SECOND  # a process that was silent for so long is forgotten
JUST_ADMITTED_US = 10 * SECOND  # a sign-in may be newer than what the relay has read


def _key(hospital: str, what: str) -> str:
    return f"{{{hall(hospital)}}}:{what}"


@dataclass(frozen=True, slots=True)
class Bed:
    """A bed of a unit, as the boards order it."""

    bed: str
    unit: str
    label: str
    position: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a hospital: an intensive care unit or an emergency department."""

    unit: str
    hospital: str
    kind: str  # icu, ed
    name: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Room:
    """A place of a department that can be kept for a case (installation.store.RoomRow)."""

    place: str
    unit: str
    kind: str
    zone: str
    label: str
    entrance: str
    position: int


@dataclass(slots=True)
class Places:
    """Hospitals, units, beds and devices of the installation, read again and again."""

    hospitals: set[str] = field(default_factory=set)
    units: dict[str, Unit] = field(default_factory=dict)
    beds: dict[str, Bed] = field(default_factory=dict)
    devices: dict[tuple[str, str], KnownDevice] = field(default_factory=dict)  # hospital, name
    codebooks: dict[str, Codebook] = field(default_factory=dict)  # by hospital
    rooms: dict[str, Room] = field(default_factory=dict)
    stands: dict[tuple[str, str], Standing] = field(default_factory=dict)  # hospital, device

    def become(self, other: Places) -> None:
        """Takes over what was read anew; everybody who holds this object sees it."""
        self.hospitals, self.units, self.beds = other.hospitals, other.units, other.beds
        self.devices, self.codebooks = other.devices, other.codebooks
        self.rooms, self.stands = other.rooms, other.stands

    def unit_of_bed(self, bed: str) -> str | None:
        """The unit of a bed id, or None where the bed is not registered."""
        return known.unit if (known := self.beds.get(bed)) else None

    def device(self, hospital: str, name: str) -> KnownDevice | None:
        """The registered device with this id or address, of this hospital."""
        return self.devices.get((hospital, name))

    def standing(self, hospital: str, name: str) -> Standing:
        """Where people have said that a device (its id or address) stands; () where nobody has."""
        known = self.device(hospital, name)
        return self.stands.get((hospital, known.device), ()) if known else ()

    def mode_of_device(self, hospital: str, name: str) -> str:
        """The mode that a device is registered with; empty where it is not."""
        return known.mode if (known := self.devices.get((hospital, name))) else ""

    def units_of(self, hospital: str) -> list[str]:
        """Every unit of a hospital."""
        return [unit.unit for unit in self.units.values() if unit.hospital == hospital]

    def hospital_of_unit(self, unit: str) -> str:
        """The hospital that a unit is registered with; empty where it is none of ours."""
        return known.hospital if (known := self.units.get(unit)) else ""

    def has_unit(self, unit: str) -> bool:
        """Whether a unit with this id is registered."""
        return unit in self.units

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        """The id of the bed that `text` names within a unit: its id, or its label (`07` is `7`
        where one bed alone is called so)."""
        if text == PROBE_BED:
            return text
        of_unit = [bed for bed in self.beds.values() if bed.unit == unit]
        for bed in of_unit:
            if text in (bed.bed, bed.label):
                return bed.bed
        number = text.lstrip("0") if text.isdecimal() else ""
        alike = [bed.bed for bed in of_unit if number and bed.label.lstrip("0") == number]
        return alike[0] if len(alike) == 1 else None

    def beds_of(self, unit: str) -> list[Bed]:
        """The beds of a unit in the order of the wall."""
        return sorted((b for b in self.beds.values() if b.unit == unit), key=lambda b: b.position)

    def rooms_of(self, unit: str) -> list[Room]:
        """The places of a department in their order."""
        return sorted((r for r in self.rooms.values() if r.unit == unit), key=lambda r: r.position)


class Projections(Cases):
    """Reads and writes the projections over one pipe."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(pipe)
        self._principals: Remembered[Principal] = Remembered()  # by key

    async def _replace(
        self, key: str, rows: Mapping[str, Mapping[str, Any]], keep_since: int | None = None
    ) -> None:
        """Makes the hash equal to `rows`, writing only what differs.

        What was admitted after `keep_since` may be newer than `rows` and stays.
        """
        old = await self._all(key)
        known = {name: wire.from_json(row) for name, row in old.items()}
        commands: list[tuple[str | bytes, ...]] = [
            ("HSET", key, name, wire.to_json(row))
            for name, row in rows.items()
            if _differs(known.get(name), row)
        ]
        commands += [
            ("HDEL", key, name)
            for name, row in known.items()
            if name not in rows and (keep_since is None or row.get("admitted_at", 0) < keep_since)
        ]
        for reply in await self.pipe.calls(commands):
            if isinstance(reply, ReplyError):
                raise reply

    async def _all(self, key: str) -> dict[str, bytes]:
        flat = await self.pipe.call("HGETALL", key)
        return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}

    async def keep(self, rows: Projection, read_at: int, mode: str) -> None:
        """Brings everything to what PostgreSQL said at `read_at`; people enter in `mode`."""
        hospitals = {unit.hospital for unit in rows.units}
        for hospital in hospitals:
            units = [unit for unit in rows.units if unit.hospital == hospital]
            await self._replace(_key(hospital, "units"), {u.unit: _unit(u) for u in units})
            beds = {bed["bed"]: bed for u in units for bed in _beds(u)}
            await self._replace(_key(hospital, "beds"), beds)
            devices_here = {d.device: asdict(d) for d in rows.registry if d.hospital == hospital}
            await self._replace(_key(hospital, "devices"), devices_here)
            rules = [rule for of, rule in rows.rules if of == hospital]
            await self._replace(_key(hospital, "codes"), {_rule_name(r): row_of(r) for r in rules})
            rooms = {room.place: asdict(room) for u in units for room in u.rooms}
            await self._replace(_key(hospital, "rooms"), rooms)
            stands = {
                name: {"stands": [list(one) for one in told]}
                for of, name, told in rows.standing
                if of == hospital
            }
            await self._replace(_key(hospital, "standing"), stands)
            people = [replace(p, mode=mode) for p in rows.sessions if p.hospital == hospital]
            devices = [_of_device(d) for d in rows.devices if d.hospital == hospital]
            await self._replace(
                _key(hospital, "principals"),
                {p.key: _row(p, read_at) for p in (*people, *devices)},
                keep_since=read_at - JUST_ADMITTED_US,
            )
            await self.forget_cases(hospital, read_at)
        await self._replace(HOSPITALS, {hospital: {} for hospital in hospitals})
        silent = [
            n for n, at in (await self._all(HEARTBEATS)).items() if int(at) < read_at - GONE_US
        ]
        if silent:
            await self.pipe.call("HDEL", HEARTBEATS, *silent)

    async def places(self) -> Places:
        """All hospitals, units and beds."""
        places = Places()
        for hospital in await self._all(HOSPITALS):
            places.hospitals.add(hospital)
            for unit in (await self._all(_key(hospital, "units"))).values():
                known = Unit(**wire.from_json(unit))
                places.units[known.unit] = known
            for bed in (await self._all(_key(hospital, "beds"))).values():
                place = Bed(**wire.from_json(bed))
                places.beds[place.bed] = place
            rows = (await self._all(_key(hospital, "codes"))).values()
            places.codebooks[hospital] = book([Rule(**wire.from_json(row)) for row in rows])
            for device in (await self._all(_key(hospital, "devices"))).values():
                registered = KnownDevice(**wire.from_json(device))
                for name in filter(None, (registered.address, registered.device)):
                    places.devices[hospital, name] = registered
            for room in (await self._all(_key(hospital, "rooms"))).values():
                kept = Room(**wire.from_json(room))
                places.rooms[kept.place] = kept
            for name, row in (await self._all(_key(hospital, "standing"))).items():
                told = (Stand(*one) for one in wire.from_json(row)["stands"])
                places.stands[hospital, name] = tuple(told)
        return places

    async def admit(self, principal: Principal, now_us: int) -> None:
        """Lets one session or device in at once, before the relay's next turn."""
        await self.pipe.call(
            "HSET",
            _key(principal.hospital, "principals"),
            principal.key,
            wire.to_json(_row(principal, now_us)),
        )

    async def dismiss(self, principal: Principal) -> None:
        """Ends a session or device at once."""
        await self.dismiss_key(principal.hospital, principal.key)

    async def dismiss_key(self, hospital: str, key: str) -> None:
        """Ends whatever was let in under `key` at once."""
        self._principals.forget(key)
        await self.pipe.call("HDEL", _key(hospital, "principals"), key)

    async def principal(self, token: str, now_us: int) -> Principal | None:
        """Whoever holds this token, unless it has ended; a second old at the most."""
        hospital = tokens.token_hospital(token)
        if not hospital:
            return None
        key = tokens.token_hash(token).hex()
        known = self._principals.get(key)
        if known is None:
            known = await self.principal_by_key(hospital, key, now_us)
            return known and self._principals.put(key, known)
        return None if known.expires_at is not None and known.expires_at <= now_us else known

    async def principal_by_key(self, hospital: str, key: str, now_us: int) -> Principal | None:
        """Whoever was let in under `key`; a socket asks again while it is open."""
        row = await self.pipe.call("HGET", _key(hospital, "principals"), key)
        return None if row is None else _principal(hospital, key, row, now_us)

    async def principals(self, hospital: str, now_us: int) -> list[Principal]:
        """Everybody and every device of a hospital that is let in now."""
        rows = await self._all(_key(hospital, "principals"))
        found = (_principal(hospital, key, row, now_us) for key, row in rows.items())
        return [one for one in found if one is not None]

    async def map_code(self, hospital: str, rule: Rule) -> None:
        """Makes a mapping known at once, before the relay's next turn."""
        row = wire.to_json(row_of(rule))
        await self.pipe.call("HSET", _key(hospital, "codes"), _rule_name(rule), row)

    async def note_unmapped(self, sender: Sender, seen: Seen) -> None:
        """Adds to what is known of a code without a mapping; forgotten a week after the last."""
        counts, last = _key(sender.hospital, "unmapped"), _key(sender.hospital, "unmapped-last")
        name = wire.to_json(sender[1:])
        if await self.pipe.call("HLEN", counts) >= UNMAPPED_MOST:
            known = await self.pipe.call("HEXISTS", counts, name)
            if not known:
                return
        await self.pipe.calls(
            (
                ("HINCRBY", counts, name, seen.times),
                ("HSET", last, name, wire.to_json(seen[1:])),
                ("EXPIRE", counts, UNMAPPED_S),
                ("EXPIRE", last, UNMAPPED_S),
            )
        )

    async def unmapped(self, hospital: str) -> list[tuple[Sender, Seen]]:
        """The codes of a hospital's senders that came without a mapping, the latest first."""
        counts = await self._all(_key(hospital, "unmapped"))
        last = await self._all(_key(hospital, "unmapped-last"))
        found = [
            (
                Sender(hospital, *wire.from_json(name.encode())),
                Seen(int(count), *wire.from_json(last[name])),
            )
            for name, count in counts.items()
            if name in last
        ]
        return sorted(found, key=lambda each: -each[1].at)

    async def count_refusal(self, hospital: str, source: str, code: str) -> None:
        """One more request that was refused before anything of it was kept."""
        await self.pipe.call("HINCRBY", REFUSALS, f"{hospital}\x1f{source}\x1f{code}", 1)

    async def refusals(self, hospital: str) -> list[tuple[str, str, int]]:
        """(source, code, how many) of a hospital, and of strangers, since the installation."""
        found = []
        for name, count in (await self._all(REFUSALS)).items():
            of, source, code = name.split("\x1f")
            if of in ("", hospital):
                found.append((source, code, int(count)))
        return sorted(found)

    async def beat(self, role: str, process: str, now_us: int) -> None:
        """Says that a process of a role is at work."""
        await self.pipe.call("HSET", HEARTBEATS, f"{role} {process}", now_us)

    async def heartbeats(self) -> dict[str, int]:
        """The newest heartbeat of each role, microseconds since 1970."""
        newest: dict[str, int] = {}
        for name, at in (await self._all(HEARTBEATS)).items():
            role = name.partition(" ")[0]
            newest[role] = max(newest.get(role, 0), int(at))
        return newest


def _rule_name(rule: Rule) -> str:
    return "\x1f".join(rule[:3])


def _principal(hospital: str, key: str, row: bytes, now_us: int) -> Principal | None:
    known = wire.from_json(row)
    if known["expires_at"] is not None and known["expires_at"] <= now_us:
        return None
    return Principal(
        actor=known["actor"],
        role=Role(known["role"]),
        hospital=hospital,
        units=tuple(known["units"]),
        key=key,
        expires_at=known["expires_at"],
        mode=known["mode"],
        bed=known.get("bed", ""),
    )


def _row(principal: Principal, now_us: int) -> dict[str, Any]:
    return {
        "actor": principal.actor,
        "role": principal.role.value,
        "units": list(principal.units),
        "expires_at": principal.expires_at,
        "mode": principal.mode,
        "bed": principal.bed,
        "admitted_at": now_us,
    }


def _differs(old: dict[str, Any] | None, new: Mapping[str, Any]) -> bool:
    """Whether a row says something else; when it was written does not count."""
    return old is None or any(old.get(k) != v for k, v in new.items() if k != "admitted_at")


def _unit(row: UnitRow) -> dict[str, Any]:
    names = ("unit", "hospital", "kind", "name", "zone")
    return {name: getattr(row, name) for name in names}


def _beds(row: UnitRow) -> list[dict[str, Any]]:
    return [
        {"bed": bed, "unit": row.unit, "label": label, "position": position}
        for position, (bed, label) in enumerate(row.beds)
    ]


def _of_device(row: DeviceRow) -> Principal:
    """A device as a principal: its units are the one it belongs to, or all of its hospital."""
    return Principal(
        actor=f"device:{row.device}",
        role=Role(row.kind),
        hospital=row.hospital,
        units=(row.unit,) if row.unit else ALL_UNITS,
        key=row.key,
        mode=row.mode,
        bed=row.bed,
    )
