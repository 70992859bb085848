"""What is asked of a unit with one stay: its statistics, and the clock of sepsis."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import SystemClock
from hospital_ops.identity import patient_id
from tests.integration.web_help import UNIT

MRN = "4711"
PATIENT = patient_id("h1", MRN)
NOW = SystemClock().now_us


async def of_the_unit_and_of_nobody(house: Any) -> None:
    """The statistics of a unit: small numbers are not told, and nothing is of a person."""
    status, found = await house.call("h1-nurse", f"/units/{UNIT}/statistics?days=7", method="GET")
    assert (status, found["days"], found["mode"]) == (200, 7, "Test")
    assert found["counts"]["admissions"] is None  # one: fewer than five
    assert found["counts"]["death"] == 0
    assert found["occupancy"] is None
    assert not {PATIENT, MRN, "h1-nurse"} & set(str(found).replace("'", " ").split())
    for who in ("h2-doctor", "h1-wall"):
        assert (await house.call(who, f"/units/{UNIT}/statistics", method="GET"))[0] == 404
    for language, word in (("en", "fewer than 5"), ("ru", "меньше 5")):
        page = await house.http.get(
            f"/icu/{UNIT}/statistics?lang={language}", headers=house.running.bearer("h1-nurse")
        )
        assert word in page.text
