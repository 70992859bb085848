"""The ambulance stories of the demo and of the tests, by name."""

from __future__ import annotations

from simulators.scenarios import Case, Expected, Phase, Story, case


def _vitals(
    hr: float, rr: float, spo2: float, temp: float, sys: float, dia: float
) -> dict[str, float]:
    return {"hr": hr, "rr": rr, "spo2": spo2, "temp": temp, "nibp_sys": sys, "nibp_dia": dia}


_WELL = _vitals(78, 16, 97.5, 36.8, 128, 76)
_ALL = 10_000.0  # seconds: to the end of any story

STEMI = Story(
    name="stemi",
    note="IITT red pain_over50: acute chest pain, older than 50 years",
    ages=(56, 76),
    complaint="chest_pain",
    notify="alert",
    minutes=9,
    phases=(
        Phase(0, ("acute_chest_pain", "severe_pain"), _vitals(92, 18, 95.5, 36.6, 138, 84)),
        Phase(
            300,
            ("acute_chest_pain", "severe_pain"),
            _vitals(102, 20, 95.5, 36.6, 118, 72),
            on_oxygen=True,
        ),
    ),
    expected=(Expected(0, _ALL, "red"),),
)
SEPSIS = Story(
    name="sepsis",
    note=(
        "IITT yellow (acute general weakness); safety net red: NEWS2 at least 8 "
        "(RR 24 or more 2, SpO2 up to 94 1, SBP up to 100 2, pulse 111-130 2, 38.1-39.0 1)"
    ),
    ages=(60, 82),
    complaint="fever_adult",
    notify="alert",
    minutes=12,
    phases=(
        Phase(0, ("acute_general_weakness",), _vitals(119, 27, 92.8, 38.6, 94, 52)),
        Phase(
            720,
            ("acute_general_weakness",),
            _vitals(121, 28, 92.8, 38.6, 92, 50),
            on_oxygen=True,
        ),
    ),
    expected=(Expected(0, _ALL, "red"),),
)
TRAUMA = Story(
    name="trauma",
    note="IITT red high_risk_trauma (reference card: high speed motor vehicle crash)",
    ages=(22, 44),
    complaint="trauma_major",
    notify="alert",
    minutes=11,
    mechanism="high speed motor vehicle crash",
    phases=(
        Phase(0, ("high_risk_trauma", "severe_pain"), _vitals(118, 24, 95.5, 36.3, 104, 66)),
        Phase(
            660,
            ("high_risk_trauma", "severe_pain", "weak_fast_pulse"),
            _vitals(134, 27, 94, 36.0, 86, 54),
            on_oxygen=True,
        ),
    ),
    expected=(Expected(0, _ALL, "red"),),
)
STROKE = Story(
    name="stroke",
    note="IITT yellow acute_focal_neuro; NEWS2 0 to 1, alert, so the net stays quiet",
    ages=(61, 84),
    complaint="weakness_one_side",
    notify="alert",
    minutes=10,
    phases=(Phase(0, ("acute_focal_neuro",), _vitals(80, 16, 97.5, 36.8, 174, 96)),),
    expected=(Expected(0, _ALL, "yellow"),),
)
CHILD = Story(
    name="child",
    note="IITT child chart red dehydration_any_two: lethargy and sunken eyes",
    ages=(2, 4),
    complaint="diarrhoea_child",
    notify="alert",
    minutes=8,
    phases=(
        Phase(
            0,
            ("lethargy", "sunken_eyes", "ongoing_diarrhoea"),
            _vitals(148, 32, 97.5, 38.1, 94, 58),
        ),
    ),
    expected=(Expected(0, _ALL, "red"),),
)
DETERIORATION = Story(
    name="deterioration",
    note=(
        "yellow by acute general weakness, NEWS2 at most 3; later safety net red: NEWS2 at least "
        "12 (RR 3, SpO2 3, oxygen 2, SBP 1, pulse 2, temperature 1)"
    ),
    ages=(45, 60),
    complaint="cough_fever",
    notify="advice",
    minutes=10,
    phases=(
        Phase(0, ("acute_general_weakness",), _vitals(98, 18, 95.2, 38.3, 124, 72)),
        Phase(180, ("acute_general_weakness",), _vitals(98, 18, 95.2, 38.3, 124, 72)),
        Phase(
            420,
            ("acute_general_weakness",),
            _vitals(126, 31, 88, 38.4, 97, 58),
            on_oxygen=True,
        ),
    ),
    expected=(Expected(0, 180, "yellow"), Expected(420, _ALL, "red")),
)
MINOR = Story(
    name="minor",
    note="no sign, all five vital signs normal and present: IITT green, NEWS2 0",
    ages=(19, 40),
    complaint="throat_pain",
    notify="information",
    minutes=7,
    phases=(Phase(0, (), _WELL),),
    expected=(Expected(0, _ALL, "green"),),
)
LOOSE_LEAD = Story(
    name="loose_lead",
    note="IITT yellow recent_fainting throughout; SpO2 is missing while its sensor is off",
    ages=(30, 58),
    complaint="fainting",
    notify="information",
    minutes=8,
    phases=(Phase(0, ("recent_fainting",), _WELL),),
    expected=(Expected(0, _ALL, "yellow"),),
    loose={"spo2": (90, 240)},
)
NETWORK_LOSS = Story(
    name="network_loss",
    note=(
        "IITT yellow other_trauma_or_burns; while offline the patient falls to AVPU P, GCS 7: "
        "safety net red avpu_p_u and gcs_le8, known to the hospital when the network is back"
    ),
    ages=(20, 45),
    complaint="head_injury_c",
    notify="advice",
    minutes=9,
    mechanism="fall from own height",
    phases=(
        Phase(0, ("other_trauma_or_burns",), _WELL),
        Phase(150, ("other_trauma_or_burns", "altered_mental_status"), _WELL, avpu="P", gcs=7),
    ),
    expected=(Expected(0, 149, "yellow"), Expected(150, _ALL, "red")),
    offline=((60, 240),),
)

STORIES: dict[str, Story] = {
    story.name: story
    for story in (
        STEMI,
        MINOR,
        DETERIORATION,
        STROKE,
        SEPSIS,
        CHILD,
        LOOSE_LEAD,
        TRAUMA,
        NETWORK_LOSS,
    )
}


def scenario(name: str, seed: int) -> Case:
    """The patient of a story; KeyError for a name that is not in STORIES."""
    return case(STORIES[name], seed)
