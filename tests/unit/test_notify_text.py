"""The words that reach a family: by the table, counted, and nothing that must not be said."""

import json
from pathlib import Path

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clinical.dynamics import dynamics
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, from_iso
from notify import condition, figures, segments, text
from notify import dynamics as course
from notify.condition import Condition
from notify.figures import Reading
from notify.text import Day
from tests.unit import notify_stays

NOW = from_iso("2026-03-02T05:00:00Z")
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
GOLDEN = Path(__file__).parents[2] / "docs" / "relatives.md"
VECTORS = Path(__file__).parents[1] / "vectors" / "dynamics.jsonl"
RATE, PULSE, OXYGEN, TEMP = "8867-4", "8889-8", "59408-5", "8310-5"


def minutely(code: str, value: float, minutes: int = 60, *, mode: str = "Real") -> list[Reading]:
    return [Reading(code=code, value=value, at=NOW - m * MINUTE, mode=mode) for m in range(minutes)]


def day(**more: object) -> Day:
    readings = [
        *minutely(RATE, 82.0),
        *minutely(OXYGEN, 97.0),
        *minutely(TEMP, 37.06),
        *minutely("76215-3", 118.0),
        *minutely("76213-8", 61.0),
        *minutely("9279-1", 16.0),
    ]
    given: dict[str, object] = {
        "figures": figures.figures(readings, "Real", NOW),
        "consciousness": Condition(item="consciousness", row=2),
        "breathing": Condition(item="breathing", row=4),
        "severity": "serious",
        "dynamics": "unchanged",
        "as_of": NOW,
        "zone": "Europe/Moscow",
    }
    return Day(**{**given, **more})  # type: ignore[arg-type]


def test_the_days_message_in_both_languages() -> None:
    assert text.compose(day(), "ru").text == (
        "За сутки без изменений; состояние тяжёлое. В сознании, дышит самостоятельно. "
        "Температура 37,1 °C, пульс 82 уд/мин, давление 118/61, кислород в крови 97 %, "
        "дыхание 16 в минуту. Данные на 08:00."
    )
    english = text.compose(day(dynamics="positive"), "en")
    assert english.text == (
        "Condition serious. Awake, breathing alone. Temperature 37.1 C, pulse 82 per minute, "
        "blood pressure 118/61, blood oxygen 97 %, breathing 16 per minute. Better over the past "
        "day. As of 08:00."
    )
    assert (english.encoding, english.parts) == ("gsm7", 2)


def test_what_is_missing_is_said_and_never_filled() -> None:
    empty = day(figures=figures.figures([], "Real", NOW), consciousness=Condition(
        item="consciousness"), breathing=Condition(item="breathing"))  # fmt: skip
    composed = text.compose(empty, "ru")
    assert composed.figures == 0
    assert "температура сейчас не измерена" in composed.text.lower()
    assert "О сознании сообщит врач, о дыхании сообщит врач" in composed.text


def test_without_figures_where_the_family_is_told_the_state_only() -> None:
    composed = text.compose(day(measured=False), "ru")
    assert "Температура" not in composed.text
    assert composed.text.endswith("Данные на 08:00.")


def test_the_first_message_says_what_silence_means() -> None:
    told = text.compose(day(first=True, desk_phone="8 495 000-00-00", desk_hours="12-14"), "ru")
    assert "Если сообщения нет, это не значит, что новости плохие" in told.text
    assert "8 495 000-00-00" in told.text


def test_a_woman_is_restless_in_her_own_form() -> None:
    restless = Condition(item="consciousness", row=3)
    assert "беспокойна" in text.compose(day(consciousness=restless, sex="F"), "ru").text
    assert "беспокоен" in text.compose(day(consciousness=restless, sex="M"), "ru").text


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_phrase_of_the_table_is_forbidden(language: str) -> None:
    for row in table("sms_values")["rows"]:
        for group in ("phrase", "missing", "map", "words"):
            found = row.get(group, [])
            for one in found if isinstance(found, list) else [found]:
                if isinstance(one, dict):
                    assert text.forbidden(one[language], language) == []


@pytest.mark.parametrize(
    ("words", "language", "found"),
    [
        ("Состояние стабильное", "ru", ["стабиль"]),
        ("Она в норма", "ru", ["норма"]),
        ("аномалии, краб, старание", "ru", []),
        ("He is stable in his bed", "en", ["stable", "bed"]),
        ("steward, unstable, embedded", "en", []),
        ("см. http://x.ru", "ru", ["link"]),
        ("Ольга спит", "ru", ["name"]),
    ],
)
def test_forbidden_words_are_found_at_the_start_of_words(
    words: str, language: str, found: list[str]
) -> None:
    assert text.forbidden(words, language, ["Ольга", "Ю"]) == found


@given(st.text(alphabet="abcXYZ éàЖя€[]^ 😀1,.\n", max_size=400))
def test_parts_are_counted_as_another_program_counts_them(words: str) -> None:
    ours = segments.count(words)
    theirs = smsutil.split(words)
    assert ours.parts == max(1, len(theirs.parts))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([RATE, OXYGEN, TEMP, "8480-6", "8462-4", "9279-1"]),
            st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(["98%", "", None]),
            st.integers(-60, 600),
            st.sampled_from(["Vld", "Qst", "Inv"]),
            st.sampled_from(["Real", "Demo"]),
            st.sampled_from(["monitor", "typed"]),
        ),
        max_size=80,
    )
)
def test_no_rubbish_ever_becomes_a_number_in_a_message(rows: list[tuple[object, ...]]) -> None:
    readings = [
        Reading(code=c, value=v, at=NOW - a * MINUTE, validity=q, mode=m, origin=o)  # type: ignore[arg-type, operator]
        for c, v, a, q, m, o in rows
    ]
    found = figures.figures(readings, "Real", NOW)
    told = text.compose(day(figures=found), "en").text
    assert "nan" not in told.lower()
    assert "inf" not in told.lower()
    for figure in found.values():
        if figure.item != "bp" and figure.values:
            assert 0 < figure.values[0] <= 300


def test_a_median_needs_half_an_hour_of_minutes_and_a_steady_signal() -> None:
    def rate(readings: list[Reading]) -> figures.Figure:
        return figures.figures(readings, "Real", NOW)["hr"]

    assert rate(minutely(RATE, 80.0, 29)).why == "few"
    assert rate(minutely(RATE, 80.0, 30)).values == (80.0,)
    jumping = [*minutely(RATE, 60.0, 60)[::2], *minutely(RATE, 120.0, 60)[1::2]]
    assert rate(jumping).why == "unsteady"
    assert rate([*minutely(RATE, 80.0), *minutely(PULSE, 50.0)]).why == "contradiction"
    assert rate(minutely(RATE, 80.0, mode="Demo")).how == "missing"
    assert rate([Reading(code=RATE, value=70.0, at=NOW - 7 * HOUR, origin="typed")]).why == "old"
    assert rate([Reading(code=RATE, value=70.0, at=NOW - HOUR, origin="typed")]).how == "spot"


def test_what_is_measured_now_is_told_before_what_was_typed_hours_ago() -> None:
    typed = Reading(code=RATE, value=130.0, at=NOW - 6 * HOUR + MINUTE, origin="typed")
    rate = figures.figures([typed, *minutely(PULSE, 80.0, 55)], "Real", NOW)["hr"]
    assert (rate.values, rate.how) == ((80.0,), "median")
    ended = [r for r in minutely(RATE, 80.0) if r.at <= NOW - 29 * MINUTE]
    assert figures.figures(ended, "Real", NOW)["hr"].why == "ended"
    jumping = [*minutely(RATE, 60.0, 60)[::2], *minutely(RATE, 120.0, 60)[1::2]]
    assert figures.figures([typed, *jumping], "Real", NOW)["hr"].values == ()


def test_a_figure_older_than_an_hour_has_its_own_time() -> None:
    def told(hours: float) -> str:
        typed = [entry(RATE, 91.0, hours)]
        return text.compose(day(figures=figures.figures(typed, "Real", NOW)), "en").text

    assert "pulse 91 per minute (05:30)" in told(2.5)
    assert "pulse 91 per minute," in told(0.9)
    assert "pulse not available" in told(6.1)


def test_what_the_former_beds_monitor_measured_is_not_told_and_what_a_nurse_entered_is() -> None:
    cuff = [Reading(code=code, value=value, at=NOW - HOUR, device="cuff", moved=True)
            for code, value in (("8480-6", 118.0), ("8462-4", 61.0))]  # fmt: skip
    typed = Reading(code=TEMP, value=37.2, at=NOW - HOUR, origin="typed", moved=True)
    found = figures.figures([*cuff, typed], "Real", NOW)
    assert (found["bp"].values, found["temp"].values) == ((), (37.2,))


def test_pressures_of_two_origins_are_never_mixed() -> None:
    mixed = [*minutely("76215-3", 120.0), *minutely("8462-4", 60.0, 3)]
    assert figures.figures(mixed, "Real", NOW)["bp"].values == ()
    cuff = [
        Reading(code="8480-6", value=118.0, at=NOW - HOUR, device="cuff"),
        Reading(code="8462-4", value=61.0, at=NOW - HOUR, device="cuff"),
    ]
    assert figures.figures(cuff, "Real", NOW)["bp"].values == (118.0, 61.0)
    turned = [Reading(code=r.code, value=180.0 - float(str(r.value)), at=r.at) for r in cuff]
    assert figures.figures(turned, "Real", NOW)["bp"].why == "contradiction"


@pytest.mark.parametrize(
    ("entries", "row"),
    [
        ([("rass", -4.0, 1)], 0),
        ([("rass", -2.0, 1)], 1),
        ([("rass", 0.0, 1)], 2),
        ([("80288-4", "A", 1)], 2),
        ([("rass", 2.0, 1)], 3),
        ([("80288-4", "C", 1)], 4),
        ([("9269-2", 10.0, 1)], 5),
        ([("9269-2", 6.0, 1)], 6),
        ([("80288-4", "U", 1)], 7),
        ([("9269-2", 15.0, 1)], -1),
        ([("80288-4", "A", 13)], -1),
        ([("9269-2", 15.0, 1), ("9269-2", 3.0, 11)], -1),
        ([("9269-2", 14.0, 1), ("80288-4", "U", 10)], -1),
        ([("9269-2", 15.0, 1), ("80288-4", "C", 1)], 4),
        ([("rass", -4.0, 2), ("9269-2", 3.0, 1)], 0),
        ([("rass", -4.0, 2), ("80288-4", "U", 1)], 0),
        ([("rass", -4.0, 3), ("80288-4", "A", 1)], -1),
        ([("rass", -4.0, 3), ("9269-2", 15.0, 1)], -1),
        ([("rass", -4.0, 3), ("rass", 0.0, 2), ("80288-4", "U", 1)], 7),
        ([("rass", -4.0, 13), ("9269-2", 3.0, 1)], 6),
        ([], -1),
    ],
)
def test_consciousness_is_the_newest_entry_in_the_tables_words(
    entries: list[tuple[str, float | str, int]], row: int
) -> None:
    readings = [
        Reading(code=code, value=value, at=NOW - hours * HOUR, origin="typed")
        for code, value, hours in entries
    ]
    assert condition.consciousness(readings, NOW).row == row


def test_a_monitor_never_says_who_is_conscious_or_breathes_alone() -> None:
    readings = [Reading(code="80288-4", value="A", at=NOW), Reading(code="20124-4", value="niv",
                at=NOW)]  # fmt: skip
    assert condition.consciousness(readings, NOW).row == -1
    assert condition.breathing(readings, NOW).row == -1


@pytest.mark.parametrize(
    ("entries", "row"),
    [
        ([("20124-4", "invasive", 1)], 0),
        ([("20124-4", "invasive", 9), ("20124-4", "none", 1)], -1),
        ([("20124-4", "invasive", 9), ("20124-4", "none", 1), ("107117-4", "air", 1)], 4),
        ([("20124-4", "invasive", 9), ("107117-4", "nasal_cannula", 2), ("20124-4", "none", 1)], 3),
        ([("107117-4", "air", 9), ("20124-4", "invasive", 5), ("20124-4", "none", 1)], -1),
        ([("107117-4", "invasive", 5), ("20124-4", "none", 1)], -1),
        ([("20124-4", "invasive", 9), ("107117-4", "bag_valve", 1)], -1),
        ([("20124-4", "invasive", 9), ("107117-4", "other", 1)], -1),
        ([("20124-4", "invasive", 13)], -1),
    ],
)
def test_who_was_taken_off_the_machine_is_not_told_to_be_on_it(
    entries: list[tuple[str, str, int]], row: int
) -> None:
    readings = [
        Reading(code=code, value=value, at=NOW - hours * HOUR, origin="typed")
        for code, value, hours in entries
    ]
    assert condition.breathing(readings, NOW).row == row


@pytest.mark.parametrize("line", VECTORS.read_text("utf-8").splitlines())
def test_dynamics_follow_the_published_vectors(line: str) -> None:
    vector = json.loads(line)
    answer = dynamics(vector["inputs"])
    assert {name: answer[name] for name in vector["expected"]} == vector["expected"]


def test_the_first_day_is_not_assessed_and_an_organ_lost_is_no_good_news() -> None:
    def gcs(value: float, hours: int) -> Reading:
        return Reading(code="9269-2", value=value, at=NOW - hours * HOUR, origin="typed")

    def platelets(value: float, hours: int) -> Reading:
        return Reading(code="777-3", value=value, at=NOW - hours * HOUR, origin="laboratory")

    both = [gcs(8, 30), gcs(15, 2)]
    assert course.assess(both, NOW, NOW - 20 * HOUR)["dynamics"] == "not_assessed"
    assert course.assess(both, NOW, NOW - 60 * HOUR)["dynamics"] == "positive"
    lost = [*both, platelets(90, 30)]
    assert course.assess(lost, NOW, NOW - 60 * HOUR)["dynamics"] == "not_assessed"
    worse = [gcs(15, 30), gcs(8, 2), platelets(90, 30)]
    assert course.assess(worse, NOW, NOW - 60 * HOUR)["dynamics"] == "negative"


def entry(code: str, value: float | str, hours: float, origin: str = "typed") -> Reading:
    return Reading(code=code, value=value, at=NOW - round(hours * HOUR), origin=origin)


def proposed(*readings: Reading, treatment_limited: bool = False) -> str:
    answer = course.assess(readings, NOW, NOW - 90 * HOUR, treatment_limited=treatment_limited)
    return str(answer["dynamics"])


def test_a_pump_that_falls_silent_is_no_improvement() -> None:
    pressure = [entry("8478-0", 75.0, 30), entry("8478-0", 75.0, 3)]
    pump = entry("norepinephrine", 0.3, 30, "monitor")
    assert proposed(*pressure, pump) == "not_assessed"
    stopped = entry("norepinephrine", 0.0, 26, "monitor")
    assert proposed(*pressure, pump, stopped) == "positive"
    assert proposed(*pressure, pump, entry("norepinephrine", 0.0, 20)) == "positive"


def test_a_ventilator_that_falls_silent_is_no_improvement() -> None:
    gas = [r for h in (30, 3) for r in (entry("3150-0", 60.0, h), entry("2703-7", 100.0, h - 1))]
    machine = entry("20124-4", "invasive", 30)
    assert proposed(*gas, machine) == "not_assessed"
    assert proposed(*gas, machine, entry("20124-4", "invasive", 3)) == "unchanged"


def test_weaning_that_a_nurse_wrote_down_is_an_improvement_and_one_by_a_device_is_none() -> None:
    gas = [r for h in (30, 3) for r in (entry("3150-0", 30.0, h), entry("2703-7", 90.0, h - 1))]
    machine = entry("20124-4", "invasive", 30)
    weaned = [*gas, machine, entry("20124-4", "none", 5)]
    assert proposed(*weaned) == "positive"
    assert proposed(*weaned, treatment_limited=True) == "not_assessed"
    assert proposed(*gas, machine, entry("20124-4", "none", 5, "monitor")) == "unchanged"
    again = entry("20124-4", "niv", 2)
    assert proposed(*weaned, again) == "unchanged"


def test_a_fall_of_two_points_of_an_unsedated_gcs_is_worse() -> None:
    assert proposed(entry("9269-2", 15.0, 30), entry("9269-2", 13.0, 2)) == "negative"
    assert proposed(entry("9269-2", 15.0, 30), entry("9269-2", 14.0, 2)) == "unchanged"
    sedated = [entry("rass", -3.0, 3), entry("9269-2", 3.0, 2)]
    assert proposed(entry("9269-2", 15.0, 30), *sedated) == "not_assessed"
    before = [entry("rass", -3.0, 31), entry("9269-2", 3.0, 30), entry("rass", 0.0, 28)]
    assert proposed(*before, entry("9269-2", 15.0, 26), entry("9269-2", 15.0, 2)) == "unchanged"


def test_the_golden_texts_of_forty_stays_are_those_of_the_document() -> None:
    document = GOLDEN.read_text("utf-8")
    lines = notify_stays.lines(40)
    assert len(lines) == 80
    for line in lines:
        assert f"{line}\n" in document
        assert text.forbidden(line, line.split()[1]) == []
