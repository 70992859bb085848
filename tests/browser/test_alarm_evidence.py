"""A heart that seems to stand still: it rings, says why it may be false, shows its strip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
from playwright.async_api import Browser, expect

from hospital_ops.ecg.replay import Recorded
from hospital_ops.ecg.synthetic import Loop, heart_loops
from simulators.synthetic import synthetic_course
from simulators.wave_device import WaveDevice, WavePlan
from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")
BED = "h2-icu-1-11"
ECG_II, PLETH = "131330", "150452"


def seeming_standstill() -> Recorded:
    """Ten seconds of a heart, then a lead without a beat beside a pulse that goes on."""
    heart, pulse = heart_loops(75)
    beats = np.resize(np.frombuffer(heart.samples, "<i2"), 10 * 250)
    silence = np.rint(2 * np.random.default_rng(7).standard_normal(300 * 250)).astype("<i2")
    lead = Loop(np.concatenate([beats, silence]).tobytes(), 250, heart.scale, 0.0, "mV")
    wave = np.resize(np.frombuffer(pulse.samples, "<i2"), 310 * 125)
    pleth = Loop(wave.astype("<i2").tobytes(), 125, pulse.scale, 0.0, "1")
    return Recorded({ECG_II: lead, PLETH: pleth}, ())


@asynccontextmanager
async def playing(ward: Ward) -> AsyncIterator[None]:
    run = ward.run
    token = next(d["token"] for d in run["devices"] if d.get("bed") == BED)
    plan = WavePlan(
        url=run["http"].replace("http", "ws", 1) + "/ws/v1/devices", token=token, bed=BED,
        course=synthetic_course(7, BED), seed=7, recording=seeming_standstill(),
    )  # fmt: skip
    task = asyncio.create_task(WaveDevice(plan).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_standstill_with_a_pulse_rings_says_why_it_may_be_false_and_shows_its_strip(
    ward: Ward, chromium: Browser
) -> None:
    async with playing(ward):
        page = await ward.open(chromium, "nurse.h2", f"/icu/beds/{BED}")
        # Nobody has touched the page yet: the browser keeps it silent, and the bar says so.
        await expect(page.locator("[data-part=mute]")).to_be_visible()
        alarms = page.locator("#bed-alarms")
        await expect(alarms).to_contain_text("Asystole")
        await expect(alarms).to_contain_text("Probably false: pleth: regular pulse")
        await expect(alarms).to_contain_text("It rings all the same")
        await expect(page.locator("html[data-sounds=high]")).to_be_attached()
        await page.wait_for_function("Number(document.documentElement.dataset.bursts) >= 1")

        await alarms.get_by_role("button", name="Evidence").first.click()
        strip = page.locator("#bed-evidence canvas[data-painted]")
        await expect(strip).to_be_visible()
        await page.wait_for_function(
            "Number(document.querySelector('#bed-evidence canvas').dataset.painted) > 2000"
        )
        evidence = page.locator("#bed-evidence")
        await expect(evidence).to_contain_text("no QRS for >= limit s")
        await expect(evidence).to_contain_text("changed by nobody")
        await assert_accessible(page)

        await alarms.get_by_role("button", name="Acknowledge").first.click()
        await expect(page.locator("html[data-sounds='']")).to_be_attached()
        await page.context.close()
