"""`hospital-ops user add|password|disable|list`: who may sign in."""

from __future__ import annotations

from hospital_ops import accounts, tokens
from hospital_ops.access import ALL_UNITS, DEVICE_ROLES, Role, Scope
from hospital_ops.commands import administration
from hospital_ops.database import Connection


def main(argv: list[str]) -> int:
    """Changes one account; a new password is printed once and stored as a hash."""
    parser, commands = administration.parser("user", __doc__ or "")
    add = administration.add(commands, "add", "make an account and print its password", "name")
    roles = [role.value for role in Role if role not in DEVICE_ROLES]
    add.add_argument("--role", required=True, choices=roles)
    add.add_argument("--unit", action="append", default=[], help="default: all units")
    administration.add(commands, "password", "print a new password; sessions end", "name")
    administration.add(commands, "disable", "end the account and its sessions", "name")
    administration.add(commands, "list", "names, roles and units")
    given = parser.parse_args(argv)

    async def work(connection: Connection, by: Scope, at: int) -> str:
        if given.act == "list":
            rows = [
                dict(row) | {"in": ",".join(row["units"])}
                for row in await accounts.listed(connection)
            ]
            return administration.listed(rows, "{name:28} {role:18} {in}", "disabled")
        if given.act == "disable":
            ended = await accounts.disable_account(connection, by, given.name, at)
            return f"{given.name} is disabled; {len(ended)} sessions ended."
        password = tokens.new_password()
        if given.act == "password":
            await accounts.set_password(connection, by, given.name, password, at)
            return f"{given.name}: {password}"
        units = tuple(given.unit) or ALL_UNITS
        made = await accounts.ensure_account(
            connection, by, given.name, Role(given.role), password, at, units
        )
        return f"{given.name}: {password}" if made else f"{given.name} exists already."

    return administration.run(given.hospital, work)
