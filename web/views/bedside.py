"""Two lines of a tile: the ventilator, and what runs, how awake, how much fluid. Pure.

Only what the bed really has, the most important first: a small tile shows the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from web.views.indicators import of_day
from web.views.values import Frame, ValueView, age_of

Slot = tuple[str, str, str, tuple[str, ...]]  # slot, word, tint, codes
Marks = Mapping[str, tuple[str, bool]]
MODE: Final = "20124-4"
VENTILATOR: Final[tuple[Slot, ...]] = (
    (MODE, "vent_mode", "mode", (MODE,)),
    ("3150-0", "fio2", "", ("3150-0",)),
    ("76248-4", "peep", "", ("76248-4",)),
    ("76222-9", "vt", "", ("76222-9",)),
    ("3151-8", "o2_flow", "", ("3151-8",)),
    ("on_oxygen", "on_oxygen", "", ("on_oxygen",)),
)
INFUSIONS: Final[tuple[Slot, ...]] = tuple(
    (drug, drug, "", (drug,))
    for drug in (
        "norepinephrine", "epinephrine", "vasopressin", "dobutamine", "dopamine", "milrinone",
    )
)  # fmt: skip
AWAKE: Final[tuple[Slot, ...]] = (
    ("rass", "rass", "", ("rass",)),
    ("9269-2", "gcs", "", ("9269-2",)),
    ("80288-4", "avpu", "", ("80288-4",)),
)
LATER: Final[tuple[Slot, ...]] = (
    ("32693-4", "lactate", "", ("32693-4",)),
    ("9187-6", "urine", "", ("9187-6",)),
)
STATED: Final = frozenset(("invasive", "niv", "high_flow", "none"))  # codes.json, vent_mode


def value(slot: Slot, cell: BedCell, frame: Frame, owner: str, marks: Marks) -> ValueView | None:
    """The value of a slot where all of its codes are there."""
    name, word, tint, codes = slot
    for code in codes:
        if code not in cell.values:
            return None
    found = [(code, cell.values[code]) for code in codes]
    mark = next((marks[code] for code in codes if code in marks), ("", False))
    view = frame.value(
        owner,
        name,
        tint,
        tuple(found),
        label=frame.words.t(f"value.{word}"),
        marks=mark,
        simulated=cell.mode != "Real",
    )
    moving = next((cell.trends[code] for code in codes if code in cell.trends), "")
    return replace(view, trend=moving) if moving and not view.quality else view


def support(cell: BedCell, frame: Frame, owner: str, marks: Marks) -> tuple[ValueView, ...]:
    """Ventilator: mode, FiO2, PEEP, tidal volume; or oxygen. The rate stands in the row above."""
    views = _present(VENTILATOR, cell, frame, owner, marks)
    return tuple(_mode(view, frame) if view.key == MODE else view for view in views)


def condition(
    cell: BedCell,
    frame: Frame,
    owner: str,
    marks: Marks,
    scores: Sequence[tuple[str, str]] = (),
) -> tuple[ValueView, ...]:
    """Infusions that run, consciousness, scores without a place above, balance, lactate, urine."""
    running = [
        slot for slot in INFUSIONS if slot[0] in cell.values and cell.values[slot[0]].value != 0
    ]
    views = [
        *_present(tuple(running), cell, frame, owner, marks),
        *_present(AWAKE, cell, frame, owner, marks)[:2],
        *(_score(name, text, cell, owner) for name, text in scores),
        *_balance(cell, frame, owner),
        *_present(LATER, cell, frame, owner, marks),
    ]
    return tuple(views)


def _present(
    slots: tuple[Slot, ...], cell: BedCell, frame: Frame, owner: str, marks: Marks
) -> tuple[ValueView, ...]:
    views = (value(slot, cell, frame, owner, marks) for slot in slots)
    return tuple(view for view in views if view is not None)


def _mode(view: ValueView, frame: Frame) -> ValueView:
    """A documented status in the ward's words; a device's own mode as it names it."""
    if view.text in STATED:
        return replace(view, text=frame.words.t(f"vent.{view.text}"))
    return view


def _score(name: str, text: str, cell: BedCell, owner: str) -> ValueView:
    """A score as its words say it; how old its inputs are stands on the bed's page."""
    return ValueView(
        id=f"{owner}-{name.lower()}", key=name.lower(), tint="", label=name, unit="", text=text,
        kind="spot", fixed=True, simulated=cell.mode != "Real",
    )  # fmt: skip


def _balance(cell: BedCell, frame: Frame, owner: str) -> list[ValueView]:
    """The fluid balance of 24 h, where there is one."""
    figure = cell.indicators.get("balance")
    if not isinstance(figure, Mapping) or figure.get("day_ml") is None:
        return []
    inputs, amount = figure["inputs"].get("volume"), float(figure["day_ml"])
    at = from_iso(inputs["at"]) if inputs else 0
    words = frame.words
    return [
        ValueView(
            id=f"{owner}-balance",
            key="balance",
            tint="",
            label=of_day(figure, frame, "value.balance"),
            unit=words.t("unit.mL") if words.has("unit.mL") else "mL",
            text=f"{'+' if amount > 0 else ''}{words.number(amount, 0)}",
            kind="spot",
            at=at,
            simulated=cell.mode != "Real",
            age=age_of("spot", "", at, frame.now_us, words, frame.zone),
        )
    ]
