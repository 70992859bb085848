"""What is asked of a unit with one stay: its statistics, and the clock of sepsis."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import SystemClock
from hospital_ops.codes import by_key
from hospital_ops.identity import patient_id
from tests.integration.streams_help import observed, until
from tests.integration.web_help import BED, UNIT

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


async def the_clock_of_sepsis(house: Any, stay: str) -> None:
    """Off until a physician marks the recognition; what is done is marked, and taken back."""
    path = f"/beds/{BED}/sepsis"
    begin = {"act": "start", "category": "shock", "stay": stay, "minutes_ago": 61}
    assert (await house.call("h1-nurse", path, method="GET"))[1]["clock"] is None
    assert (await house.call("h1-nurse", path, begin))[0] == 404
    assert (await house.call("h2-doctor", path, begin))[0] == 404
    assert (await house.call("h1-doctor", path, begin | {"category": "maybe"}))[0] == 400
    assert (await house.call("h1-doctor", path, begin | {"stay": PATIENT}))[0] == 409
    status, found = await house.call("h1-doctor", path, begin)
    states = {one["element"]: one["state"] for one in found["clock"]["elements"]}
    assert (status, states["antibiotic"], states["vasopressor"]) == (200, "overdue", "not_asked")
    assert (await house.call("h1-doctor", path, begin))[0] == 409  # one clock a stay
    done = {"act": "done", "element": "antibiotic", "minutes_ago": 30}
    assert (await house.call("h1-nurse", path, done | {"minutes_ago": 62}))[0] == 400
    found = (await house.call("h1-nurse", path, done))[1]["clock"]["elements"]
    assert next(one for one in found if one["element"] == "antibiotic")["state"] == "done"
    assert (await house.call("h1-nurse", path, done))[0] == 409
    assert (await house.call("h1-nurse", path, done | {"act": "undo"}))[0] == 200
    assert (await house.call("h1-nurse", path, done | {"act": "undo"}))[0] == 409
    lactate = observed(3.1, NOW(), code=by_key["lactate"].code)
    await house.running.web.appender.append(UNIT, lactate)

    async def counted() -> bool:
        clock = (await house.call("h1-nurse", path, method="GET"))[1]["clock"]
        return any(
            one["element"] == "lactate" and one["state"] == "late" and one["at"]
            for one in clock["elements"]
        )

    await until(counted, "the laboratory's lactate counts by itself")
    for language, word in (("en", "Sepsis: first hours"), ("ru", "Сепсис: первые часы")):
        page = await house.http.get(
            f"/icu/beds/{BED}/sepsis?lang={language}", headers=house.running.bearer("h1-nurse")
        )
        assert word in page.text
    assert (await house.call("h1-nurse", path, {"act": "end"}))[0] == 404
    assert (await house.call("h1-doctor", path, {"act": "end"}))[1]["clock"] is None
    audited = await house.rows.fetch("select action from audit where action like '%sepsis%'")
    assert {"start_sepsis_clock", "mark_sepsis", "unmark_sepsis", "end_sepsis_clock"} <= {
        row["action"] for row in audited
    }
