"""`D/run.json`, readable by its owner alone: where everything is while a machine runs."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

from hospital_ops.commands.machine import Machine
from hospital_ops.errors import ConfigurationError
from hospital_ops.settings import Settings

READY_WITHIN_S: Final = 90.0
POLL_S: Final = 0.1


class RunFile:
    """Addresses, process ids and whether all ways work; `describe` adds what else there is."""

    def __init__(
        self, wanted: Settings, describe: Callable[[], Mapping[str, Any]] = lambda: {}
    ) -> None:
        self.path = wanted.data_dir / "run.json"
        self.http = f"http://127.0.0.1:{wanted.http_port}"
        self.mllp = f"127.0.0.1:{wanted.mllp_port}"
        self.describe = describe
        self.ready = False
        self._running: Machine | None = None
        self._pids: dict[str, int] = {}

    def begin(self, running: Machine) -> None:
        """The machine whose addresses it tells."""
        self._running = running
        self.write()

    def pids_changed(self, pids: Mapping[str, int]) -> None:
        """A child has a new process."""
        self._pids = dict(pids)
        self.write()

    def write(self) -> None:
        """Writes the file anew, in one step."""
        if self._running is None:
            return
        content: dict[str, Any] = {
            "http": self.http,
            "mllp": self.mllp,
            "redis_url": self._running.redis_url,
            "database_url": self._running.database_url,
            "pids": {"main": os.getpid(), **self._pids},
            "ready": self.ready,
            **self.describe(),
        }
        new = self.path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
        new.replace(self.path)

    async def until_ready(self) -> None:
        """Returns when a probe has come through to every board; ConfigurationError after 90 s."""
        problems = ["the web role does not answer"]
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while problems:
                    await asyncio.sleep(POLL_S)
                    problems = await asyncio.to_thread(_problems, self.http)
        except TimeoutError as error:
            raise ConfigurationError(f"It did not become ready: {' '.join(problems)}") from error
        self.ready = True
        self.write()

    def end(self) -> None:
        """Nothing runs any more."""
        self._running = None
        self.path.unlink(missing_ok=True)


def _problems(http: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"{http}/readyz", timeout=2) as answer:  # noqa: S310
            found: list[str] = json.load(answer)["problems"]
    except urllib.error.HTTPError as error:
        found = json.load(error).get("problems", [str(error)])
    except OSError as error:
        found = [str(error)]
    return found
