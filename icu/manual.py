"""The manual of alarms, `docs/alarms.md`, written from the tables so that it cannot drift.

`python -m icu.manual > docs/alarms.md`; a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from icu import calls, painting, quiet
from icu.ages import BANDS
from icu.alarms import PAUSE_MAX_US, PAUSE_US
from icu.limits import OLD_US, RECONCILE_US
from icu.rules import LIMIT_RULES, ROWS, words
from icu.states import NEXT
from icu.stories import TOGETHER_US

_TECHNICAL: Final = frozenset(
    {
        "no_data", "silent_sensor", "spo2_sensor_off", "signal_poor", "line_damped", "implausible",
        "nibp_overdue", "clock_offset", "unbound_device", "second_sender", "monitoring_paused",
        "limits_missing", "leads_off", "check_patient", "board_lost", "canary",
        "stream_memory", "record_left_behind",
    }
)  # fmt: skip
_BY_DEVICE: Final = frozenset(
    {"device_alarm", "vent_disconnect", "vent_pressure_high", "battery_low", "nibp_failed"}
)  # fmt: skip
_ECG: Final = frozenset({"asystole", "vf", "vt"})
_BY_LIMIT: Final = frozenset(each.rule.id for each in LIMIT_RULES)

_HEAD: Final = """# Alarms

This page is written by `python -m icu.manual > docs/alarms.md` from
`hospital_ops/clinical/tables/alarms.json` and the code; a test compares them.

**The bedside monitor is the primary alarm.** This is a distributed information system: it shows
again what bedside devices measure, some seconds later, and it must never be the only alarm. It is
not certified as a medical device. Every page says so.

## How a value becomes an alarm
1. Only values of devices ring: never typed ones, laboratory results or settings.
2. Only a value that may be believed rings: a number, not marked invalid, newer than every other
   of its code, not withdrawn (`observation_classes.json`) and not older than {old} s on arrival. A
   questionable value rings, with a technical alarm beside it. An invalid reading neither starts,
   cancels nor ends anything.
3. The condition must hold for its delay, counted by the device's time; back inside cancels. A cuff
   is judged on arrival, an arterial line after at least {line} s.
4. Late data never ring. A red value among them is listed as a past event (state `past`), once for
   each rule and minute.
5. Limits follow the age band of the patient in the bed. Without an age, adult limits are not
   used: only limits that are the same in every band hold, and lethal ones beyond the limit of
   every band. `limits_missing` says so.
6. The pulse rate rings only where there is no heart rate. SpO2 high rings only on oxygen.
7. An alarm that a device sends keeps its priority. Ours on the same value is listed under it
   (`merged_into`), unless ours is the louder one, or is as urgent and begins after the device's
   was taken on: that one may have been about something else. A line wins over the cuff, and
   `no_data` of a silent bed over `silent_sensor` of its values.
8. An alarm's id is derived from rule, patient (or bed), code and onset: doing it again does
   nothing. It moves with its patient to another bed.

## States
"""
_STATES: Final = """
`lost`: the value was withdrawn, or the patient has left. `worse`: an acknowledged red is a step
worse than at the acknowledgement ({steps}); it rings again, and at each further step.
Where two states stand, the second holds for rules that latch, and for `lost` also for every red:
**a red that nobody has acknowledged ends only by a good value or by a person.**

- Acknowledge: by name; a latched alarm ends with it. It never silences the bedside. What is
  acknowledged or paused at the bedside counts here.
- Pause: the sound of one alarm, {pause} s by one tap, at most {most} s; it ends by itself, and is
  ended by a worsening. {warn} A new alarm rings at once. There is no way to switch a red off.
- Seen: one tap on the tile's last line, also on a wall, pauses what rings at that bed for {pause} s
  without a name. It takes nothing on: the alarm stays, and goes on to whoever is called next.
- By name at a wall: hold a badge to the reader (a keyboard-wedge reader types its number and
  Enter), then tap the bed within 15 s: what rings there is acknowledged by that person. One act for
  one reading; five unknown badges in a minute and the wall waits. Needs PostgreSQL, as signing in
  does; without it the wall says so and the tap without a name goes on working.
- An acknowledged red gives one short burst every {reminder} s while it lasts.
- `burst_at` is when the full burst begins; it goes on while the state is active or latched and
  `paused_until` has passed. `reminded_at` is one short burst.
- Nothing is lost by a restart: alarms, delays, pauses and reminders are in the snapshot.
- Closed: a physician records the death; every alarm of the bed ends by that name.

## A whole bed without sound
Each is decided by name on the page of the bed (or `POST /api/v1/icu/beds/{{bed}}/acts/{{act}}`),
goes in by the stream, stands on the tile with its end, and ends by itself. What it covers stays
visible, is called for nobody meanwhile, and sounds in full when it ends. None goes over to the next
patient, and what was decided for one patient does nothing once another lies there.

| act | who | covers | at most |
| --- | --- | --- | --- |
| `standby` with a reason | a nurse or physician | all but lethal, a device's reds | {standby} min |
| `comfort`, `confirm_comfort` | a physician, another person | by the table | {comfort} h |
| `close` | a physician | all, after a death | {closed} min |
| `resume` | a nurse or physician | ends every silence at once | |

Reasons: {reasons}. Comfort care covers what `comfort_care` of each rule silences, and technical
alarms; the second person confirms within {asked} min, and it is renewed every day.

Closing ends all alarms and clears the values. It is of that patient and of the devices that watched
them: no beats, no breaths or a sensor off make no sound for the time. It ends at once, and what is
beyond a limit of the unit rings, with
- the first sign of life measured after it: a heart or pulse rate, SpO2, a cuff reading, an arterial
  line with a pulse, beats that we find in the ECG, breaths where nothing shows a ventilator;
- another device that sends pulse or breath, or an alarm about them;
- values or an alarm that name another patient;
- an admission, a move to the bed, or the reversal of the death.
The beats of a pacemaker, and electrical activity without a pulse, count as life here: take the
monitor off. Who is put there with nothing attached is seen by nobody.

The table says of technical alarms both "low, visual only" (`rule_defaults.comfort_care`) and
"audio on" (each row): here the former holds. Comfort care goes with its patient to another bed.

## Whose bed
Somebody who is admitted to a bed that its patient has not left, or whose discharge is taken back
(A13) when the bed has been given to another, who stays in it: the flag `displaced` at once, the
alarm `check_patient` after its delay. It ends when the other patient has a bed or has left, or when
somebody confirms at the bed (`confirm_patient`).

## Shown means painted
Boards answer with the revision that they have painted. A red that no board of the unit has
confirmed {painted} s after it began to ring raises `board_lost` at its bed, until one confirms.
`painted_at` of an alarm is the first confirmation.

## Who is called
People sign on for beds at `/icu/{{unit}}/duty` (`PUT /api/v1/icu/units/{{unit}}/duty`), as nurse,
charge nurse or physician, for at most a day. The unit's live state knows them, so calls go on while
PostgreSQL is away; only signing on needs it.

| alarm | bed nurse | second nurse | physician and charge nurse |
| --- | --- | --- | --- |
{ladder}
- Times in seconds since the alarm began to ring without anybody taking it on. Lethal: rules that
  call the physician after {lethal} s in the table. A unit may set the last time of the others
  ({physician}) and the reminder of an acknowledged red ({reminder_range}):
  `PUT /api/v1/icu/units/{{unit}}/alarm-settings`.
- Where no second nurse is named for the bed, the charge nurse, else every other nurse on duty.
- A step that finds nobody takes the next at once. Where nobody is on duty at all, the whole unit is
  called (`unit`): every board shows it.
- `board_lost`: the hidden red takes one step early.
- An acknowledgement ends the calls; a pause does not. For what a silence of the bed covers nobody
  is called until it ends.
- Read: whoever was called has opened the bed's page, or acted on the alarm. Calls and receipts are
  archived (`alarm_call`). A call is seen on boards, on the bed's page and on the page of
  those on duty.
- Web Push: where the site has named push services, whoever pressed "Call me on this device" on the
  page of those on duty is called there too, once for each call; encrypted, a bed and a unit only
  (docs/decisions/0049). It needs PostgreSQL, comes a second or two later, and is never the only
  way: boards and the ladder above do not know whether it worked. A call for the whole unit (`unit`)
  is no push.

## Stories
What begins at one bed within {together} s of the first is told as one: alarms of the patient
together, alarms of the signals together, `board_lost` with the red that it hides. The most urgent
leads (`story` of the others names it); nothing that rings is told under what was taken on. Each
alarm keeps its own state, sound and calls; one press takes a whole story on, and names how many.
The bar shows one item a story, and the same technical alarm at three beds or more as one item. In a
storm (more than eight beds with a new red): the count, and the three most urgent.

## Held against the values
Every {reconcile} s what rings at a bed is held against the values that stand there; what had to be
mended is counted (`reconciled`), and should be nothing.

## The way of the data
`canary` (no probe for its time) and `stream_memory` (SAFETY.md F5) belong to no bed: they stand in
the bar of every board and in `alarms` of the snapshot.
"""
_LIMITS_OF_METHOD: Final = """
## Sound
- The page makes the tones itself (`icu/sound.json`, within the ranges of `alarms.json`; a test
  holds them there): high 3 + 2 pulses twice, medium 3, low 2. The highest priority that is neither
  acknowledged nor paused owns the sound of a screen; a worse or newer alarm bursts at once.
- A browser that nobody has touched is silent, and the bar says "No sound: click". Once a shift
  (8:00 and 20:00) a screen asks for the test tone until somebody has said that it was heard; this
  is noted in the audit. How loud the loudspeaker is, no page can know.
- Tablets also vibrate for high and medium, where the browser can.

## The cross-check
- Asystole, VT and extreme rates are held against pleth, arterial line, the oximeter's own count and
  (VT) all ECG leads; what each must show stands in `cross_check` of its row, the quality of a pulse
  is judged after Orphanidou 2015. The alarm panel says "probably false because ...", "borne out" or
  that nothing is decided. A poor witness beside a good one decides nothing.
- Every rule starts in shadow: it rings all the same. At `/icu/{unit}/alarm-reviews` physicians say
  of each alarm with two or more witnesses against it whether it was false; the page shows the count
  of the unit and the one-sided 95 % bound of wrong verdicts after Clopper and Pearson.
- **Silencing** of one rule in one unit is enabled by a named physician, with a reason, once that
  count is enough. How many are enough has no source, so it has no default: until an administrator
  sets `{"least","most_share"}` (`PUT /api/v1/icu/units/{unit}/silencing-settings`, 30 or more)
  nothing can be enabled. It is taken back in one act, and by itself as soon as a review finds a
  verdict wrong and the bound is no longer good enough.
- Then an alarm that would begin stays a low note, `suspected_artefact`, with its verdict: shown,
  stored, counted, waiting for review. It rings as if nothing had been there after 120 s, as soon
  as a witness is doubtful or gone, beside any other red, when its patient moves, and when it is
  taken back.
- **Never** for an alarm of a device or VF, never with fewer than two good witnesses, never for what
  rings already, never with a balloon pump, ECMO, an LVAD, pacing or compressions, and never where
  nobody has said on the bed's page, in this shift and of this patient, that there is none of them.
- Compressions make a pulse. Somebody who begins them without saying so may be kept from a second
  alarm for up to 120 s; the alarm for which they began has rung, and a red that rings stops this.

## What this method cannot do
- Rates come averaged from the devices: where a bed sends no curve, `brady_extreme` and
  `tachy_extreme` are judged on the numbers that they send, and `apnoea` always is. A rate of 0
  breaths a minute that lasts for the seconds of the rule is an apnoea.
- Asystole, VF, VT and extreme rates are also read from the ECG curves of the bed, where it sends
  any (at least 50 samples a second, up to three leads). A finding comes 2 to 6 s after its onset;
  the first 5 s of a curve are not judged. Runs of ventricular beats that are shorter than about
  3 s are mostly not found; hearts that are very sick ring often (docs/accuracy.md has the figures
  and says what was tuned on what). Without curves these rules come only as alarms of the device.
- A lead that is flat to within the table of `hospital_ops/ecg/rhythm.json` counts as off; with
  all leads off there is `leads_off` and no asystole.
- `rr_low` is not switched off under controlled ventilation: the set rate is not known.
- The goal of an order offers a limit of the patient (`GET .../orders/{order}`, the order's fold on
  the bed's page); it holds once somebody signs it on the page of limits, and not by itself.
- "High in a child under two months" of `temp_low` and `temp_high` stands in the notes only.
- A device whose clock is wrong by more than its values' life is shown as silent, with
  `clock_offset` beside it.
- A number that is wrong and plausible rings or stays silent like a true one.
- The combined rules are prompts; none of them is evaluated here. `oliguria_kdigo` belongs to the
  indicators.
"""

_OF_A_SITE: Final = """\
## Limits of a site

A unit may have limits and delays of its own, and so may a patient (the patient's come first, then
the unit's, then the table's). They are committed in PostgreSQL with who, when and why, told to
the unit by the relay and kept in its snapshots; what rings and waits is held against them at
once.

- **The unit's**: at `/icu/{unit}/alarm-load` a physician of intensive care replays another limit
  or delay on the unit's own days and may apply exactly what was shown, within a day. Not for a
  red, not under thirty alarms, not outside the safe range, not when the values were cut short or
  the limit has changed since. Another age band is another change.
- **The patient's**: at `/icu/beds/{bed}/limits`, within the safe range. They hold in this unit
  and go along from bed to bed; they do not end by themselves.
- **The safe range** follows from the table: looser by no more than its step of "worse"
  (`acknowledged_red.step`, a project value) and never beyond the red of the same side; stricter
  up to the limit of the other side, or what is plausible. **A red is made stricter or left alone,
  and never waits longer; a rule that latches is not changed.** The engine asks this again for
  every limit it is told: one that is outside does not hold, and the table's does.
- **Taken back** in one act with a reason: the former limit holds again, and the history stays.

Where the table has no limit for an age, none can be set here.

The table has no source for how far a unit may go: what the safe range allows is a project value
and wants a clinician of the site, as does every limit "from memory".

## Limits of the devices

What a monitor or ventilator has for limits itself is read from OBX-7 of its values and alarms,
from the attribute `MDC_ATTR_LIMIT_CURR` (IEEE 11073, 67892) under its value, and from `limits` of
a native EVENT. `/icu/beds/{bed}/limits` shows each beside the board's limit that rings first, which
of the two rings earlier, who told it and how long ago; what was not said again for an hour is
called old. Nothing rings or is silent by it. Where the device alarms, ours on the same value is
listed under it.
"""


def manual() -> str:
    """The whole page."""
    rules = table("alarms")
    defaults = rules["rule_defaults"]["acknowledged_red"]
    steps = ", ".join(
        f"{name.replace('_', ' ')} {number:g}"
        for name, number in defaults["step"].items()
        if isinstance(number, int | float)
    )
    silent = {kind: us // quiet.MINUTE_US for kind, us in quiet.LONGEST_US.items()}
    delays = rules["project_defaults"]["limit_delay_s"]
    warn = f"`monitoring_paused`: {ROWS['monitoring_paused']['condition']}."
    parts = [
        _HEAD.format(old=OLD_US // SECOND, line=delays["abp"]),
        _table(("state", "event", "next"), _transitions()),
        _STATES.format(
            steps=steps,
            pause=PAUSE_US // SECOND,
            most=PAUSE_MAX_US // SECOND,
            warn=warn,
            reminder=defaults["reminder_s"],
            reasons=", ".join(quiet.REASONS),
            standby=silent[quiet.STANDBY],
            closed=silent[quiet.CLOSED],
            comfort=silent[quiet.COMFORT] // 60,
            asked=silent[quiet.ASKED],
            painted=painting.LIMIT_US // SECOND,
            ladder=_ladder(),
            together=TOGETHER_US // SECOND,
            reconcile=RECONCILE_US // SECOND,
            lethal=rules["rule_defaults"]["escalate_physician_s"]["lethal_apnoea_arrest"],
            physician="{} to {} s".format(*calls.PHYSICIAN_S),
            reminder_range="{} to {} s".format(*calls.REMINDER_S),
        ),
        "\n## Rules on values\n",
        "Limits by age band: " + ", ".join(BANDS) + ". `–`: not set, the rule is off.\n\n",
        _table(
            ("rule", "words", "limits", "priority", "delay s", "latches", "source of the limits"),
            (_limit_row(row) for row in ROWS.values() if row["id"] in _BY_LIMIT),
        ),
        "\n" + _OF_A_SITE,
        "\n## All other rules\n\n",
        _table(
            ("rule", "condition", "priority", "delay s", "default", "evaluated", "source"),
            (_other_row(row) for row in ROWS.values() if row["id"] not in _BY_LIMIT),
        ),
        _LIMITS_OF_METHOD,
    ]
    return "".join(parts)


def _ladder() -> str:
    """The times of the calls, one line for each class of alarm."""
    times = table("alarms")["project_defaults"]["escalation_s"]
    rows = ([name, *map(str, steps), "–", "–"][:4] for name, steps in times.items())
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(_cell(c) for c in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _transitions() -> Iterable[tuple[str, str, str]]:
    for (state, event), (ends, goes_on) in NEXT.items():
        yield state, event, ends if ends == goes_on else f"{ends}; {goes_on}"


def _limit_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    figures, sources = [], []
    for band in BANDS:
        limit = (row["limits"] or {}).get(band) or {}
        numbers = [str(value) for name, value in limit.items() if name != "source"]
        figures.append(numbers[0] if numbers else "–")
        if limit.get("source") and limit["source"] not in sources:
            sources.append(limit["source"])
    sign = next(each.sign for each in LIMIT_RULES if each.rule.id == row["id"])
    delays = {each.delay_us // SECOND for each in LIMIT_RULES if each.rule.id == row["id"]}
    bands = row.get("priority_by_band")
    by_band = ", ".join(f"{band}: {name}" for band, name in bands.items()) if bands else ""
    return (
        f"`{row['id']}`",
        f"{words(row['id'])} / {words(row['id'], 'ru')}",
        f"{sign} {', '.join(figures)} {row.get('unit', 's')}",
        by_band or row["priority"],
        " or ".join(str(delay) for delay in sorted(delays)),
        "yes" if row["latching"] else "no",
        "; ".join(sources) or str(row["source"]),
    )


def _other_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"`{row['id']}`",
        row["condition"],
        row["priority"],
        str(row["delay_s"]),
        row["default"],
        _evaluated(row),
        str(row["source"] or "none"),
    )


def _evaluated(row: Mapping[str, Any]) -> str:
    if row["id"] in _TECHNICAL:
        return "here"
    if row["default"] == "off":
        return "no: off until a site sets it"
    if row["id"] in _BY_DEVICE:
        return "as an alarm of the device"
    if row["id"] in _ECG:
        return "here, from the curves; else as an alarm of the device"
    return "not by this engine"


if __name__ == "__main__":
    sys.stdout.write(manual())
