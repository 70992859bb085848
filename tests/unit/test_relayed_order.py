"""What a box forwards in one request: who lies where is in the stream before the values."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hospital_ops.access import Principal, Role
from hospital_ops.clock import ManualClock
from hospital_ops.forward.items import ALARM, HL7, STORED, VALUE, WHO, Item, Relay
from streams.projections import Places
from streams.relayed import RelayedIntake

NOON = 1_795_262_400_000_000


class Stream(RelayedIntake):
    """The first append of a second takes longer than those beside it, as the real one's."""

    def __init__(self) -> None:
        nobody = cast(Any, None)
        super().__init__(nobody, Places(), nobody, ManualClock(NOON))
        self.lies: list[str] = []
        self.begun = 0

    async def _one(self, box: Principal, item: Item, at: int) -> str:
        self.begun += 1
        if self.begun == 1:
            for _ in range(5):
                await asyncio.sleep(0)
        self.lies.append(item.id)
        return STORED


async def test_in_one_request_who_lies_where_comes_before_the_values_and_in_its_order() -> None:
    ranks = (WHO, WHO, ALARM, VALUE)
    items = tuple(Item(f"id-{n}", HL7, "unit", NOON, b"", rank) for n, rank in enumerate(ranks))
    box = Principal(actor="device:box", role=Role.GATEWAY, hospital="h1", units=("u",), key="k")
    stream = Stream()
    answer = await stream.take(box, Relay(NOON, items, 0))
    assert stream.lies[:2] == ["id-0", "id-1"]
    assert answer == {item.id: STORED for item in items}
