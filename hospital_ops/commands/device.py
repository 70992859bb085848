"""`hospital-ops device add|token|revoke|list`: tablets, monitors and gateways with their tokens."""

from __future__ import annotations

from hospital_ops.access import Scope
from hospital_ops.commands import administration
from hospital_ops.database import Connection
from hospital_ops.errors import Conflict
from hospital_ops.installation import store


def main(argv: list[str]) -> int:
    """Changes one device; a token is printed once and stored as a hash."""
    parser, commands = administration.parser("device", __doc__ or "")
    add = administration.add(commands, "add", "register a device and print its token", "device")
    add.add_argument("--kind", required=True, choices=("tablet", "monitor", "gateway"))
    add.add_argument("--mode", required=True, choices=("Real", "Test", "Demo"))
    add.add_argument("--unit", help="default: the whole hospital")
    add.add_argument("--bed", help="of a monitor that belongs to one bed")
    add.add_argument("--address", default="", help="what a gateway calls it, for example its IP")
    add.add_argument("--model", default="", help="whose private codes it speaks")
    add.add_argument("--vehicle", default="", help="of a monitor: the tablet of its vehicle")
    administration.add(commands, "token", "print a new token; the old one ends", "device")
    administration.add(commands, "revoke", "end the device's token; its sockets close", "device")
    administration.add(commands, "list", "devices, places and state")
    given = parser.parse_args(argv)

    async def work(connection: Connection, by: Scope, at: int) -> str:
        if given.act == "list":
            rows = await store.listed_devices(connection)
            return administration.listed(rows, "{device:24} {kind:8} {mode:5} {place}", "revoked")
        if given.act == "revoke":
            await store.revoke_device(connection, by, given.device, at)
            return f"{given.device} is revoked."
        if given.act == "add":
            made = await store.ensure_device(
                connection,
                by,
                given.device,
                given.kind,
                given.mode,
                at,
                given.unit,
                given.bed,
                given.address,
                given.model,
                given.vehicle,
            )
            if not made:
                raise Conflict(
                    f"{given.device} is registered already and stays as it is (device list): give "
                    "another name, or print a new token for it (device token)."
                )
        token = await store.issue_device_token(connection, by, given.device, at)
        return f"{given.device}: {token}"

    return administration.run(given.hospital, work)
