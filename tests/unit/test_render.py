"""What pages and frames say: escaped, without inline style or script, and only what changed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from hospital_ops.board import AlarmCell, BedCell, CaseCell, DecisionCell, Head, PatientCell, Shown
from hospital_ops.clock import SECOND
from tests.browser import made_up
from tests.browser.made_up import alarm, bed, live, spot, values
from web.render import Renderer
from web.views.case import minutes_left
from web.views.curves import density

NOW = 1_772_359_337 * SECOND
RENDER = Renderer("Europe/Moscow")
HOSTILE = "<img src=x onerror=alert(1)>\"' --><script>"


class Elements(HTMLParser):
    """Every element of some HTML, by its id, with its attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def swapped(self) -> dict[str, str]:
        """Id -> swap style of the pieces of a frame."""
        return {
            str(attrs["id"]): str(attrs["hx-swap-oob"])
            for _, attrs in self.tags
            if "hx-swap-oob" in attrs
        }


def page(beds: list[BedCell], **more: Any) -> str:
    given = {"unit": "h1-icu-1", "unit_name": "ICU 1", "head": Head("h1-icu-1"), "rev": 3, **more}
    return RENDER.icu_page(given.pop("lang", "en"), beds=beds, now_us=NOW, **given)


def frame(before: BedCell, after: BedCell, *others: BedCell, now: int = NOW) -> str:
    beds = {cell.bed: cell for cell in (*others, after)}
    return RENDER.icu_frame(
        "en", {after.bed: before}, {after.bed: after}, (), None, 4, now, beds=beds
    )


def changed(cell: BedCell, **changes: Any) -> BedCell:
    return msgspec.structs.replace(cell, **changes)


def test_a_hostile_name_stays_text() -> None:
    patient = PatientCell("p", "m", initials=HOSTILE, sex=HOSTILE, birth_date=HOSTILE)
    nasty = bed(1, NOW, label=HOSTILE, patient=patient, values={HOSTILE: spot(HOSTILE, "", NOW)})
    rung = alarm("high", HOSTILE, HOSTILE, HOSTILE, NOW)
    html = page([changed(nasty, alarms=(rung,), bed=HOSTILE, values=values(1, NOW))], user=HOSTILE)
    tags = {tag for tag, _ in Elements(html).tags}
    assert "img" not in tags
    assert all("src" in attrs for tag, attrs in Elements(html).tags if tag == "script")
    assert not [name for _, attrs in Elements(html).tags for name in attrs if name[:2] == "on"]


def test_hostile_words_of_a_crew_stay_text() -> None:
    facts = {"complaint": HOSTILE, "crew": HOSTILE, "age_band": HOSTILE, "sex": HOSTILE}
    reasons = {"proposed": "red", "reasons": [{"code": HOSTILE, "text": HOSTILE}]}
    case = CaseCell("c1", facts, {}, reasons, acknowledgements=({"by": HOSTILE},))
    html = RENDER.ed_page(
        "ru", unit="h1-ed", unit_name=HOSTILE, cases=[case], head=None, rev=1, now_us=NOW
    )
    assert "img" not in {tag for tag, _ in Elements(html).tags}
    assert HOSTILE in Elements(html).said


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("mode", ["desk", "wall", "touch"])
def test_pages_have_no_style_and_no_script_of_their_own(lang: str, mode: str) -> None:
    html = page(made_up.ward(24, NOW), lang=lang, mode=mode, demo=True)
    html += RENDER.ed_page(
        lang, unit="e", unit_name="E", cases=made_up.cases(NOW), head=None, rev=1, now_us=NOW
    )
    html += RENDER.sign_in_page(lang, "x") + RENDER.home_page(lang, "u", ())
    html += RENDER.error_page(lang, 404, "x", "E1")
    for tag, attrs in Elements(html).tags:
        assert tag != "style"
        assert "style" not in attrs
        assert tag != "script" or attrs.get("src")
    assert "data-demo" in html


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_page_says_which_alarm_is_the_primary_one(lang: str) -> None:
    said = "монитор у кровати" if lang == "ru" else "bedside monitor is the primary alarm"
    pages = [
        page([], lang=lang),
        RENDER.ed_page(lang, unit="e", unit_name="E", cases=[], head=None, rev=1, now_us=NOW),
        RENDER.sign_in_page(lang),
        RENDER.home_page(lang, "u", ()),
        RENDER.error_page(lang, 500, "x", "E1"),
    ]
    assert all(said in html for html in pages)


def test_an_id_stands_once_on_a_page() -> None:
    html = page(made_up.ward(50, NOW))
    ids = [attrs["id"] for _, attrs in Elements(html).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_only_the_value_whose_text_changed_is_sent() -> None:
    before, other = bed(7, NOW), bed(8, NOW)
    after = changed(before, values={**before.values, "8867-4": live(141, "/min", NOW)})
    swaps = Elements(frame(before, after, other)).swapped()
    assert swaps == {"board-rev": "cell", "bed-h1-icu-1-07-8867-4": "cell"}
    assert ">141<" in frame(before, after, other)


def test_same_numbers_measured_again_send_moments_and_no_text() -> None:
    before = bed(7, NOW)
    again = values(7, NOW + SECOND)
    html = frame(before, changed(before, values=again), now=NOW + SECOND)
    assert Elements(html).swapped() == {"board-rev": "cell", "bed-h1-icu-1-07": "fresh"}
    assert "8867-4" in html
    assert f'data-at="{again["8867-4"].at}"' in html
    assert Elements(html).said.strip() == ""


def test_a_number_comes_back_as_text_after_it_was_withdrawn() -> None:
    before = bed(7, NOW)
    later = NOW + 20 * SECOND
    html = frame(before, changed(before, values=values(7, later)), now=later)
    assert Elements(html).swapped()["bed-h1-icu-1-07-8867-4"] == "cell"


def test_a_new_alarm_sends_the_tile_and_the_queue_and_no_other_tile() -> None:
    before, other = bed(7, NOW), bed(8, NOW)
    red = alarm("high", "map_low", "76214-6", "MAP 48 < 60", NOW)
    html = frame(before, changed(before, alarms=(red,)), other)
    assert Elements(html).swapped() == {
        "board-rev": "cell", "bed-h1-icu-1-07": "morph", "queue": "morph",
    }  # fmt: skip
    assert "MAP 48 &lt; 60" in html


def test_every_frame_tells_its_revision_even_when_nothing_is_seen_to_change() -> None:
    before = bed(7, NOW)
    html = frame(before, changed(before, device="other"))
    (tag, attrs), *rest = Elements(html).tags
    assert (tag, attrs["data-rev"], attrs["data-base"], rest) == ("div", "4", "3", [])


def test_a_new_bed_sends_the_board() -> None:
    new = bed(8, NOW)
    html = RENDER.icu_frame("en", {new.bed: None}, {new.bed: new}, (), None, 4, NOW,
                            beds={new.bed: new})  # fmt: skip
    assert Elements(html).swapped()["board"] == "morph"


def test_a_withdrawn_value_has_no_number_in_the_page_and_a_spot_value_keeps_its_own() -> None:
    cell = bed(7, NOW, values={
        "8867-4": live(123, "/min", NOW, 20), "59408-5": live(97, "%", NOW, 7),
        "8310-5": spot(38.1, "Cel", NOW, 600),
    })  # fmt: skip
    html = page([cell])
    assert "123" not in html
    assert "– –" in html
    assert 'data-q="stale"' in html
    assert "38.1" in html


def test_invalid_is_a_cross_and_a_word_never_a_number() -> None:
    broken = Shown(312.0, "/min", NOW, validity="Inv", amber_at=NOW + 1, gone_at=NOW + 2)
    html = page([bed(7, NOW, values={**values(7, NOW), "8867-4": broken})])
    assert "312" not in html
    assert "✕" in html
    assert "invalid" in html


def test_check_patient_shows_values_and_alarms_and_says_why() -> None:
    red = alarm("high", "map_low", "76214-6", "MAP 48 < 60", NOW)
    html = page([bed(7, NOW, flags=("check_patient",), alarms=(red,))])
    assert "data-check" in html
    assert "Another name or another bed was told" in html
    assert "MAP 48 &lt; 60" in html
    assert ">83<" in html


def test_check_patient_after_a_break_says_what_is_unlike() -> None:
    for flag, said in (("check_beats", "beats look unlike"), ("check_baseline", "far from before")):
        html = page([bed(7, NOW, flags=("check_patient", flag))])
        assert "data-check" in html
        assert said in html


def test_a_cuff_that_measured_later_takes_the_place_of_a_withdrawn_line() -> None:
    cell = bed(9, NOW, values={
        "76214-6": live(77, "mm[Hg]", NOW, 700), "8478-0": made_up.cyclic(81, "mm[Hg]", NOW),
    })  # fmt: skip
    assert 'id="bed-h1-icu-1-09-8478-0"' in page([cell])
    assert 'id="bed-h1-icu-1-09-76214-6"' not in page([cell])


def test_more_than_eight_reds_are_a_storm_with_three_on_top() -> None:
    beds = [
        bed(n, NOW, alarms=(alarm("high", "map_low", "76214-6", f"MAP {50 - n} < 60", NOW),))
        for n in range(1, 10)
    ]
    html = page(beds)
    assert "data-storm" in html
    assert [a["id"] for _, a in Elements(html).tags if "data-top" in a] == [
        "bed-h1-icu-1-07", "bed-h1-icu-1-08", "bed-h1-icu-1-09",
    ]  # fmt: skip
    assert "data-storm" not in page(beds[:8])


def test_the_ninth_red_puts_three_on_top_and_a_number_in_a_storm_sends_itself_alone() -> None:
    reds = [
        bed(n, NOW, alarms=(alarm("high", "map_low", "76214-6", f"MAP {50 - n} < 60", NOW),))
        for n in range(1, 10)
    ]
    *others, ninth = reds
    begun = Elements(frame(changed(ninth, alarms=()), ninth, *others)).swapped()
    assert set(begun) == {"board-rev", "queue", *(f"bed-h1-icu-1-0{n}" for n in (7, 8, 9))}
    after = changed(ninth, values={**ninth.values, "8867-4": live(141, "/min", NOW)})
    assert set(Elements(frame(ninth, after, *others)).swapped()) == {
        "board-rev", "bed-h1-icu-1-09-8867-4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("beds", "layout"), [(1, 4), (4, 4), (5, 12), (13, 24), (25, 50), (60, 50)]
)
def test_the_layout_follows_the_count_of_beds(beds: int, layout: int) -> None:
    assert density(beds) == layout


def test_arrivals_stand_by_colour_then_by_time_and_a_proposal_is_dashed() -> None:
    html = RENDER.ed_page(
        "en", unit="e", unit_name="E", cases=made_up.cases(NOW), head=None, rev=1, now_us=NOW
    )
    shapes = [(a["data-t"], a["data-by"]) for _, a in Elements(html).tags if "data-by" in a
              and "data-t" in a]  # fmt: skip
    assert shapes[0] == ("red", "system")  # the call for the red patient nobody has heard of
    assert shapes[1:6] == [
        ("red", "physician"), ("red", "system"), ("yellow", "system"), ("incomplete", "system"),
        ("green", "system"),
    ]  # fmt: skip
    assert "newest known" in html


def test_a_case_whose_colour_rises_moves_up_the_list() -> None:
    cells = {cell.case: cell for cell in made_up.cases(NOW)}
    before = cells["0190-4"]
    after = msgspec.structs.replace(before, triage={"proposed": "red", "reasons": []})
    cells[after.case] = after
    html = RENDER.ed_frame(
        "en", {after.case: before}, {after.case: after}, (), None, 2, NOW, cases=cells
    )
    swaps = Elements(html).swapped()
    assert swaps["arrivals"] == "morph"
    assert "here" not in swaps


def test_a_case_that_is_decided_is_sent_alone() -> None:
    cells = {cell.case: cell for cell in made_up.cases(NOW)}
    before = cells["0190-2"]
    after = msgspec.structs.replace(before, decision=DecisionCell("yellow", "Dr Ray", NOW, 1))
    cells[after.case] = after
    html = RENDER.ed_frame(
        "ru", {after.case: before}, {after.case: after}, (), None, 2, NOW, cases=cells
    )
    assert Elements(html).swapped() == {"board-rev": "cell", "case-0190-2": "morph"}
    assert "решение: Dr Ray" in html


def test_a_case_that_left_is_taken_from_its_list() -> None:
    cells = {cell.case: cell for cell in made_up.cases(NOW)}
    gone = cells.pop("0190-2")
    html = RENDER.ed_frame("en", {gone.case: gone}, {}, (gone.case,), None, 2, NOW, cases=cells)
    assert Elements(html).swapped()["arrivals"] == "morph"
    assert "case-0190-2" not in html


@pytest.mark.parametrize(("seconds", "minutes"), [(61, 2), (60, 1), (1, 1), (0, 0), (-60, -1)])
def test_minutes_until_arrival_round_up(seconds: int, minutes: int) -> None:
    assert minutes_left(NOW + seconds * SECOND, NOW) == minutes


def test_the_frame_of_a_page_that_fell_behind_holds_everything() -> None:
    html = RENDER.icu_snapshot("en", beds=made_up.ward(4, NOW), head=None, rev=9, now_us=NOW)
    assert Elements(html).swapped() == {
        "board-rev": "cell", "queue": "morph", "counts": "cell", "board": "morph",
    }  # fmt: skip
    assert re.match(r'<div id="board-rev" data-rev="9" data-base="-1"', html)


def test_a_ringing_number_that_changes_sends_its_words_and_not_the_tile() -> None:
    def ringing(value: float) -> BedCell:
        rung = AlarmCell(
            id="a1", priority="high", code="map_low", text="Mean pressure low", state="active",
            since=NOW, about="76214-6", value=value, limit=60.0, unit="mm[Hg]", sign="<",
        )  # fmt: skip
        return bed(1, NOW, alarms=(rung,))

    sent = Elements(frame(ringing(48), ringing(47)))
    assert sent.swapped()["bed-h1-icu-1-01-said"] == "cell"
    assert "bed-h1-icu-1-01" not in sent.swapped()
    assert "MAP 47 < 60" in sent.said


def test_a_value_that_rings_twice_is_said_once() -> None:
    own = AlarmCell("a1", "medium", "spo2_low", "SpO2 low", "active", NOW, merged_into="a2")
    sent = AlarmCell("a2", "medium", "device_alarm", "Low SpO2", "active", NOW, device="mon")
    html = page([bed(1, NOW, alarms=(own, sent))])
    assert "Low SpO2" in html
    assert "SpO2 low" not in html
