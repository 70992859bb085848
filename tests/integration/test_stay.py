"""A stay ends, moves and comes back as one act: bed, binding, alarms, orders and messages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.board import BedCell
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.identity import patient_id
from hospital_ops.servers.valkey import Valkey
from streams.pipe import Pipe
from tests.integration.correction_walks import (
    charted_before_the_move,
    corrected_where_the_patient_lies,
)
from tests.integration.order_walks import (
    nothing_is_ordered_for_the_dead,
    ordered,
    orders_go_with_the_patient,
    who_left_by_the_hospital_leaves_orders_that_can_be_ended,
)
from tests.integration.stay_walks import (
    NEXT_BED,
    NEXT_UNIT,
    a_second_unit,
    by_hl7,
    everything_there,
    isolation_at_the_bed,
    message_of,
    of_the_unit_alone,
    of_the_unit_and_of_nobody,
    reviewed,
    states,
    the_clock_of_sepsis,
    the_summary_goes_along,
    what_cannot_go_along_is_tried_again_until_it_has,
    with_an_overdue_order_an_own_limit_and_a_red_taken_on,
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
from tests.integration.web_help import BED, OTHER_BED, UNIT, Running, web_process

MRN = "4711"
PATIENT = patient_id("h1", MRN)
NOW = SystemClock().now_us


class House:
    """Everything at work, and who asks."""

    def __init__(self, running: Running, http: httpx2.AsyncClient, rows: Connection) -> None:
        self.running, self.http, self.rows = running, http, rows

    async def call(
        self, who: str, path: str, body: Any = None, method: str = "POST"
    ) -> tuple[int, Any]:
        """Status and answer of a call to the interface."""
        answer = await self.http.request(
            method, f"/api/v1/icu{path}", json=body, headers=self.running.bearer(who)
        )
        return answer.status_code, answer.json()

    def cell(self, bed: str = BED) -> BedCell | None:
        """The bed on the board."""
        cell = self.running.web.feeds[bed.rpartition("-")[0]].cells.get(bed)
        return cell if isinstance(cell, BedCell) else None

    async def board(self, what: str, bed: str = BED, **wanted: Any) -> BedCell:
        """The bed's cell once it is as wanted: `mrn`, `alarms`, `flag`, `limits`."""

        async def now() -> BedCell | None:
            cell = self.cell(bed)
            if cell is None:
                return None
            seen = {
                "mrn": cell.patient.mrn if cell.patient else "",
                "alarms": bool([a for a in cell.alarms if a.priority == "high"]),
                "flag": "treatment_limits" in cell.flags,
                "limits": list(cell.patient.limits) if cell.patient else [],
            }
            return cell if all(seen[name] == value for name, value in wanted.items()) else None

        found = await until(now, what)
        assert isinstance(found, BedCell)
        return found

    async def stay(self, bed: str = BED) -> str:
        """The open stay of a bed once the archive knows it."""

        async def known() -> str:
            return str((await self.call("h1-doctor", f"/beds/{bed}/stay", method="GET"))[1]["stay"])

        found = await until(known, f"the stay of {bed} is known")
        assert isinstance(found, str)
        return found

    async def map(self) -> dict[str, str]:
        """Bed to state."""
        listed = (await self.call("h1-nurse", f"/units/{UNIT}/beds", method="GET"))[1]
        return {bed["bed"]: bed["state"] for bed in listed}


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
        web_process(pipe.url, app, (NEXT_UNIT,), wards={"icu-1": 3}) as running,
        living(pipe.url, "one", icu_room),
        living(pipe.url, "two", icu_room, NEXT_UNIT),
        storing(pipe.url, writer, shards=(UNIT, NEXT_UNIT, "h1-ed", HALL)),
        relaying(pipe, writer),
        running.client() as http,
    ):
        person = wire.PatientFacts(MRN, "Test", MRN, "F", "1960-01-01")
        came = wire.replaced(admitted(MRN, NOW()), patient=person)
        await running.web.appender.append(UNIT, came)
        yield House(running, http, superuser)
    await pipe.close()


async def test_a_death_closes_everything_as_one_act_and_its_reversal_brings_everything_back(
    house: House,
) -> None:
    stay = await house.stay()
    message = await message_of(house.rows, stay)
    await house.board("the board knows who lies here", mrn=MRN)
    for text in ("Norepinephrine", "Blood gases"):
        body = {"kind": "nursing", "text": text}
        assert (await house.call("h1-doctor", f"/beds/{BED}/orders", body))[0] == 200
    await house.running.web.appender.append(UNIT, observed(190.0, NOW()))
    await house.running.web.appender.append(UNIT, observed(30.0, NOW(), code="59408-5"))
    await house.board("the patient has an alarm", mrn=MRN, alarms=True)

    ends, body = f"/beds/{BED}/stay/acts", {"act": "death", "stay": stay, "words": "21:40"}
    assert (await house.call("h1-nurse", ends, body))[0] == 404
    assert (await house.call("h2-doctor", ends, body))[0] == 404
    assert (await house.call("h1-doctor", ends, body | {"stay": PATIENT}))[0] == 409
    status, ended = await house.call("h1-doctor", ends, body)
    assert (status, ended["orders"], ended["messages"]) == (200, 2, 1)
    assert (await house.call("h1-doctor", ends, body))[0] == 404  # nobody lies here any more
    closed = {"orders": None, "message": "cancelled death", "ended": "death"}
    assert await states(house.rows, message) == closed
    assert (await house.map())[BED] == "cleaning"
    await house.board("the bed has nobody and rings for nobody", mrn="", alarms=False)

    back = f"/beds/{BED}/stay/acts/{ended['act']}/reversal"
    assert (await house.call("h1-doctor", back, {}))[0] == 400  # without a reason
    assert (await house.call("h1-doctor", back, {"why": "the bed beside"}))[0] == 200
    assert (await house.call("h1-doctor", back, {"why": "the bed beside"}))[0] == 409
    opened = {"orders": ["active", "active"], "message": "held reversed", "ended": ""}
    assert await states(house.rows, message) == opened
    assert (await house.map())[BED] == "taken"
    assert await house.stay() == stay
    cell = await house.board("the patient is back", mrn=MRN)
    assert cell.patient is not None

    async def ordered() -> bool:
        cell = house.cell()
        return cell is not None and cell.orders.get("active") == 2

    await until(ordered, "both orders are on the board again")

    async def bound() -> list[str]:
        rows = await house.rows.fetch(
            "select patient_id::text from binding where bed = $1 order by from_at, entry_id", BED
        )
        return [row["patient_id"] for row in rows] if len(rows) == 3 else []

    assert await until(bound, "the binding is archived") == [PATIENT, None, PATIENT]
    audited = await house.rows.fetch("select action from audit where subject = $1", stay)
    assert {"death", "reverse_death"} <= {row["action"] for row in audited}


async def test_a_reversal_never_puts_two_patients_into_one_bed(house: House, app: Database) -> None:
    stay = await house.stay()
    await house.board("the board knows who lies here", mrn=MRN)
    act = await nothing_is_ordered_for_the_dead(house, app, stay)
    await house.board("the bed is empty", mrn="")
    await house.running.web.appender.append(UNIT, admitted("9", NOW()))
    await house.board("somebody else lies here", mrn="9")

    async def taken() -> bool:
        return (await house.map())[BED] == "taken"

    await until(taken, "the map follows the hospital's own admissions, even past the cleaning")
    back = f"/beds/{BED}/stay/acts/{act}/reversal"
    status, why = await house.call("h1-doctor", back, {"why": "error"})
    assert (status, "taken" in str(why)) == (409, True)
    ended = "select end_reason from stay where stay = $1"
    assert await house.rows.fetchval(ended, stay) == "death"
    order = await ordered(house, BED, "turn")
    await house.running.web.appender.append(UNIT, admitted("9", NOW(), trigger="A03"))
    await who_left_by_the_hospital_leaves_orders_that_can_be_ended(house, order)


async def test_a_move_takes_the_patient_along_and_two_at_once_have_one_winner(house: House) -> None:
    await house.running.web.appender.append(UNIT, admitted("9", NOW(), bed=OTHER_BED))
    stay, other, third = await house.stay(), await house.stay(OTHER_BED), f"{UNIT}-03"
    asked = [(BED, stay), (OTHER_BED, other)]
    await house.board("the board knows who lies here", mrn=MRN)
    await house.board("and who lies there", bed=OTHER_BED, mrn="9")
    orders = {bed: await ordered(house, bed, f"of {bed}") for bed, _ in asked}
    done = await asyncio.gather(
        *(
            house.call(
                "h1-nurse",
                f"/beds/{bed}/stay/acts",
                {"act": "move", "stay": whose, "to_bed": third},
            )
            for bed, whose in asked
        )
    )
    assert sorted(status for status, _ in done) == [200, 409]
    winner = [status for status, _ in done].index(200)
    (left, _), act = asked[winner], done[winner][1]
    beds = await house.map()
    assert (beds[third], beds[left]) == ("taken", "cleaning")
    mrn = MRN if left == BED else "9"
    await house.board("the patient lies there", bed=third, mrn=mrn)
    await house.board("and no longer here", bed=left, mrn="")
    await orders_go_with_the_patient(house, orders, left)

    back = f"/beds/{left}/stay/acts/{act['act']}/reversal"
    assert (await house.call("h1-doctor", back, {"why": "wrong bed"}))[0] == 200
    await house.board("the patient is back", bed=left, mrn=mrn)
    assert (await house.map())[third] == "free"


async def test_a_transfer_to_another_unit_takes_everything_along_and_is_taken_back_as_one(
    house: House,
) -> None:
    await a_second_unit(house)
    stay = await house.stay()
    message = await message_of(house.rows, stay)
    red, order = await with_an_overdue_order_an_own_limit_and_a_red_taken_on(house, stay)
    bag = await charted_before_the_move(house)

    ends, wanted = f"/beds/{BED}/stay/acts", {"act": "move", "stay": stay, "to_bed": NEXT_BED}
    done = await asyncio.gather(*(house.call("h1-doctor", ends, wanted) for _ in range(2)))
    (act,) = [told for status, told in done if status == 200]  # of two at once one wins
    assert sorted(status for status, _ in done)[0] == 200
    assert (act["kind"], act["carried"], act["messages"]) == ("transfer", 1, 1)
    await house.board("nobody lies here, and nothing rings", mrn="", alarms=False)
    assert (await house.map())[BED] == "cleaning"
    there = await everything_there(house, red, order)
    acts = await house.rows.fetch("select version, undone_at from unit_limit order by version")
    assert [(row["version"], row["undone_at"] is None) for row in acts] == [
        (1, False), (2, False), (5, True),  # two of an earlier stay, made and ended: four acts
    ]  # fmt: skip
    assert (await states(house.rows, message))["message"] == "cancelled transfer"
    assert await house.rows.fetchval("select hold_reason from stay where stay = $1", there) == (
        "transfer"
    )
    await reviewed(house, order)
    await corrected_where_the_patient_lies(house, bag)
    await the_summary_goes_along(house, stay, there)

    back = f"/beds/{BED}/stay/acts/{act['act']}/reversal"
    assert (await house.call("h1-doctor", back, {"why": "the other one"}))[0] == 200
    assert (await house.call("h1-doctor", back, {"why": "the other one"}))[0] == 409
    cell = await house.board("the patient is back, and so is the red", mrn=MRN, alarms=True)
    assert [(a.id, a.state) for a in cell.alarms if a.priority == "high"] == [(red, "acknowledged")]
    assert await house.stay() == stay
    listed = (await house.call("h1-nurse", f"/beds/{BED}/orders", method="GET"))[1]
    assert [(one["id"], one["urgency"], one["carried"]) for one in listed] == [
        (order, "overdue", None)
    ]
    assert (await states(house.rows, message))["message"] == "held reversed"
    await of_the_unit_alone(house, NEXT_UNIT)


async def test_the_hospitals_own_transfer_takes_the_same_way_whether_it_names_the_former_bed_or_not(
    house: House, writer: Database
) -> None:
    await a_second_unit(house)
    stay = await house.stay()
    red, order = await with_an_overdue_order_an_own_limit_and_a_red_taken_on(house, stay)
    here, there = (UNIT, BED), (NEXT_UNIT, NEXT_BED)
    for trigger, goal, left in (("A02", there, here), ("A12", here, there), ("A02", there, None)):
        await by_hl7(house, trigger, goal, left)
        await everything_there(house, red, order, goal[1])
        if trigger == "A12":
            assert await house.stay() == stay  # the same one goes on
    await house.board("nobody lies here any more", mrn="", alarms=False)
    await what_cannot_go_along_is_tried_again_until_it_has(house, writer)


async def test_a_bed_that_is_cleaned_or_reserved_is_nobodys_and_a_taken_one_stays_taken(
    house: House,
) -> None:
    await house.stay()
    mark = f"/beds/{OTHER_BED}/place"
    for state in ("cleaning", "reserved", "free", "reserved"):
        assert (await house.call("h1-nurse", mark, {"state": state, "words": "from 14:00"}))[0] == (
            200
        )
        assert (await house.map())[OTHER_BED] == state
    assert (await house.call("h1-nurse", f"/beds/{BED}/place", {"state": "free"}))[0] == 409
    assert (await house.call("h1-nurse", f"/beds/{BED}/place", {"state": "cleaning"}))[0] == 409
    assert (await house.call("h1-nurse", mark, {"state": "lost"}))[0] == 400
    assert (await house.call("h1-wall", mark, {"state": "free"}))[0] == 404


async def limits_change_and_end_as_they_were_set(
    house: House, care: str, agreement: str, wanted: dict[str, Any]
) -> None:
    """With a reason and by two; an error is taken back by one, with a reason."""

    async def states() -> list[str]:
        told = (await house.call("h1-doctor", f"/beds/{BED}/stay", method="GET"))[1]
        return sorted(one["state"] for one in told["agreements"])

    async def act(who: str, what: str, version: int, reason: str = "", one: str = agreement) -> int:
        sent = {"version": version, "reason": reason}
        return (await house.call(who, f"{care}/{one}/{what}", sent))[0]

    assert await act("h1-doctor", "end", 2) == 400  # without a reason
    assert await act("h1-nurse", "end", 2, "spoken") == 404
    assert await act("h1-nurse", "confirm_end", 2) == 409  # nobody has asked
    assert await act("h1-doctor", "end", 2, "with the son") == 200
    assert await act("h1-doctor", "confirm_end", 3) == 409  # who asked is no second person
    assert await states() == ["in_force"]
    assert await act("h1-nurse", "keep", 3) == 200
    assert await act("h1-doctor", "end", 4, "with the daughter") == 200
    assert await act("h1-nurse", "confirm_end", 5) == 200
    assert await act("h1-nurse", "confirm_end", 6) == 409
    assert await act("h1-doctor", "reinstate", 6) == 400
    assert await act("h1-doctor", "reinstate", 6, "another patient was meant") == 200
    assert await states() == ["in_force"]
    assert (await house.call("h1-doctor", care, wanted | {"words": ""}))[0] == 400
    more = wanted | {"limits": ["no_cpr", "no_intubation"], "words": "worse"}
    changed = (await house.call("h1-doctor", care, more))[1]["agreement"]
    assert await states() == ["in_force", "proposed"]
    assert await act("h1-nurse", "confirm", 1, one=changed) == 200
    assert await states() == ["ended", "in_force"]
    await house.board("which limits hold stands on the board", limits=["no_cpr", "no_intubation"])
    assert await act("h1-doctor", "reinstate", 8, "it was not agreed on") == 200
    await house.board("the former limits hold again", limits=["no_cpr"])
    assert await act("h1-doctor", "end", 9, "with the son") == 200
    assert await act("h1-nurse", "confirm_end", 10) == 200
    told = await house.rows.fetch("select action from audit where subject = $1", agreement)
    assert {"ask_end_care", "keep_care", "end_care", "reinstate_care"} <= {
        row["action"] for row in told
    }


async def test_limits_of_treatment_hold_only_with_a_second_person(house: House) -> None:
    stay, care = await house.stay(), f"/beds/{BED}/care"
    wanted = {"kind": "treatment_limits", "limits": ["no_cpr"], "stay": stay, "words": "spoken"}
    assert (await house.call("h1-nurse", care, wanted))[0] == 404
    assert (await house.call("h1-doctor", care, wanted | {"limits": []}))[0] == 400
    status, one = await house.call("h1-doctor", care, wanted)
    assert (status, one["state"]) == (200, "proposed")
    assert (await house.call("h1-doctor", care, wanted))[0] == 409
    confirm = f"{care}/{one['agreement']}/confirm"
    assert (await house.call("h1-doctor", confirm, {"version": 1}))[0] == 409
    assert (await house.call("h1-nurse", confirm, {"version": 1}))[0] == 200
    assert (await house.call("h1-nurse", confirm, {"version": 1}))[0] == 409
    await house.board("the limit stands on the board", flag=True)
    assert await house.rows.fetchval("select treatment_limited from stay where stay = $1", stay)
    await limits_change_and_end_as_they_were_set(house, care, one["agreement"], wanted)
    await house.board("the limit is gone", flag=False)
    panel = await house.http.get(f"/icu/beds/{BED}/stay", headers=house.running.bearer("h1-doctor"))
    assert stay in panel.text
    await of_the_unit_and_of_nobody(house)
    await the_clock_of_sepsis(house, stay)
    await isolation_at_the_bed(house, stay)
