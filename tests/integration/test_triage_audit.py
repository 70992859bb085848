"""The audit of triage over a real archive: from arrival and admission to a share, in scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2

from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.streams_help import storing, until
from tests.integration.web_help import Running, web_process
from tests.triage_cases import CAME, ED, QUARTER, came, event

ICU = "h1-icu-1"
API, PAGE = "/api/v1/triage/audit", "/triage-audit"


async def admitted(db: Connection, case: UUID, n: int, after_h: float) -> None:
    """An admission to intensive care that names the case; the registration merges its number."""
    at = CAME + timedelta(minutes=n, hours=after_h)
    row = ["h1", ICU, uuid4(), f"C{n}", "", "", "F", "", "A01", f"{ICU}-x{n}", "", "", at, at]
    await db.execute(
        "insert into patient_event (hospital_id, unit, patient_id, mrn, family, given, sex,"
        " birth_date, trigger, bed, prior_bed, visit, event_at, received_at, mode, source,"
        " entry_id, case_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " 'Test', 'adt', $15, $16)",
        *row, uuid4().hex, case,
    )  # fmt: skip


async def quarter(db: Connection) -> list[UUID]:
    """24 to intensive care (6 of them red), 30 home (3 red), 22 of the crew's own; 5 unheard of."""
    grave = []
    for n in range(24):
        colour = "red" if n < 6 else "yellow"
        case = await came(db, n, colour=colour, crew="red", proposed="red" if n < 12 else "yellow")
        await admitted(db, case, n, 2.0)
        grave.append(case)
    for n in range(100, 130):
        case = await came(db, n, colour="red" if n < 103 else "green", actor="device:other")
        await event(db, case, "discharge", CAME + timedelta(minutes=n, hours=4), actor="nurse")
    for n in range(200, 205):
        await came(db, n, colour="yellow", actor="device:other")
    dead = await came(db, 250, colour="yellow", actor="device:other")
    await event(db, dead, "death_here", CAME + timedelta(minutes=280), actor="nurse")
    late = await came(db, 300, colour="green", actor="device:other")  # a day too late to count
    await admitted(db, late, 300, 25.0)
    return grave


async def asked(running: Running, who: str, path: str, **params: str) -> httpx2.Response:
    async with running.client(who) as client:
        return await client.get(f"{running.address}{path}", params={"quarter": QUARTER} | params)


def row(told: dict[str, Any], measure: str, by: str = "all", key: str = "") -> dict[str, Any]:
    table = next(one for one in told["tables"] if one["measure"] == measure)
    found: dict[str, Any] = next(
        one["cells"] for one in table["rows"] if (one["by"], one["key"]) == (by, key)
    )
    return found


async def test_shares_come_from_arrivals_and_admissions_and_each_opens_its_own_cases_only(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    grave = await quarter(superuser)
    async with web_process(fresh_valkey.url, app) as running:
        told = (await asked(running, "h1-nurse", API)).json()
        under, over = row(told, "under"), row(told, "over")
        assert (under["physician"]["k"], under["physician"]["n"]) == (19, 25)
        assert under["proposed"]["k"] == 13
        assert under["crew"] is None  # it would give away the one whose crew gave no colour
        assert (over["physician"]["k"], over["physician"]["n"]) == (3, 31)
        assert over["crew"] is None  # nobody's crew gave a colour there
        assert told["course_unknown"] is None  # five: too few to say
        assert "dr.who" not in str(told)
        assert told["off"] == ["under_theatre", "over_home"]
        for language, said in (("en", "76.0 %"), ("ru", "76,0 %")):
            assert said in (await asked(running, "h1-nurse", PAGE, lang=language)).text
        await opens_its_cases(running, grave, superuser, writer)
        await keeps_to_the_scope(running)
        await is_switched_on_once(running)


async def opens_its_cases(
    running: Running, grave: list[UUID], superuser: Connection, writer: Database
) -> None:
    """The number opens its cases, and each case that was read is in the audit."""
    cases = {"measure": "under", "judge": "physician", "by": "unit", "key": ED}
    listed = await asked(running, "h1-emergency", f"{PAGE}/cases", **cases)
    assert listed.text.count("data-mistaken") == 19
    assert "intensive care after 2 h" in listed.text
    assert "dr.who" not in listed.text
    assert all(str(case) not in listed.text for case in grave)  # none is on the board any more
    async with storing(running.web.redis_url, writer, shards=(ED, "h1-hall")):

        async def noted() -> bool:
            found = await superuser.fetchval(
                "select count(distinct subject) from audit where action = 'read_course'"
                " and actor = 'h1-emergency'"
            )
            return bool(found == len(grave) + 1)

        await until(noted, "every case of the list is in the audit")
    hidden = {"measure": "over", "judge": "crew", "by": "all", "key": ""}
    answer = await asked(running, "h1-nurse", f"{PAGE}/cases", **hidden)
    assert answer.status_code == 404


async def keeps_to_the_scope(running: Running) -> None:
    """A crew has its own cases; other hospitals and walls have nothing."""
    own = (await asked(running, "h1-crew", API)).json()
    assert own["own_cases_only"] is True
    assert row(own, "under")["physician"]["n"] == 24
    assert row(own, "under")["crew"] == row(own, "under")["crew"] | {"k": 0, "n": 24}
    assert row(own, "over")["physician"] is None
    assert row((await asked(running, "h2-nurse", API)).json(), "under")["proposed"] is None
    assert (await asked(running, "h1-wall", API)).status_code == 404


async def is_switched_on_once(running: Running) -> None:
    """What has no source is off until a physician sets it; then it is this hospital's own."""
    switch = f"{running.address}{PAGE}/measures/over_home"
    form = {"version": "0", "on": "yes", "within_h": "48"}
    for who, status in (("h1-nurse", 404), ("h1-doctor", 303), ("h1-doctor", 409)):
        async with running.client(who) as client:
            assert (await client.post(switch, data=form)).status_code == status
    told = (await asked(running, "h1-nurse", API)).json()
    home = next(one for one in told["tables"] if one["measure"] == "over_home")
    assert (home["source"], home["within_h"]) == ("", 48)
    assert home["site_setting_of"] is not None
    assert "over_home" in (await asked(running, "h2-nurse", API)).json()["off"]
