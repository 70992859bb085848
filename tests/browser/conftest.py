"""One demonstration and one Chromium for all browser tests of the whole system."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.ward import Ward, running
from tests.patience import PATIENCE_S

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

expect.set_options(timeout=PATIENCE_S * 1000)


def chromium_path() -> str | None:
    """Chromium as the setting or the machine has it; None: Playwright's own."""
    return os.environ.get("HOSPITAL_OPS_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """Two hospitals with twenty-four intensive care beds each; no device sends by itself.

    A test that says what a bed does NOT show has a bed that no other test uses.
    """
    data = tmp_path_factory.mktemp("browser") / "data"
    with running(data, "--no-simulators", "--icu-beds", "24", "--ambulances", "2") as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser; each test has contexts of its own."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def clear_street(ward: Ward) -> AsyncIterator[None]:
    """What a test has called in is cancelled after it: no case of one rings in another."""
    yield
    await ward.clear_the_street()
