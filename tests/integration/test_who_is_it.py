"""Values without a patient, devices at beds, mother and child: by the pages, to the archive."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.access import Scope
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.database import CheckViolation, Connection, Database
from hospital_ops.identity import patient_id
from hospital_ops.installation import store as installation
from hospital_ops.servers.valkey import Valkey
from hospital_ops.standing.rules import EFFECT_US, bed_at
from icu.filing import store as filing
from icu.filing.store import Span
from streams.pipe import Pipe
from streams.projections import Projections
from tests.integration.refiling_walks import (
    none_waits,
    one_refiling_waits,
    told_far_too_late,
    twenty_minutes_in_each_bed,
)
from tests.integration.streams_help import (
    HALL,
    admitted,
    icu_room,
    living,
    observed,
    relaying,
    storing,
    until,
)
from tests.integration.two_hospitals import ADMIN
from tests.integration.web_help import BED, OTHER_BED, UNIT, Running, web_process
from web import store
from web.trends import store as trends

NOW = SystemClock().now_us
ICU = Scope("h1", ("*",), "icu_physician", "icu.h1")
PULSE = "8867-4"
HERE = f"/icu/beds/{BED}/binding"
NOT = {"not": "yes"}


class House:
    """Everything at work, and a nurse who presses."""

    def __init__(self, running: Running, http: httpx2.AsyncClient, rows: Connection) -> None:
        self.running, self.http, self.rows = running, http, rows

    async def press(self, what: str, who: str = "h1-nurse", bed: str = BED, **form: str) -> int:
        """The status of a form of the page."""
        path = f"/icu/beds/{bed}/binding/{what}"
        answer = await self.http.post(path, data=form, headers=self.running.bearer(who))
        return answer.status_code

    async def page(self, who: str = "h1-nurse", bed: str = BED) -> str:
        """The page of a bed."""
        path = f"/icu/beds/{bed}/binding"
        return (await self.http.get(path, headers=self.running.bearer(who))).text

    async def cell(self, what: str, bed: str = BED, *flags: str) -> BedCell:
        """The bed on the board once it has these flags."""

        async def now() -> BedCell | None:
            cell = self.running.web.feeds[UNIT].cells.get(bed)
            there = isinstance(cell, BedCell) and set(flags) <= set(cell.flags)
            return cell if there and isinstance(cell, BedCell) else None

        found = await until(now, what)
        assert isinstance(found, BedCell)
        return found

    async def says(self, what: str, bed: str = BED) -> str:
        """The page of a bed once it shows `what`."""

        async def now() -> str:
            text = await self.page(bed=bed)
            return text if what in text else ""

        return str(await until(now, f"the page shows {what}"))

    async def audited(self) -> set[str]:
        """What the audit has of acts."""
        rows = await self.rows.fetch("select action from audit")
        return {row["action"] for row in rows}


@pytest.fixture
async def house(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> AsyncIterator[House]:
    pipe = Pipe(fresh_valkey.url)
    async with (
        web_process(pipe.url, app) as running,
        living(pipe.url, "one", icu_room),
        storing(pipe.url, writer, shards=(UNIT, HALL)),
        relaying(pipe, writer),
        running.client() as http,
    ):
        yield House(running, http, superuser)
    await pipe.close()


async def test_values_of_nobody_are_shown_ring_and_are_filed_when_somebody_says_whose_they_are(
    house: House, app: Database
) -> None:
    web, start = house.running.web, NOW() - 300 * SECOND
    early = [observed(float(60 + n), start + n * 10 * SECOND) for n in range(20)]
    await web.appender.append_many(UNIT, [(one, b"raw") for one in early])
    await web.appender.append(UNIT, observed(230.0, NOW()))
    cell = await house.cell("the bed is shown without a patient", BED, "patient_not_confirmed")
    assert cell.patient is None
    rings = await until(
        lambda: _ringing(house), "a heart rate of 230 rings without a patient, at the unit's limits"
    )
    assert rings

    assert await house.press("patient", act="admit", number="4711", family="Frei") == 303
    text = await house.says("4711")
    await house.says("21 value")
    assert "Frei" in text
    (span,) = await _spans(app)
    exact = {"first": str(span.first), "last": str(span.last), "place": BED, "mode": "Test"}
    form = exact | {"act": "file", "device": span.device, "number": "4711"}
    seconds = {"from": _field(span.first), "until": _field(span.last)}
    assert await house.press("filings", who="h2-nurse", **form, **seconds) == 404
    assert await house.press("filings", **form | {"number": "4712"}, **seconds) == 404
    assert await house.press("filings", **form, **seconds) == 303
    assert await house.press("filings", **form, **seconds) == 409  # once

    whose = patient_id("h1", "4711")
    lines = [
        wire.from_json(line)
        async for part in store.measurements(app, ICU, BED, PULSE, None, None)
        for line in part.splitlines()
    ]
    assert [line["patient_id"] for line in lines] == [whose] * 21
    (newest,) = await store.latest_values(app, ICU, whose)
    assert newest["value"] == 230.0
    drawn = await trends.trends(app, ICU, BED, [PULSE], start, NOW(), 10 * SECOND)
    assert sum(point.number for point in drawn[PULSE].points) == 21
    assert (await trends.span(app, ICU, BED) or (0, 0))[0] == start
    late = observed(55.0, start + 5 * SECOND)  # of that time, and told only now
    await web.appender.append(UNIT, late)

    async def told() -> bool:
        found = await trends.trends(app, ICU, BED, [PULSE], start, NOW(), 10 * SECOND)
        return sum(point.number for point in found[PULSE].points) == 22

    await until(told, "what comes late of a filed time belongs to the patient too")

    await _taken_back(house, app, whose, start)


async def _taken_back(house: House, app: Database, whose: str, start: int) -> None:
    """A filing that was wrong is nobody's again, and stays in the record."""
    (row,) = await house.rows.fetch("select filing from filing")
    one = {"act": "take_back", "id": str(row["filing"])}
    assert await house.press("filings", **one, why="") == 422
    assert await house.press("filings", **one, why="another bed") == 303
    assert await house.press("filings", **one, why="again") == 409
    assert await store.latest_values(app, ICU, whose) == []
    assert PULSE not in await trends.trends(app, ICU, BED, [PULSE], start, NOW(), 10 * SECOND)
    assert "another bed" in await house.page()
    assert {"admit", "file_values", "take_back_filing"} <= await house.audited()
    assert (
        await house.rows.fetchval("select count(*) from measurement where patient_id = $1", whose)
        == 0
    )


async def _ringing(house: House) -> bool:
    cell = house.running.web.feeds[UNIT].cells.get(BED)
    found = cell.alarms if isinstance(cell, BedCell) else ()
    return any(alarm.priority == "high" and alarm.about == PULSE for alarm in found)


async def _spans(app: Database) -> list[Span]:
    async with app.transaction(ICU) as connection:
        return await filing.nobodys(connection, [BED], NOW())


def _field(at: int) -> str:
    return iso(at)[:19]  # the unit of these tests lives in UTC


async def test_a_device_is_bound_to_a_bed_by_people_with_its_history_and_never_to_the_wrong_kind(
    house: House, app: Database, writer: Database
) -> None:
    by, at = ADMIN["h1"], NOW() - 3600 * SECOND
    async with app.transaction(by) as connection:
        for device, mode in (("mon-1", "Real"), ("mon-2", "Demo")):
            await installation.ensure_device(
                connection, by, device, "monitor", mode, at, UNIT, OTHER_BED, f"10.0.0.{device[-1]}"
            )
        await installation.ensure_device(connection, by, "gate", "gateway", "Real", at)
    assert await house.press("devices", act="bind", device="10.0.0.1", **{"from": "qr"}) == 303
    text = await house.page()
    assert 'data-device="mon-1"' in text
    assert "by the code at the bed" in text
    assert "mon-1 came" in text
    assert "mon-1 left" in await house.page(bed=OTHER_BED)
    assert await house.press("devices", act="unbind", device="mon-1", version="1") == 409
    assert await house.press("devices", act="bind", device="gate") == 409
    assert await house.press("devices", act="bind", device="nothing") == 404
    assert await house.press("devices", who="h1-wall", act="bind", device="mon-1") == 404
    assert await house.press("devices", who="h2-nurse", act="bind", device="mon-1") == 404

    await _demo_is_refused(house, app)
    # What the way in knows: where it stood when, by its id and by its address.
    assert await house.press("devices", act="unbind", device="mon-1", version="2") == 303
    rows = await installation.projection_rows(writer, NOW())
    projections = Projections(house.running.web.appender.pipe)
    await projections.keep(rows, NOW(), "Test")
    stands = (await projections.places()).standing("h1", "10.0.0.1")
    assert [one.bed for one in stands] == [OTHER_BED, BED, ""]
    assert bed_at(stands, stands[1].from_at) == BED
    assert stands[1].from_at - NOW() < EFFECT_US
    assert {"bind_device", "unbind_device"} <= await house.audited()


async def _demo_is_refused(house: House, app: Database) -> None:
    """A real patient comes to the bed: the demo's monitor is refused, by page and database."""
    superuser = house.rows
    real = wire.replaced(admitted("77", NOW()), mode="Real")
    await house.running.web.appender.append(UNIT, real)
    await until(
        lambda: superuser.fetchval("select stay from stay where mode = 'Real'"), "the stay is known"
    )
    assert await house.press("devices", act="bind", device="mon-2") == 409
    assert "never bound to the bed of a real patient" in (
        await house.http.post(
            f"{HERE}/devices", data={"act": "bind", "device": "mon-2"},
            headers=house.running.bearer("h1-nurse"),
        )
    ).text  # fmt: skip
    with pytest.raises(CheckViolation):
        await superuser.execute(
            "insert into device_binding values ('h1', 'mon-2', 1, $1, now(), 'page', 'x', now())",
            BED,
        )
    assert await superuser.fetchval("select bed from device where device = 'mon-2'") == OTHER_BED
    # Nor are values of a demo device filed under the real patient.
    span = Span(BED, "mon-2", False, "Demo", NOW(), NOW(), 1)
    form = {"place": BED, "device": "mon-2", "mode": "Demo", "first": str(span.first)}
    form |= {"last": str(span.last), "from": _field(span.first), "until": _field(span.last)}
    assert await house.press("filings", act="file", number="77", **form) == 409
    form |= {"mode": "Real"}  # whoever forges the form: the rows themselves say what they are
    assert await house.press("filings", act="file", number="77", **form) == 303
    demo = wire.replaced(observed(80.0, span.first), mode="Demo", device="mon-2")
    await house.running.web.appender.append(UNIT, demo)
    await until(lambda: superuser.fetchval("select count(*) from measurement"), "it is stored")
    assert await store.latest_values(app, ICU, patient_id("h1", "77")) == []


async def test_an_unknown_person_gets_a_name_and_a_mother_her_child_by_the_page(
    house: House, app: Database
) -> None:
    assert await house.press("patient", act="admit", unknown="yes") == 303
    await house.says(f"NN-{BED}")
    assert await house.press("patient", act="admit", number="5") == 409  # the bed is taken
    await until(lambda: house.rows.fetchval("select stay from stay"), "the stay is known")
    await house.running.web.appender.append(UNIT, observed(81.0, NOW()))
    cell = await house.cell("the unknown person is on the board")
    assert cell.patient is not None
    whose = cell.patient.patient_id
    merge = {"act": "merge", "patient": whose, "number": "4712", "family": "Bekannt"}
    assert await house.press("patient", **merge | {"patient": "x"}) == 409
    assert await house.press("patient", **merge) == 303
    text = await house.says("4712")
    await house.says("Bekannt")
    assert whose in text  # the stay goes on under the id with which it began
    claimed = observed(82.0, NOW(), mrn="4712")
    await house.running.web.appender.append(UNIT, claimed)
    (found,) = await until(lambda: store.find_patients(app, ICU, "4712"), "the name is found")
    values = await until(
        lambda: _values(app, str(found["patient_id"]), 82.0), "both numbers have the same values"
    )
    assert values
    assert await store.latest_values(app, ICU, whose)

    assert await house.press("patient", bed=OTHER_BED, act="admit", number="BABY-1") == 303
    await house.says("BABY-1", OTHER_BED)
    child = {"act": "link", "patient": patient_id("h1", "BABY-1"), "role": "mother"}
    await until(
        lambda: house.rows.fetchval("select count(*) > 1 from stay"), "both stays are known"
    )
    assert await house.press("kin", bed=OTHER_BED, **child, number="nobody") == 404
    assert await house.press("kin", bed=OTHER_BED, **child, number=whose) == 303
    assert await house.press("kin", bed=OTHER_BED, **child, number=whose) == 409

    async def linked() -> bool:
        cells = [house.running.web.feeds[UNIT].cells.get(bed) for bed in (BED, OTHER_BED)]
        roles = [[k.role for k in c.kin] for c in cells if isinstance(c, BedCell)]
        return roles == [["child"], ["mother"]]

    await until(linked, "both banners show the link")
    assert 'data-kin="child"' in await house.page()
    (row,) = await house.rows.fetch("select kin from kin")
    assert await house.press("kin", act="unlink", id=str(row["kin"])) == 303
    assert await house.press("kin", act="unlink", id=str(row["kin"])) == 409
    assert {"merge_numbers", "link_child", "unlink_child"} <= await house.audited()
    await _codes_are_on_paper(house)


async def _values(app: Database, whom: str, wanted: float) -> bool:
    return [row["value"] for row in await store.latest_values(app, ICU, whom)] == [wanted]


async def _codes_are_on_paper(house: House) -> None:
    """The sheet names beds, and holds nothing of a patient and no secret."""
    path = f"/icu/{UNIT}/bed-codes"
    answer = await house.http.get(path, headers=house.running.bearer("h1-nurse"))
    assert answer.status_code == 200
    assert answer.text.count("data:image/svg+xml") == 2
    assert "4712" not in answer.text
    wall = await house.http.get(path, headers=house.running.bearer("h1-wall"))
    assert wall.status_code == 404
    stranger = await house.http.get(f"{HERE}?from=qr")
    assert stranger.status_code in (303, 401)


async def test_a_move_told_late_takes_the_values_along_and_a_person_may_take_that_back(
    house: House, app: Database
) -> None:
    append, at = await twenty_minutes_in_each_bed(house)

    async def of(patient: str, bed: str) -> int:
        parts = [part async for part in store.measurements(app, ICU, bed, PULSE, None, None)]
        return b"".join(parts).count(patient_id("h1", patient).encode())

    number = "select count(*) = 59 from measurement"
    await until(lambda: house.rows.fetchval(number), "all values are stored")
    assert (await of("P", BED), await of("P", OTHER_BED)) == (19, 0)

    told = admitted("P", NOW(), bed=OTHER_BED, trigger="A02", prior_bed=BED)
    await append(UNIT, wire.replaced(told, event_at=at[15]))

    async def refiled() -> bool:
        return (await of("P", BED), await of("P", OTHER_BED)) == (14, 20)

    await until(refiled, "the values of the meantime have gone along, those of Q have not")
    assert await of("Q", OTHER_BED) == 0
    assert [span.number for span in await _spans(app)] == [5]  # of the bed that was left
    (row,) = await house.rows.fetch("select refiling from refiling where place = $1", OTHER_BED)
    form = {"act": "refile", "id": str(row["refiling"])}
    assert await house.press("filings", who="h2-nurse", bed=OTHER_BED, **form) == 404
    assert await house.press("filings", bed=OTHER_BED, **form, **NOT, why="") == 422
    assert await house.press("filings", bed=OTHER_BED, **form, **NOT, why="was another") == 303
    assert (await of("P", BED), await of("P", OTHER_BED)) == (14, 0)
    assert await house.press("filings", bed=OTHER_BED, **form, **NOT, why="again") == 409
    assert {"refile_values", "take_back_refiling"} <= await house.audited()
    assert "was another" in await house.page(bed=OTHER_BED)


async def test_what_reaches_too_far_back_waits_for_a_person(
    house: House, app: Database, writer: Database
) -> None:
    found = await told_far_too_late(house)

    async def whose() -> str:
        (line,) = [part async for part in store.measurements(app, ICU, BED, PULSE, None, None)]
        return str(wire.from_json(line)["patient_id"])

    assert await whose() == patient_id("h1", "P")
    await one_refiling_waits(house, writer)
    assert await house.press("filings", act="refile", id=found) == 303
    assert await house.press("filings", act="refile", id=found) == 409
    await none_waits(house, writer)
    assert await whose() == patient_id("h1", "Q")
    assert {"propose_refiling", "apply_refiling"} <= await house.audited()
