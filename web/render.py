"""Pages and frames: HTML from what the live reader publishes, in one language for all who look.

A page arrives with its values. A frame holds one tick's changes as out-of-band pieces, each with
the id of what it replaces; its first piece tells the revision and the server's time:

- `cell`: one value whose text changed;
- `fresh`: no text changed, but the values of a bed were measured again (moments only);
- `morph`: a tile, card, list or the alarm queue whose structure changed.

The pieces are made for `static/js/cell-swap.js`; how values age between them is in `ages.js`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import jinja2

from hospital_ops.board import BedCell, CaseCell, Head
from icu.sound import plan
from web.views.alarmqueue import queue_view, rings_differ, storm_places
from web.views.alarms import house_of
from web.views.bed import TileView, tile_view
from web.views.call import CallView
from web.views.case import CaseView, minutes_left
from web.views.coming import bar_lines
from web.views.curves import density, on_wall
from web.views.edboard import Room, ed_parts
from web.views.page import MODES, Page, href
from web.views.values import Frame, ValueView, clock
from web.words import Words, words_of

# How the parts that a board has once are swapped.
WHOLE: Final = {
    "board-rev": "cell", "queue": "morph", "counts": "cell", "totals": "cell",
    "board": "morph", "arrivals": "morph", "here": "morph", "call": "cell",
    "net": "cell",
}  # fmt: skip


class _View(Protocol):
    """What a tile and a card have in common."""

    @property
    def id(self) -> str: ...
    @property
    def cells(self) -> tuple[ValueView, ...]: ...
    @property
    def shape(self) -> tuple[object, ...]: ...


class Renderer:
    """Makes all HTML of the house. Stateless, so one serves every request and every language.

    `zone` is the time zone in which clock times are written (hospital's local time).
    """

    def __init__(self, zone: str = "UTC") -> None:
        self._zone = ZoneInfo(zone)
        self._zone_name = zone
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # else each piece of a frame asks the disk whether it has changed
        )
        self._environment.globals.update(minutes_left=minutes_left, oobs={}, sound_plan=plan())
        self._environment.filters["href"] = href

    def icu_page(
        self,
        lang: str,
        *,
        unit: str,
        unit_name: str,
        beds: Sequence[BedCell],
        head: Head | None,
        rev: int,
        now_us: int,
        mode: str = "desk",
        theme: str = "",
        user: str = "",
        demo: bool = False,
        units: Iterable[Mapping[str, str]] = (),
    ) -> str:
        """The intensive care board, whole and with its values."""
        frame = self.frame(lang, now_us)
        page = self._board_page(
            frame, unit, unit_name, mode, theme, user, demo, units, rev, kind="icu"
        )
        return self.fill("icu.html", page=page, **self.icu_parts(frame, _by_bed(beds), head))

    def icu_snapshot(
        self, lang: str, *, beds: Sequence[BedCell], head: Head | None, rev: int, now_us: int
    ) -> str:
        """The whole board as one frame, for a page that fell behind."""
        frame = self.frame(lang, now_us)
        parts = self.icu_parts(frame, _by_bed(beds), head)
        return self.fill("_icu_snapshot.html", rev=rev, base=-1, w=frame.words, oobs=WHOLE, **parts)

    def icu_frame(
        self,
        lang: str,
        previous: Mapping[str, BedCell | None],
        changed: Mapping[str, BedCell],
        removed: Iterable[str],
        head: Head | None,
        rev: int,
        now_us: int,
        *,
        beds: Mapping[str, BedCell],
        base: int | None = None,
        was: Head | None = None,
    ) -> str:
        """One tick of the board: what the reader sees change from `previous` to `changed`.

        `beds` is the whole board after the change, in its order (the alarm queue and a storm
        depend on all of them). `base` is the revision the page must have (default `rev - 1`);
        the page asks again where it has another. Never empty: the revision itself is news.
        """
        frame = self.frame(lang, now_us)
        before = dict(beds)
        for bed, cell in previous.items():
            if cell is None:
                before.pop(bed, None)
            else:
                before[bed] = cell
        gone = list(removed)
        parts = [self._rev(rev, base, now_us, head)]
        came = any(previous.get(bed) is None for bed in changed)
        if gone or came:
            board = self.icu_parts(frame, beds, head)
            return parts[0] + self.fill("_icu_changed.html", w=frame.words, oobs=WHOLE, **board)
        rings = any(rings_differ(previous[bed], cell) for bed, cell in changed.items())
        places = storm_places(beds)
        old_places = storm_places(before) if rings else places
        touched = [bed for bed in beds if bed in changed or places.get(bed) != old_places.get(bed)]
        for bed in touched:
            new = tile_view(beds[bed], frame, places.get(bed, 0))
            old = tile_view(before[bed], frame, old_places.get(bed, 0))
            parts.append(self._difference(old, new, frame.words, "_tile.html", "tile"))
        queue = queue_view(beds, frame.words) if rings else None
        if queue is not None and queue != queue_view(before, frame.words):
            parts.append(self.fill("_queue.html", queue=queue, w=frame.words, oobs=WHOLE))
        coming = bar_lines(head, frame)
        if _taken(before) != _taken(beds) or coming != bar_lines(was, frame):
            told = {"counts": _taken(beds), "coming": coming, "w": frame.words, "oobs": WHOLE}
            parts.append(self.fill("_counts.html", **told))
        return "".join(parts)

    def ed_page(
        self,
        lang: str,
        *,
        unit: str,
        unit_name: str,
        cases: Sequence[CaseCell],
        head: Head | None,
        rev: int,
        now_us: int,
        mode: str = "desk",
        theme: str = "",
        user: str = "",
        demo: bool = False,
        units: Iterable[Mapping[str, str]] = (),
        rooms: Sequence[Room] = (),
    ) -> str:
        """The emergency board, whole and with its values."""
        frame = self.frame(lang, now_us)
        page = self._board_page(
            frame, unit, unit_name, mode, theme, user, demo, units, rev, kind="ed"
        )
        return self.fill("ed.html", page=page, **ed_parts(frame, cases, head, rooms))

    def ed_snapshot(
        self,
        lang: str,
        *,
        cases: Sequence[CaseCell],
        head: Head | None,
        rev: int,
        now_us: int,
        rooms: Sequence[Room] = (),
    ) -> str:
        """The whole board as one frame, for a page that fell behind."""
        frame = self.frame(lang, now_us)
        return self.fill(
            "_ed_snapshot.html",
            rev=rev,
            base=-1,
            w=frame.words,
            oobs=WHOLE,
            **ed_parts(frame, cases, head, rooms),
        )

    def ed_frame(
        self,
        lang: str,
        previous: Mapping[str, CaseCell | None],
        changed: Mapping[str, CaseCell],
        removed: Iterable[str],
        head: Head | None,
        rev: int,
        now_us: int,
        *,
        cases: Mapping[str, CaseCell],
        base: int | None = None,
        rooms: Sequence[Room] = (),
        was: Head | None = None,
    ) -> str:
        """One tick of the emergency board; arguments as `icu_frame`, `was` the head before.

        A list whose members or order changed is sent whole; the page keeps what stayed.
        """
        frame = self.frame(lang, now_us)
        before = dict(cases)
        for case, cell in previous.items():
            if cell is None:
                before.pop(case, None)
            else:
                before[case] = cell
        for case in removed:
            old_cell = previous.get(case)
            if old_cell is not None:
                before[case] = old_cell
        new = ed_parts(frame, cases.values(), head, rooms)
        old = ed_parts(frame, before.values(), was, rooms)
        parts = [self._rev(rev, base, now_us, head)]
        lists = (
            ("coming", "_arrivals.html", "_arrival.html", "view"),
            ("here", "_here.html", "_row.html", "view"),
        )
        for name, whole, one, argument in lists:
            olds: list[CaseView] = old[name]
            news: list[CaseView] = new[name]
            moved = [view.id for view in olds] != [view.id for view in news]
            if moved or (name == "here" and _zones(old) != _zones(new)):
                parts.append(self.fill(whole, w=frame.words, oobs=WHOLE, **new))
                continue
            for one_old, now in zip(olds, news, strict=True):
                if now.case in changed:
                    parts.append(self._difference(one_old, now, frame.words, one, argument, now_us))
        if _told(old["call"]) != _told(new["call"]):
            call = {"call": new["call"], "now_us": now_us}
            parts.append(self.fill("_call.html", w=frame.words, oobs=WHOLE, **call))
        for name in ("totals", "net"):
            if old[name] != new[name]:
                parts.append(self.fill(f"_{name}.html", w=frame.words, oobs=WHOLE, **new))
        return "".join(parts)

    def sign_in_page(
        self,
        lang: str,
        error: str | None = None,
        next_url: str = "/",
        *,
        action: str = "/sign-in",
        demo: bool = False,
    ) -> str:
        """The form that asks for name and password; `error` says what to do next."""
        words = words_of(lang)
        page = Page(words=words, title=words.t("sign_in.title"), demo=demo)
        return self.fill("sign_in.html", page=page, error=error, next_url=next_url, action=action)

    def home_page(
        self,
        lang: str,
        user: str,
        units: Iterable[Mapping[str, str]],
        *,
        demo: bool = False,
        others: Iterable[str] = (),
    ) -> str:
        """The boards that are open to the user, by kind of unit; `others` are pages beside them."""
        words = words_of(lang)
        page = Page(
            words=words, title=words.t("home.title"), user=user, demo=demo, units=tuple(units)
        )
        return self.fill("home.html", page=page, others=tuple(others))

    def error_page(self, lang: str, status: int, sentence: str, code: str) -> str:
        """What happened, what is safe, what to do and a short code; never a bare number."""
        words = words_of(lang)
        page = Page(words=words, title=words.t("error.title"))
        return self.fill("error.html", page=page, status=status, sentence=sentence, code=code)

    def frame(self, lang: str, now_us: int) -> Frame:
        """Language, moment and zone in which views are made."""
        return Frame(words_of(lang), now_us, self._zone)

    def fill(self, template: str, **values: Any) -> str:
        """The text of a template; everything that comes from outside is escaped."""
        if "page" in values:
            values["w"] = values["page"].words
        return self._environment.get_template(template).render(**values)

    def _board_page(
        self,
        frame: Frame,
        unit: str,
        unit_name: str,
        mode: str,
        theme: str,
        user: str,
        demo: bool,
        units: Iterable[Mapping[str, str]],
        rev: int,
        *,
        kind: str,
    ) -> Page:
        words = frame.words
        return Page(
            words=words,
            title=unit_name or words.t(f"{kind}.board"),
            mode=mode if mode in MODES else "desk",
            theme=theme if theme in ("light", "dark") else "",
            user=user,
            demo=demo,
            unit=unit,
            unit_name=unit_name,
            units=tuple(units),
            rev=rev,
            now_us=frame.now_us,
            clock=clock(frame.now_us, self._zone, seconds=True),
            zone=self._zone_name,
            socket=f"/ws/v1/boards/{unit}?format=html&lang={words.language}",
        )

    def icu_parts(
        self, frame: Frame, beds: Mapping[str, BedCell], head: Head | None
    ) -> dict[str, Any]:
        """What the templates of the intensive care board are filled with."""
        places = storm_places(beds)
        return {
            "tiles": [tile_view(cell, frame, places.get(bed, 0)) for bed, cell in beds.items()],
            "queue": queue_view(beds, frame.words),
            "density": density(len(beds)),
            "traces": on_wall(frame.words, len(beds)),
            "counts": _taken(beds),
            "coming": bar_lines(head, frame),
            "probe": head.probe_at if head else 0,
            "house": house_of(head),
            "now_us": frame.now_us,
        }

    def _rev(self, rev: int, base: int | None, now_us: int, head: Head | None) -> str:
        base = rev - 1 if base is None else base
        probe = head.probe_at if head else 0
        told = {"rev": rev, "base": base, "now_us": now_us, "probe": probe, "house": house_of(head)}
        return self.fill("_rev.html", oobs=WHOLE, **told)

    def _difference(
        self, old: _View, new: _View, words: Words, template: str, argument: str, now_us: int = 0
    ) -> str:
        """What turns the old view into the new one on a page that shows the old one."""
        if old.shape != new.shape:
            values = {argument: new, "w": words, "oobs": {new.id: "morph"}, "now_us": now_us}
            return self.fill(template, **values)
        parts, fresh = [], dict[tuple[int, ...], list[str]]()
        for was, now in zip(old.cells, new.cells, strict=True):
            if was.told != now.told:
                parts.append(self.fill("_value.html", value=now, w=words, oobs={now.id: "cell"}))
            elif was.times != now.times:
                fresh.setdefault(now.times, []).append(now.key)
        for (at, amber, gone), keys in fresh.items():
            times = {"at": at, "amber": amber, "gone": gone}
            parts.append(self.fill("_fresh.html", id=new.id, keys=keys, **times))
        if isinstance(new, TileView) and isinstance(old, TileView) and old.foot != new.foot:
            parts.append(self.fill("_said.html", tile=new, oobs={f"{new.id}-said": "cell"}))
        if isinstance(new, CaseView) and isinstance(old, CaseView) and old.times != new.times:
            oobs = {f"{new.id}-newest": "cell"}
            parts.append(self.fill("_newest.html", view=new, w=words, oobs=oobs, now_us=now_us))
        return "".join(parts)


def _told(call: CallView | None) -> tuple[object, ...]:
    return call.told if call else ()


def _zones(parts: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [zone.told for zone in parts["zones"]]


def _by_bed(beds: Sequence[BedCell]) -> dict[str, BedCell]:
    return {cell.bed: cell for cell in beds}


def _taken(beds: Mapping[str, BedCell]) -> tuple[int, int]:
    """How many beds are taken, of how many."""
    taken = sum(1 for cell in beds.values() if cell.patient is not None or cell.values)
    return taken, len(beds)
