"""What is asked of a stay: statistics, the clock of sepsis, the way to another unit and back."""

from __future__ import annotations

import asyncio
from typing import Any

from hospital_ops import wire
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.codes import by_key
from hospital_ops.database import Connection, Database
from hospital_ops.hl7.understand import Source
from hospital_ops.identity import patient_id
from icu.waits import store as waits
from streams.hl7_intake import take
from streams.routing import Announced
from tests.integration.streams_help import admitted, observed, until
from tests.integration.web_help import BED, UNIT

NEXT_UNIT, NEXT_BED = "h1-icu-2", "h1-icu-2-01"
MRN = "4711"
PATIENT = patient_id("h1", MRN)
NOW = SystemClock().now_us
FLAGS = {"treatment_limits", "isolation_contact", "allergy"}
OF_AN_EARLIER_STAY = """
insert into unit_limit (change_id, hospital_id, unit, patient_id, rule, code, band, version,
  limit_value, reason, replay, approved_by, approved_at, mode)
select gen_random_uuid(), 'h1', $1, $2, 'map_low', $3, '', n, 60 + n, 'x', '{}', 'x',
  now() - interval '1 month', 'Test' from generate_series(1, 2) n
"""


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
    assert (await house.call("h1-nurse", path, done | {"minutes_ago": 1502}))[0] == 400
    for act in ("done", "undo", "end"):  # looked at in the stay of somebody else
        sent = done | {"act": act, "stay": PATIENT}
        assert (await house.call("h1-doctor", path, sent))[0] == 409
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


async def message_of(rows: Connection, stay: str) -> str:
    """A message to a relative that waits for its hour."""
    contact, message = "0" * 31 + "1", "0" * 31 + "2"
    await rows.execute(
        "insert into contact (contact, hospital_id, unit, stay, patient_id, relation,"
        " number_sealed, number_key, number_index, last_two, mobile, language, tells, basis,"
        " document, named_by, enabled_by, enabled_at) values ($1, 'h1', $2, $3, $4, 'son', '',"
        " 'k', '', '11', true, 'en', 'full', 'patient', 'd', 'p', 'x', now())",
        contact,
        UNIT,
        stay,
        PATIENT,
    )
    await rows.execute(
        "insert into relative_message (message, hospital_id, unit, stay, patient_id, contact,"
        " kind, local_date, number_index, mode, language, state, opens_at, closes_at, made_at,"
        " changed_at) values ($1, 'h1', $2, $3, $4, $5, 'daily', current_date, '', 'Test', 'en',"
        " 'due', now() + interval '1 hour', now() + interval '3 hours', now(), now())",
        message,
        UNIT,
        stay,
        PATIENT,
        contact,
    )
    return message


async def states(rows: Connection, message: str) -> dict[str, Any]:
    """How the rows of the patient stand."""
    return {
        "orders": await rows.fetchval(
            "select array_agg(request order by placed_at, order_id) from native_order"
            " where patient_id = $1 and request <> 'revoked'",
            PATIENT,
        ),
        "message": await rows.fetchval(
            "select state || ' ' || array_to_string(reasons, ',') from relative_message"
            " where message = $1",
            message,
        ),
        "ended": await rows.fetchval("select end_reason from stay where patient_id = $1", PATIENT),
    }


async def a_second_unit(house: Any) -> None:
    """The house has another unit with one bed."""
    await house.rows.execute(
        "insert into unit (unit, hospital_id, kind, name) values ($1, 'h1', 'icu', $1)", NEXT_UNIT
    )
    await house.rows.execute(
        "insert into bed (bed, hospital_id, unit, label, position) values ($1, 'h1', $2, '1', 1)",
        NEXT_BED,
        NEXT_UNIT,
    )


async def with_an_overdue_order_an_own_limit_and_a_red_taken_on(
    house: Any, stay: str
) -> tuple[str, str]:
    """Ids of the alarm and the order; the patient's care is limited too."""
    await house.board("the board knows who lies here", mrn=MRN)
    body = {"kind": "nursing", "text": "Turn to the left", "due_at": "2026-01-01T00:00:00.000Z"}
    status, placed = await house.call("h1-doctor", f"/beds/{BED}/orders", body)
    assert status == 200, placed
    care = {"kind": "treatment_limits", "limits": ["no_cpr"], "stay": stay, "words": "spoken"}
    agreed = (await house.call("h1-doctor", f"/beds/{BED}/care", care))[1]["agreement"]
    await house.call("h1-nurse", f"/beds/{BED}/care/{agreed}/confirm", {"version": 1})
    kept_apart = {"kind": "contact", "note": "MRSA", "stay": stay}
    status, begun = await house.call("h1-nurse", f"/beds/{BED}/isolation", kept_apart)
    assert status == 200, begun
    await house.call("h1-nurse", f"/beds/{BED}/allergies", {"substance": "Penicillin"})
    own = {"rule": "map_low", "code": by_key["abp_mean"].code, "limit": 66, "reason": "a goal"}
    status, limited = await house.call("h1-doctor", f"/beds/{BED}/limits", own)
    assert status == 200, limited
    await house.rows.execute(OF_AN_EARLIER_STAY, NEXT_UNIT, PATIENT, own["code"])
    for code, value in (("76214-6", 70.0), ("59408-5", 30.0)):
        await house.running.web.appender.append(UNIT, observed(value, NOW(), code=code))
    cell = await house.board("the patient has a red", mrn=MRN, alarms=True, flag=True)
    red = next(a.id for a in cell.alarms if a.priority == "high")
    await house.call("h1-nurse", f"/beds/{BED}/alarms/{red}/acknowledge")

    async def taken_on() -> bool:
        return any(a.id == red and a.state == "acknowledged" for a in house.cell().alarms)

    await until(taken_on, "somebody has taken it on")
    return red, placed["id"]


async def everything_there(house: Any, red: str, order: str, bed: str = NEXT_BED) -> str:
    """The board of the bed shows all that is the patient's; answers the stay there."""

    async def whole() -> bool:
        cell = house.cell(bed)
        if not isinstance(cell, BedCell) or cell.patient is None:
            return False
        reds = {a.id: a for a in cell.alarms}
        return (
            red in reds
            and (reds[red].state, reds[red].acknowledged_by) == ("acknowledged", "h1-nurse")
            and cell.orders.get("overdue") == 1
            and set(cell.flags) >= FLAGS
        )

    await until(whole, f"the red, the order and the agreement are at {bed}")

    async def known() -> bool:
        status, listed = await house.call("h1-nurse", f"/beds/{bed}/orders", method="GET")
        rows = listed if status == 200 else []
        return [(one["id"], one["bed"]) for one in rows] == [(order, bed)]

    await until(known, "the record of the orders is there too")
    limits = (await house.call("h1-nurse", f"/beds/{bed}/limits", method="GET"))[1]["limits"]
    assert [row["limit"] for row in limits if row["of"] == "patient"] == [66.0]
    care = (await house.call("h1-nurse", f"/beds/{bed}/stay", method="GET"))[1]
    assert [one["state"] for one in care["agreements"]] == ["in_force"]
    return str(care["stay"])


async def reviewed(house: Any, order: str) -> None:
    """What came along stays marked until a physician of the unit has looked at it."""
    path = f"/beds/{NEXT_BED}/orders/{order}"
    shown = (await house.call("h1-nurse", path, method="GET"))[1]
    assert (shown["carried"]["from"], "review" in shown["acts"]) == (UNIT, True)
    assert [step["act"] for step in shown["history"]] == ["place", "carry"]
    seen = {"version": shown["version"]}
    for language, said in (("en", "to be reviewed"), ("ru", "проверить")):
        page = await house.http.get(
            f"/icu/beds/{NEXT_BED}/orders?lang={language}",
            headers=house.running.bearer("h1-doctor"),
        )
        assert said in page.text
    assert house.cell(NEXT_BED).orders["review"] == 1
    assert (await house.call("h1-nurse", f"{path}/review", seen))[0] == 404
    assert (await house.call("h1-doctor", f"{path}/review", seen))[0] == 200
    assert (await house.call("h1-doctor", f"{path}/review", seen))[0] == 409

    async def looked_at() -> bool:
        return "review" not in house.cell(NEXT_BED).orders

    await until(looked_at, "the board says so no longer")


async def the_summary_goes_along(house: Any, stay: str, there: str) -> None:
    """What was open and agreed on as the patient left stands in it; the new unit reads it."""
    said = {"kind": "transfer", "diagnosis": "x", "recommendation": "y"}
    path = f"/stays/{stay}/reports"
    assert (await house.call("h1-nurse", path, said))[0] == 404
    status, signed = await house.call("h1-doctor", path, said)
    assert status == 201, signed
    (one,) = (await house.call("h1-nurse", f"/stays/{there}/reports", method="GET"))[1]
    told = one["content"]
    assert (one["document"], one["genuine"]) == (signed["document"], True)
    assert [row["words"] for row in told["orders"]] == ["Turn to the left"]
    assert told["care"] == [{"kind": "treatment_limits", "limits": ["no_cpr"]}]
    page = await house.http.get(
        f"/icu/documents/{one['document']}", headers=house.running.bearer("h1-next")
    )
    assert page.status_code == 200, page.text  # somebody of the new unit alone


async def of_the_unit_alone(house: Any, unit: str) -> None:
    """After the reversal nothing of the patient is left in the other unit."""
    for table in ("native_order", "contact", "care_agreement", "unit_limit", "relative_message"):
        rows = await house.rows.fetch(f"table {table}")
        assert all(row["unit"] != unit for row in rows), table
    ended = await house.rows.fetch(
        "select end_reason from stay where unit = $1 and ended_at is not null", unit
    )
    assert [row["end_reason"] for row in ended] == ["cancelled"]
    await house.board("nobody lies there", bed=NEXT_BED, mrn="")


async def by_hl7(
    house: Any, trigger: str, goal: tuple[str, str], left: tuple[str, str] | None
) -> None:
    """The hospital's own system says where the patient lies now, and maybe where until now."""
    at = NOW()
    prior = f"|||{left[0]}^^{left[1]}" if left else ""
    lines = [
        f"MSH|^~\\&|ADT|H|HOPS|H|20260301100000||ADT^{trigger}|{at}|T|2.5",
        f"PID|||{MRN}^^^H^MR||Test^{MRN}",
        f"PV1||I|{goal[0]}^^{goal[1]}{prior}",
    ]
    source = Source(name="adt", hospital="h1", mode="Test")
    taken = take("\r".join(lines).encode(), source, Announced(house.running.web.places), at, 10)
    assert not taken.code, taken.code
    for each in taken.appends:
        entry = each.entry
        assert isinstance(entry, wire.Admission)
        await house.running.web.appender.append(each.shard, wire.replaced(entry, event_at=at))


async def what_cannot_go_along_is_tried_again_until_it_has(house: Any, writer: Database) -> None:
    """The patient comes back, and the record of an own limit cannot: the event is stored, both
    pages say so, and once nothing stands against it all has come along, once."""
    change = "alter table unit_limit {} constraint stays_there"
    await house.rows.execute(
        change.format("add") + f" check (unit <> '{UNIT}' or patient_id = '') not valid"
    )
    try:
        await by_hl7(house, "A02", (UNIT, BED), (NEXT_UNIT, NEXT_BED))
        lies = "select unit from stay where patient_id = $1 and ended_at is null"

        async def followed() -> bool:
            return bool(await house.rows.fetchval(lies, PATIENT) == UNIT)

        await until(followed, "the stay follows")
        assert await house.rows.fetchval("select count(*) from dead_letter") == 0
        assert await audited(house, "take_along_failed") == 1
        await house.board("the board has everything all the same", mrn=MRN, alarms=True, flag=True)
        at = NOW()
        assert await waits.follow(writer, at) == []  # not before five seconds have passed
        (still,) = await waits.follow(writer, at + 6 * SECOND)
        assert still.failed == "23514"
        assert (await waits.tell(writer, at), await waits.tell(writer, at + 1)) == (1, 0)
        await told(house, behind=True)
        for path in (f"/icu/beds/{BED}/binding", "/feeds"):
            who = "h1-admin" if path == "/feeds" else "h1-nurse"
            page = await house.http.get(path, headers=house.running.bearer(who))
            assert "data-behind" in page.text, path
    finally:
        await house.rows.execute(change.format("drop"))
    assert await waits.follow(writer, at + 10 * SECOND) == []  # each time later than before
    both = await asyncio.gather(*(waits.follow(writer, at + 30 * SECOND) for _ in range(2)))
    assert [one.failed for tried in both for one in tried] == [""]
    units = "select unit from {} where patient_id::text = $1 and {}"
    for table, live in (("unit_limit", "undone_at is null"), ("native_order", "request='active'")):
        rows = await house.rows.fetch(units.format(table, live), PATIENT)
        assert [row["unit"] for row in rows] == [UNIT], table
    assert await waits.follow(writer, at + 3600 * SECOND) == []
    assert await audited(house, "take_along_done") == 1
    assert await waits.tell(writer, at + 2) == 1
    await told(house, behind=False)


async def audited(house: Any, action: str) -> int:
    """How often the audit has an act."""
    return int(await house.rows.fetchval("select count(*) from audit where action = $1", action))


async def told(house: Any, *, behind: bool) -> None:
    """The board of the bed says whether the record has come along."""

    async def says() -> bool:
        cell = house.cell()
        return isinstance(cell, BedCell) and ("record_left_behind" in cell.flags) == behind

    await until(says, f"the board says that the record is {'not ' if behind else ''}here")


async def isolation_at_the_bed(house: Any, stay: str) -> None:
    """Entered by a nurse, once; on the wall without its note; ended; over with another stay."""
    path, contact = f"/beds/{BED}/isolation", {"kind": "contact", "note": "MRSA", "stay": stay}
    assert (await house.call("h1-wall", path, contact))[0] == 404
    assert (await house.call("h2-doctor", path, contact))[0] == 404
    assert (await house.call("h1-nurse", path, contact | {"kind": "enteric"}))[0] == 400
    assert (await house.call("h1-nurse", path, contact | {"stay": PATIENT}))[0] == 409
    status, one = await house.call("h1-nurse", path, contact)
    assert (status, one["note"], one["by"]) == (200, "MRSA", "h1-nurse")
    assert (await house.call("h1-doctor", path, contact))[0] == 409  # it holds already
    airborne = contact | {"kind": "airborne", "note": ""}
    assert (await house.call("h1-doctor", path, airborne))[0] == 200
    await house.call("h1-nurse", f"/beds/{BED}/allergies", {"substance": "Penicillin"})
    both = {"isolation_contact", "isolation_airborne", "allergy"}
    await flagged(house, both)
    wall = await house.http.get(f"/icu/{UNIT}?lang=en", headers=house.running.bearer("h1-wall"))
    assert "isol. </span>airborne + contact" in wall.text
    assert not [word for word in ("MRSA", "Penicillin") if word in wall.text]
    page = await house.http.get(
        f"/icu/beds/{BED}/isolation?lang=ru", headers=house.running.bearer("h1-nurse")
    )
    assert "Контактная изоляция" in page.text
    assert "MRSA" in page.text
    ends = f"{path}/{one['id']}/end"
    assert (await house.call("h1-doctor", ends, {"stay": stay}))[0] == 200
    assert (await house.call("h1-nurse", ends, {"stay": stay}))[0] == 409
    await flagged(house, both - {"isolation_contact"})
    rows = await house.rows.fetch("select action from audit where subject = $1", one["id"])
    assert [row["action"] for row in rows] == ["begin_isolation", "end_isolation"]
    left = {"act": "discharge", "stay": stay, "words": "home"}
    assert (await house.call("h1-doctor", f"/beds/{BED}/stay/acts", left))[0] == 200
    await house.board("nobody lies here", mrn="")
    await house.running.web.appender.append(UNIT, admitted(MRN, NOW()))
    await flagged(house, {"allergy"})  # which is for life
    known = (await house.call("h1-nurse", path, method="GET"))[1]
    assert (known["isolation"], known["stay"] != stay) == ([], True)


async def flagged(house: Any, wanted: set[str]) -> None:
    """The board shows just these flags."""

    async def shown() -> bool:
        cell = house.cell()
        if cell is None or cell.patient is None:
            return False
        return {f for f in cell.flags if f == "allergy" or f.startswith("isolation")} == wanted

    await until(shown, f"the board has {sorted(wanted)}")
