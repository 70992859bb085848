"""A value that was charted before the patient moved is put right where the patient lies now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hospital_ops.board import BedCell
from hospital_ops.clock import iso
from hospital_ops.codes import by_key
from hospital_ops.identity import uuid7
from tests.integration.stay_walks import NEXT_BED, NOW, PATIENT
from tests.integration.streams_help import until
from tests.integration.web_help import BED, UNIT


async def charted_before_the_move(house: Any) -> dict[str, Any]:
    """A bag of urine with a nought too many, charted where the patient lies."""
    event = {"event_id": str(uuid7()), "code": "urine", "value": 400, "determined_at": iso(NOW())}
    sent = {"events": [event], "patient_id": str(PATIENT)}
    status, answer = await house.call("h1-nurse", f"/beds/{BED}/chart", sent)
    assert (status, answer["stored"]) == (200, [event["event_id"]]), answer
    return event


async def corrected_where_the_patient_lies(house: Any, event: dict[str, Any]) -> None:
    """Somebody of the new unit alone puts right what was charted in the former one."""
    path = f"/beds/{NEXT_BED}/chart/corrections"
    new = event | {"event_id": str(uuid7()), "value": 40}
    sent = {"event_id": event["event_id"], "determined_at": event["determined_at"], "event": new,
            "reason": "a nought too many", "patient_id": str(PATIENT)}  # fmt: skip
    assert (await house.call("h1-next", f"/beds/{BED}/chart/corrections", sent))[0] == 404

    async def known() -> bool:
        return bool(
            (await house.call("h1-next", path, sent))[0] == 200
        )  # the archive knows the way

    await until(known, "the value of the former bed is corrected")

    async def shown() -> bool:
        cell: BedCell = house.cell(NEXT_BED)
        value = cell.values.get(by_key["urine"].code)
        return value is not None and value.value == 40

    await until(shown, "the tile shows what holds")

    async def kept() -> bool:
        page = await house.http.get(
            f"/icu/beds/{NEXT_BED}/flowsheet", headers=house.running.bearer("h1-next")
        )
        rows = await house.rows.fetch("select unit, bed, replaced_by from correction")
        return "<del" in page.text and [tuple(row.values()) for row in rows] == [
            (UNIT, BED, UUID(new["event_id"]))  # once, where the value is
        ]

    await until(kept, "the flowsheet has both, the old one struck out")
