"""One message a day, to whom it may go, when it may go: on the real tables."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Database
from hospital_ops.errors import Conflict, MessageError
from hospital_ops.identity import patient_id
from notify import due
from notify.contacts import store as contacts
from notify.desk import store as desk
from notify.outbox import store as outbox
from notify.patients import store as patients
from notify.providers.base import AGAIN, REFUSED, UNKNOWN, Outcome
from notify.providers.choose import Providers
from notify.settling import store as settling
from tests.integration import relatives
from tests.integration.relatives import DOCTOR, KEYS, Ward

BED, NEXT_BED = "h1-icu-1-01", "h1-icu-1-02"


@pytest.fixture
async def ward(database_url: str, app: Database, two_hospitals: None) -> AsyncIterator[Ward]:
    async for one in relatives.ward(database_url, app):
        yield one


async def test_a_confirmed_message_is_sent_once_and_delivered_by_its_callback(ward: Ward) -> None:
    await ward.ready(BED)
    await ward.send_all()
    await ward.planner.plan()
    await ward.send_all()
    (sent,) = ward.provider.taken
    assert sent.to == "+79161234567"
    assert sent.words.startswith("За сутки без изменений; состояние тяжёлое. В сознании, дышит")
    assert "Температура 37,1 °C, пульс 82 уд/мин, давление 118/61" in sent.words
    assert "Семёнова" not in sent.words
    async with ward.app.transaction(DOCTOR) as connection:
        for told in ("sent", "delivered", "sent", "failed"):
            state = await settling.told(
                connection, sent.message, sent.attempt, "SM1", told, "", ward.clock.now_us()
            )
        assert state == "delivered"
        steps = [row["to_state"] for row in await desk.steps(connection, sent.message)]
    assert steps == ["held", "due", "sending", "sent", "delivered"]


async def test_nothing_goes_without_a_physician(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.archive_is_fresh()
    await ward.enable(BED)
    await ward.planner.plan()
    await ward.send_all()
    assert ward.provider.taken == []
    (row,) = await ward.todays()
    assert (row["state"], row["reasons"]) == ("held", ["unconfirmed"])
    with pytest.raises(MessageError, match="no_severity"):
        await ward.confirm(BED, severity="stable")


async def test_two_relatives_with_one_phone_get_one_message(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.enable(BED, "+7 916 123-45-67", "daughter")
    await ward.enable(BED, "8 (916) 123-45-67", "son")
    await ward.enable(BED, "+7 916 765-43-21", "wife")
    assert await ward.planner.plan() == 2
    assert await ward.planner.plan() == 0
    await ward.event("A01", NEXT_BED, "101", hours_ago=0)  # the same person, registered anew
    await ward.superuser.execute(
        "insert into patient_link values"
        " ('h1', 'merged', $1, '100', $2, '101', $3, $3, 'adt', '9-0')",
        patient_id("h1", "100"),
        patient_id("h1", "101"),
        to_datetime(ward.clock.now_us()),
    )
    await ward.enable(NEXT_BED, "+7 916 123-45-67", "daughter")
    assert await ward.planner.plan() == 0
    async with ward.app.transaction(DOCTOR) as connection:
        await desk.stop(connection, DOCTOR, "h1:*", relatives.UNIT, "too many", 0)
        assert await desk.stops(connection) == ["h1:*"]
        await desk.go_on(connection, DOCTOR, "h1:*", relatives.UNIT, 0)
        assert await desk.stops(connection) == []
        await desk.stop(connection, DOCTOR, "h1:*", relatives.UNIT, "again", 1)
        assert await desk.stops(connection) == ["h1:*"]


async def test_a_landline_makes_a_call_task_and_no_message(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.enable(BED, "+7 495 123-45-67")
    await ward.planner.plan()
    (row,) = await ward.todays()
    assert (row["kind"], row["state"], row["reasons"]) == ("call", "held", ["no_mobile"])
    async with ward.app.transaction(DOCTOR) as connection:
        done = await desk.call_made(
            connection, DOCTOR, str(row["message"]), "told", ward.clock.now_us(), send=True
        )
    assert done.state == "cancelled"


@pytest.mark.parametrize(
    ("trigger", "bed", "reason"),
    [("A03", BED, "discharge"), ("A02", "h1-ed-01", "transfer"), ("A11", BED, "cancelled")],
)
async def test_who_is_gone_by_the_archive_gets_nothing(
    ward: Ward, trigger: str, bed: str, reason: str
) -> None:
    await ward.ready(BED)
    await ward.event(trigger, bed, hours_ago=0)
    desk_of = bed.rpartition("-")[0]  # a message goes along with its patient
    told = await ward.todays(desk_of)
    assert [(r["state"], r["reasons"]) for r in told] == [("cancelled", [reason])]
    await ward.send_all()
    assert ward.provider.taken == []


async def test_a_move_within_the_unit_changes_nothing(ward: Ward) -> None:
    await ward.ready(BED)
    await ward.event("A02", NEXT_BED, hours_ago=0)
    await ward.send_all()
    assert len(ward.provider.taken) == 1
    assert (await ward.stay(NEXT_BED)).admitted_at < ward.clock.now_us()


async def test_values_filed_anew_after_the_confirmation_hold_the_message_until_the_next_one(
    ward: Ward,
) -> None:
    await ward.ready(BED)
    now = ward.clock.now_us()
    begin, told = to_datetime(now - 600 * SECOND), to_datetime(now + SECOND)
    await ward.superuser.execute(
        "insert into refiling (refiling, hospital_id, unit, place, from_at, to_at, patient_id,"
        " numbers, mode, was, event, source, told_at, proposed, entry_id)"
        " select gen_random_uuid(), 'h1', 'h1-icu-1', $1, $2, $3, null, '{}', '',"
        " array[patient_id], 'A02', 'adt', $3, false, '1-0' from relative_message limit 1",
        BED, begin, told,
    )  # fmt: skip
    await ward.send_all()
    assert [(r["state"], r["reasons"]) for r in await ward.todays()] == [("held", ["refiled"])]
    await ward.superuser.execute("update refiling set reversed_at = $1", told)
    await ward.confirm(BED)
    await ward.superuser.execute(
        "insert into correction select hospital_id, unit, place, event_id, null, code,"
        " determined_at, 'nurse', 'icu_nurse', $1, 'another patient', mode, entry_id"
        " from measurement where code = '80288-4'",
        told,
    )
    await ward.send_all()
    assert [(r["state"], r["reasons"]) for r in await ward.todays()] == [("held", ["refiled"])]
    ward.clock.advance(2)
    await ward.confirm(BED)
    await ward.send_all()
    (sent,) = ward.provider.taken
    assert "О сознании сообщит врач" in sent.words  # the entry was made in error


async def test_a_move_of_bed_keeps_the_days_course_and_leaves_the_other_monitors_values(
    ward: Ward,
) -> None:
    await ward.event("A01", BED)
    await ward.measure(BED)
    await ward.event("A02", NEXT_BED, hours_ago=0)
    whose = await ward.stay(NEXT_BED)
    async with ward.app.transaction(DOCTOR) as connection:
        known = await patients.readings(connection, whose, ward.clock.now_us())
    assert {(r.code, r.moved) for r in known} == {
        ("80288-4", True), ("107117-4", True), ("8480-6", True), ("8462-4", True),
    }  # fmt: skip


async def test_late_news_of_an_earlier_stay_ends_nothing(ward: Ward) -> None:
    await ward.ready(BED)
    await ward.event("A03", BED, hours_ago=80)
    assert await ward.states() == ["due"]


async def test_death_withdrawal_and_stop_are_stronger_than_a_confirmation(ward: Ward) -> None:
    await ward.ready(BED)
    async with ward.app.transaction(DOCTOR) as connection:
        whose = await patients.open_stay_of_bed(connection, BED)
        await connection.execute("select stay_end($1, now(), 'death')", whose.stay)
    await ward.send_all()
    (row,) = await ward.todays()
    assert (row["state"], row["reasons"]) == ("cancelled", ["death"])
    with pytest.raises(Exception, match="Nobody is admitted"):
        await ward.confirm(BED)
    assert ward.provider.taken == []


async def test_withdrawal_cancels_at_once(ward: Ward) -> None:
    await ward.ready(BED)
    (row,) = await ward.todays()
    async with ward.app.transaction(DOCTOR) as connection:
        await contacts.withdraw(
            connection, DOCTOR, str(row["contact"]), "asked", ward.clock.now_us()
        )
    await ward.send_all()
    assert await ward.states() == ["cancelled"]
    assert ward.provider.taken == []


async def test_a_red_alarm_at_the_last_moment_holds_and_the_call_is_recorded(ward: Ward) -> None:
    await ward.ready(BED)
    await ward.red_alarm("active", 120)
    await ward.red_alarm("latched", 5, since=120)  # nobody has taken it on
    await ward.send_all()
    (row,) = await ward.todays()
    assert (row["state"], row["reasons"]) == ("held", ["red_alarm", "worsening"])
    ward.clock.advance(300)
    await ward.red_alarm("inactive", since=125)
    await ward.archive_is_fresh()
    async with ward.app.transaction(DOCTOR) as connection:
        again = await desk.reconsider(connection, row["message"], ward.clock.now_us())
        assert again.reasons == ("worsening",)  # red for two hours, until now
        done = await desk.call_made(
            connection, DOCTOR, str(row["message"]), "told her", ward.clock.now_us(), send=True
        )
    assert done.state == "due"
    await ward.send_all()
    assert len(ward.provider.taken) == 1


async def test_worse_dynamics_go_by_voice_first(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.measure(BED)
    await ward.archive_is_fresh()
    await ward.enable(BED)
    await ward.planner.plan()
    (done,) = await ward.confirm(BED, course="negative")
    assert (done.state, done.reasons) == ("held", ("negative",))


async def test_nothing_is_claimed_while_the_archive_lags(ward: Ward) -> None:
    await ward.ready(BED)
    ward.clock.advance(11)
    await ward.send_all()
    assert (await ward.states(), ward.provider.taken) == (["due"], [])
    await ward.alarms_are_archived("in")  # values come, and nobody judges them
    await ward.send_all()
    assert (await ward.states(), ward.provider.taken) == (["due"], [])
    await ward.archive_is_fresh()
    await ward.send_all()
    assert len(ward.provider.taken) == 1


async def test_without_figures_it_waits_for_a_physician(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.archive_is_fresh()
    await ward.enable(BED)
    await ward.planner.plan()
    (done,) = await ward.confirm(BED)
    assert done.reasons == ("no_figures",)


async def test_what_the_window_did_not_see_leave_expires_and_never_leaves(ward: Ward) -> None:
    await ward.ready(BED)
    ward.clock.advance(3600 * 2)
    await ward.archive_is_fresh()
    await ward.send_all()
    assert await ward.states() == ["expired"]
    assert ward.provider.taken == []


async def test_a_refusal_before_anything_left_is_tried_again_and_a_silence_is_not(
    ward: Ward,
) -> None:
    await ward.ready(BED)
    ward.provider.answers = [Outcome(AGAIN, code="429"), Outcome(UNKNOWN, code="timeout")]
    await ward.send_all()
    assert await ward.states() == ["due"]
    ward.clock.advance(31)
    await ward.archive_is_fresh()
    await ward.send_all()
    assert await ward.states() == ["unknown"]
    ward.clock.advance(600)
    await ward.archive_is_fresh()
    await ward.planner.tidy()
    await ward.send_all()
    assert len(ward.provider.taken) == 2
    (row,) = await ward.todays()
    async with ward.app.transaction(DOCTOR) as connection:
        await desk.settle(connection, DOCTOR, str(row["message"]), "sent", ward.clock.now_us())
        with pytest.raises(Conflict):
            await desk.settle(connection, DOCTOR, str(row["message"]), "sent", 0)


async def test_a_number_whose_key_is_missing_waits_and_is_not_lost(ward: Ward) -> None:
    await ward.ready(BED)
    await ward.superuser.execute("update contact set number_key = 'elsewhere'")
    await ward.send_all()
    (row,) = await ward.todays()
    assert (row["state"], row["reasons"], ward.provider.taken) == ("due", ["no_key"], [])
    await ward.superuser.execute("update contact set number_key = 'test'")
    ward.clock.advance(31)
    await ward.archive_is_fresh()
    await ward.send_all()
    assert (await ward.states(), len(ward.provider.taken)) == (["sent"], 1)


async def test_a_number_that_takes_no_sms_is_stopped(ward: Ward) -> None:
    await ward.ready(BED)
    ward.provider.answers = [Outcome(REFUSED, code="21614")]
    await ward.send_all()
    (row,) = await ward.todays()
    assert (row["state"], row["withdrawn"]) == ("failed", True)


async def test_a_sender_that_died_leaves_unknown_and_nobody_sends_again(ward: Ward) -> None:
    await ward.ready(BED)
    (claimed,), _ = await ward.sender._claim("h1")
    ward.clock.advance(61)
    await ward.planner.tidy()
    assert await ward.states() == ["unknown"]
    await ward.archive_is_fresh()
    await ward.send_all()
    async with ward.app.transaction(DOCTOR) as connection:  # it wakes up and reports
        now = ward.clock.now_us()
        assert not await outbox.finish(connection, claimed, "due", again_at=now, now=now)
        assert await outbox.finish(connection, claimed, "sent", provider_id="SM9", now=now)
    assert ward.provider.taken == []


async def test_four_senders_and_one_message(ward: Ward) -> None:
    await ward.ready(BED)
    await asyncio.gather(*(ward.sender.step("h1") for _ in range(4)))
    assert len(ward.provider.taken) == 1


async def test_automatic_sending_needs_the_physicians_word_and_known_wording(ward: Ward) -> None:
    await ward.event("A01", BED)
    await ward.measure(BED)
    await ward.archive_is_fresh()
    await ward.enable(BED)
    async with ward.app.transaction(DOCTOR) as connection:
        whose = await patients.open_stay_of_bed(connection, BED)
        await patients.change(connection, DOCTOR, whose, ward.clock.now_us(), automatic=True)
    await ward.planner.plan()
    await ward.planner.tidy()
    (row,) = await ward.todays()
    assert (row["reasons"], row["words"]) == (["unconfirmed"], "")  # no word, no text
    await ward.superuser.execute(
        "update stay set severity = 'serious', severity_at = $1", to_datetime(ward.clock.now_us())
    )
    await ward.planner.tidy()
    (row,) = await ward.todays()
    assert row["reasons"] == ["template_changed"]


async def test_a_code_is_sent_once_a_day_and_confirms_the_number(ward: Ward) -> None:
    await ward.event("A01", BED)
    contact = await ward.enable(BED)
    now = ward.clock.now_us()
    code = KEYS.code_hash(contact, "123456")
    async with ward.app.transaction(DOCTOR) as connection:
        await connection.execute("update contact set verified_at = null")
        await contacts.begin_code(connection, contact, code, now)
        day = due.local_date(now, relatives.ZONE)
        for fresh in (True, False):
            assert fresh == await contacts.enqueue_code(
                connection, DOCTOR, contact, day, "Код 123456", now
            )
    await ward.send_all()
    assert [one.words for one in ward.provider.taken] == ["Код 123456"]
    async with ward.app.transaction(DOCTOR) as connection:
        wrong = KEYS.code_hash(contact, "000000")
        assert not await contacts.check_code(connection, DOCTOR, contact, wrong, now + SECOND)
        assert await contacts.check_code(connection, DOCTOR, contact, code, now + SECOND)


async def test_a_demo_patient_reaches_the_console_only(ward: Ward) -> None:
    real, console = relatives.Recorder(), relatives.Recorder()
    ward.sender.providers = Providers(console, real)
    await ward.ready(BED)
    async with ward.app.transaction(DOCTOR):
        await ward.superuser.execute("update relative_message set mode = 'Demo'")
    await ward.send_all()
    assert (len(console.taken), len(real.taken)) == (1, 0)
