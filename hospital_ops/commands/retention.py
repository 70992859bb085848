"""`hospital-ops retention`: what is older than the site keeps it; looks first, deletes when told.

retention [--dry-run] [--keep KIND=DAYS ...] [--json]   what would go, and what stays and why
retention --delete                                      deletes what HOSPITAL_OPS_KEEP_DAYS names
retention hold --hospital H (--mrn N | --unit U) --reason TEXT
retention release --hospital H HOLD
retention holds --hospital H
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from uuid import UUID

from hospital_ops import database, settings
from hospital_ops.access import Scope
from hospital_ops.clock import SystemClock
from hospital_ops.commands import administration
from hospital_ops.database import Connection, Database, DatabaseGone, LockNotAvailable
from hospital_ops.errors import HospitalOpsError, MessageError
from hospital_ops.identity import patient_id
from hospital_ops.retention import store
from hospital_ops.retention.kinds import KINDS, NEVER
from hospital_ops.retention.store import Look

DAYS_LEAST = 2  # curves are packed and trends made anew for a day


def main(argv: list[str]) -> int:
    """0 when it ran; 2 for wrong arguments or where the database is away."""
    if argv and not argv[0].startswith("-"):
        return _hold(argv)
    parser = argparse.ArgumentParser(
        prog="hospital-ops retention",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--dry-run", action="store_true", help="only look (this is the default)")
    act.add_argument("--delete", action="store_true", help="delete what a dry run shows")
    parser.add_argument("--keep", action="append", default=[], type=_kept, metavar="KIND=DAYS",
                        help="look as if the setting were this")  # fmt: skip
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    if given.delete and given.keep:
        parser.error("--delete goes by HOSPITAL_OPS_KEEP_DAYS alone: set it there")
    try:
        return asyncio.run(_run(dict(given.keep), delete=given.delete, as_json=given.json))
    except (HospitalOpsError, DatabaseGone) as error:
        print(error, file=sys.stderr)
        return 2


async def _run(keep: dict[str, int], *, delete: bool, as_json: bool) -> int:
    loaded = settings.load()
    days = dict(loaded.keep_days) | keep
    clock = SystemClock()
    db = await database.connect(administration.address(loaded), "owner", name="retention")
    try:
        before = store.cutoffs(days, clock.now_us())
        looks = [one for kind, at in before.items() for one in await store.look(db, kind, at)]
        print(_as_json(looks, days) if as_json else _as_text(looks, days))
        if delete:
            return await _delete(db, looks)
    finally:
        await db.close()
    return 0


async def _delete(db: Database, looks: list[Look]) -> int:
    for kind, before in {one.kind: one.before for one in looks}.items():
        gone: dict[str, int] = {}
        try:
            async for table, rows in store.delete(db, kind, before):
                gone[table] = gone.get(table, 0) + rows
        except LockNotAvailable:
            print(f"{kind}: somebody reads a day just now; run it again.", file=sys.stderr)
        for table, rows in gone.items():
            print(f"deleted {kind:10} {table:15} {rows} rows", file=sys.stderr)
    return 0


def _as_text(looks: list[Look], days: dict[str, int]) -> str:
    head = f"{'kind':10} {'table':15} {'days':>5} {'rows':>10} {'MiB':>9}  {'oldest':16}  "
    lines = [head + f"{'newest':16}  {'stays':>10}"]
    for one in looks:
        oldest, newest = (f"{at:%Y-%m-%d %H:%M}" if at else "-" for at in (one.oldest, one.newest))
        lines.append(
            f"{one.kind:10} {one.table:15} {days[one.kind]:>5} {one.going:>10}"
            f" {one.bytes / 2**20:>9.1f}  {oldest:16}  {newest:16}  {one.staying:>10}"
        )
    lines += [f"{kind:10} kept for ever: no setting" for kind in KINDS if kind not in days]
    lines += [f"{kind:10} never deleted: {why}" for kind, why in NEVER.items()]
    lines.append(
        "stays: as old, but of a patient who is here, under a hold, or of an open incident"
    )
    return "\n".join(lines)


def _as_json(looks: list[Look], days: dict[str, int]) -> str:
    rows = [
        {
            "kind": one.kind,
            "table": one.table,
            "days": days[one.kind],
            "before": one.before.isoformat(),
            "rows": one.going,
            "bytes": one.bytes,
            "oldest": one.oldest.isoformat() if one.oldest else None,
            "newest": one.newest.isoformat() if one.newest else None,
            "stays": one.staying,
        }
        for one in looks
    ]
    off = [kind for kind in KINDS if kind not in days]
    return json.dumps({"rows": rows, "off": off, "never": list(NEVER)})


def _hold(argv: list[str]) -> int:
    parser, commands = administration.parser("retention", "Holds: what may not be deleted.")
    hold = administration.add(commands, "hold", "nothing of this patient or unit is deleted")
    what = hold.add_mutually_exclusive_group(required=True)
    what.add_argument("--mrn")
    what.add_argument("--unit")
    hold.add_argument("--reason", required=True)
    administration.add(commands, "release", "ends a hold").add_argument("hold", type=UUID)
    administration.add(commands, "holds", "the holds in force")
    given = parser.parse_args(argv)

    async def work(connection: Connection, by: Scope, at: int) -> str:
        if given.act == "holds":
            return "\n".join(await store.holds(connection)) or "There is no hold."
        if given.act == "release":
            await store.end_hold(connection, by, given.hold, at)
            return "The hold is over."
        if not given.reason.strip():
            raise MessageError("no_reason", "say why: a hold needs a reason")
        patient = UUID(patient_id(by.hospital, given.mrn)) if given.mrn else None
        made = await store.place_hold(connection, by, given.unit, patient, given.reason, at)
        return f"Held: {made}"

    return administration.run(given.hospital, work)


def _kept(text: str) -> tuple[str, int]:
    kind, mark, days = text.partition("=")
    if not mark or kind not in KINDS or not days.isdigit() or int(days) < DAYS_LEAST:
        raise argparse.ArgumentTypeError(
            f"{text!r}: one of {', '.join(KINDS)}, and at least {DAYS_LEAST} days: waveforms=90"
        )
    return kind, int(days)
