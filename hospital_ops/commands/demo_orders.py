"""The demonstration's orders: sets the site has approved, and two beds with something to do."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from hospital_ops import database
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND, SystemClock, iso
from hospital_ops.database import Database
from hospital_ops.errors import NotFound
from hospital_ops.settings import Settings
from icu import order_sets
from icu.allergies import store as allergies
from icu.flags import store as flags
from icu.order_kinds import wanted
from icu.ordering import store
from icu.ordering.store import Place, Signing
from icu.set_approvals import store as approvals
from streams.shard import hospital_of

MINUTE: Final = 60 * SECOND
# Minutes from now at which each is due; a negative one is late from the start.
FIRST_BED: Final[tuple[tuple[dict[str, Any], int], ...]] = (
    (
        {"kind": "infusion", "target": "MAP 65 to 75",
         "details": {"drug": "норадреналин", "rate": 4, "rate_unit": "mg/h"}}, -5,
    ),
    ({"kind": "laboratory", "text": "Лактат", "repeat": {"every_min": 240, "times": 6}}, 20),
    ({"kind": "nursing", "text": "Поворот", "repeat": {"every_min": 120}}, -45),
    ({"kind": "ventilation", "target": "SpO2 92 to 96", "details": {"peep_cmh2o": 8}}, 60),
)  # fmt: skip
SECOND_BED: Final[tuple[tuple[dict[str, Any], int], ...]] = (
    ({"kind": "imaging", "text": "Рентген грудной клетки"}, 90),
    ({"kind": "laboratory", "text": "Калий", "priority": "urgent"}, 15),
)


async def seed(settings: Settings, beds: list[tuple[str, str]]) -> None:
    """Approves the sets and orders for two (bed, patient), once: nothing where orders are."""
    if not beds:
        return
    hospital = hospital_of(beds[0][0])
    by = Principal(
        actor=f"icu.{hospital}", role=Role.ICU_PHYSICIAN, hospital=hospital, units=ALL_UNITS,
        key="", mode="Demo",
    )  # fmt: skip
    app = await database.connect(settings.database_url, "app", name="demo")
    try:
        unit, now = beds[0][0].rpartition("-")[0], SystemClock().now_us()
        if await approvals.approved(app, by) or await store.open_of_unit(app, by, unit, now):
            return
        for order_set in order_sets.ids():
            await approvals.approve(app, by, order_set, order_sets.version(order_set), now)
        for (bed, patient), orders in zip(beds, (FIRST_BED, SECOND_BED), strict=False):
            await _order(app, by, Place(unit, bed, patient), orders, now)
        with suppress(NotFound):  # the archive may not know the stay yet: it is only for show
            await flags.begin(app, by, beds[0][0], stay="", kind="contact", note="MRSA", at=now)
    finally:
        await app.close()


async def _order(
    app: Database,
    by: Principal,
    place: Place,
    orders: tuple[tuple[dict[str, Any], int], ...],
    now: int,
) -> None:
    await allergies.record(
        app, by, unit=place.unit, patient_id=place.patient_id, substance="пенициллин",
        reaction="сыпь", criticality="low", told_by="пациент", at=now,
    )  # fmt: skip
    made = [wanted({**sent, "due_at": iso(now + due * MINUTE)}, now) for sent, due in orders]
    await store.place(app, by, place, made, Signing(), now)
