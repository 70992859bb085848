"""Orders go with their patient: through a move, a death, and a discharge by the hospital."""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import to_datetime
from hospital_ops.database import Database
from hospital_ops.errors import Conflict
from icu.lying.store import LEFT
from icu.order_kinds import wanted
from icu.ordering import store as ordering
from icu.ordering.store import Place, Signing
from tests.integration.stay_walks import NOW, PATIENT
from tests.integration.streams_help import until
from tests.integration.web_help import BED, OTHER_BED, UNIT

HOUR_US = 3_600_000_000


async def ordered(house: Any, bed: str, text: str) -> str:
    """An order for whoever lies in a bed; answers its id."""
    body = {"kind": "nursing", "text": text}
    status, placed = await house.call("h1-doctor", f"/beds/{bed}/orders", body)
    assert status == 200, placed
    return str(placed["id"])


async def paper_of(house: Any) -> dict[str, str]:
    """The ward sheet: what stands under each bed's label."""
    page = await house.http.get(
        f"/icu/{UNIT}/sheet?lang=en", headers=house.running.bearer("h1-nurse")
    )
    assert page.status_code == 200
    parts = page.text.split('<section class="bed" aria-label="')[1:]
    return {part.partition('"')[0]: part for part in parts}


async def orders_go_with_the_patient(house: Any, orders: dict[str, str], left: str) -> None:
    """On paper and at the bed an order is that of its patient, never of who lay there before.

    `orders`: bed in which each was placed, and its id; who lay in `left` lies in bed 3 by now.
    """
    stayed = OTHER_BED if left == BED else BED
    sheet = await paper_of(house)
    assert f"of {left}" in sheet["3"]
    assert f"of {left}" not in sheet[left[-1]]
    assert f"of {stayed}" in sheet[stayed[-1]]
    for bed, whose in ((stayed, left), (left, left), (f"{UNIT}-03", stayed)):
        path = f"/beds/{bed}/orders/{orders[whose]}"
        assert (await house.call("h1-nurse", f"{path}/accept", {"version": 1}))[0] == 404, bed
        assert (await house.call("h1-nurse", path, method="GET"))[0] == 404, bed
    await nothing_is_charted_for_whoever_lay_here_before(house, f"{UNIT}-03")
    accepted = f"/beds/{UNIT}-03/orders/{orders[left]}/accept"
    assert (await house.call("h1-nurse", accepted, {"version": 1}))[0] == 200


async def nothing_is_charted_for_whoever_lay_here_before(house: Any, bed: str) -> None:
    """A time before the patient came to the bed is refused in words; the page says who it is."""
    path, nurse = f"/icu/beds/{bed}/flowsheet?lang=en", house.running.bearer("h1-nurse")
    cell = house.cell(bed)
    hour_ago = to_datetime(NOW() - HOUR_US).astimezone(ZoneInfo("Europe/Moscow"))
    sent = {"patient": cell.patient.patient_id, "urine": "77", "at": f"{hour_ago:%H:%M}"}
    answer = await house.http.post(path, data=sent, headers=nurse)
    assert answer.status_code == 422
    assert "before this patient came" in answer.text
    page = await house.http.get(path, headers=nurse)
    assert f"· {cell.patient.mrn}" in page.text


async def nothing_is_ordered_for_the_dead(house: Any, app: Database, stay: str) -> str:
    """However quickly after the death, and at the same moment, while boards still show the bed."""
    doctor = Principal(
        actor="h1-doctor", role=Role.ICU_PHYSICIAN, hospital="h1", units=ALL_UNITS, key="",
        mode="Test",
    )  # fmt: skip
    cell = house.cell()
    where = Place(UNIT, BED, PATIENT, since=cell.patient.admitted_at)
    order = [wanted({"kind": "nursing", "text": "late"}, NOW())]
    ends = {"act": "death", "stay": stay, "words": "21:40"}
    waiting = [ordering.place(app, doctor, where, order, Signing(), NOW()) for _ in range(4)]
    (status, ended), *_ = await asyncio.gather(
        house.call("h1-doctor", f"/beds/{BED}/stay/acts", ends), *waiting, return_exceptions=True
    )
    assert status == 200, ended
    with pytest.raises(Conflict, match=LEFT):
        await ordering.place(app, doctor, where, order, Signing(), NOW())
    active = "select count(*) from native_order where request = 'active'"
    assert await house.rows.fetchval(active) == 0
    return str(ended["act"])


async def who_left_by_the_hospital_leaves_orders_that_can_be_ended(house: Any, order: str) -> None:
    """Nobody lies under them: they stand apart on the worklist and on paper until one ends them."""
    listed = f"/worklist/{UNIT}"

    async def apart() -> bool:
        page = await house.http.get(listed, headers=house.running.bearer("h1-doctor"))
        return f"{order}/left" in page.text

    await until(apart, "the worklist has it in no bed, with a way to end it")
    assert "turn" in (await paper_of(house))["In no bed of the unit now"]
    for who, reason, status, left in (
        ("h1-nurse", "gone", 404, 1), ("h2-doctor", "gone", 404, 1), ("h1-doctor", " ", 200, 1),
        ("h1-doctor", "gone home", 200, 0),
    ):  # fmt: skip
        answer = await house.http.post(
            f"{listed}/{order}/left", data={"version": "1", "reason": reason},
            headers=house.running.bearer(who),
        )  # fmt: skip
        assert answer.status_code == status, (who, answer.text)
        active = "select count(*) from native_order where request = 'active'"
        assert await house.rows.fetchval(active) == left
    assert "In no bed of the unit now" not in await paper_of(house)
