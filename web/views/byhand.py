"""What is charted by hand where no device tells it: vital signs, oxygen, rates of infusions. Pure.

What is unlikely is asked, as on the crew's tablet; what no body can have is refused where it is
stored (`streams/charting.py`). A rate has its order as its channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.board import BedCell, state_of
from icu.record import DRUGS
from icu.response import drug_of
from web.views.flowsheet import event, number_in
from web.views.values import Frame, name_words, unit_words
from web.words import Words

VITALS: Final = ("hr", "spo2", "rr", "temp", "nibp_sys", "nibp_dia", "fio2", "o2_flow")
RATE: Final = "rate_"  # rate_DRUG_ORDER; without DRUG: none whose dose has a code
SAID: Final = "said_"  # said_ORDER: what runs and its unit, in words


class Field(NamedTuple):
    """One field of the form; `hidden`: a name and what goes along with it."""

    name: str
    label: str
    value: str = ""
    hidden: tuple[str, str] = ("", "")


def vitals(typed: Mapping[str, str], words: Words) -> list[Field]:
    """The vital signs, with what was typed before a refusal."""
    return [Field(key, _label(key, words), typed.get(key, "")) for key in VITALS]


def rates(
    orders: Iterable[Mapping[str, Any]], cell: BedCell, typed: Mapping[str, str], frame: Frame
) -> list[Field]:
    """A field for each infusion that runs by an order, and whose pump does not tell its rate."""
    found = []
    for one in orders:
        if (one["kind"], one["request"], one["task"]) != ("infusion", "active", "in-progress"):
            continue
        key, order = drug_of(one["text"]), one["id"]
        shown = cell.values.get(key)
        if shown and shown.origin == "monitor" and state_of(shown, frame.now_us) == "live":
            continue
        name = f"{RATE}{key if key in DRUGS else ''}_{order}"
        unit = str(one["details"].get("rate_unit") or "mL/h")
        what = f"{one['what']}, {unit_words(unit, frame.words)}"
        label = _label(key, frame.words) if key in DRUGS else what
        found.append(Field(name, label, typed.get(name, ""), (f"{SAID}{order}", what)))
    return found


def events_of(fields: Mapping[str, str], at: str, form: str) -> list[dict[str, Any]]:
    """The events of the filled fields; MessageError where a number is expected and none is."""
    found = [event(key, fields[key], at, form) for key in VITALS if fields.get(key)]
    for name, text in fields.items():
        if not name.startswith(RATE) or not text:
            continue
        key, _, order = name.removeprefix(RATE).partition("_")
        if key in DRUGS:
            made = event(key, text, at, form)
        else:  # a drug whose dose has no code of its own: a line among the notes
            number_in(text, key or order)
            made = event("note", f"{fields.get(f'{SAID}{order}', '')}: {text}", at, form)
        found.append(made | {"channel": order})
    return found


def doubtful(fields: Mapping[str, str], words: Words) -> list[str]:
    """The names of what is unlikely, or does not fit together: it is asked, never refused."""
    found = []
    for name, text in fields.items():
        key = name.removeprefix(RATE).partition("_")[0] if name.startswith(RATE) else name
        if not text or key not in (*VITALS, *DRUGS):
            continue
        vital, number = codes.by_key[key], number_in(text, key)
        if vital.plausible and not vital.plausible[0] <= number <= vital.plausible[1]:
            found.append(name_words(vital.code, words))
    high, low = fields.get("nibp_sys"), fields.get("nibp_dia")
    if high and low and number_in(high, "nibp_sys") <= number_in(low, "nibp_dia"):
        found.append(name_words(codes.by_key["nibp_dia"].code, words))
    return found


def _label(key: str, words: Words) -> str:
    vital = codes.by_key[key]
    return f"{name_words(vital.code, words)}, {unit_words(vital.ucum, words)}"
