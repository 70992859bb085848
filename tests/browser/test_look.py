"""The boards in a real browser: values age by themselves, a silent server shows, nothing is cut.

The pages come from a small stage with made-up cells; Chromium is the only thing that judges them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from hospital_ops.board import BedCell, CallCell
from tests.browser import made_up
from tests.browser.axe import assert_accessible
from tests.browser.made_up import alarm, bed, live, spot, values
from tests.browser.stage import Stage, now_us, running
from tests.browser.touching import TOUCHING
from tests.browser.ward import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
FORMS = [("en", "dark"), ("ru", "light")]  # colours do not hang on words; --long: every mix
if os.environ.get("HOSPITAL_OPS_LONG"):
    FORMS += [("en", "light"), ("ru", "dark")]
HR, MAP = "#bed-h1-icu-1-01-8867-4", "#bed-h1-icu-1-01-76214-6"
PAGES = (
    "/icu/h1-icu-1?demo=1&", "/icu/h1-icu-1?mode=wall&", "/ed/h1-ed?", "/ed/h1-ed?empty=1&",
    "/sign-in?error=No&", "/error?", "/?",
)  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """The browser of the session; a test's pages are closed with it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest.fixture
def stage() -> Any:
    """Two quiet beds on a running stage."""
    now = now_us()
    with running(Stage([bed(1, now), bed(2, now)])) as started:
        yield started


async def opened(browser: Browser, address: str, **context: Any) -> Page:
    """A page at an address, its fonts loaded; an error in its program is kept in the page."""
    page = await browser.new_page(**context)
    await page.add_init_script(
        "window.complaints = []; onerror = (words) => { complaints.push(String(words)); };"
    )
    await page.goto(address)
    await page.evaluate("document.fonts.ready")
    return page


async def unharmed(page: Page) -> bool:
    """Whether the page's program ran without an error."""
    return bool(await page.evaluate("complaints.length === 0"))


async def test_a_value_grows_stale_and_is_withdrawn_without_any_message(
    browser: Browser, stage: Stage
) -> None:
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    now = now_us()
    old = {**values(1, now), "8867-4": live(123, "/min", now, 3), "8310-5": spot(38.1, "Cel", now)}
    stage.show(bed(1, now, values=old))  # and then nothing but beats
    hr = page.locator(HR)
    await expect(hr.locator(".n")).to_have_text("123")
    await expect(hr).to_have_attribute("data-q", "stale")
    await expect(hr.locator(".ago")).to_contain_text(" s")
    await expect(hr).to_have_attribute("data-q", "gone")
    await expect(hr.locator(".n")).to_have_text("– –")
    await expect(hr).not_to_contain_text("123")
    await expect(page.locator("#bed-h1-icu-1-01-8310-5 .n")).to_have_text("38.1")
    await expect(page.locator("#bed-h1-icu-1-01 .foot")).to_have_attribute("data-late", "yes")
    # The same number measured again comes back, though only its moments are sent.
    again = {**old, "8867-4": live(123, "/min", now_us(), 0)}
    before = stage.beds["h1-icu-1-01"]
    stage.show(msgspec.structs.replace(before, values=again))
    await expect(hr.locator(".n")).to_have_text("123")
    assert await unharmed(page)


async def test_a_new_value_is_swapped_in_its_cell_and_the_tile_stays(
    browser: Browser, stage: Stage
) -> None:
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    await page.evaluate("document.querySelector('.tile').kept = true")
    now = now_us()
    stage.show(bed(1, now, values={**values(1, now), "8867-4": live(141, "/min", now)}))
    await expect(page.locator(f"{HR} .n")).to_have_text("141")
    low = {**values(1, now), "76214-6": live(48, "mm[Hg]", now)}
    red = alarm("high", "map_low", "76214-6", "MAP 48 < 60", now)
    stage.show(bed(1, now, values=low, alarms=(red,)))
    await expect(page.locator("#bed-h1-icu-1-01 .foot .words").first).to_have_text("MAP 48 < 60")
    await expect(page.locator("#queue li")).to_contain_text(["1 · MAP 48 < 60"])
    assert await page.evaluate("document.querySelector('.tile').kept") is True
    await expect(page.locator("[data-part=status]")).to_contain_text("1 red")

    async def confirmed() -> bool:
        return stage.painted[-1:] == [{"type": "painted", "rev": stage.rev}]

    await until(confirmed)
    assert await unharmed(page)


async def test_not_live_when_the_server_falls_silent_and_back_when_it_speaks(
    browser: Browser, stage: Stage
) -> None:
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1?mode=wall")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    number = await page.locator(f"{HR} .n").inner_text()
    stage.beating = False
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await expect(page.get_by_role("alertdialog")).to_contain_text("Look at the bedside monitors")
    await expect(page.locator(f"{HR} .n")).to_have_text(number)
    await expect(page.locator(f"{HR} .at")).to_contain_text(":")
    covered = await page.evaluate(
        "s => document.querySelector(s).getBoundingClientRect().top"
        " < document.querySelector('.lost').getBoundingClientRect().bottom",
        HR,
    )
    assert not covered
    stage.beating = True
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    assert "rev=7" in stage.asked[-1]
    assert await unharmed(page)


async def test_a_page_without_its_program_says_so_by_itself(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(f"{stage.address}/icu/h1-icu-1")
    await expect(page.get_by_role("alertdialog")).to_be_visible()


async def test_a_missing_revision_is_asked_for_again(browser: Browser, stage: Stage) -> None:
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    sockets, now = len(stage.asked), now_us()
    lost, stage.sockets = stage.sockets, set()
    stage.show(bed(1, now))  # nobody gets this one
    stage.sockets = lost
    stage.show(bed(2, now, values={**values(2, now), "8867-4": live(150, "/min", now)}))

    async def asked_again() -> bool:
        return len(stage.asked) > sockets

    await until(asked_again)
    assert "rev=7" in stage.asked[-1]
    assert await unharmed(page)


TRACED = """() => {
  for (const wave of document.querySelectorAll(".wave:empty")) {
    const trace = document.createElement("div");
    Object.assign(trace, { className: "trace" }).dataset.row = "1";
    wave.append(trace);
  }
}"""
# The last words of a line that may end in three dots, after what has to be seen.
MAY_END = ".calls, .quiet, .who"
# Whether the first 60 px of each are inside the line that hides what is too long.
SEEN = """(wanted) => [...document.querySelectorAll(wanted)].filter((node) => node.offsetWidth)
  .map((node) => {
    const [mine, line] = [node, node.closest("p")].map((each) => each.getBoundingClientRect());
    return mine.left + Math.min(60, mine.width) <= line.right + 1;
  })"""
# With a trace in each tile: how many second lines of values lie half under the next one.
HALVED = """() => {
  const trace = () => document.createElement("div");
  for (const wave of document.querySelectorAll(".wave:empty")) wave.append(trace());
  return [...document.querySelectorAll(".row2")].filter((row) => {
    const box = (node) => node?.getBoundingClientRect();
    const [line, value] = [row, row.querySelector(".v dd")].map(box);
    return line.height && value?.width && value.bottom > line.bottom + 2;
  }).length;
}"""


@pytest.mark.parametrize("beds", [4, 12, 24, 50])
@pytest.mark.parametrize("lang", ["en", "ru"])
async def test_three_digits_fit_in_each_of_the_three_values(
    browser: Browser, stage: Stage, beds: int, lang: str
) -> None:
    now = now_us()
    wide = {"8867-4": live(128, "/min", now), "59408-5": live(100, "%", now)}
    wide |= {"76214-6": live(105, "mm[Hg]", now)}
    called = (CallCell("unit", "", now),)
    ringing = tuple(alarm("medium", "x", code, "x", now, called=called) for code in wide)

    def busy(n: int) -> BedCell:
        flagged = made_up.known(n, now) if n % 2 else {}
        return bed(n, now, values={**values(n, now), **wide}, alarms=ringing, **flagged)

    stage.beds = {cell.bed: cell for cell in map(busy, range(1, beds + 1))}
    viewport = {"width": 1920, "height": 1080}
    page = await opened(
        browser, f"{stage.address}/icu/h1-icu-1?mode=wall&lang={lang}", viewport=viewport
    )
    cut = await page.evaluate("""() => [...document.querySelectorAll(".vitals .v")].filter((v) => {
        const inner = v.querySelector(".n").getBoundingClientRect();
        const tile = v.closest(".tile").getBoundingClientRect();
        const next = v.nextElementSibling?.querySelector(".n").getBoundingClientRect();
        const besides = next && Math.abs(next.top - inner.top) < 4;
        const out = inner.right > tile.right || inner.left < tile.left;
        return out || (besides && inner.right > next.left);
    }).length""")
    assert cut == 0
    hidden = await page.evaluate("""() => {
        const box = (node) => node.getBoundingClientRect();
        return [...document.querySelectorAll(".flags li, .next")].filter((node) => {
            const [tag, tile] = [box(node), box(node.closest(".tile"))];
            const foot = box(node.closest(".tile").querySelector(".foot"));
            const cut = tag.right > tile.right || tag.bottom > foot.top + 1;
            return tag.width && (cut || foot.bottom > tile.bottom + 1);
        }).length; }""")
    assert hidden == 0  # flags and the next order are seen whole, and so is the last line
    assert await page.locator(".flags li").count() == 3 * len(range(1, beds + 1, 2))
    await page.set_viewport_size({"width": 1440, "height": 810})
    assert await page.evaluate(HALVED) == 0  # the trace gives way to a line of calls, no value
    await page.set_viewport_size({"width": 1920, "height": 1080})
    fits = "() => [document.documentElement.scrollHeight, document.documentElement.scrollWidth]"
    assert await page.evaluate(fits) == [1080, 1920]


async def test_three_digits_of_a_large_tile_without_a_curve_stand_whole(
    browser: Browser, stage: Stage
) -> None:
    """A heart rate of 128 must not read 12, its last digit behind the value beside it."""
    now = now_us()
    wide = {"8867-4": live(128, "/min", now), "59408-5": live(100, "%", now)}
    wide |= {"76214-6": live(105, "mm[Hg]", now)}
    beds = [bed(n, now, values={**values(n, now), **wide}) for n in (1, 2)]
    stage.beds = {cell.bed: cell for cell in beds}
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1")
    await page.evaluate("document.querySelectorAll('.wave').forEach((it) => it.replaceChildren())")
    for width in (700, 1180, 1280, 1920):
        await page.set_viewport_size({"width": width, "height": 820})
        cut = await page.evaluate("""() => [...document.querySelectorAll(".vitals dd")]
            .filter((dd) => dd.scrollWidth > dd.clientWidth).map((dd) => dd.innerText)""")
        assert cut == []


@pytest.mark.parametrize(("beds", "lang"), [(4, "en"), (12, "ru"), (24, "ru"), (50, "en")])
async def test_no_words_of_a_crowded_tile_lie_over_others(
    browser: Browser, stage: Stage, beds: int, lang: str
) -> None:
    stage.beds = {cell.bed: cell for cell in made_up.crowded(beds, now_us())}
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1?mode=wall&demo=1&lang={lang}")
    for width, height in ((1920, 1080), (1440, 900)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.evaluate(TRACED)
        assert await page.evaluate(TOUCHING, MAY_END) == []
        # Until when a bed makes no sound, and when the next person is called, are not cut.
        until_when = await page.evaluate(SEEN, ".who .quiet, .calls time")
        assert until_when.count(False) == 0 < len(until_when)


@pytest.mark.parametrize(("lang", "scheme"), FORMS)
async def test_axe_finds_nothing(browser: Browser, stage: Stage, lang: str, scheme: Any) -> None:
    now = now_us()
    stage.beds = {cell.bed: cell for cell in made_up.ward(13, now)}
    for path in PAGES:
        page = await opened(
            browser, f"{stage.address}{path}lang={lang}", color_scheme=scheme,
            reduced_motion="reduce", viewport={"width": 1920, "height": 1080},
        )  # fmt: skip
        await assert_accessible(page, path)
        assert await unharmed(page)
        await page.close()


@pytest.mark.parametrize("path", ["/icu/h1-icu-1?beds=12", "/ed/h1-ed", "/sign-in", "/"])
async def test_a_narrow_page_is_one_column_and_nothing_runs_off(
    browser: Browser, stage: Stage, path: str
) -> None:
    page = await opened(browser, stage.address + path, viewport={"width": 320, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_keys_move_over_tiles_and_letters_can_be_switched_off(
    browser: Browser, stage: Stage
) -> None:
    page = await opened(browser, f"{stage.address}/icu/h1-icu-1")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    assert await page.evaluate("document.activeElement.id") == "bed-h1-icu-1-02"
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    await page.get_by_role("checkbox").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keys")).to_be_hidden()
    await page.get_by_role("button", name="Light or dark").click()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("mode", ["desk", "touch"])
async def test_what_is_signed_can_be_read_on_a_tablet(
    browser: Browser, stage: Stage, lang: str, mode: str
) -> None:
    """At 1180 px no name of a set runs out of its panel, and no item is cut in its field."""
    size: Any = {"width": 1180, "height": 820}
    page = await opened(browser, "about:blank", viewport=size)
    for order_set in ("sepsis", "major_haemorrhage"):
        await page.goto(f"{stage.address}/panel?lang={lang}&mode={mode}&set={order_set}")
        await page.evaluate("document.fonts.ready")
        cut = await page.evaluate("""() =>
            [...document.querySelectorAll(".orders .set [name^=text-]")]
            .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
            .map(e => e.value)""")
        assert cut == []
        beyond = await page.evaluate("""() => [...document.querySelectorAll(".orders button")]
            .filter(e => { const edge = e.closest(".orders").getBoundingClientRect().right;
                return e.getBoundingClientRect().right > edge || e.scrollWidth > e.clientWidth + 1;
            }).map(e => e.textContent)""")
        assert beyond == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1180
