"""The three database roles and what the database as a whole allows them.

Only a role with BYPASSRLS can make `writer`: the embedded server's superuser does it here, in
production a database administrator runs the printed script.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hospital_ops.database import ConcurrentChange, single

ATTEMPTS_MAX: Final = 10
_PAUSE_S: Final = 0.05

# Roles belong to the whole server, so two databases may be set up at once: look before each act.
_ROLES: Final = """
do $$
declare
    wanted text;
begin
    foreach wanted in array array['owner', 'app', 'writer'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
    end loop;
    if not exists (select from pg_roles where rolname = 'writer' and rolbypassrls) then
        alter role writer bypassrls;
    end if;
    if exists (select from pg_roles where rolname in ('owner', 'app')
               and (rolsuper or rolbypassrls)) then
        alter role owner nosuperuser nobypassrls;
        alter role app nosuperuser nobypassrls;
    end if;
end $$;
"""
_DATABASE: Final = """
do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect, temporary on database %I to owner, writer', current_database());
    execute format('grant connect on database %I to app', current_database());
    alter schema public owner to owner;
    revoke all on schema public from public;
end $$;
"""
_SCRIPT: Final = """\
-- Hospital Ops: the roles in PostgreSQL. Run it once as a superuser, in the empty database that
-- Hospital Ops will use, with the name of the login it will use:
--     psql --set=login=hospital_ops --dbname=hospital_ops --file=roles.sql
-- It may be run again; it changes nothing that is right already.
{roles}
grant owner, app, writer to :"login";
{database}"""


def roles_script() -> str:
    """The script for a database administrator, for psql, with the login as a variable."""
    return _SCRIPT.format(roles=_ROLES, database=_DATABASE)


async def ensure_roles(superuser_url: str) -> None:
    """Makes the roles and sets the rights on the database of `superuser_url`; may be repeated.

    The login of `superuser_url` needs no membership: a superuser may take any role.
    """
    async with single(superuser_url, name="roles") as connection:
        for attempt in range(ATTEMPTS_MAX):
            try:
                async with connection.transaction():
                    await connection.execute(_ROLES)
                    await connection.execute(_DATABASE)
                return
            except ConcurrentChange:
                if attempt == ATTEMPTS_MAX - 1:
                    raise
                await asyncio.sleep(_PAUSE_S * (attempt + 1))
