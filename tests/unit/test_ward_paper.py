"""The ward sheet says what has to be known of each bed when everything else has failed."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.board import AlarmCell, BedCell, PatientCell, Shown
from hospital_ops.clock import SECOND, iso
from icu.paper.forms import Paper
from web.render import Renderer
from web.views import wardsheet
from web.views.values import Frame

NOW = 1_772_359_337 * SECOND  # 2026-03-01 10:02 UTC
HOUR = 3600 * SECOND
ANNA = PatientCell("p-anna", "4711", name="Anna Test", isolation=("contact",), allergy=True)


def order(words: str, due: int = 0, **more: Any) -> dict[str, Any]:
    due_at = iso(due) if due else None
    return {
        "kind": "infusion",
        "words": words,
        "due_at": due_at,
        "held": False,
        "theirs": False,
    } | (more)


def paper(**more: Any) -> Paper:
    return Paper({}, {}, {}, {})._replace(**more)


def frame(language: str = "en") -> Frame:
    return Renderer("UTC").frame(language, NOW)


def bed(cell: BedCell, known: Paper | None = None, language: str = "en") -> dict[str, Any]:
    return wardsheet.sheet([cell], known, frame(language))[0]


def lying(patient: PatientCell | None = ANNA, **more: Any) -> BedCell:
    return BedCell("icu-1-02", "2", patient, more.pop("values", {}), **more)


def test_orders_are_those_of_whoever_lies_in_the_bed_now() -> None:
    """And what nobody of the unit lies under stands apart, with a name."""
    known = paper(
        orders={"p-anna": [order("milrinone")], "p-left": [order("ZZPIPERACILLIN")]},
        elsewhere={"p-left": "Left One 12"},
    )
    assert bed(lying(), known)["orders"] == ["infusion: milrinone"]
    assert bed(lying(None), known)["orders"] == []
    assert wardsheet.elsewhere(known, frame()) == [
        {"name": "Left One 12", "orders": ["infusion: ZZPIPERACILLIN"]}
    ]


@pytest.mark.parametrize("flag", ["check_patient", "displaced", "check_beats", "check_baseline"])
@pytest.mark.parametrize(("language", "said"), [("en", "Check patient: "), ("ru", ": ")])
def test_a_bed_whose_values_may_be_another_persons_says_check_patient(
    flag: str, language: str, said: str
) -> None:
    assert said in bed(lying(flags=(flag,)), language=language)["check"]
    assert bed(lying(flags=("treatment_limits",)), language=language)["check"] == ""


def test_a_bed_with_values_and_nobody_confirmed_is_not_called_free() -> None:
    values = {"8867-4": Shown(70.0, "/min", NOW)}
    assert bed(lying(None, values=values))["note"] == "patient not confirmed"
    assert bed(lying(None))["note"] == "free"


def test_allergies_isolation_and_which_limits_stand_on_the_paper() -> None:
    known = paper(
        allergies={"p-anna": ["penicillin", "latex"]},
        agreed={"p-anna": [{"kind": "treatment_limits", "limits": ["no_cpr", "no_intubation"]}]},
    )
    assert bed(lying(flags=("treatment_limits", "isolation_contact")), known)["flags"] == [
        "Allergies: penicillin, latex",
        "Isolation: Contact precautions",
        "Treatment limits: no resuscitation, no intubation",
    ]
    none_known = paper(allergies={"p-anna": [""]})
    assert bed(lying(), none_known)["flags"][0] == "Allergies: none known"
    assert bed(lying(), paper())["flags"][0] == "Allergies: not recorded yet"
    away = bed(lying(flags=("treatment_limits", "comfort_care")))["flags"]
    which = "which ones stands in the record, which was away"
    assert away == [
        f"Allergies: {which}", "Isolation: Contact precautions", f"Treatment limits: {which}",
        f"Comfort care: {which}",
    ]  # fmt: skip


def test_a_number_that_holds_no_more_is_not_on_the_paper_and_a_time_of_yesterday_has_its_day() -> (
    None
):
    values = {
        "59408-5": Shown(81.0, "%", NOW - 60 * SECOND, amber_at=NOW - 55, gone_at=NOW - 45),
        "76214-6": Shown(40.0, "mm[Hg]", NOW, validity="Inv"),
        "8867-4": Shown(70.0, "/min", NOW - SECOND, amber_at=NOW - 1, gone_at=NOW + SECOND),
        "32693-4": Shown(3.1, "mmol/L", NOW - 11 * HOUR, "spot"),
    }
    told = {one["value"]: one for one in bed(lying(values=values))["measured"]}
    assert "81" not in told
    assert "40" not in told
    assert [one["value"] for one in bed(lying(values=values))["measured"]].count("✕") == 2
    assert told["70"]["old"]
    assert (told["3.1"]["at"], told["3.1"]["old"]) == ("28.02 23:02", False)
    assert told["70"]["at"] == "10:02"


def test_silent_sensors_stand_in_one_line_with_their_names() -> None:
    def alarm(about: str, code: str = "silent_sensor") -> AlarmCell:
        return AlarmCell(about or code, "low", code, "Sensor silent", "active", NOW, about)

    cell = lying(alarms=(alarm("76248-4"), alarm("59408-5"), alarm("8867-4")))
    (line,) = bed(cell)["alarms"]
    assert line.startswith("Sensor silent: PEEP")
    assert line.count(",") == 2


def test_an_order_says_its_units_its_day_that_it_is_held_and_whose_it_is() -> None:
    known = paper(
        orders={
            "p-anna": [
                order("noradrenaline, MAP 65–75 mm[Hg]", NOW - 11 * HOUR),
                order("heparin", held=True),
                order("lactate", theirs=True),
            ]
        }
    )
    assert bed(lying(), known)["orders"] == [
        "infusion: noradrenaline, MAP 65–75 mmHg · 28.02 23:02",
        "infusion: heparin (on hold)",
        "infusion: lactate (the hospital's own system)",
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_has_a_main_part_a_legend_and_says_whose_orders_are_nobodys(language: str) -> None:
    renderer, known = Renderer("UTC"), paper(elsewhere={"p-left": "Left 12"})
    shown = frame(language)
    html = renderer.fill(
        "wardsheet.html", w=shown.words, unit="ICU", css="c", demo=False, made="now", away=True,
        beds=wardsheet.sheet([lying(flags=("check_patient",))], None, shown),
        elsewhere=wardsheet.elsewhere(known, shown),
    )  # fmt: skip
    assert html.count("<main>") == 1
    for key in ("wardsheet.legend", "worklist.nowhere", "tile.check", "wardsheet.no_orders"):
        assert shown.words.t(key) in html
