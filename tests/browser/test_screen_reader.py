"""The way through each page by ear is as docs/screen-reader.md says: roles, names, order."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.ward import ROOT, WELL, Ward

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
PAGE: Final = re.compile(r"^## [^\n]*: (/\S+)$", re.MULTILINE)
LINE: Final = re.compile(r"^- (\w+)(?:: (.+))?$", re.MULTILINE)
AFTER: Final = """([one, other]) => one === other || one.contains(other)
  || Boolean(one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING)"""


def paths() -> dict[str, list[tuple[str, str]]]:
    """Of each page its address and the roles and names of its way."""
    text = (ROOT / "docs" / "screen-reader.md").read_text("utf-8")
    _, *parts = PAGE.split(text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {address: LINE.findall(steps) for address, steps in pairs}


def found(page: Page, role: Any, name: str) -> Locator:
    """The first element that a screen reader calls so."""
    by_name: dict[str, Any] = {"name": name, "exact": True} if name else {}
    return page.get_by_role(role, **by_name).first


async def walk(page: Page, address: str, steps: list[tuple[str, str]]) -> None:
    """Every step is there, and after the one before it."""
    before = None
    for role, name in steps:
        wanted = found(page, role, name)
        await expect(wanted, f"{address}: {role} {name}").to_be_attached()
        element = await wanted.element_handle()
        if before is not None:
            assert await page.evaluate(AFTER, [before, element]), f"{address}: {role} {name} order"
        before = element


async def test_each_page_is_walked_by_ear_in_the_order_that_is_described(
    ward: Ward, chromium: Browser
) -> None:
    vehicle = ward.ambulance("h1-tablet-2")
    await vehicle.call(complaint="chest_pain", signs=["stridor"])
    await vehicle.measure(WELL)
    page = await ward.open(chromium, "triage.h1", "/?lang=en")
    assert len(paths()) >= 8
    for address, steps in paths().items():
        assert steps, address
        who = "ed.h1" if "settings" in address else ""
        shown = page if not who else await ward.open(chromium, who, "/?lang=en")
        await shown.goto(ward.http + address.replace("{case}", vehicle.case) + "?lang=en")
        await walk(shown, address, steps)
        if who:
            await shown.context.close()
    await page.context.close()
