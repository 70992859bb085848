"""Row `board.drops`: what a wall of 50 beds in a real browser shows of what its beds sent.

Every value bears its moment, and the page writes it beside the number: what the page has shown is
collected there, and held against what was sent. Needs Chromium and Playwright (`dev.py test` brings
them); the row is missing without.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import Any, Final

import psutil
import uvloop

from benchmarks.program import program
from benchmarks.stage import furnish, stage, wall_token

BEDS: Final = 50
SETTLE_S: Final = 3.0  # until what was sent last is on the screen
READY_MS: Final = 60_000
# Collects every moment that each value of the page has shown, and counts the frames.
WATCH: Final = """
() => {
  window.shown = {};
  window.frames = 0;
  const note = (node) => {
    if (!node.matches?.(".v[data-at]") || node.dataset.at === "0") return;
    (window.shown[node.id] ??= new Set()).add(node.dataset.at);
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") note(change.target);
      for (const node of change.addedNodes) {
        note(node);
        for (const inner of node.querySelectorAll?.(".v[data-at]") ?? []) note(inner);
      }
    }
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-at"] });
  const frame = () => { window.frames += 1; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
"""
COUNT: Final = """
() => ({
  moments: Object.fromEntries(Object.entries(window.shown).map(([id, seen]) => [id, seen.size])),
  frames: window.frames,
  waves: document.querySelectorAll(".tile canvas").length,
})
"""
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The row `board.drops`; none where there is no browser."""
    return [row for row in [uvloop.run(_drops(8.0 if quick else 60.0))] if row]


async def _drops(seconds: float) -> Row | None:
    try:
        from playwright.async_api import Error, async_playwright  # not of the product
    except ImportError:
        return None
    async with stage() as on, async_playwright() as playwright:
        (unit,) = await furnish(on, beds=BEDS)
        token = await wall_token(on)
        for role in ("live", "web"):
            await on.role(role)
        try:
            browser = await playwright.chromium.launch(
                executable_path=os.environ.get("HOSPITAL_OPS_CHROMIUM") or shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu"],
            )
        except Error:
            return None
        async with program(
            "clients.beds", redis=on.redis_url, units={unit: BEDS}, seconds=seconds, waves=True,
            least=False,
        ) as ward:  # fmt: skip
            address = f"http://127.0.0.1:{on.http_port}"
            context = await browser.new_context(viewport={"width": 1920, "height": 1080})
            await context.add_cookies(
                [{"name": "session", "value": token, "url": address, "httpOnly": True}]
            )
            page = await context.new_page()
            await page.goto(f"{address}/icu/{unit}")
            await page.wait_for_selector("html[data-link=live]", timeout=READY_MS)
            await page.evaluate(WATCH)
            before = _cpu_s()
            await ward.tell()
            sent = await ward.result()
            await asyncio.sleep(SETTLE_S)
            used = _cpu_s() - before
            found = await page.evaluate(COUNT)
        await browser.close()
    each = sent["sent"] // BEDS
    moments: dict[str, int] = found["moments"]
    assert len(moments) >= BEDS, f"the ledger: only {len(moments)} values were shown"
    return {
        "id": "board.drops",
        "value": sum(max(0, each - seen) for seen in moments.values()),
        "n": sum(moments.values()),
        "note": f"{len(moments)} values of {BEDS} beds, {each} times each; "
        f"{found['frames'] / (seconds + SETTLE_S):.0f} frames a second, {found['waves']} waves, "
        f"browser {used / seconds:.2f} core without a graphics card",
    }


def _cpu_s() -> float:
    """Seconds of processor time of every process of the browser."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            if "chrom" in child.name():
                total += sum(child.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    print(rows(quick=True))
