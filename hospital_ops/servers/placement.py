"""Where PostgreSQL lives and as whom it runs: it refuses to run as root.

- `self`: an ordinary user started us; PostgreSQL runs as that user.
- `namespace`: root started us; PostgreSQL runs in a user namespace, an ordinary user inside and
  root outside, so all folders stay closed to others.
- `nobody`: root, on a kernel that refuses that; PostgreSQL runs as `nobody` from copies in a
  folder that others may pass through.

Files of one mode are refused in another, so the mode is kept beside the data.
"""

import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from hospital_ops.servers.errors import DataDirectoryRefusedError
from hospital_ops.servers.kernel import enter_user_namespace

PUBLIC_FOLDERS: Final = Path("/var/lib/hospital-ops")


class Mode(StrEnum):
    """As whom PostgreSQL runs; see the top of this file."""

    SELF = "self"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The chosen mode, PostgreSQL's data folder, its programs and its user."""

    mode: Mode
    data: Path
    programs: Path
    user: int | None
    notice: str | None

    @property
    def enter(self) -> Callable[[], None] | None:
        """What the child does before it becomes PostgreSQL."""
        return enter_user_namespace if self.mode is Mode.NAMESPACE else None


def choose_mode(kept: Mode | None, *, is_root: bool, namespace_works: Callable[[], bool]) -> Mode:
    """The mode for this start, given the one the data were made in (None: no data yet).

    Raises DataDirectoryRefusedError where the data cannot be opened in the mode they need.
    """
    if not is_root:
        if kept not in (None, Mode.SELF):
            raise DataDirectoryRefusedError(
                "PostgreSQL's data here were made by root. Start as root, or name another folder."
            )
        return Mode.SELF
    if kept is Mode.SELF:
        raise DataDirectoryRefusedError(
            "PostgreSQL's data here belong to an ordinary user. Start as that user, or name "
            "another folder with --data-dir."
        )
    if kept is Mode.NOBODY:
        return kept
    if namespace_works():
        return Mode.NAMESPACE
    if kept is Mode.NAMESPACE:
        raise DataDirectoryRefusedError(
            "PostgreSQL's data here were made in a user namespace, which this kernel now refuses. "
            "Allow user namespaces (sysctl user.max_user_namespaces), or name another folder."
        )
    return Mode.NOBODY


def place(data_directory: Path, installation: Path) -> Placement:
    """Choose mode and folders for `data_directory`, and keep the choice in it.

    `installation` is the folder of PostgreSQL inside its package (it has `bin` and `lib`).
    """
    record = data_directory / "postgres.json"
    kept = json.loads(record.read_text()) if record.exists() else None
    mode = choose_mode(
        Mode(kept["mode"]) if kept else None,
        is_root=os.geteuid() == 0,
        namespace_works=lambda: namespace_works(data_directory, installation / "bin" / "postgres"),
    )
    if mode is Mode.NOBODY:
        base = _kept_base(data_directory, kept["data"]) if kept else _public_base(data_directory)
        placement = _place_as_nobody(base, installation)
    else:
        placement = Placement(
            mode=mode,
            data=data_directory / "postgres",
            programs=installation / "bin",
            user=None,
            notice=None,
        )
    record.touch(mode=0o600)
    data = os.path.relpath(placement.data, data_directory)
    outside = data.startswith("..")
    record.write_text(json.dumps({"mode": mode, "data": str(placement.data) if outside else data}))
    return placement


def namespace_works(data_directory: Path, program: Path) -> bool:
    """Whether `program` runs in a user namespace and reaches `data_directory` there."""

    def enter_and_look() -> None:
        enter_user_namespace()
        # Root is nobody special inside: a folder below another user's closed home is closed.
        os.listdir(data_directory)

    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, preexec_fn=enter_and_look, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _place_as_nobody(base: Path, installation: Path) -> Placement:
    nobody = pwd.getpwnam("nobody").pw_uid
    base.mkdir(mode=0o711, parents=True, exist_ok=True)
    base.chmod(0o711)
    data = base / "data"
    if not data.exists():
        data.mkdir(mode=0o700)
        os.chown(data, nobody, nobody)
    return Placement(
        mode=Mode.NOBODY,
        data=data,
        programs=_copy_installation(installation, base) / "bin",
        user=nobody,
        notice=(
            "This kernel gives no user namespace, so PostgreSQL runs as the user nobody; its "
            f"data are in {data}, closed to all others, in a folder they may pass through."
        ),
    )


def _public_base(data_directory: Path) -> Path:
    """A folder that `nobody` reaches: in the data directory where all its parents are open."""
    parents = data_directory.resolve().parents
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in parents):
        data_directory.chmod(0o711)
        return data_directory / "nobody"
    return _outside(data_directory)


def _outside(data_directory: Path) -> Path:
    name = hashlib.sha256(str(data_directory.resolve()).encode()).hexdigest()[:12]
    return PUBLIC_FOLDERS / name


def _kept_base(data_directory: Path, kept: str) -> Path:
    """Where the data of an earlier start are; never those of a directory this one was copied of."""
    base = (data_directory / kept).parent
    if Path(kept).is_absolute() and base != _outside(data_directory):
        raise DataDirectoryRefusedError(
            f"{data_directory} was moved or copied: PostgreSQL's data of the original are in "
            f"{base}. Move it back, or name another folder with --data-dir."
        )
    return base


def _copy_installation(installation: Path, base: Path) -> Path:
    """Copy PostgreSQL where `nobody` may read it, with the libraries beside its package.

    The programs look for them at a relative place, so that place stays the same.
    """
    package = installation.parent
    stamp = hashlib.sha256(f"{installation}{installation.stat().st_mtime_ns}".encode()).hexdigest()
    target = base / f"programs-{stamp[:12]}"
    if not target.exists():
        fresh = base / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(installation, fresh / package.name / installation.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        _open_to_readers(fresh)
        fresh.rename(target)
    return target / package.name / installation.name


def _open_to_readers(folder: Path) -> None:
    """Let everyone read and run what was copied, whatever the umask and the source say."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
            if path.parent.name == "bin":
                path.chmod(0o755)
