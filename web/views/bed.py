"""A bed's tile: the same value at the same place on every bed, and one thing to know last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from hospital_ops.board import BedCell, PatientCell, Shown
from hospital_ops.clock import SECOND, to_datetime
from web.views import alarms, bedside, duty, flags, nextorder, street
from web.views import indicators as indicated
from web.views.alarms import AlarmView, alarm_view, ordered
from web.views.bedquiet import check_why, on_tile
from web.views.bedside import Slot
from web.views.values import Frame, ValueView, quality_of
from web.words import Words

DAY: Final = 86_400 * SECOND
# A place on the tile and who may fill it, the first that is there.
VITALS: Final[tuple[tuple[Slot, ...], ...]] = (
    (("8867-4", "hr", "ecg", ("8867-4",)), ("8889-8", "pr", "spo2", ("8889-8",))),
    (("59408-5", "spo2", "spo2", ("59408-5",)),),
    (("76214-6", "map", "art", ("76214-6",)), ("8478-0", "map", "nibp", ("8478-0",))),
)
ROW: Final[tuple[tuple[Slot, ...], ...]] = (
    (
        ("bp", "abp", "art", ("76215-3", "76213-8")),
        ("bp", "nibp", "nibp", ("8480-6", "8462-4")),
    ),
    (("9279-1", "rr", "rr", ("9279-1",)),),
    (("8310-5", "temp", "temp", ("8310-5",)),),
)
# Only where it is measured; a large tile and the bed's page have room for it.
BREATH: Final[Slot] = ("19891-1", "etco2", "etco2", ("19891-1",))


@dataclass(frozen=True, slots=True, kw_only=True)
class FootView:
    """The last line: the one thing to know here, and how many more there are."""

    rank: int
    look: str  # high, medium, low, identity, late, quiet
    text: str = ""
    mark: str = ""
    icon: str = ""
    since: int = 0
    new: bool = False
    acknowledged: bool = False
    latched: bool = False
    paused: bool = False  # its sound is off for now
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TileView:
    """One bed; `shape` is everything but its values: a change of it sends the whole tile."""

    id: str
    bed: str
    label: str
    state: str  # live, waiting, empty
    check: bool
    alarm: str  # high or medium while a new one rings
    initials: str
    facts: str
    day: str
    score: tuple[tuple[str, str], ...]
    note: str
    vitals: tuple[ValueView, ...]
    row: tuple[ValueView, ...]
    support: tuple[ValueView, ...]
    condition: tuple[ValueView, ...]
    unmapped: int
    foot: FootView
    place: int = 0
    quiet: tuple[str, ...] = ()  # why the bed makes no sound, and until when
    rings: str = ""  # what sounds: PRIORITY:BURST:SILENT_UNTIL or remind:AT, with spaces between
    why: str = ""  # "check patient": the key of the sentence that says why
    calls: tuple[str, str, int] = ("", "", 0)  # who was called last, who is next, and when
    orders: tuple[int, int] = (0, 0)  # due, overdue
    lowest: tuple[tuple[str, str], ...] = ()  # before the hospital
    flags: tuple[flags.Tag, ...] = ()  # isolation, allergy, limits of treatment
    next_order: nextorder.NextView | None = None
    who: str = ""  # changes with the patient, and says nothing else

    @property
    def cells(self) -> tuple[ValueView, ...]:
        """All values of the tile."""
        return self.vitals + self.row + self.support + self.condition

    @property
    def shape(self) -> tuple[object, ...]:
        """What makes the tile what it is, apart from the values in it."""
        return (
            self.state, self.check, self.alarm, self.initials, self.facts, self.day, self.score,
            self.note, self.unmapped, replace(self.foot, text=""), self.place, self.label,
            self.quiet, self.why, self.calls, self.orders, self.rings, self.lowest,
            self.flags, self.next_order, self.who,
            tuple((cell.id, cell.label, cell.tint, cell.kind) for cell in self.cells),
        )  # fmt: skip


def tile_view(cell: BedCell, frame: Frame, place: int = 0) -> TileView:
    """The tile of a bed at a moment; `place` is its rank in an alarm storm."""
    words = frame.words
    said = ordered(alarm_view(alarm, words) for alarm in alarms.shown(cell))
    owner = f"bed-{cell.bed}"
    marks = _marks(said)
    ringing = [alarm.look for alarm in said if alarm.new]
    if not cell.values:
        state = "waiting" if cell.patient or cell.device or cell.flags else "empty"
    else:
        state = "live"
    shown, why = bool(cell.values), check_why(cell.flags)
    scores = _scores(cell.indicators, words)
    return TileView(
        id=owner,
        bed=cell.bed,
        label=cell.label,
        state=state,
        check=bool(why),
        alarm=next((look for look in ("high", "medium") if look in ringing), ""),
        initials=(cell.patient.initials or words.t("tile.unknown")) if cell.patient else "",
        facts=" · ".join(filter(None, (_facts(cell.patient, frame), *_kin(cell, words)))),
        day=_day(cell.patient, frame),
        score=scores[:1],
        note=_note(cell, state, words),
        vitals=_places(VITALS, cell, frame, owner, marks) if shown else (),
        row=_row(cell, frame, owner, marks) if shown else (),
        support=bedside.support(cell, frame, owner, marks),
        condition=bedside.condition(cell, frame, owner, marks, scores[1:]),
        unmapped=sum(1 for each in cell.values.values() if not each.mapped),
        foot=_foot(cell, said, frame),
        place=place,
        quiet=on_tile(cell, frame),
        why=why,
        calls=duty.on_tile(cell, frame),
        orders=(cell.orders.get("due", 0), cell.orders.get("overdue", 0)),
        rings=alarms.rings(cell),
        lowest=street.on_tile(cell.patient, frame),
        flags=flags.on_tile(cell, words),
        next_order=nextorder.on_tile(cell, frame),
        who=cell.patient.patient_id[:8] if cell.patient else "",
    )


def _kin(cell: BedCell, words: Words) -> list[str]:
    """Mother and children of whoever lies here, by their bed; a number stands on no tile."""
    return [
        words.t("whois.kin_line", role=words.t(f"whois.{one.role}"), where=_label(one.bed)).strip()
        for one in cell.kin
    ]


def _label(bed: str) -> str:
    return bed.rpartition("-")[2].lstrip("0") or bed


def _marks(said: list[AlarmView]) -> dict[str, tuple[str, bool]]:
    """Code of a value -> priority and acknowledgement of the first alarm about it."""
    marks: dict[str, tuple[str, bool]] = {}
    for alarm in said:
        if alarm.about and alarm.look != "low":
            marks.setdefault(alarm.about, (alarm.look, not alarm.new))
    return marks


def _places(
    places: tuple[tuple[Slot, ...], ...],
    cell: BedCell,
    frame: Frame,
    owner: str,
    marks: Mapping[str, tuple[str, bool]],
) -> tuple[ValueView, ...]:
    """One value for every place; a place that nobody fills says that nothing was measured."""
    views = []
    for choices in places:
        there = [slot for slot in choices if all(code in cell.values for code in slot[3])]
        # A line that was taken out gives its place to the cuff that measured after it.
        alive = [slot for slot in there if not _silent(slot, there, cell.values, frame.now_us)]
        chosen = next(iter(alive or there), None)
        view = bedside.value(chosen, cell, frame, owner, marks) if chosen else None
        name, word, tint, _ = choices[0]
        views.append(view or frame.missing(owner, name, tint, label=frame.words.t(f"value.{word}")))
    return tuple(views)


def _row(
    cell: BedCell, frame: Frame, owner: str, marks: Mapping[str, tuple[str, bool]]
) -> tuple[ValueView, ...]:
    breath = bedside.value(BREATH, cell, frame, owner, marks)
    return _places(ROW, cell, frame, owner, marks) + ((breath,) if breath else ())


def _silent(slot: Slot, there: list[Slot], values: Mapping[str, Shown], now_us: int) -> bool:
    """Whether a slot is withdrawn while another of its place measured later."""
    first = values[slot[3][0]]
    if quality_of(first.kind, first.amber_at, first.gone_at, now_us) != "gone":
        return False
    return any(values[other[3][0]].at > first.at for other in there)


def _foot(cell: BedCell, said: list[AlarmView], frame: Frame) -> FootView:
    """What the last line says: the first of the order that holds."""
    words, orders = frame.words, cell.orders
    lines = [
        FootView(
            rank=alarm.rank, look=alarm.look, text=alarm.text, mark=alarm.mark,
            icon="" if alarm.mark else "plug", since=alarm.since, new=alarm.new,
            acknowledged=alarm.acknowledged, latched=alarm.latched, paused=alarm.paused,
        )
        for alarm in said
    ]  # fmt: skip
    if "check_patient" in cell.flags or "displaced" in cell.flags:
        text = words.t("tile.check")
        lines.append(FootView(rank=alarms.CHECK, look="identity", text=text, icon="card"))
    elif "patient_not_confirmed" in cell.flags:
        text = words.t("tile.not_confirmed")
        lines.append(FootView(rank=alarms.UNCONFIRMED, look="identity", text=text, icon="card"))
    if "record_left_behind" in cell.flags:
        text = words.t("waits.behind")
        lines.append(FootView(rank=alarms.UNCONFIRMED, look="identity", text=text, icon="card"))
    if cell.refilings:
        text = words.t("waits.refilings", n=cell.refilings)
        lines.append(FootView(rank=alarms.DUE, look="quiet", text=text, icon="card"))
    if "several_sensors" in cell.flags:
        text = words.t("tile.several_sensors")
        lines.append(FootView(rank=alarms.DUE, look="quiet", text=text))
    if orders.get("overdue"):
        key = "foot.escalated" if orders.get("escalated") else "foot.overdue"
        text = words.t(key, n=orders["overdue"])
        lines.append(FootView(rank=alarms.OVERDUE, look="late", text=text, icon="clock"))
    if orders.get("due"):
        text = words.t("foot.due", n=orders["due"])
        lines.append(FootView(rank=alarms.DUE, look="quiet", text=text))
    if orders.get("review"):
        text = words.t("stay.units.review", n=orders["review"])
        lines.append(FootView(rank=alarms.DUE, look="quiet", text=text))
    if not lines:
        simulated = cell.mode != "Real"
        text = words.t("mode.simulated") if simulated else ""
        return FootView(rank=alarms.QUIET, look="sim" if simulated else "quiet", text=text)
    lines.sort(key=lambda line: line.rank)
    first = lines[0]
    more = sum(1 for line in lines[1:] if line.rank < alarms.DUE)
    return FootView(
        rank=first.rank, look=first.look, text=first.text, mark=first.mark, icon=first.icon,
        since=first.since, new=first.new, acknowledged=first.acknowledged,
        latched=first.latched, paused=first.paused, more=more,
    )  # fmt: skip


def _note(cell: BedCell, state: str, words: Words) -> str:
    """Beside the bed's number where there is no patient to name."""
    if state == "empty":
        return words.t("tile.free")
    if cell.patient is None:
        return words.t("tile.not_confirmed")
    return ""


def _facts(patient: PatientCell | None, frame: Frame) -> str:
    """`F 64`: sex and age, whatever of them is known."""
    if patient is None:
        return ""
    sex = frame.words.t(f"sex.{patient.sex if patient.sex in ('F', 'M') else 'unknown'}")
    age = age_text(patient.birth_date, frame)
    if not age and patient.age_years is not None:
        age = f"~{frame.words.t('age.years', n=int(patient.age_years))}"
    return " ".join(filter(None, (sex, age)))


def age_text(birth_date: str, frame: Frame) -> str:
    """Years; under two years months; under one month days; empty where it is not known."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return ""
    today = to_datetime(frame.now_us).astimezone(frame.zone).date()
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months >= 24:
        return frame.words.t("age.years", n=months // 12)
    if months >= 1:
        return frame.words.t("age.months", n=months)
    return frame.words.t("age.days", n=max(0, (today - born).days))


def _day(patient: PatientCell | None, frame: Frame) -> str:
    """`day 3` of the stay."""
    if patient is None or not patient.admitted_at:
        return ""
    return frame.words.t("tile.day", n=max(0, frame.now_us - patient.admitted_at) // DAY + 1)


def _scores(indicators: Mapping[str, Any], words: Words) -> tuple[tuple[str, str], ...]:
    """NEWS2, where it applies, and SOFA; a total with gaps is a lower bound and looks so.

    The first stands in the header; where that is NEWS2, SOFA stands with the condition.
    """
    found = []
    for key in ("news2", "sofa"):
        figure = indicators.get(key)
        text = indicated.text_of(key, figure, words) if isinstance(figure, Mapping) else ""
        if text:
            found.append((words.t(f"score.{key}"), text))
    return tuple(found)
