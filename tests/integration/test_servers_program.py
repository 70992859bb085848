"""The whole program is killed, ended and started twice: no process and no row is left behind."""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from hospital_ops.servers import leftovers
from hospital_ops.servers.errors import (
    DataDirectoryBusyError,
)
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.placement import Mode, namespace_works
from hospital_ops.servers.postgres import find_installation
from tests.integration.servers_help import (
    rows,
    wait_until,
    write_rows,
)
from tests.patience import PATIENCE_S

PROGRAM = Path(__file__).with_name("servers_program.py")
ROOT = Path(__file__).parents[2]
NOBODY = 65534
# Each way in which PostgreSQL can run for the user who runs these tests, on this machine.
MODES = (
    [Mode.SELF]
    if os.geteuid()
    else [
        Mode.SELF,
        Mode.NOBODY,
        *([Mode.NAMESPACE] if namespace_works(ROOT, find_installation() / "bin/postgres") else []),
    ]
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="ho-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


class Started:
    """The small program in a process of its own, in a group of its own as from a terminal."""

    def __init__(self, data: Path, *, uid: int | None = None, say_first: bool = False) -> None:
        arguments = [str(data)] if uid is None else [str(data), str(uid)]
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            process_group=0,
        )
        self.said: list[str] = []
        self.told: dict[str, object] = {}

    def up(self) -> "Started":
        """Read what it says until all is up."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self.told = json.loads(line)
                return self
            self.said.append(line.strip())
        raise AssertionError(f"the program ended with {self.process.wait()}: {self.said}")

    @property
    def pids(self) -> dict[str, int]:
        pids = self.told["pids"]
        assert isinstance(pids, dict)
        return pids

    def text(self, key: str) -> str:
        return str(self.told[key])

    def none_left(self) -> bool:
        """Whether its children, and whatever works in the servers' folders, are gone."""
        data = Path(self.text("postgres_data"))
        return not (self.any_left() or leftovers.working_in(data))

    def any_left(self) -> bool:
        """Whether one of its own children still runs."""
        return any(map(leftovers.is_alive, self.pids.values()))

    def sockets_are_gone(self) -> bool:
        """Whether the folder with its sockets is gone."""
        return not Path(self.text("sockets")).exists()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self.told:  # a killed program leaves it to the next start, which a test may not have
            shutil.rmtree(self.text("sockets"), ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    running: list[Started] = []

    def begin(data: Path, *, uid: int | None = None) -> Started:
        running.append(Started(data, uid=uid))
        return running[-1]

    yield begin
    for started in running:
        started.end()


@pytest.mark.parametrize("mode", MODES)
async def test_both_servers_run_for_every_kind_of_user_and_go_on_with_their_data(
    open_folder: Path, start: Callable[..., Started], mode: Mode
) -> None:
    uid = NOBODY if mode is Mode.SELF and os.geteuid() == 0 else None
    data = open_folder / "data"
    data.mkdir(mode=0o700)
    if uid is not None:
        os.chown(data, uid, uid)
    if mode is Mode.NOBODY:
        kept = {"mode": mode, "data": "nobody/data"}
        (data / "postgres.json").write_text(json.dumps(kept))
        data.chmod(0o711)
    parents = [(folder, folder.stat().st_mode) for folder in data.parents]
    for life in range(2):
        started = start(data, uid=uid).up()
        assert started.told["mode"] == mode
        await write_rows(started.text("database_url"), life)
        assert await rows(started.text("database_url")) == list(range(life + 1))
        async with redis.from_url(started.text("redis_url")) as client:
            await client.xadd("ward", {"life": str(life)})
            assert await client.xlen("ward") == life + 1
        expect_closed(Path(started.text("postgres_data")), data / "valkey")
        started.end()
        assert started.none_left()
        assert started.sockets_are_gone()
    assert [(folder, folder.stat().st_mode) for folder in data.parents] == parents


def expect_closed(*folders: Path) -> None:
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a temporary file may go meanwhile
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_a_program_that_is_killed_leaves_no_child_and_the_next_goes_on(
    tmp_path: Path, start: Callable[..., Started]
) -> None:
    first = start(tmp_path / "data").up()
    await write_rows(first.text("database_url"), 1, 2)
    first.process.kill()
    second = start(tmp_path / "data").up()
    assert not first.any_left()
    assert await rows(second.text("database_url")) == [1, 2]
    assert first.sockets_are_gone()
    second.process.kill()
    wait_until(second.none_left, "the killed program's servers ended by themselves")


def test_ctrl_c_ends_the_program_with_all_its_children_and_folders(
    tmp_path: Path, start: Callable[..., Started]
) -> None:
    started = start(tmp_path / "data").up()
    os.killpg(started.process.pid, signal.SIGINT)
    assert started.process.wait(PATIENCE_S) == 0
    assert started.none_left()
    assert started.sockets_are_gone()
    log = (tmp_path / "data" / "log" / "postgres.log").read_text()
    assert "database system is shut down" in log


def test_a_second_start_waits_for_the_first_and_says_so(
    tmp_path: Path, start: Callable[..., Started]
) -> None:
    first = start(tmp_path / "data").up()
    with (
        pytest.raises(DataDirectoryBusyError, match=rf"process {first.process.pid}.*--data-dir"),
        DataDirectory(tmp_path / "data", wait_s=0.2),
    ):
        pass
    second = start(tmp_path / "data")
    os.killpg(first.process.pid, signal.SIGINT)
    assert second.up().told["pids"] != first.told["pids"]
    assert not first.any_left()


def test_servers_left_frozen_by_a_killed_program_are_ended_by_the_next_start(
    tmp_path: Path, start: Callable[..., Started]
) -> None:
    first = start(tmp_path / "data").up()
    for name in ("valkey", "postgres"):
        os.kill(first.pids[name], signal.SIGSTOP)
    first.process.kill()
    first.process.wait()
    said: list[str] = []
    with (
        pytest.raises(DataDirectoryBusyError, match=r"kill -9"),
        DataDirectory(tmp_path / "data", wait_s=0.2, say=said.append),
    ):
        pass
    with DataDirectory(tmp_path / "data", orphan_grace_s=0.2, say=said.append):
        assert first.none_left()
    assert (
        said
        == [f"Waiting until the servers of the earlier start on {tmp_path / 'data'} have ended."]
        * 2
    )
