"""When a message may leave: each local day has one window, whatever the clocks do."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import SECOND, from_iso
from notify import due, hold, states
from notify.hold import Facts
from notify.rules import Hours, default_hours

ZONES = ("Europe/Moscow", "Europe/Berlin", "America/New_York", "Pacific/Apia")
HOUR = 3600 * SECOND
START = from_iso("2026-01-01T00:00:00Z")
NIGHT = Hours(opens=time(2, 15), closes=time(3, 45), quiet_from=time(0), quiet_until=time(0))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hours", [default_hours(), NIGHT], ids=["morning", "in the jump"])
def test_in_400_days_every_local_day_sends_exactly_once(zone: str, hours: Hours) -> None:
    sent: list[date] = []
    outbox: set[date] = set()  # the unique key of the table
    days = set()
    for quarter in range(400 * 96):
        now = START + quarter * HOUR // 4
        # The machine's clock steps: an hour back at noon every seventh day, half an hour on.
        if quarter % (7 * 96) in (48, 49, 50):
            now -= HOUR
        day = due.local_date(now, zone)
        days.add(day)
        window = due.window(day, zone, hours)
        if due.may_leave(now, window, zone, hours) and day not in outbox:
            outbox.add(day)
            sent.append(day)
    whole = days - {min(days), max(days)}
    assert len(sent) == len(set(sent))
    assert whole <= set(sent)


@pytest.mark.parametrize("zone", ZONES)
@given(moment=st.integers(START, START + 500 * 24 * HOUR))
def test_a_window_lies_within_its_own_day(zone: str, moment: int) -> None:
    day = due.local_date(moment, zone)
    window = due.window(day, zone, default_hours())
    assert due.local_date(window.opens_at, zone) == day
    assert due.local_date(window.closes_at - 1, zone) == day
    assert window.opens_at < window.closes_at
    assert window.escalates_at < window.closes_at


def test_nobody_is_woken_up() -> None:
    hours = Hours(opens=time(0), closes=time(23, 59), quiet_from=time(21), quiet_until=time(8))
    day = date(2026, 3, 2)
    window = due.window(day, "Europe/Moscow", hours)
    for clock, leaves in (("04:59", False), ("05:00", True), ("17:59", True), ("18:00", False)):
        now = from_iso(f"2026-03-02T{clock}:00Z")
        assert due.may_leave(now, window, "Europe/Moscow", hours) == leaves


GOOD = Facts(
    now=START, position_at=START, confirmed=True, dynamics="unchanged", severity="serious",
    severity_at=START,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"red_alarm": True}, "red_alarm"),
        ({"worse_at": START - 59 * 60 * SECOND}, "worsening"),
        ({"position_at": START - 11 * SECOND}, "stale"),
        ({"position_at": None}, "stale"),
        ({"stopped": True}, "stopped"),
        ({"patient_hold": True}, "patient_hold"),
        ({"treatment_limited": True}, "treatment_limited"),
        ({"confirmed": False}, "unconfirmed"),
        ({"dynamics": "negative"}, "negative"),
        ({"severity": ""}, "no_severity"),
        ({"severity_at": START - 13 * HOUR}, "no_severity"),
        ({"figures": 0}, "no_figures"),
        ({"forbidden": True}, "forbidden_word"),
        ({"refiled": True}, "refiled"),
        ({"composed_at": START - 7 * HOUR}, "too_old"),
    ],
)
def test_each_reason_alone_holds(change: dict[str, object], reason: str) -> None:
    facts = {name: getattr(GOOD, name) for name in Facts.__slots__}
    assert hold.why(GOOD) == ()
    assert hold.why(Facts(**{**facts, **change})) == (reason,)


def test_a_release_after_a_call_never_passes_a_red_alarm_or_a_stop() -> None:
    facts = {name: getattr(GOOD, name) for name in Facts.__slots__}
    called = Facts(**{**facts, "released": True, "dynamics": "negative", "worse_at": START})
    assert hold.why(called) == ()
    red = Facts(**{**facts, "released": True, "red_alarm": True, "stopped": True})
    assert hold.why(red) == ("stopped", "red_alarm")


@pytest.mark.parametrize(
    "word", [{"severity": ""}, {"severity_at": START - 72 * HOUR}, {"severity_at": None}]
)
def test_no_call_replaces_the_word_on_the_condition(word: dict[str, object]) -> None:
    facts = {name: getattr(GOOD, name) for name in Facts.__slots__}
    assert hold.why(Facts(**{**facts, "released": True, **word})) == ("no_severity",)


@given(st.lists(st.sampled_from(["sent", "delivered", "failed", "read", ""]), max_size=8))
def test_callbacks_in_any_order_only_move_forward(told: list[str]) -> None:
    state, seen = states.SENDING, [states.SENDING]
    for one in told:
        state = states.of_callback(state, one)
        seen.append(state)
    rank = {"sending": 0, "sent": 1, "failed": 2, "delivered": 2}
    assert [rank[s] for s in seen] == sorted(rank[s] for s in seen)


def test_what_may_have_left_is_never_due_again() -> None:
    reachable = {states.UNKNOWN}
    while more := {to for state in reachable for to in states.MOVES[state]} - reachable:
        reachable |= more
    assert not reachable & {states.DUE, states.SENDING, states.HELD}
