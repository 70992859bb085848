"""axe-core on a page: every rule of WCAG 2.2 A and AA, and its best practices."""

from __future__ import annotations

from typing import Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

# Of what passes only one element a rule is kept: what is reported is what fails.
OPTIONS: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


async def assert_accessible(page: Page, said: str = "") -> None:
    """axe finds nothing; otherwise its report, after what the caller says of the page."""
    found = await Axe().run(page, options=OPTIONS)
    assert found.violations_count == 0, f"{said} {found.generate_report()}"
